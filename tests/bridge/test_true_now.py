"""What is said of now, where it was once wrong: each a night in simulated time."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from tests.bridge.test_simulated_nights import EVENING, MIDNIGHT, MORNING, NOON, activities, add_target, images, local
from tests.support.bridge_zone import bridge_in
from tests.support.recorded_rig import RecordedRig
from tests.support.simulated_night import WatchedRig, play, rig_under
from ts2mqtt.config import PollingConfig
from ts2mqtt.observatory.events import (
    EXPOSURE_ACCEPTED,
    EXPOSURE_ACQUIRED,
    TARGET_COMPLETED,
    TARGET_FINISHED,
    TARGET_STARTED,
)
from ts2mqtt.observatory.evidence import PLANNED
from ts2mqtt.observatory.present import IDLE, IMAGING, OFFLINE, WAITING
from ts2mqtt.simulator.automation import ObservatoryAutomation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ts2mqtt.simulator.observatory import SimulatedObservatory
    from ts2mqtt.simulator.rows import SimulatedTarget

ZONE = ZoneInfo("Europe/Berlin")
A_LOOK = timedelta(seconds=31)
AN_EDIT_SEEN = timedelta(seconds=PollingConfig().edit_interval + 1)
EXPOSURE = timedelta(seconds=300)
OVERHEAD = timedelta(minutes=3)
WITHOUT_PLANS = PollingConfig(plan="off")


@pytest.fixture(autouse=True)
def _bridge_in_berlin() -> Iterator[None]:
    with bridge_in("Europe/Berlin"):
        yield


class Night:
    """A clear night with a target that stands high in the evening, one at midnight and one in the morning."""

    def __init__(self, *, desired: int = 500) -> None:
        self.observatory: SimulatedObservatory = rig_under("clear", NOON)
        self.profile = self.observatory.add_profile("Refractor")
        for name, hours in ((EVENING, -4.0), (MIDNIGHT, 0.0), (MORNING, 4.0)):
            add_target(self.observatory, self.profile, name, hours, desired=desired)
        self.rig = RecordedRig(self.observatory, NOON)
        self.observatory.automation = ObservatoryAutomation(self.rig)

    def target(self, name: str) -> SimulatedTarget:
        return next(target for target in self.observatory.targets() if target.name == name)


@pytest.fixture
def night() -> Night:
    return Night()


def between(watched: WatchedRig, start: datetime, end: datetime) -> list[str]:
    """What was said at the start and since."""
    return activities([watched.at(start), *(shown for shown in watched.looks if start < shown.time <= end)])


def starts(watched: WatchedRig) -> list[str | None]:
    return [event.target_name for event in watched.of_type(TARGET_STARTED)]


def finishes(watched: WatchedRig) -> list[str | None]:
    return [event.target_name for event in watched.of_type(TARGET_FINISHED)]


def acquired(watched: WatchedRig) -> int:
    return sum(event.count or 0 for event in watched.of_type(EXPOSURE_ACQUIRED))


def test_a_bridge_that_is_restarted_while_the_rig_images_goes_on_saying_so(night: Night) -> None:
    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        for hour in (19, 20, 21, 22, 23):
            await rig.until(local(hour))
            await rig.stop_bridge()
            await rig.until(local(hour) + timedelta(seconds=20))
            rig.start_bridge()
        await rig.until(local(11, 59))

    watched = play(night.observatory, script)

    said = [shown.present.imaging for shown in watched.looks if shown.present.activity != OFFLINE]
    assert sum(before is not now for before, now in pairwise(said)) == 2
    assert starts(watched) == finishes(watched) == [EVENING, MIDNIGHT, MORNING]
    assert acquired(watched) == images(night.observatory) == watched.looks[-1].tally.exposures_acquired
    since = {shown.present.activity_since for shown in watched.looks if shown.present.activity == IMAGING}
    assert len(since) == 1


def test_when_nina_has_crashed_and_comes_back_nothing_is_imaged(night: Night) -> None:
    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(local(20))
        night.rig.crash(local(20))
        rig.api_is_on = False
        await rig.until(local(20, 3))
        rig.api_is_on = True
        await rig.until(local(21))

    watched = play(night.observatory, script)

    assert between(watched, local(20), local(21)) == [IMAGING, OFFLINE, WAITING]
    assert starts(watched) == finishes(watched) == [EVENING]
    assert acquired(watched) == images(night.observatory)


def test_when_nina_has_crashed_just_after_an_exposure_that_counts_and_nothing_is_imaged(night: Night) -> None:
    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(local(20))
        while len(night.rig.exposures) == images(night.observatory) == acquired(rig):
            await rig.until(rig.now + timedelta(seconds=1))
        night.rig.crash(rig.now)
        rig.api_is_on = False
        await rig.until(rig.now + timedelta(minutes=3))
        rig.api_is_on = True
        await rig.until(local(21))

    watched = play(night.observatory, script)

    assert between(watched, local(20), local(21)) == [IMAGING, OFFLINE, WAITING]
    assert starts(watched) == [EVENING]
    assert acquired(watched) == images(night.observatory)


def switched_at(moment: datetime, night: Night, *, restart: bool = False, outage: bool = False) -> WatchedRig:
    """A minute after that moment another profile is active, right after an exposure of the first one was saved."""
    other = night.observatory.add_profile("Reflector")

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(moment)
        while images(night.observatory) == acquired(rig):
            await rig.until(rig.now + timedelta(seconds=1))
        if restart:
            await rig.stop_bridge()
        rig.api_is_on = not outage
        night.rig.crash(rig.now)
        night.observatory.activate_profile(other)
        if restart or outage:
            await rig.until(rig.now + timedelta(minutes=10))
        rig.api_is_on = True
        if restart:
            rig.start_bridge()
        await rig.until(rig.now + timedelta(hours=1))

    return play(night.observatory, script)


def test_a_switch_of_profiles_ends_what_the_old_one_did(night: Night) -> None:
    watched = switched_at(local(20), night)

    assert between(watched, local(20), local(22)) == [IMAGING, IDLE]
    (finished,) = watched.of_type(TARGET_FINISHED)
    assert finished.noticed - night.rig.exposures[-1].time < A_LOOK
    assert night.rig.exposures[-1].time - finished.time < A_LOOK


@pytest.mark.parametrize(("restart", "outage"), [(False, False), (True, False), (False, True), (True, True)], ids=str)
def test_an_exposure_saved_before_a_switch_counts(night: Night, restart: bool, outage: bool) -> None:
    watched = switched_at(local(20), night, restart=restart, outage=outage)

    assert acquired(watched) == images(night.observatory) == watched.looks[-1].tally.exposures_acquired
    assert watched.looks[-1].present.activity == IDLE
    # However that was, it does not take long.
    last = watched.of_type(EXPOSURE_ACQUIRED)[-1]
    wait = timedelta(minutes=10) if restart or outage else timedelta()
    assert last.noticed - night.rig.exposures[-1].time < wait + timedelta(minutes=2)


@pytest.mark.parametrize("change", ["deleted", "inactive", "paused"])
def test_what_cannot_happen_any_more_is_not_next(night: Night, change: str) -> None:
    target = night.target(MIDNIGHT)

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(local(20))
        match change:
            case "deleted":
                night.observatory.remove_target(target)
            case "inactive":
                target.active = False
            case _:
                night.observatory.set_project_state(night.observatory.project_of(target), "Inactive")
        await rig.until(local(21))

    watched = play(night.observatory, script)

    following = watched.at(local(20) - A_LOOK).present.next_target
    assert following is not None
    assert following.name == MIDNIGHT
    now = watched.at(local(20) + AN_EDIT_SEEN)
    assert now.present.next_target is not None
    assert (now.present.activity, now.present.next_target.name) == (IMAGING, MORNING)
    assert now.plan is not None
    assert {block.name for block in now.plan.blocks if block.dropped} == {MIDNIGHT}
    assert len(watched.previews) == 1


def test_of_two_equal_exposure_plans_one_that_is_deleted_is_no_exposure(night: Night) -> None:
    target = night.target(EVENING)
    for number in (2, 45):
        plan = night.observatory.add_exposure_plan(target, "Lum", exposure_s=60, desired=60)
        plan.acquired = plan.accepted = number

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(local(13))
        night.observatory.remove_exposure_plan(target, 1)
        await rig.until(local(14))

    watched = play(night.observatory, script, WITHOUT_PLANS)

    assert acquired(watched) == 0
    assert between(watched, local(13), local(14)) == [IDLE]
    assert watched.looks[-1].tally.exposures_acquired == 0


def test_counts_that_are_raised_by_hand_are_no_exposures(night: Night) -> None:
    plan = night.target(EVENING).exposure_plans[0]

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(local(14))
        plan.acquired += 30
        plan.accepted += 30
        await rig.until(local(15))

    watched = play(night.observatory, script, WITHOUT_PLANS)

    assert watched.events == []
    assert between(watched, local(14), local(15)) == [IDLE]
    assert watched.looks[-1].tally.exposures_acquired == 0
    assert [step.acquired for step in watched.edited] == [30]


def test_what_was_accepted_before_is_not_accepted_again_after_a_restart(night: Night) -> None:
    plan = night.target(EVENING).exposure_plans[0]

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(local(14))
        for number in range(1, 7):
            plan.acquired = plan.accepted = number
            await rig.until(rig.now + timedelta(minutes=6))
        plan.accepted = 3
        await rig.until(rig.now + timedelta(minutes=1))
        await rig.stop_bridge()
        rig.start_bridge()
        await rig.until(rig.now + timedelta(minutes=1))
        plan.accepted = 6
        await rig.until(rig.now + timedelta(minutes=1))

    watched = play(night.observatory, script, WITHOUT_PLANS)

    tally = watched.looks[-1].tally
    assert (tally.exposures_acquired, tally.exposures_accepted) == (6, 6)
    assert sum(event.count or 0 for event in watched.of_type(EXPOSURE_ACCEPTED)) == 6


def test_the_end_of_the_last_target_is_told_after_one_exposure(night: Night) -> None:
    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(local(11, 59))

    watched = play(night.observatory, script)

    last = night.rig.exposures[-1].time
    ended = next(shown.time for shown in watched.looks if shown.time > last and shown.present.activity != IMAGING)
    assert ended - last < EXPOSURE + OVERHEAD + A_LOOK
    assert watched.at(ended).present.activity == IDLE
    finished = watched.of_type(TARGET_FINISHED)[-1]
    assert abs(finished.time - last) < A_LOOK


def test_a_complete_target_is_not_current_while_the_next_one_begins(night: Night) -> None:
    plan = night.target(MIDNIGHT).exposure_plans[0]

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(local(21))
        in_hand = rig.looks[-1].plan
        assert in_hand is not None
        # It is complete when the plan has the next one begin.
        begins = next(block.start for block in in_hand.blocks if block.name == MORNING)
        await rig.until(begins - EXPOSURE)
        plan.desired = sum(image.good for image in plan.images) + 1
        await rig.until(begins + timedelta(hours=1))

    watched = play(night.observatory, script)

    (done,) = watched.of_type(TARGET_COMPLETED)
    current = watched.at(done.noticed).present.current_target
    assert current is not None
    assert (current.name, current.source) == (MORNING, PLANNED)
    finished = next(event for event in watched.of_type(TARGET_FINISHED) if event.target_name == MIDNIGHT)
    assert finished.noticed == done.noticed
    # Nothing says that the rig has stopped: the plan has the next target begin at once.
    assert between(watched, done.noticed, watched.looks[-1].time) == [IMAGING]
    assert starts(watched)[-1] == MORNING
