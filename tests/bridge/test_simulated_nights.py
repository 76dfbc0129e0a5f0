"""Whole nights, played with a clock under control: what the bridge would say about them, and what it asks for."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from tests.support.bridge_zone import bridge_in
from tests.support.simulated_night import BERLIN, Shown, WatchedRig, play, rig_under
from ts2mqtt.config.models import PollingConfig
from ts2mqtt.observatory.events import (
    EXPOSURE_ACCEPTED,
    EXPOSURE_ACQUIRED,
    NIGHT_FINISHED,
    PLAN_CHANGED,
    PROFILE_CHANGED,
    PROJECT_ADDED,
    PROJECT_COMPLETED,
    PROJECT_STATE_CHANGED,
    RIG_OFFLINE,
    RIG_ONLINE,
    TARGET_COMPLETED,
    TARGET_FINISHED,
    TARGET_STARTED,
)
from ts2mqtt.observatory.evidence import OBSERVED
from ts2mqtt.observatory.night import night_of
from ts2mqtt.observatory.present import IDLE, IMAGING, OFFLINE, WAITING
from ts2mqtt.simulator.busy_observatory import busy_observatory
from ts2mqtt.simulator.sky import Site, Sky

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from tests.support.simulated_night import Sort
    from ts2mqtt.observatory.events import Event
    from ts2mqtt.simulator.observatory import SimulatedObservatory
    from ts2mqtt.simulator.rows import SimulatedProfile, SimulatedProject

ZONE = ZoneInfo("Europe/Berlin")
NAMIBIA = Site(latitude_deg=-23.2, longitude_deg=16.4)
NOON = datetime(2026, 1, 10, 12, tzinfo=ZONE)
A_DAY = timedelta(days=1)
EVENING, MIDNIGHT, MORNING = "Evening", "Midnight", "Morning"


@pytest.fixture(autouse=True)
def _bridge_in_berlin() -> Iterator[None]:
    with bridge_in("Europe/Berlin"):
        yield


def three_targets(observatory: SimulatedObservatory, *, desired: int = 500, exposure_s: float = 300) -> None:
    """One project each for a target that stands high in the evening, at midnight and in the morning."""
    profile = observatory.add_profile("Refractor")
    for name, hours in ((EVENING, -4.0), (MIDNIGHT, 0.0), (MORNING, 4.0)):
        add_target(observatory, profile, name, hours, desired=desired, exposure_s=exposure_s)


def add_target(  # noqa: PLR0913 - what a target of the plan is made of
    observatory: SimulatedObservatory,
    profile: SimulatedProfile,
    name: str,
    hours_after_midnight: float,
    *,
    desired: int = 500,
    exposure_s: float = 300,
) -> SimulatedProject:
    """A project with one target, which stands highest so many hours after midnight of the coming night."""
    site = observatory.site
    midnight = observatory.now.replace(hour=0) + A_DAY
    around = midnight + timedelta(hours=hours_after_midnight)
    sky, dec_deg = Sky(site), 20.0 if site.latitude_deg > 0 else -20.0
    ra_hours = max((tenth / 10 for tenth in range(240)), key=lambda ra: sky.altitude(ra, dec_deg, around))
    project = observatory.add_project(profile, name)
    target = observatory.add_target(project, name, ra_hours=ra_hours, dec_deg=dec_deg)
    observatory.add_exposure_plan(target, "Ha", filter_name="Ha", exposure_s=exposure_s, desired=desired)
    return project


def rig(sort: Sort = "clear", noon: datetime = NOON, site: Site = BERLIN, **fields: int) -> SimulatedObservatory:
    observatory = rig_under(sort, noon, site=site)
    three_targets(observatory, **fields)
    return observatory


def whole_night(*, begin: timedelta = timedelta()) -> Callable[[WatchedRig], Awaitable[None]]:
    """From so long after the noon on to a minute before the next."""

    async def script(rig: WatchedRig) -> None:
        noon = rig.now
        await rig.until(noon + begin)
        rig.start_bridge()
        await rig.until(noon + A_DAY - timedelta(minutes=1))

    return script


def activities(looks: list[Shown]) -> list[str]:
    return [activity for activity, _ in groupby(look.present.activity for look in looks)]


def told(events: list[Event]) -> list[tuple[str, str | None]]:
    """Type and target or project; without the exposures, which are many."""
    return [
        (event.event_type, event.target_name or event.project_name)
        for event in events
        if event.event_type not in (EXPOSURE_ACQUIRED, EXPOSURE_ACCEPTED)
    ]


def counted(watched: WatchedRig, event_type: str) -> int:
    return sum(event.count or 0 for event in watched.of_type(event_type))


def images(observatory: SimulatedObservatory) -> int:
    return sum(plan.acquired for target in observatory.targets() for plan in target.exposure_plans)


def local(hour: int, minute: int = 0, *, noon: datetime = NOON) -> datetime:
    """That time of the night which begins at `noon`."""
    day = noon if hour >= 12 else noon + A_DAY
    return day.replace(hour=hour, minute=minute)


def says_the_truth(watched: WatchedRig) -> None:
    """A target that is told as observed has just been imaged."""
    for look in watched.looks:
        current = look.present.current_target
        if look.present.activity == IMAGING:
            assert current is not None
            assert current.source == OBSERVED


def test_an_ordinary_night() -> None:
    observatory = rig()

    watched = play(observatory, whole_night())

    assert activities(watched.looks) == [OFFLINE, IDLE, WAITING, IMAGING, IDLE]
    assert told(watched.events) == [
        (PLAN_CHANGED, None),
        (TARGET_STARTED, EVENING),
        (TARGET_FINISHED, EVENING),
        (TARGET_STARTED, MIDNIGHT),
        (TARGET_FINISHED, MIDNIGHT),
        (TARGET_STARTED, MORNING),
        (TARGET_FINISHED, MORNING),
        (NIGHT_FINISHED, None),
    ]
    assert [preview.start for preview in watched.previews] == ["2026-01-10T13:00:00+01:00"]
    assert observatory.counters.previews_while_imaging == 0
    assert images(observatory) > 100
    assert counted(watched, EXPOSURE_ACQUIRED) == images(observatory)
    tally = watched.looks[-1].tally
    assert (tally.night, tally.exposures_acquired, tally.integration_s) == (
        NOON.date(),
        images(observatory),
        images(observatory) * 300.0,
    )
    assert [row.name for row in tally.targets] == [EVENING, MIDNIGHT, MORNING]
    says_the_truth(watched)


def test_the_next_target_is_told_with_its_planned_start_until_it_begins() -> None:
    watched = play(rig(), whole_night())

    imaging = [look for look in watched.looks if look.present.activity == IMAGING]
    names = [
        (look.present.current_target.name, look.present.next_target.name if look.present.next_target else None)
        for look in imaging
        if look.present.current_target
    ]
    assert [pair for pair, _ in groupby(names)] == [(EVENING, MIDNIGHT), (MIDNIGHT, MORNING), (MORNING, None)]


def test_the_tally_rolls_over_at_the_rig_s_noon_and_a_new_plan_is_asked_for() -> None:
    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(NOON + A_DAY + timedelta(minutes=2))

    watched = play(rig(), script)

    before, after = watched.at(NOON + A_DAY - timedelta(seconds=1)), watched.at(NOON + A_DAY)
    assert before.tally.exposures_acquired > 100
    assert (after.tally.night, after.tally.exposures_acquired) == (date(2026, 1, 11), 0)
    assert len(watched.previews) == 2


def test_a_block_s_edge_is_told_when_it_comes_and_not_at_the_next_poll() -> None:
    watched = play(rig(), whole_night(), PollingConfig(interval=1800))

    plan = watched.looks[-1].plan
    assert plan is not None
    first = next(block for block in plan.blocks if not block.is_wait)
    # The plugin's times have a fraction of a second, timers do not end early.
    at = watched.at(first.start + timedelta(milliseconds=1))
    assert at.time - first.start < timedelta(milliseconds=1)
    assert at.present.current_target is not None
    assert (at.present.activity, at.present.current_target.name) == (WAITING, EVENING)


def test_a_bridge_started_at_one_does_not_ask_while_the_rig_images() -> None:
    observatory = rig()

    watched = play(observatory, whole_night(begin=timedelta(hours=13)))

    before_dawn = [preview for preview in watched.previews if preview.time < local(7)]
    assert before_dawn == []
    assert observatory.counters.previews_while_imaging == 0
    assert activities(watched.looks)[:3] == [OFFLINE, IDLE, IMAGING]
    assert told(watched.events)[:3] == [
        (TARGET_STARTED, MIDNIGHT),
        (TARGET_FINISHED, MIDNIGHT),
        (TARGET_STARTED, MORNING),
    ]


def test_a_bridge_started_at_one_asks_for_the_rest_of_the_night_if_the_rig_is_idle() -> None:
    observatory = rig_under("clear", NOON)
    profile = observatory.add_profile("Refractor")
    add_target(observatory, profile, MORNING, 7.0)

    async def script(rig: WatchedRig) -> None:
        target = next(observatory.targets())
        observatory.project_of(target).minimum_altitude = 55
        await rig.until(local(1))
        rig.start_bridge()
        await rig.until(local(11, 59))

    watched = play(observatory, script)

    (asked,) = watched.previews
    assert asked.start is not None
    # After looking for longer than an exposure takes.
    assert timedelta(minutes=15) < asked.time - local(1) < timedelta(minutes=16)
    assert datetime.fromisoformat(asked.start) == asked.time
    assert asked.start.endswith("+01:00")
    assert observatory.counters.previews_while_imaging == 0
    plan = watched.looks[-1].plan
    assert plan is not None
    assert plan.night == NOON.date()
    assert activities(watched.looks) == [OFFLINE, IDLE, WAITING, IMAGING, IDLE]


def test_a_bridge_started_in_the_morning_asks_for_the_coming_night_once() -> None:
    observatory = rig()

    async def script(rig: WatchedRig) -> None:
        await rig.until(local(9))
        rig.start_bridge()
        await rig.until(NOON + A_DAY + timedelta(hours=2))

    watched = play(observatory, script)

    assert len(watched.previews) == 1
    plan = watched.looks[-1].plan
    assert plan is not None
    assert plan.night == date(2026, 1, 11)


def test_a_bridge_restarted_at_eleven_remembers_the_night() -> None:
    observatory = rig()
    count_at: dict[str, int] = {}

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(local(22, 40))
        await rig.stop_bridge()
        count_at["stopped"] = images(observatory)
        count_at["events"] = len(rig.events)
        await rig.until(local(23))
        count_at["started"] = images(observatory)
        rig.start_bridge()
        await rig.until(local(11, 59))

    watched = play(observatory, script)

    assert count_at["started"] > count_at["stopped"] > 0
    again = watched.events[count_at["events"] :]
    # What was imaged meanwhile is told, what was already so is not.
    meanwhile = again[0]
    assert (meanwhile.event_type, meanwhile.count) == (EXPOSURE_ACQUIRED, count_at["started"] - count_at["stopped"])
    assert meanwhile.time - local(23) < timedelta(minutes=1)
    assert told(again) == [
        (TARGET_FINISHED, MIDNIGHT),
        (TARGET_STARTED, MORNING),
        (TARGET_FINISHED, MORNING),
        (NIGHT_FINISHED, None),
    ]
    assert watched.looks[-1].tally.exposures_acquired == images(observatory)
    assert counted(watched, EXPOSURE_ACQUIRED) == images(observatory)
    assert len(watched.previews) == 1


def test_a_bridge_restarted_on_another_day_does_not_count_for_tonight_what_came_before() -> None:
    observatory = rig()

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(local(23))
        await rig.stop_bridge()
        await rig.until(NOON + A_DAY + timedelta(hours=2))
        rig.start_bridge()
        await rig.until(NOON + A_DAY + timedelta(hours=3))

    watched = play(observatory, script)

    tally = watched.looks[-1].tally
    assert (tally.night, tally.exposures_acquired) == (date(2026, 1, 11), 0)
    assert counted(watched, EXPOSURE_ACQUIRED) == images(observatory)


def test_a_cloudy_night_is_never_called_imaging() -> None:
    observatory = rig("cloudy")

    watched = play(observatory, whole_night())

    assert images(observatory) == 0
    assert IMAGING not in activities(watched.looks)
    assert told(watched.events) == [(PLAN_CHANGED, None), (NIGHT_FINISHED, None)]
    plan = watched.looks[-1].plan
    assert plan is not None
    for look in watched.looks:
        if look.present.current_target is not None:
            assert look.present.current_target.start is not None
            assert look.time - look.present.current_target.start < timedelta(minutes=45)
    for block in plan.blocks:
        if not block.is_wait:
            late = watched.at(block.start + timedelta(minutes=45)).present
            assert (late.activity, late.current_target) == (WAITING, None)
            assert late.next_target is not None
            assert late.next_target.target_id == block.target_id
    assert watched.at(plan.blocks[-1].end + timedelta(seconds=1)).present.activity == IDLE
    assert len(watched.previews) == 1


def test_a_target_finished_early_hands_over_to_another() -> None:
    observatory = rig_under("clear", NOON)
    profile = observatory.add_profile("Refractor")
    soon = add_target(observatory, profile, EVENING, -4.0, desired=500)
    add_target(observatory, profile, MIDNIGHT, -3.0)
    soon.enable_grader = False

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(local(19))
        # The user is content with less; nothing new is planned while the rig images.
        (target,) = soon.targets
        target.exposure_plans[0].desired = target.exposure_plans[0].acquired + 3
        await rig.until(local(11, 59))

    watched = play(observatory, script)

    (done,) = watched.of_type(TARGET_COMPLETED)
    assert done.target_name == EVENING
    assert done.took_s == pytest.approx((done.time - NOON).total_seconds(), abs=2)
    (target,) = soon.targets
    # With grading off the plugin goes on to the exposure throttle.
    assert done.accepted_s == int(1.25 * target.exposure_plans[0].desired) * 300.0
    (project_done,) = watched.of_type(PROJECT_COMPLETED)
    assert (project_done.project_name, project_done.accepted_s) == (EVENING, done.accepted_s)
    other = next(event for event in watched.of_type(TARGET_STARTED) if event.target_name == MIDNIGHT)
    assert other.time - done.time < timedelta(minutes=16)
    current = watched.at(other.noticed).present.current_target
    assert current is not None
    # The plan in hand still says otherwise.
    assert (current.name, current.source, current.start) == (MIDNIGHT, OBSERVED, None)
    assert observatory.counters.previews_while_imaging == 0


def test_a_project_closed_at_midnight() -> None:
    observatory = rig()
    closed = next(project for project in observatory.projects() if project.name == MIDNIGHT)

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(local(0))
        observatory.set_project_state(closed, "Closed")
        await rig.until(local(11, 59))

    watched = play(observatory, script)

    (changed,) = watched.of_type(PROJECT_STATE_CHANGED)
    assert (changed.project_name, changed.state, changed.previous_state) == (MIDNIGHT, "closed", "active")
    assert changed.time - local(0) <= timedelta(seconds=PollingConfig().edit_interval)
    assert [name for event, name in told(watched.events) if event == TARGET_STARTED][:2] == [EVENING, MIDNIGHT]
    assert observatory.counters.previews_while_imaging == 0
    assert len(watched.previews) <= 2
    assert watched.looks[-1].tally.exposures_acquired == images(observatory)


def test_a_profile_switched_in_the_evening() -> None:
    observatory = rig()
    other = observatory.add_profile("Reflector")
    add_target(observatory, other, "Galaxy", 2.0, exposure_s=600)

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(local(20))
        observatory.activate_profile(other)
        await rig.until(local(11, 59))

    watched = play(observatory, script)

    (switched,) = watched.of_type(PROFILE_CHANGED)
    assert (switched.profile_name, switched.time - local(20) <= timedelta(seconds=30)) == ("Reflector", True)
    assert observatory.counters.previews_while_imaging == 0
    # What the plan of the other profile said is not what is going to happen.
    assert all(
        look.present.next_target is None or look.present.next_target.name == "Galaxy"
        for look in watched.looks
        if look.time > switched.time
    )
    assert [name for event, name in told(watched.events) if event == TARGET_STARTED] == [EVENING, "Galaxy"]
    # An exposure was under way when the profiles were switched.
    assert watched.looks[-1].tally.exposures_acquired == images(observatory)


def test_a_profile_switched_in_the_evening_of_an_idle_rig_is_planned_anew() -> None:
    observatory = rig("cloudy")
    other = observatory.add_profile("Reflector")
    add_target(observatory, other, "Galaxy", 2.0, exposure_s=600)

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(local(20))
        observatory.activate_profile(other)
        await rig.until(local(21))

    watched = play(observatory, script)

    first, second = watched.previews
    assert first.time < NOON + timedelta(minutes=1)
    # It was looked at for longer than one of its exposures takes.
    assert timedelta(minutes=25) < second.time - local(20) < timedelta(minutes=27)
    plan = watched.looks[-1].plan
    assert plan is not None
    assert plan.profile_id == other.id


@pytest.mark.parametrize(
    ("noon", "hours"),
    [
        (datetime(2026, 3, 28, 12, tzinfo=ZONE), 23),
        (datetime(2026, 10, 24, 12, tzinfo=ZONE), 25),
    ],
    ids=["to summer time", "to winter time"],
)
def test_a_night_in_which_the_clocks_change(noon: datetime, hours: int) -> None:
    observatory = rig(noon=noon)
    end = noon.astimezone(UTC) + timedelta(hours=hours)
    assert end.astimezone(ZONE).hour == 12

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(end + timedelta(minutes=1))

    watched = play(observatory, script)

    assert activities(watched.looks)[:5] == [OFFLINE, IDLE, WAITING, IMAGING, IDLE]
    nights = [night for night, _ in groupby(look.tally.night for look in watched.looks)]
    assert nights == [noon.date(), noon.date() + A_DAY]
    rolled = next(look for look in watched.looks if look.tally.night != noon.date())
    assert rolled.time - end < timedelta(seconds=1)
    before = watched.at(end - timedelta(seconds=1))
    assert before.tally.exposures_acquired == images(observatory) > 50
    first, second = watched.previews
    assert [datetime.fromisoformat(preview.start or "").hour for preview in (first, second)] == [13, 13]
    assert second.time >= end
    plan = before.plan
    assert plan is not None
    assert plan.blocks[0].start.utcoffset() != plan.blocks[-1].end.utcoffset()
    for block, following in zip(plan.blocks, plan.blocks[1:], strict=False):
        assert block.end <= following.start
    assert observatory.counters.previews_while_imaging == 0


def test_a_rig_in_namibia_and_the_bridge_in_berlin() -> None:
    zone = ZoneInfo("Africa/Windhoek")
    noon = datetime(2026, 1, 10, 12, tzinfo=zone)
    observatory = rig(noon=noon, site=NAMIBIA)

    async def script(rig: WatchedRig) -> None:
        # 23:30 in Berlin is 0:30 in Namibia: the night there began yesterday.
        await rig.until(datetime(2026, 1, 10, 23, 30, tzinfo=ZONE))
        observatory.set_project_state(next(observatory.projects()), "Inactive")
        rig.start_bridge()
        rig.refresh_plan()
        await rig.until(noon + A_DAY + timedelta(minutes=1))

    watched = play(observatory, script)

    asked, at_noon = watched.previews
    assert asked.start is not None
    assert datetime.fromisoformat(asked.start).utcoffset() == timedelta(hours=2)
    assert datetime.fromisoformat(asked.start) == asked.time
    # Noon in Namibia is 11:00 in Berlin.
    assert at_noon.start == "2026-01-11T13:00:00+02:00"
    assert at_noon.time - (noon + A_DAY) < timedelta(minutes=1)
    before = watched.at(noon + A_DAY - timedelta(seconds=1))
    assert before.plan is not None
    assert (before.plan.night, before.tally.night) == (noon.date(), noon.date())
    after = watched.at(noon + A_DAY)
    assert (after.tally.night, after.tally.exposures_acquired) == (date(2026, 1, 11), 0)
    assert all(block.start.utcoffset() == timedelta(hours=2) for block in before.plan.blocks)


def test_a_rig_in_namibia_whose_bridge_changes_to_winter_time() -> None:
    zone = ZoneInfo("Africa/Windhoek")
    noon = datetime(2026, 10, 24, 12, tzinfo=zone)
    observatory = rig(noon=noon, site=NAMIBIA)

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(noon + 2 * A_DAY + timedelta(minutes=1))

    watched = play(observatory, script)

    assert observatory.counters.previews_while_imaging == 0
    # On the day after the change its noon, 11:00 in Berlin, is known.
    assert watched.at(noon + 2 * A_DAY).tally.night == date(2026, 10, 26)
    assert watched.at(noon + 2 * A_DAY - timedelta(seconds=1)).tally.night == date(2026, 10, 25)


def test_the_api_off_at_three_while_the_rig_images_on() -> None:
    observatory = rig()

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(local(2))
        rig.api_is_on = False
        await rig.until(local(5))
        rig.api_is_on = True
        await rig.until(local(11, 59))

    watched = play(observatory, script)

    assert activities(watched.looks) == [OFFLINE, IDLE, WAITING, IMAGING, OFFLINE, WAITING, IMAGING, IDLE]
    assert len(watched.of_type(RIG_OFFLINE)) == len(watched.of_type(RIG_ONLINE)) == 1
    # What was imaged unseen belongs to the night all the same.
    assert watched.looks[-1].tally.exposures_acquired == images(observatory)
    assert counted(watched, EXPOSURE_ACQUIRED) == images(observatory)
    assert len(watched.previews) == 1


def test_the_api_off_from_three_to_the_next_evening() -> None:
    observatory = rig()

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(local(3))
        rig.api_is_on = False
        await rig.until(NOON + A_DAY + timedelta(hours=4))
        rig.api_is_on = True
        await rig.until(NOON + A_DAY + timedelta(hours=5))

    watched = play(observatory, script)

    assert activities(watched.looks) == [OFFLINE, IDLE, WAITING, IMAGING, OFFLINE, IDLE, WAITING]
    (finished,) = [event for event in watched.of_type(TARGET_FINISHED) if event.target_name == MIDNIGHT]
    assert finished.time - local(3) < timedelta(minutes=2)
    tally = watched.looks[-1].tally
    assert (tally.night, tally.exposures_acquired) == (date(2026, 1, 11), 0)
    # A plan for the new night, once the rig was seen to be idle.
    assert [preview.time > NOON + A_DAY for preview in watched.previews] == [False, True]


def test_a_target_with_short_and_long_exposures_does_not_start_twice() -> None:
    observatory = rig_under("clear", NOON)
    profile = observatory.add_profile("Refractor")
    project = add_target(observatory, profile, MIDNIGHT, 0.0, exposure_s=60)
    (target,) = project.targets
    observatory.add_exposure_plan(target, "SII", exposure_s=900, desired=500)
    project.filter_switch_frequency = 4

    watched = play(observatory, whole_night())

    assert told(watched.events) == [
        (PLAN_CHANGED, None),
        (TARGET_STARTED, MIDNIGHT),
        (TARGET_FINISHED, MIDNIGHT),
        (NIGHT_FINISHED, None),
    ]
    assert activities(watched.looks) == [OFFLINE, IDLE, WAITING, IMAGING, IDLE]


def test_no_preview_while_a_rig_goes_from_short_exposures_to_long_ones_without_a_plan() -> None:
    observatory = rig_under("clear", NOON)
    profile = observatory.add_profile("Refractor")
    add_target(observatory, profile, EVENING, -3.0, exposure_s=10, desired=5000)
    add_target(observatory, profile, MORNING, 3.0, exposure_s=900)

    watched = play(observatory, whole_night(begin=timedelta(hours=10)))

    assert [name for event, name in told(watched.events) if event == TARGET_STARTED] == [EVENING, MORNING]
    assert observatory.counters.previews_while_imaging == 0


def test_the_button_asks_while_the_rig_images() -> None:
    observatory = rig()

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(local(1, 30))
        rig.refresh_plan()
        await rig.until(local(11, 59))

    watched = play(observatory, script)

    starts = [datetime.fromisoformat(preview.start or "") for preview in watched.previews]
    assert (starts[0].hour, starts[1]) == (13, watched.previews[1].time)
    assert watched.previews[1].time - local(1, 30) < timedelta(minutes=1)
    assert observatory.counters.previews_while_imaging == 1
    assert told(watched.events).count((TARGET_STARTED, MORNING)) == 1


@pytest.mark.timeout(
    600
)  # Twenty seconds of one processor, several times that where coverage is measured on a busy one.
def test_a_month_costs_no_preview_while_imaging_and_at_most_two_a_night() -> None:
    noon = datetime(2026, 3, 15, 12, tzinfo=ZONE)
    observatory = busy_observatory(seed=7, start=noon, site=BERLIN, timezone=ZONE)

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        for day in range(30):
            rig.look_every(1800)
            await rig.until(noon + timedelta(days=day, hours=6))
            rig.look_every(300)
            await rig.until(noon + timedelta(days=day, hours=18))
        await rig.until(noon + timedelta(days=30) - timedelta(hours=2))

    watched = play(observatory, script, PollingConfig(interval=300, slow_interval=1800))

    assert observatory.counters.previews_while_imaging == 0
    previews = Counter(night_of(preview.time, None) for preview in watched.previews)
    changes = watched.of_type(PROJECT_ADDED, PROJECT_STATE_CHANGED)
    visits = Counter(night_of(visit, None) for visit in {change.time for change in changes})
    ordinary = [night for night in previews if visits[night] <= 1]
    assert len(previews) == 30
    assert len(ordinary) >= 20
    assert max(previews[night] for night in ordinary) == 2
    # A user who changes something again and again on one day has it planned again.
    assert all(previews[night] <= 1 + visits[night] for night in previews)
    assert counted(watched, EXPOSURE_ACQUIRED) > 500
    per_night = {look.tally.night: look.tally for look in watched.looks}
    assert sum(tally.exposures_acquired for tally in per_night.values()) == counted(watched, EXPOSURE_ACQUIRED)
    completed = [event.target_id for event in watched.of_type(TARGET_COMPLETED)]
    assert len(completed) == len(set(completed))
