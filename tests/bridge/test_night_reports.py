"""Reports of whole nights, compared with what the simulated rig has really done."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from tests.bridge.test_simulated_nights import EVENING, MIDNIGHT, MORNING, add_target, local, rig
from tests.support.bridge_zone import bridge_in
from tests.support.live_night import LiveRig, play_live
from tests.support.season import season
from tests.support.simulated_night import BERLIN, WatchedRig, play, rig_under
from tests.support.true_nights import TrueExposure, TrueNights, by_plan
from ts2mqtt.config.models import PollingConfig, SiteConfig
from ts2mqtt.observatory.events import NIGHT_FINISHED
from ts2mqtt.observatory.night_report import API_AWAY, NOT_DONE, NOTHING_PLANNED
from ts2mqtt.simulator.automation import ObservatoryAutomation
from ts2mqtt.simulator.busy_observatory import busy_observatory
from ts2mqtt.simulator.observatory import SimulatedObservatory
from ts2mqtt.simulator.rig import Rig
from ts2mqtt.simulator.sky import Site
from ts2mqtt.topics.names import PROJECT, TARGET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ts2mqtt.observatory.night_report import NightReport

ZONE = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 1, 10, 12, tzinfo=ZONE)
A_DAY = timedelta(days=1)
AFTER_NOON = NOON + A_DAY + timedelta(minutes=5)
# The bridge looks every half minute, and takes the middle of two looks.
_NEAR = timedelta(seconds=45)
# Where it does not matter how near a time is known, the bridge looks more seldom.
_SELDOM = PollingConfig(interval=120)
_SELDOM_NEAR = timedelta(minutes=3)


@pytest.fixture(autouse=True)
def _bridge_in_berlin() -> Iterator[None]:
    with bridge_in("Europe/Berlin"):
        yield


def last_night(watched: WatchedRig) -> NightReport:
    report = watched.views[-1].watch.nights.last
    assert report is not None
    return report


def reported(report: NightReport) -> Counter[tuple[str, str, float]]:
    counts: Counter[tuple[str, str, float]] = Counter()
    for target in report.targets:
        for plan in target.plans:
            counts[target.id, plan.filter or "", plan.exposure_s or 0.0] += plan.acquired
    return counts


def covered_s(exposures: list[TrueExposure]) -> float:
    """How long the rig imaged: a pause of an ordinary length between two exposures of a target is no end."""
    total = timedelta()
    for before, one in zip([None, *exposures[:-1]], exposures, strict=True):
        pause = timedelta(seconds=2 * one.exposure_s, minutes=5)
        if before and before.target_id == one.target_id and one.start - before.end <= pause:
            total += one.end - before.end
        else:
            total += one.end - one.start
    return total.total_seconds()


def tells_the_truth(report: NightReport, exposures: list[TrueExposure]) -> None:
    assert reported(report) == by_plan(exposures)
    assert report.integration_s == sum(one.exposure_s for one in exposures)
    grades = Counter(one.image.grading for one in exposures)
    assert report.pending == grades["pending"]
    assert report.accepted in (None, grades["accepted"])
    assert report.accepted_at_least <= grades["accepted"]
    assert report.rejected in (None, grades["rejected"])


def tells_when(report: NightReport, exposures: list[TrueExposure], near: timedelta = _NEAR) -> None:
    assert report.start is not None
    assert report.end is not None
    assert abs(report.start - exposures[0].start) <= near
    assert abs(report.end - exposures[-1].end) <= near
    stretches = sum(len(target.stretches) for target in report.targets)
    assert report.imaged_s == pytest.approx(covered_s(exposures), abs=2 * near.total_seconds() * stretches)


async def until_after_noon(rig: WatchedRig) -> None:
    rig.start_bridge()
    await rig.until(AFTER_NOON)


def test_an_ordinary_night_is_told_once_when_its_plan_and_its_imaging_have_ended() -> None:
    observatory = rig()
    truth = TrueNights(observatory)

    watched = play(observatory, until_after_noon)

    exposures = truth.night(NOON.date(), ZONE)
    report = last_night(watched)
    tells_the_truth(report, exposures)
    tells_when(report, exposures)
    assert report.reason is None
    assert [target.name for target in report.targets] == [EVENING, MIDNIGHT, MORNING]
    plan = watched.at(NOON + A_DAY - timedelta(hours=1)).plan
    assert plan is not None
    blocks = [block for block in plan.blocks if not block.is_wait]
    assert report.planned_s == pytest.approx(
        sum((block.end - block.start).total_seconds() for block in blocks), abs=5
    )
    (finished,) = watched.of_type(NIGHT_FINISHED)
    assert (finished.night, finished.count) == (NOON.date(), len(exposures))
    assert blocks[-1].end <= finished.time < blocks[-1].end + timedelta(minutes=30)


def test_until_a_night_is_over_the_topic_holds_the_one_before() -> None:
    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(local(2) + A_DAY)

    watched = play(rig(), script)

    assert last_night(watched).night == NOON.date()
    tonight = watched.views[-1].watch.nights.tonight
    assert tonight is not None
    assert (tonight.night, tonight.acquired > 10) == (NOON.date() + A_DAY, True)


@pytest.mark.parametrize("away_s", [0, 60, 1500])
def test_a_bridge_that_starts_anew_at_night_tells_the_same(away_s: int) -> None:
    observatory = rig()
    truth = TrueNights(observatory)

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        for hour in (21, 3):
            await rig.until(local(hour))
            await rig.stop_bridge()
            await rig.until(local(hour) + timedelta(seconds=away_s))
            rig.start_bridge()
        await rig.until(AFTER_NOON)

    watched = play(observatory, script)

    exposures = truth.night(NOON.date(), ZONE)
    tells_the_truth(last_night(watched), exposures)
    tells_when(last_night(watched), exposures)
    assert len(watched.of_type(NIGHT_FINISHED)) == 1


def test_a_bridge_that_starts_anew_in_the_morning_tells_nothing_twice() -> None:
    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(local(9))
        assert len(rig.of_type(NIGHT_FINISHED)) == 1
        await rig.stop_bridge()
        rig.start_bridge()
        await rig.until(AFTER_NOON)
        await rig.stop_bridge()
        rig.start_bridge()
        await rig.until(AFTER_NOON + timedelta(hours=2))

    assert len(play(rig(), script).of_type(NIGHT_FINISHED)) == 1


def test_a_bridge_that_was_down_all_night_counts_and_says_that_it_cannot_know_when() -> None:
    observatory = rig()
    truth = TrueNights(observatory)

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(local(14))
        await rig.stop_bridge()
        await rig.until(local(9))
        rig.start_bridge()
        await rig.until(AFTER_NOON)

    watched = play(observatory, script)

    report = last_night(watched)
    tells_the_truth(report, truth.night(NOON.date(), ZONE))
    assert (report.imaged_s, report.start, report.end) == (None, None, None)
    assert len(watched.of_type(NIGHT_FINISHED)) == 1


def test_a_night_under_clouds() -> None:
    watched = play(rig("cloudy"), until_after_noon)

    report = last_night(watched)
    assert (report.acquired, report.reason, report.imaged_s) == (0, NOT_DONE, 0.0)
    assert report.planned_s
    assert len(watched.of_type(NIGHT_FINISHED)) == 1


def test_a_night_that_rain_interrupts() -> None:
    observatory = rig("rain at midnight", exposure_s=600)
    truth = TrueNights(observatory)

    watched = play(observatory, until_after_noon, _SELDOM)

    exposures = truth.night(NOON.date(), ZONE)
    report = last_night(watched)
    tells_the_truth(report, exposures)
    tells_when(report, exposures, _SELDOM_NEAR)
    stretches = sorted(
        (stretch for target in report.targets for stretch in target.stretches), key=lambda one: one.start
    )
    longest_pause = max(after.start - before.end for before, after in pairwise(stretches))
    true_pause = max(after.start - before.end for before, after in pairwise(exposures))
    assert abs(longest_pause - true_pause) <= 2 * _SELDOM_NEAR
    assert true_pause > timedelta(hours=1)
    assert report.planned_s
    assert report.imaged_s
    assert report.planned_s - report.imaged_s > 3600
    assert len(watched.of_type(NIGHT_FINISHED)) == 1


def test_a_night_in_which_two_targets_are_completed() -> None:
    observatory = rig_under("clear", NOON)
    profile = observatory.add_profile("Refractor", delay_grading_percent=0.0)
    for name, hours, desired in ((EVENING, -4.0, 6), (MIDNIGHT, 0.0, 6), (MORNING, 4.0, 500)):
        add_target(observatory, profile, name, hours, desired=desired, exposure_s=600)
    truth = TrueNights(observatory)

    watched = play(observatory, until_after_noon, _SELDOM)

    report = last_night(watched)
    tells_the_truth(report, truth.night(NOON.date(), ZONE))
    assert {target.name: target.completed for target in report.targets} == {
        EVENING: True,
        MIDNIGHT: True,
        MORNING: False,
    }
    assert [target.accepted for target in report.targets if target.completed] == [6, 6]


def test_a_polar_night_ends_at_noon_and_the_next_goes_on() -> None:
    observatory = rig_under("clear", NOON, site=Site(latitude_deg=85.0, longitude_deg=15.0))
    project = observatory.add_project(observatory.add_profile("Refractor"), MIDNIGHT)
    target = observatory.add_target(project, MIDNIGHT, ra_hours=5.0, dec_deg=70.0)
    observatory.add_exposure_plan(target, "Ha", filter_name="Ha", exposure_s=600, desired=500)
    truth = TrueNights(observatory)
    nights = []

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        for day in (1, 2):
            await rig.until(NOON + day * A_DAY + timedelta(minutes=5))
            nights.append(last_night(rig))

    watched = play(observatory, script, _SELDOM)

    for day, report in enumerate(nights):
        exposures = truth.night((NOON + day * A_DAY).date(), ZONE)
        assert len(exposures) > 100
        tells_the_truth(report, exposures)
    assert [event.night for event in watched.of_type(NIGHT_FINISHED)] == [report.night for report in nights]


def test_a_polar_day_has_nothing_planned() -> None:
    noon = datetime(2026, 6, 20, 12, tzinfo=ZONE)
    observatory = SimulatedObservatory(
        seed=1, site=Site(latitude_deg=70.0, longitude_deg=15.0), timezone=ZONE, now=noon
    )
    observatory.automation = ObservatoryAutomation(Rig(observatory, noon.astimezone(UTC)))
    add_target(observatory, observatory.add_profile("Refractor"), MIDNIGHT, 0.0)

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(noon + A_DAY + timedelta(minutes=5))

    watched = play(observatory, script, _SELDOM)

    assert (last_night(watched).reason, last_night(watched).imaged_s) == (NOTHING_PLANNED, 0.0)
    assert [event.time for event in watched.of_type(NIGHT_FINISHED)] == [noon + A_DAY]


@pytest.mark.parametrize("has_site", [True, False])
def test_a_night_without_a_plan_ends_when_the_sun_rises_and_without_a_site_at_noon(*, has_site: bool) -> None:
    observatory = rig_under("clear", NOON)
    observatory.add_profile("Refractor")

    async def script(rig: LiveRig) -> None:
        await rig.until(AFTER_NOON)

    site = SiteConfig(latitude=BERLIN.latitude_deg, longitude=BERLIN.longitude_deg) if has_site else None
    live = play_live(observatory, script, hears=False, polling=_SELDOM, site=site)

    (told,) = [(time, event) for time, event in live.events if event["event_type"] == NIGHT_FINISHED]
    assert (told[1]["night"], told[1]["count"]) == (NOON.date().isoformat(), 0)
    # In Berlin, on the eleventh of January.
    ends = local(8, 14) if has_site else NOON + A_DAY
    assert abs(told[0] - ends) < timedelta(minutes=2)


def test_a_night_without_a_plan() -> None:
    observatory = rig_under("clear", NOON)
    observatory.add_profile("Refractor")

    watched = play(observatory, until_after_noon)

    assert (last_night(watched).reason, last_night(watched).planned_s) == (NOTHING_PLANNED, 0.0)
    (finished,) = watched.of_type(NIGHT_FINISHED)
    assert finished.time == NOON + A_DAY


def test_a_night_in_which_the_api_was_away() -> None:
    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(local(15))
        rig.api_is_on = False
        await rig.until(AFTER_NOON)

    watched = play(rig("cloudy"), script)

    assert last_night(watched).reason == API_AWAY
    assert len(watched.of_type(NIGHT_FINISHED)) == 1


def test_a_rig_that_is_switched_off_at_dawn_tells_its_last_exposures_in_the_next_evening() -> None:
    observatory = rig()
    truth = TrueNights(observatory)

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(local(5))
        rig.api_is_on = False
        await rig.until(NOON + A_DAY + timedelta(hours=3))
        rig.api_is_on = True
        await rig.until(NOON + A_DAY + timedelta(hours=3, minutes=10))

    watched = play(observatory, script)

    assert last_night(watched).night == NOON.date()
    tells_the_truth(last_night(watched), truth.night(NOON.date(), ZONE))
    assert len(watched.of_type(NIGHT_FINISHED)) == 1


def test_grading_in_the_next_day_corrects_the_numbers_and_tells_nothing() -> None:
    observatory = rig_under("clear", NOON)
    profile = observatory.add_profile("Refractor")
    project = add_target(observatory, profile, MIDNIGHT, 0.0, exposure_s=300)
    truth = TrueNights(observatory)

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(AFTER_NOON)
        before = last_night(rig)
        assert (before.accepted, before.rejected, before.pending) == (0, 0, before.acquired)
        observatory.active_profile.delay_grading_percent = 0.0
        for plan in project.targets[0].exposure_plans:
            for image in plan.images:
                image.grading = "accepted" if image.good else "rejected"
            plan.accepted = sum(image.good for image in plan.images)
        await rig.until(AFTER_NOON + timedelta(minutes=30))

    watched = play(observatory, script)

    report = last_night(watched)
    tells_the_truth(report, truth.night(NOON.date(), ZONE))
    assert (report.pending, report.accepted) == (0, project.targets[0].exposure_plans[0].accepted)
    assert len(watched.of_type(NIGHT_FINISHED)) == 1


@pytest.mark.parametrize("noon", [datetime(2026, 3, 28, 12, tzinfo=ZONE), datetime(2026, 10, 24, 12, tzinfo=ZONE)])
def test_a_night_in_which_the_clocks_change(noon: datetime) -> None:
    observatory = rig(noon=noon)
    truth = TrueNights(observatory)

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until((noon + A_DAY + timedelta(minutes=5)).astimezone(UTC))

    watched = play(observatory, script)

    exposures = truth.night(noon.date(), ZONE)
    tells_the_truth(last_night(watched), exposures)
    tells_when(last_night(watched), exposures)
    assert len(watched.of_type(NIGHT_FINISHED)) == 1


@pytest.mark.timeout(600)
def test_two_weeks_with_starts_in_the_night_is_told_night_by_night_as_it_was() -> None:
    noon = datetime(2026, 3, 16, 12, tzinfo=ZONE)
    observatory = busy_observatory(seed=7, start=noon, site=BERLIN, timezone=ZONE)
    truth = TrueNights(observatory)
    nights: dict[date, NightReport] = {}

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        for day in range(14):
            at = noon + timedelta(days=day)
            rig.look_every(1800)
            await rig.until(at + timedelta(hours=6))
            rig.look_every(600)
            if day % 2 == 0:
                await rig.until(at + timedelta(hours=13))
                await rig.stop_bridge()
                await rig.until(at + timedelta(hours=13, minutes=2 * day))
                rig.start_bridge()
                rig.look_every(600)
            await rig.until(at + timedelta(hours=23, minutes=59))
            await rig.until(at + timedelta(hours=24, minutes=1))
            report = last_night(rig)
            assert report.night == at.date()
            tells_the_truth(report, truth.night(at.date(), ZONE))
            nights[at.date()] = report

    watched = play(observatory, script, PollingConfig(interval=600, slow_interval=1800))

    assert [event.night for event in watched.of_type(NIGHT_FINISHED)] == list(nights)
    assert sum(report.acquired for report in nights.values()) > 250


def test_nights_left_in_a_short_season_are_near_the_nights_that_came() -> None:
    forecasts = season(seed=1, nights=15, times_as_large=1)

    for kind in (TARGET, PROJECT):
        errors = [abs(one.error) for one in forecasts[kind]]
        assert errors, kind
        assert median(errors) <= 1
