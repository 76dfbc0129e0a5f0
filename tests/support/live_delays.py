"""How soon a client of the broker is told by a bridge that hears N.I.N.A. what a simulated rig did.

recorded, site = played_nights(1)
start_delays(site), end_delays(site), exposure_delays(recorded, site)      # in seconds
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tests.support.live_on_broker import LiveSite, play_on_broker
from tests.support.recorded_rig import RecordedRig
from ts2mqtt.observatory.events import EXPOSURE_ACQUIRED, TARGET_STARTED
from ts2mqtt.simulator.automation import ObservatoryAutomation
from ts2mqtt.simulator.busy_observatory import busy_observatory
from ts2mqtt.simulator.nina.announcement import (
    NEW_TARGET_START,
    SAFETY_CHANGED,
    SEQUENCE_FINISHED,
    TARGET_START,
    WAIT_START,
)
from ts2mqtt.simulator.scripted_user import ScriptedUser
from ts2mqtt.simulator.sky import Site

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ts2mqtt.simulator.nina.announcement import Announcement
    from ts2mqtt.simulator.observatory import SimulatedObservatory

START = datetime(2026, 3, 15, 12, tzinfo=UTC)
_STARTS = (NEW_TARGET_START, TARGET_START)
_EVER = timedelta(days=10_000)


def recorded_observatory() -> tuple[SimulatedObservatory, RecordedRig]:
    """A busy one, at noon, whose rig and user write down what they do."""
    observatory = busy_observatory(
        seed=7, start=START, site=Site(latitude_deg=52.5, longitude_deg=13.4), timezone=ZoneInfo("Europe/Berlin")
    )
    recorded = RecordedRig(observatory, START)
    observatory.automation = ObservatoryAutomation(recorded, ScriptedUser(observatory, START))
    return observatory, recorded


def played_nights(nights: int, *, hears: bool = True) -> tuple[RecordedRig, LiveSite]:
    """So many nights of the observatory; without `hears` they are polled alone."""
    observatory, recorded = recorded_observatory()
    return recorded, play_on_broker(observatory, START + timedelta(days=nights), hears=hears)


def announced_targets(announced: Iterable[Announcement]) -> Iterator[Announcement]:
    """Each time another target is announced than the one at work."""
    at_work: str | None = None
    for one in announced:
        if one.event in _STARTS:
            if one.target_id != at_work:
                yield one
            at_work = one.target_id
        elif is_end(one):
            at_work = None


def is_end(one: Announcement) -> bool:
    """Whether it tells that nothing is imaged any more."""
    is_unsafe = one.event == SAFETY_CHANGED and one.fields.get("IsSafe") is False
    return one.event in {WAIT_START, SEQUENCE_FINISHED} or is_unsafe


def told(events: Iterable[tuple[datetime, dict[str, Any]]], event_type: str) -> list[tuple[datetime, str | None]]:
    """When events of this type were told, with the target of each; one that counts several exposures as often."""
    return [
        (time, event["target_id"])
        for time, event in events
        if event["event_type"] == event_type
        for _ in range(event["count"] or 1)
    ]


@dataclass(frozen=True, slots=True)
class StartDelays:
    """`seconds` from announcements to `target_started`; how many announcements had no start, and the reverse."""

    seconds: list[float]
    not_told: int
    untrue: int


def start_delays(site: LiveSite) -> StartDelays:
    """Each announcement of another target, and the first start of it that was told before the next announcement."""
    starts = told(site.events, TARGET_STARTED)
    announced = list(announced_targets(site.nina.nina.announced))
    nexts = [one.time for one in announced[1:]] + [site.clock.start + _EVER]
    seconds: list[float] = []
    for one, following in zip(announced, nexts, strict=True):
        told_at = next(
            (t for t, target_id in starts if target_id == one.target_id and one.time <= t < following), None
        )
        if told_at is not None:
            seconds.append((told_at - one.time).total_seconds())
    return StartDelays(seconds, not_told=len(announced) - len(seconds), untrue=len(starts) - len(seconds))


def end_delays(site: LiveSite) -> list[float]:
    """From the word that ends it to the state that says that nothing is imaged, where something was."""
    ends = sorted(one.time for one in site.nina.nina.announced if is_end(one))
    delays: list[float] = []
    for (began, was), (ended, is_now) in pairwise(site.imaging):
        if was and not is_now:
            delays += [(ended - end).total_seconds() for end in ends if began <= end <= ended][:1]
    return delays


def exposure_delays(recorded: RecordedRig, events: Iterable[tuple[datetime, dict[str, Any]]]) -> list[float]:
    """From the database to the message."""
    times: defaultdict[str | None, list[datetime]] = defaultdict(list)
    for time, target_id in told(events, EXPOSURE_ACQUIRED):
        times[target_id].append(time)
    return [(times[one.target_id].pop(0) - one.time).total_seconds() for one in recorded.exposures]
