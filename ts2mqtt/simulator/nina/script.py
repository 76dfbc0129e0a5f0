"""Collects what happens in N.I.N.A. during one step of the rig, in the order of time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ts2mqtt.simulator.nina import images
from ts2mqtt.simulator.nina.announcement import IMAGE_PREPARED, IMAGE_SAVE, Announcement
from ts2mqtt.simulator.nina.process import Happening

if TYPE_CHECKING:
    from datetime import datetime, tzinfo
    from random import Random

    from ts2mqtt.simulator.nina.process import ProcessState
    from ts2mqtt.simulator.rows import JsonValue
    from ts2mqtt.simulator.wire import JsonObject

_DOWNLOADED_BEFORE_SAVED = timedelta(milliseconds=60)


class Script:
    """`state` is N.I.N.A.'s after everything that was written down; `at` is when the last of it happened.

    Nothing happens after `until`, when the next step begins; in a short step much happens at its end.
    """

    def __init__(
        self, state: ProcessState, at: datetime, until: datetime | None, numbers: Random, timezone: tzinfo
    ) -> None:
        self.state = state
        self.at = at
        self.until = until
        self.numbers = numbers
        self.timezone = timezone
        self.happenings: list[Happening] = []

    def go_to(self, time: datetime) -> None:
        """What follows happens then; never earlier than what is written down."""
        self.at = max(self.at, time if self.until is None else min(time, self.until))

    def wait(self, least_s: float, most_s: float) -> None:
        """Let a random time pass."""
        self.go_to(self.at + timedelta(seconds=self.numbers.uniform(least_s, most_s)))

    def set(self, state: ProcessState) -> None:
        """The state changes, and N.I.N.A. says nothing."""
        self.state = state
        self.happenings.append(Happening(time=self.at, state=state))

    def tell(self, event: str, target_id: str | None = None, **fields: JsonValue) -> None:
        """N.I.N.A. announces an event."""
        announcement = Announcement(
            time=self.at, event=event, fields=fields, tick=self.numbers.randrange(10), target_id=target_id
        )
        self.happenings.append(Happening(time=self.at, state=self.state, announcement=announcement))

    def save_image(self, statistics: JsonObject, target_id: str | None = None) -> None:
        """An image has been downloaded, and is saved now."""
        self.state = replace(self.state, exposes_until=None)
        saved_at, tick = self.at, self.numbers.randrange(10)
        self.at = saved_at - _DOWNLOADED_BEFORE_SAVED
        self.tell(IMAGE_PREPARED)
        self.at = saved_at
        fields: JsonObject = {"ImageStatistics": images.dated(statistics, saved_at, tick, self.timezone)}
        announcement = Announcement(time=saved_at, event=IMAGE_SAVE, fields=fields, tick=tick, target_id=target_id)
        self.happenings.append(Happening(time=saved_at, state=self.state, announcement=announcement))

    def change_filter(self, name: str) -> None:
        """Turn the wheel; nothing happens if the filter is in place."""
        if name == self.state.filter_name:
            return
        before, self.state = self.state.filter_name, replace(self.state, filter_name=name)
        self.tell("FILTERWHEEL-CHANGED", Previous=_filter(before), New=_filter(name))

    def stop_guiding(self) -> None:
        if self.state.is_guiding:
            self.state = replace(self.state, is_guiding=False)
            self.tell("GUIDER-STOP")

    def park(self) -> None:
        if not self.state.is_parked:
            self.state = replace(self.state, is_parked=True)
            self.tell("MOUNT-PARKED")

    def unpark(self) -> None:
        if self.state.is_parked:
            self.state = replace(self.state, is_parked=False)
            self.tell("MOUNT-UNPARKED")


_WHEEL = ("L", "R", "G", "B", "Ha", "OIII", "SII")


def _filter(name: str) -> JsonValue:
    return {"Name": name, "Id": _WHEEL.index(name) if name in _WHEEL else len(_WHEEL)}
