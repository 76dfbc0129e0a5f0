"""How soon a bridge that hears N.I.N.A. tells what a simulated rig did.

recorded, rig = played_nights(1)
start_delays(rig), end_delays(rig), exposure_delays(recorded, rig)      # in seconds
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tests.support.live_night import LiveRig, play_live
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
    from collections.abc import Awaitable, Callable, Iterator

    from ts2mqtt.simulator.nina.announcement import Announcement
    from ts2mqtt.simulator.observatory import SimulatedObservatory

START = datetime(2026, 3, 15, 12, tzinfo=UTC)
_STARTS = (NEW_TARGET_START, TARGET_START)


def recorded_observatory() -> tuple[SimulatedObservatory, RecordedRig]:
    """A busy one, at noon, whose rig and user write down what they do."""
    observatory = busy_observatory(
        seed=7, start=START, site=Site(latitude_deg=52.5, longitude_deg=13.4), timezone=ZoneInfo("Europe/Berlin")
    )
    recorded = RecordedRig(observatory, START)
    observatory.automation = ObservatoryAutomation(recorded, ScriptedUser(observatory, START))
    return observatory, recorded


def played_nights(nights: int, *, hears: bool = True) -> tuple[RecordedRig, LiveRig]:
    """So many nights of the observatory; without `hears` they are polled alone."""
    observatory, recorded = recorded_observatory()
    return recorded, play_live(observatory, _until(START + timedelta(days=nights)), hears=hears)


def announced_targets(rig: LiveRig) -> Iterator[Announcement]:
    """Each time another target is announced than the one at work."""
    at_work: str | None = None
    for one in rig.nina.nina.announced:
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


def told(rig: LiveRig, event_type: str) -> list[tuple[datetime, str | None]]:
    """When events of this type were told, with the target of each; one that counts several exposures as often."""
    return [
        (time, event["target_id"])
        for time, event in rig.events
        if event["event_type"] == event_type
        for _ in range(event["count"] or 1)
    ]


def start_delays(rig: LiveRig) -> list[float]:
    """From the announcement of each target to `target_started`, which must follow it."""
    return [
        (time - one.time).total_seconds()
        for (time, target_id), one in zip(told(rig, TARGET_STARTED), announced_targets(rig), strict=True)
        if target_id == one.target_id
    ]


def end_delays(rig: LiveRig) -> list[float]:
    """From the word that ends it to the state that says that nothing is imaged, where something was."""
    ends = sorted(one.time for one in rig.nina.nina.announced if is_end(one))
    delays: list[float] = []
    for before, after in pairwise(rig.updates):
        if before.state["imaging"] and not after.state["imaging"]:
            delays += [(after.time - end).total_seconds() for end in ends if before.time <= end <= after.time][:1]
    return delays


def exposure_delays(recorded: RecordedRig, rig: LiveRig) -> list[float]:
    """From the database to the bridge's inbox."""
    times: defaultdict[str | None, list[datetime]] = defaultdict(list)
    for time, target_id in told(rig, EXPOSURE_ACQUIRED):
        times[target_id].append(time)
    return [(times[one.target_id].pop(0) - one.time).total_seconds() for one in recorded.exposures]


def _until(moment: datetime) -> Callable[[LiveRig], Awaitable[None]]:
    async def script(rig: LiveRig) -> None:
        await rig.until(moment)

    return script
