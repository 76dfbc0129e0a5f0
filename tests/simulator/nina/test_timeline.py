"""Order, timing and truth of a simulated month of events."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import pytest

from tests.simulator.nina.conftest import START, busy
from ts2mqtt.simulator.nina.nina import SimulatedNina
from ts2mqtt.simulator.nina.timeline import Timeline
from ts2mqtt.simulator.planner import NextExposure
from ts2mqtt.simulator.rig_steps import CloudedOver, Counted, Evening, Preparing, Waiting
from ts2mqtt.simulator.sky import Night, Sky

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulator.nina.conftest import Month
    from ts2mqtt.simulator.nina.announcement import Announcement
    from ts2mqtt.simulator.nina.process import ProcessState
    from ts2mqtt.simulator.rig_steps import RigStep
    from ts2mqtt.simulator.wire import JsonObject

SAME_MOMENT = timedelta(milliseconds=7)


def statistics(saved: Announcement) -> JsonObject:
    return cast("JsonObject", saved.fields["ImageStatistics"])


def images(month: Month, image_type: str) -> list[Announcement]:
    return [saved for saved in month.of("IMAGE-SAVE") if statistics(saved)["ImageType"] == image_type]


def state_at(month: Month, moment: datetime) -> ProcessState:
    return [state for time, state in month.nina.states if time <= moment][-1]


def nights(month: Month) -> Iterator[list[Announcement]]:
    """The announcements from noon to noon."""
    for day in range(30):
        noon = START + timedelta(days=day)
        yield [event for event in month.announced if noon <= event.time < noon + timedelta(days=1)]


def test_time_never_goes_back(month: Month) -> None:
    assert [event.time for event in month.announced] == sorted(event.time for event in month.announced)
    assert [delivery.time for delivery in month.deliveries] == sorted(delivery.time for delivery in month.deliveries)


def test_each_exposure_is_announced_once_a_moment_before_its_count(month: Month) -> None:
    lights = images(month, "LIGHT")

    assert len(lights) == len(month.exposures) > 3000
    for light, exposure in zip(lights, month.exposures, strict=True):
        assert timedelta(seconds=0.2) < exposure.time - light.time <= timedelta(seconds=1.5)
        assert light.target_id == exposure.target_id
        assert statistics(light)["Filter"] == exposure.filter
        assert statistics(light)["ExposureTime"] == exposure.exposure_s


def test_the_nights_are_the_same_without_a_nina_and_in_any_steps() -> None:
    alone, watched, hourly = busy(), busy(), busy()
    one, other = SimulatedNina(watched), SimulatedNina(hourly)
    end = START + timedelta(days=5)
    alone.advance(end)
    one.advance(end)
    for hour in range(5 * 24 + 1):
        # The API asks in between, as it shares the observatory.
        hourly.advance(START + timedelta(hours=hour - 0.3))
        other.advance(START + timedelta(hours=hour))

    answers = [
        json.dumps([observatory.targets_answer(project.id) for project in observatory.projects()])
        for observatory in (alone, watched, hourly)
    ]
    assert answers[0] == answers[1] == answers[2]
    assert list(one.announced) == list(other.announced)


def test_a_target_is_announced_before_each_exposure_and_new_ones_twice(month: Month) -> None:
    last: str | None = None
    for event in month.of("TS-NEWTARGETSTART", "TS-TARGETSTART"):
        if event.event == "TS-NEWTARGETSTART":
            last = event.target_id
        assert event.target_id == last
    starts = month.of("TS-TARGETSTART")
    # What clouds or dawn interrupt was announced and never saved.
    assert 0 < len(starts) - len(images(month, "LIGHT")) < len(starts) / 50


def test_both_announcements_of_a_new_target_come_at_once_but_for_a_slow_unpark(month: Month) -> None:
    pairs = [
        (first, following)
        for first, following in pairwise(
            month.of("TS-NEWTARGETSTART", "TS-TARGETSTART", "MOUNT-UNPARKED", "TS-WAITSTART")
        )
        if first.event == "TS-NEWTARGETSTART"
    ]

    unparks = [following for _, following in pairs if following.event == "MOUNT-UNPARKED"]
    assert unparks
    for first, following in pairs:
        if following.event == "MOUNT-UNPARKED":
            assert following.time - first.time >= timedelta(seconds=4)
        else:
            assert following.event == "TS-TARGETSTART"
            assert following.time - first.time <= SAME_MOMENT
            assert following.fields == first.fields


def test_the_next_target_start_follows_an_image_within_seconds(month: Month) -> None:
    order = sorted([*images(month, "LIGHT"), *month.of("TS-TARGETSTART")], key=lambda event: event.time)
    gaps = [
        following.time - light.time
        for light, following in pairwise(order)
        if light.event == "IMAGE-SAVE" and following.event == "TS-TARGETSTART"
    ]

    soon = [gap for gap in gaps if gap < timedelta(minutes=1)]
    assert len(soon) > 0.98 * len(gaps)
    assert min(soon) >= timedelta(seconds=0.7)
    assert max(soon) <= timedelta(seconds=5.9)


def test_a_count_stands_in_the_database_before_the_next_event_of_the_scheduler(month: Month) -> None:
    moments = [(exposure.time, "count") for exposure in month.exposures]
    moments += [(light.time, "saved") for light in images(month, "LIGHT")]
    moments += [(event.time, "TS") for event in month.announced if event.is_of_scheduler]

    for (_, before), (_, after) in pairwise(sorted(moments)):
        assert (before == "saved") == (after == "count")


def test_the_first_exposure_of_a_new_target_takes_minutes(month: Month) -> None:
    order = sorted([*images(month, "LIGHT"), *month.of("TS-NEWTARGETSTART")], key=lambda event: event.time)
    waits = [
        light.time - start.time - timedelta(seconds=cast("float", statistics(light)["ExposureTime"]))
        for start, light in pairwise(order)
        if start.event == "TS-NEWTARGETSTART" and light.event == "IMAGE-SAVE"
    ]

    assert timedelta(seconds=50) < min(waits)
    assert max(waits) < timedelta(minutes=6)


def test_a_frame_is_prepared_just_before_it_is_saved_and_also_without_being_saved(month: Month) -> None:
    order = month.of("IMAGE-PREPARED", "IMAGE-SAVE")

    assert all(
        prepared.event == "IMAGE-PREPARED" and saved.time - prepared.time == timedelta(milliseconds=60)
        for prepared, saved in pairwise(order)
        if saved.event == "IMAGE-SAVE"
    )
    assert len(month.of("IMAGE-PREPARED")) > len(month.of("IMAGE-SAVE"))


def test_a_wait_ends_when_it_was_said_and_then_a_new_target_starts(month: Month) -> None:
    order = month.of("TS-WAITSTART", "TS-NEWTARGETSTART", "SAFETY-CHANGED", "SEQUENCE-FINISHED")
    after = {
        (wait.fields["WaitEndTime"], following.time)
        for wait, following in pairwise(order)
        if wait.event == "TS-WAITSTART" and following.event == "TS-NEWTARGETSTART"
    }

    assert len(after) > 10
    for wait_end, start in after:
        assert abs(datetime.fromisoformat(str(wait_end)) - start) < timedelta(seconds=1)


def test_clouds_are_unsafe_and_interrupt_the_scheduler_without_a_word(month: Month) -> None:
    changes = month.of("SAFETY-CHANGED")

    assert len(changes) > 10
    assert [change.fields["IsSafe"] for change in changes] == [bool(number % 2) for number in range(len(changes))]
    for unsafe, safe in pairwise(changes):
        if unsafe.fields["IsSafe"]:
            continue
        meanwhile = [event.event for event in month.announced if unsafe.time < event.time < safe.time]
        assert not [event for event in meanwhile if event.startswith("TS-") or event == "IMAGE-SAVE"]
    following = [
        event
        for change in changes
        for event in [next((e for e in month.announced if e.time > change.time and e.is_of_scheduler), None)]
        if change.fields["IsSafe"] and event is not None
    ]
    assert {event.event for event in following} <= {"TS-NEWTARGETSTART", "TS-WAITSTART"}


def test_an_exposure_can_be_announced_and_then_interrupted(month: Month) -> None:
    order = [event for event in month.announced if event.is_of_scheduler or event.event == "SAFETY-CHANGED"]

    interruptions = [
        unsafe
        for start, unsafe in pairwise(order)
        if start.event == "TS-TARGETSTART" and unsafe.time - start.time < timedelta(minutes=1)
        if unsafe.fields.get("IsSafe") is False
    ]
    assert interruptions
    for unsafe in interruptions:
        state = state_at(month, unsafe.time)
        assert (state.sequence, state.scheduler, state.is_safe, state.exposes_until) == (
            "RUNNING",
            "CREATED",
            False,
            None,
        )


def test_a_sequence_mostly_starts_by_itself_and_may_never_say_that_it_ends(month: Month) -> None:
    counts = Counter(event.event for event in month.announced)

    assert 3 < counts["SEQUENCE-STARTING"] < 15
    assert 10 < counts["SEQUENCE-FINISHED"] < 28


def test_after_the_last_target_there_is_silence_and_then_come_flats_with_its_name(month: Month) -> None:
    with_flats = 0
    for night in nights(month):
        saved = [event for event in night if event.event == "IMAGE-SAVE"]
        lights = [event for event in saved if statistics(event)["ImageType"] == "LIGHT"]
        flats = [event for event in saved if statistics(event)["ImageType"] == "FLAT"]
        if not lights:
            assert not flats
            continue
        with_flats += 1
        assert len(flats) >= 12
        assert flats[0].time - lights[-1].time > timedelta(minutes=15)
        assert not [event for event in night if event.is_of_scheduler and event.time > flats[0].time]
        assert {statistics(flat)["TargetName"] for flat in flats} <= {
            statistics(light)["TargetName"] for light in lights
        }
        assert all(timedelta(seconds=2) <= after.time - flat.time for flat, after in pairwise(flats))
        finished = [event for event in night if event.event == "SEQUENCE-FINISHED"]
        assert all(event.time > flats[-1].time for event in finished)
    assert with_flats > 15


def test_the_mount_flips_where_the_target_has_crossed_the_meridian(month: Month) -> None:
    flips = month.of("MOUNT-BEFORE-FLIP", "MOUNT-AFTER-FLIP")

    assert len(flips) > 6
    assert [flip.event for flip in flips] == ["MOUNT-BEFORE-FLIP", "MOUNT-AFTER-FLIP"] * (len(flips) // 2)
    sky = Sky(month.nina.observatory.site)
    for before, after in zip(flips[::2], flips[1::2], strict=True):
        assert timedelta(seconds=30) < after.time - before.time
        meanwhile = [event.event for event in month.announced if before.time < event.time < after.time]
        assert not [event for event in meanwhile if event.startswith("TS-") or event == "IMAGE-SAVE"]
        start = [event for event in month.of("TS-TARGETSTART") if event.time < before.time][-1]
        assert start.target_id is not None
        target = month.nina.observatory.target(start.target_id)
        assert 0 <= sky.hour_angle(target.ra_hours, before.time) < 2


def test_autofocus_tells_its_end_only_after_success(month: Month) -> None:
    counts = Counter(event.event for event in month.announced)

    assert 0 < counts["ERROR-AF"] < counts["AUTOFOCUS-FINISHED"]
    assert counts["AUTOFOCUS-STARTING"] == counts["AUTOFOCUS-FINISHED"] + counts["ERROR-AF"]


def test_guiding_is_started_before_each_exposure_without_a_stop(month: Month) -> None:
    counts = Counter(event.event for event in month.announced)

    assert counts["GUIDER-START"] == len(images(month, "LIGHT"))
    assert counts["GUIDER-STOP"] < counts["GUIDER-START"] / 5


def test_the_filter_wheel_tells_from_where_to_where(month: Month) -> None:
    turns = month.of("FILTERWHEEL-CHANGED")

    for turn, following in pairwise(turns):
        assert turn.fields["New"] != turn.fields["Previous"]
        if not month_restarts_between(month, turn, following):
            assert following.fields["Previous"] == turn.fields["New"]


def month_restarts_between(month: Month, one: Announcement, other: Announcement) -> bool:
    return any(
        delivery.ending == "restart" and one.time < delivery.time < other.time for delivery in month.deliveries
    )


def test_some_nights_have_a_mount_that_reports_home_all_night(month: Month) -> None:
    homed = [sum(event.event == "MOUNT-HOMED" for event in night) for night in nights(month)]

    assert max(homed) > 200
    assert sorted(homed)[len(homed) // 2] <= 2


def test_a_device_is_disconnected_before_it_is_connected(month: Month) -> None:
    connects = [event for event in month.announced if event.event.endswith(("-CONNECTED", "-DISCONNECTED"))]

    for before, event in pairwise(connects):
        if event.event.endswith("-CONNECTED"):
            assert before.event == event.event.replace("-CONNECTED", "-DISCONNECTED")


def test_names_are_those_of_the_database_at_the_moment_of_planning() -> None:
    observatory = busy()
    nina = SimulatedNina(observatory)
    while not any(event.event == "IMAGE-SAVE" and event.target_id for event in nina.announced):
        nina.advance(observatory.now + timedelta(minutes=1))
    start = next(event for event in nina.announced if event.event == "TS-TARGETSTART")
    assert start.target_id is not None
    target = observatory.target(start.target_id)
    observatory.rename(target, "λ Orionis")
    nina.advance(observatory.now + timedelta(minutes=30))

    names = [event.fields["TargetName"] for event in nina.announced if event.event == "TS-TARGETSTART"]
    assert "λ Orionis" in names
    saved = [
        statistics(event)["TargetName"]
        for event in nina.announced
        if event.event == "IMAGE-SAVE" and event.target_id == target.id
    ]
    assert saved[-1] == "lam Orionis"


def test_the_state_says_whether_the_scheduler_is_in_charge(month: Month) -> None:
    for light in images(month, "LIGHT")[::50]:
        state = state_at(month, light.time)
        assert (state.sequence, state.scheduler, state.is_safe, state.is_guiding) == (
            "RUNNING",
            "RUNNING",
            True,
            True,
        )
    for flat in images(month, "FLAT")[::50]:
        state = state_at(month, flat.time)
        assert (state.sequence, state.scheduler) == ("RUNNING", "FINISHED")


@pytest.mark.parametrize("minutes_before_dusk", [0, 3, 40])
def test_a_simulation_may_begin_at_any_time_of_the_evening(minutes_before_dusk: int) -> None:
    observatory = busy(seed=3)
    night = Sky(observatory.site).night_from(observatory.now)
    assert night is not None
    observatory.advance(night.dusk - timedelta(minutes=minutes_before_dusk))
    nina = SimulatedNina(observatory)
    nina.advance(night.dawn + timedelta(hours=1))

    times = [event.time for event in nina.announced]
    assert times == sorted(times)
    assert nina.announced


@pytest.mark.parametrize("seconds", [0.0, 0.5, 5.0, 100.0])
@pytest.mark.parametrize("seed", range(5))
def test_nothing_happens_outside_its_step_however_short_that_is(seed: int, seconds: float) -> None:
    observatory = busy(seed)
    profile = observatory.active_profile
    project = profile.projects[0]
    exposure = NextExposure(profile, project, project.targets[0], 0)
    timeline = Timeline(seed, observatory.site, observatory.timezone, START, is_imaging=True)
    begin, end = START, START + timedelta(seconds=seconds)
    dawn = START + timedelta(hours=9)
    steps: tuple[RigStep, ...] = (
        Evening(at=begin, night=Night(end, dawn), ready_at=dawn, is_cloudy=False),
        Preparing(at=begin, until=end, exposure=exposure, slews=True),
        CloudedOver(at=begin, until=end, before_dawn=True),
        Preparing(at=begin, until=end, exposure=exposure, slews=False),
        Counted(at=begin, until=end, exposure=exposure, dithers=True, following=exposure),
        Waiting(at=begin, until=end, ready_at=dawn),
        Waiting(at=begin, until=end, ready_at=None),
    )

    for step in steps:
        times = [happening.time for happening in timeline.happenings(step)]
        assert times == sorted(times)
        assert all(begin <= time <= end for time in times)
    assert timeline.state.is_safe
