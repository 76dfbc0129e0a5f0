"""Faults that a test adds to the events of a simulated N.I.N.A., by the name of the event.

    rule = nina.faults.add("IMAGE-SAVE", LiveFault.drop(), times=2)
    nina.faults.add("TS-*", LiveFault.delay(30))             # simulated seconds
    nina.faults.add("TS-TARGETSTART", LiveFault.fields(TargetName="M 33"))
    rule.remove()                                            # or nina.faults.clear()

The truth in `nina.announced` stays as it is. If several faults match, the one that was added last is used. Faults of
the connection itself are in ../faults.py and in server.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from ts2mqtt.simulator.faults import FaultRules
from ts2mqtt.simulator.nina.announcement import Announcement
from ts2mqtt.simulator.nina.json_text import NAN

if TYPE_CHECKING:
    from ts2mqtt.simulator.rows import JsonValue

_MEGABYTE = 1024 * 1024

Ending = Literal["close", "reset", "restart"]
"""How a connection ends: with a close frame, with a TCP reset, or because N.I.N.A. is restarted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A raw text that is sent to every client at a time, or the end of every connection."""

    time: datetime
    text: str | None = None
    ending: Ending | None = None
    close_code: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What is sent instead of an event: another event, or a delivery; later, or after the next event."""

    instead: Announcement | Delivery
    delay: timedelta = timedelta()
    waits_for_next: bool = False


Act = Callable[[Announcement], Sequence[Sent]]


@dataclass(frozen=True, slots=True)
class LiveFault:
    """Something that goes wrong with an event."""

    act: Act

    @classmethod
    def drop(cls) -> LiveFault:
        """The event is lost."""
        return cls(lambda _: ())

    @classmethod
    def duplicate(cls, times: int = 2) -> LiveFault:
        """The event comes several times."""
        return cls(lambda event: [Sent(instead=event)] * times)

    @classmethod
    def delay(cls, seconds: float) -> LiveFault:
        """The event comes so many simulated seconds later; others may overtake it."""
        return cls(lambda event: [Sent(instead=event, delay=timedelta(seconds=seconds))])

    @classmethod
    def reorder(cls) -> LiveFault:
        """The event comes after the next one."""
        return cls(lambda event: [Sent(instead=event, waits_for_next=True)])

    @classmethod
    def fields(cls, **fields: JsonValue) -> LiveFault:
        """Other values: a wrong or ambiguous TargetName, the ProjectName of no project; None leaves a field out."""

        def act(event: Announcement) -> Sequence[Sent]:
            changed = {name: value for name, value in {**event.fields, **fields}.items() if value is not None}
            return [Sent(instead=replace(event, fields=changed))]

        return cls(act)

    @classmethod
    def statistics(cls, **values: JsonValue) -> LiveFault:
        """Other values in ImageStatistics, such as HFR 0.0 where no star was found."""

        def act(event: Announcement) -> Sequence[Sent]:
            statistics = event.fields["ImageStatistics"]
            assert isinstance(statistics, dict)  # noqa: S101 - a wrong use by a test
            return [Sent(instead=replace(event, fields={"ImageStatistics": statistics | values}))]

        return cls(act)

    @classmethod
    def nan(cls) -> LiveFault:
        """Every double is NaN, which is written as a string."""

        def act(event: Announcement) -> Sequence[Sent]:
            fields = {name: _without_numbers(value) for name, value in event.fields.items()}
            return [Sent(instead=replace(event, fields=fields))]

        return cls(act)

    @classmethod
    def huge(cls, megabytes: float = 2.0) -> LiveFault:
        """The event with a field of some megabytes."""

        def act(event: Announcement) -> Sequence[Sent]:
            return [Sent(instead=replace(event, fields={**event.fields, "Note": "x" * int(megabytes * _MEGABYTE)}))]

        return cls(act)

    @classmethod
    def bare_string(cls, text: str) -> LiveFault:
        """The user's own text comes instead."""
        return cls(lambda event: [Sent(instead=replace(event, bare_text=text))])

    @classmethod
    def raw(cls, text: str) -> LiveFault:
        """A text that need not be JSON comes instead."""
        return cls(lambda event: [Sent(instead=Delivery(time=event.time, text=text))])

    @classmethod
    def close(cls, code: int = 1001) -> LiveFault:
        """The server closes every connection instead."""
        return cls(lambda event: [Sent(instead=Delivery(time=event.time, ending="close", close_code=code))])

    @classmethod
    def reset(cls) -> LiveFault:
        """Every connection is reset instead."""
        return cls(lambda event: [Sent(instead=Delivery(time=event.time, ending="reset"))])


@dataclass(frozen=True, slots=True)
class _Late:
    time: datetime
    instead: Announcement | Delivery


class LiveFaults(FaultRules[LiveFault]):
    """The faults of one simulated N.I.N.A., by the names of events, and what they hold back."""

    def __init__(self) -> None:
        super().__init__()
        self._late: list[_Late] = []
        self._after_next: list[Announcement | Delivery] = []

    @property
    def next_at(self) -> datetime | None:
        """When something comes that was held back."""
        return min((late.time for late in self._late), default=None)

    def alter(self, announcement: Announcement) -> list[Announcement | Delivery]:
        """What comes now instead of this event."""
        held_before, self._after_next = self._after_next, []
        now: list[Announcement | Delivery] = []
        fault = self.take(announcement.event)
        for sent in (Sent(instead=announcement),) if fault is None else fault.act(announcement):
            if sent.waits_for_next:
                self._after_next.append(sent.instead)
            elif sent.delay:
                self._late.append(_Late(announcement.time + sent.delay, sent.instead))
            else:
                now.append(sent.instead)
        return now + held_before

    def take_late(self, now: datetime) -> list[_Late]:
        """What was held back until now, in the order of time."""
        due = sorted((late for late in self._late if late.time <= now), key=lambda late: late.time)
        self._late = [late for late in self._late if late.time > now]
        return due

    def forget(self) -> None:
        """N.I.N.A. has ended: what was held back never comes."""
        self._late.clear()
        self._after_next.clear()


def _without_numbers(value: JsonValue) -> JsonValue:
    if isinstance(value, float):
        return NAN
    if isinstance(value, Mapping):
        return {name: _without_numbers(item) for name, item in value.items()}
    return value
