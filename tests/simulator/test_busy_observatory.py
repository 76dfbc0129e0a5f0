"""The observatory of the demo: nights pass the same way in any steps, and things happen in them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from ts2mqtt.simulator.automation import ObservatoryAutomation
from ts2mqtt.simulator.busy_observatory import busy_observatory
from ts2mqtt.simulator.observatory import SimulatedObservatory
from ts2mqtt.simulator.rig import Rig
from ts2mqtt.simulator.sky import Night, Site, Sky
from ts2mqtt.simulator.weather import Clouds, night_weather

if TYPE_CHECKING:
    from ts2mqtt.simulator.rows import JsonValue

BERLIN = ZoneInfo("Europe/Berlin")
SITE = Site(latitude_deg=52.5, longitude_deg=13.4)
# Over a change to summer time.
START = datetime(2026, 3, 15, 12, tzinfo=BERLIN)
MONTH = timedelta(days=30)


def a_busy_observatory(seed: int = 7, start: datetime = START, site: Site = SITE) -> SimulatedObservatory:
    return busy_observatory(seed=seed, start=start, site=site, timezone=BERLIN)


def everything(observatory: SimulatedObservatory) -> str:
    answers: list[JsonValue] = [observatory.profiles_answer()]
    answers += [observatory.projects_answer(profile.id) for profile in observatory.profiles]
    answers += [observatory.targets_answer(project.id) for project in observatory.projects()]
    answers += [observatory.statistics_answer(target.id) for target in observatory.targets()]
    return json.dumps(answers)


def sums(observatory: SimulatedObservatory) -> tuple[int, int]:
    plans = [plan for target in observatory.targets() for plan in target.exposure_plans]
    return sum(plan.acquired for plan in plans), sum(plan.accepted for plan in plans)


def a_clear_night() -> SimulatedObservatory:
    """A rig with one circumpolar target and no user, at noon before a night without clouds."""
    start = datetime(2026, 1, 10, 12, tzinfo=UTC)
    night = Sky(SITE).night_from(start)
    assert night is not None
    clear = (night_weather(seed, night) for seed in count())
    seed = next(seed for seed, weather in enumerate(clear) if weather.clouds_from == weather.clouds_until)
    observatory = SimulatedObservatory(seed=seed, site=SITE, now=start)
    profile = observatory.add_profile("P")
    project = observatory.add_project(profile, "All night", dither_every=2)
    target = observatory.add_target(project, "M 81", ra_hours=9.926, dec_deg=69.07)
    observatory.add_exposure_plan(target, "Lum", exposure_s=600, desired=500)
    observatory.automation = ObservatoryAutomation(Rig(observatory, start))
    return observatory


def test_the_outcome_does_not_depend_on_the_steps() -> None:
    in_one_step, hourly, uneven = a_busy_observatory(), a_busy_observatory(), a_busy_observatory()
    end = START.astimezone(UTC) + timedelta(days=6)
    in_one_step.advance(end)
    for hour in range(6 * 24 + 1):
        hourly.advance(START.astimezone(UTC) + timedelta(hours=hour))
    at = START.astimezone(UTC)
    while at < end:
        at = min(at + timedelta(seconds=4931.7), end)
        uneven.advance(at)
        uneven.preview(uneven.active_profile.id)

    assert everything(in_one_step) == everything(hourly) == everything(uneven)


def test_another_seed_is_another_future() -> None:
    one, other = a_busy_observatory(1), a_busy_observatory(2)
    for observatory in (one, other):
        observatory.advance(START + timedelta(days=7))

    assert everything(one) != everything(other)


def test_begins_with_projects_in_every_state() -> None:
    observatory = a_busy_observatory()
    states = [project.state for project in observatory.projects()]

    assert {state: states.count(state) for state in set(states)} == {
        "Active": 7,
        "Draft": 2,
        "Inactive": 2,
        "Closed": 1,
    }
    assert len(observatory.profiles) == 2
    assert [len(project.targets) for project in observatory.projects() if project.mosaic] == [4]
    plans = [
        [plan for target in project.targets for plan in target.exposure_plans]
        for project in observatory.projects()
        if project.state == "Active"
    ]
    assert any(all(plan.accepted >= plan.desired for plan in project) for project in plans)
    assert any(all(plan.acquired and not plan.accepted for plan in project) for project in plans)


def test_has_something_to_image_tonight_and_one_profile_without_statistics() -> None:
    observatory = a_busy_observatory()
    refractor, reflector = observatory.profiles

    blocks = observatory.preview(refractor.id)

    assert sum(block.target_id is not None for block in blocks) >= 2
    own = {target.id for project in refractor.projects for target in project.targets}
    assert {block.target_id for block in blocks if block.target_id} <= own
    answers = [observatory.statistics_answer(target.id) for target in reflector.projects[0].targets]
    assert answers == [None]


def test_much_happens_in_a_month() -> None:
    observatory = a_busy_observatory()
    before_acquired, before_accepted = sums(observatory)
    known = {project.id: project.state for project in observatory.projects()}
    acquired = before_acquired
    nights_with_images: set[int] = set()
    for day in range(30):
        noon = START + timedelta(days=day + 1)
        observatory.advance(noon)
        now, accepted = sums(observatory)
        assert acquired <= now
        assert accepted <= now
        if now > acquired:
            nights_with_images.add(day)
        acquired = now
        assert all(
            plan.accepted <= plan.acquired for target in observatory.targets() for plan in target.exposure_plans
        )

    after_acquired, after_accepted = sums(observatory)
    images = [image for target in observatory.targets() for plan in target.exposure_plans for image in plan.images]
    assert after_acquired - before_acquired > 500
    assert after_accepted > before_accepted
    assert 0 < sum(image.grading == "rejected" for image in images) < len(images) / 5
    assert any(image.grading == "pending" for image in images)
    assert 10 < len(nights_with_images) < 30
    states = {project.id: project.state for project in observatory.projects()}
    assert len(states) > len(known)
    assert any(known[identity] != state for identity, state in states.items() if identity in known)
    assert any(project.state == "Active" for project in observatory.projects())


def test_begins_at_dusk_and_has_the_first_image_when_its_exposure_ends() -> None:
    observatory = a_clear_night()
    night = Sky(SITE).night_from(observatory.now)
    assert night is not None
    seen: list[tuple[bool, int]] = []
    for after_dusk in (-1, 1, 10 * 60, 15 * 60):
        observatory.advance(night.dusk + timedelta(seconds=after_dusk))
        seen.append((observatory.is_imaging, sums(observatory)[0]))

    # Slewing and focusing take two and a half to five minutes, the exposure ten.
    assert seen == [(False, 0), (True, 0), (True, 0), (True, 1)]


def test_the_user_closes_what_is_finished() -> None:
    observatory = a_busy_observatory()
    finished = observatory.active_profile.projects[4]
    assert finished.state == "Active"

    observatory.advance(START + MONTH)

    assert finished.state == "Closed"
    # Until the first visit it stands as it was.
    other = a_busy_observatory()
    other.advance(START + timedelta(hours=2))
    assert other.active_profile.projects[4].state == "Active"


def test_images_only_at_night_and_takes_time_between_exposures() -> None:
    observatory = a_clear_night()
    noon = observatory.now
    imaging = []
    for hours in (3, 9):
        observatory.advance(noon + timedelta(hours=hours))
        imaging.append(observatory.is_imaging)
    assert imaging == [False, True]
    assert observatory.preview(observatory.active_profile.id)
    assert observatory.counters.previews_while_imaging == 1

    observatory.advance(noon + timedelta(days=1))
    assert not observatory.is_imaging
    (plan,) = next(observatory.targets()).exposure_plans
    planned = observatory.preview(observatory.active_profile.id, noon + timedelta(days=1))[-1].exposures[0].count
    assert planned / 2 < plan.acquired < planned


def test_images_look_worse_through_more_air() -> None:
    low, high = a_clear_night(), a_clear_night()
    next(low.projects()).minimum_altitude = 10
    target = next(low.targets())
    target.ra_hours, target.dec_deg = 9.926, -15.0
    for observatory in (low, high):
        observatory.advance(observatory.now + timedelta(days=1))

    def mean_hfr(observatory: SimulatedObservatory) -> float:
        images = next(observatory.targets()).exposure_plans[0].images
        return sum(image.hfr or 0 for image in images) / len(images)

    assert mean_hfr(low) > mean_hfr(high)


def test_clouds_stop_the_rig_for_whole_nights_and_for_parts() -> None:
    nights = [
        Night(datetime(2026, 1, day, 17, tzinfo=UTC), datetime(2026, 1, day + 1, 5, tzinfo=UTC))
        for day in range(1, 31)
    ]
    weather = [night_weather(5, night) for night in nights]

    lengths = [one.clouds_until - one.clouds_from for one in weather]
    assert timedelta(hours=12) in lengths
    assert timedelta() in lengths
    assert any(timedelta() < length < timedelta(hours=12) for length in lengths)
    assert any(night.dusk < one.clouds_from < one.clouds_until for one, night in zip(weather, nights, strict=True))
    assert [night_weather(5, night) for night in nights] == weather


def test_the_clouds_of_a_night_can_be_chosen() -> None:
    night = Night(datetime(2026, 1, 1, 17, tzinfo=UTC), datetime(2026, 1, 2, 5, tzinfo=UTC))
    for seed in range(20):
        clear, passing = (night_weather(seed, night, clouds) for clouds in (Clouds.NONE, Clouds.PASSING))
        assert clear.clouds_from == clear.clouds_until
        assert night.dusk < passing.clouds_from < passing.clouds_until < night.dawn


def test_a_partly_cloudy_night_loses_exposures_and_a_cloudy_one_all() -> None:
    observatory = a_clear_night()
    taken: list[int] = []
    for _ in range(20):
        before, _ = sums(observatory)
        observatory.advance(observatory.now + timedelta(days=1))
        taken.append(sums(observatory)[0] - before)

    assert min(taken) == 0
    assert len({count for count in taken if count}) > 3


def test_deleting_what_is_being_exposed_does_no_harm() -> None:
    observatory = a_clear_night()
    at = observatory.now
    while not observatory.is_imaging:
        at += timedelta(minutes=7)
        observatory.advance(at)
    target = next(observatory.targets())
    observatory.advance(at + timedelta(minutes=15))
    acquired = target.exposure_plans[0].acquired

    observatory.remove_target(target)
    observatory.advance(at + timedelta(hours=2))

    assert target.exposure_plans[0].acquired == acquired
    assert not observatory.is_imaging


def test_a_polar_summer_passes_without_images() -> None:
    start = datetime(2026, 6, 1, 12, tzinfo=UTC)
    observatory = a_busy_observatory(start=start, site=Site(latitude_deg=72.0, longitude_deg=25.0))
    before = sums(observatory)

    observatory.advance(start + timedelta(days=15))

    assert sums(observatory) == before
    assert observatory.preview(observatory.active_profile.id) == ()


@pytest.mark.parametrize("latitude_deg", [-35.0, 52.5])
@pytest.mark.parametrize("month", [1, 6, 10])
def test_is_lively_in_every_season_of_both_hemispheres(latitude_deg: float, month: int) -> None:
    start = datetime(2026, month, 5, 12, tzinfo=UTC)
    observatory = a_busy_observatory(start=start, site=Site(latitude_deg=latitude_deg, longitude_deg=0.0))
    before, _ = sums(observatory)

    observatory.advance(start + timedelta(days=7))

    assert sums(observatory)[0] - before > 50
