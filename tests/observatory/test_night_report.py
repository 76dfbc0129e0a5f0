"""What becomes of a night's exposures, and why nothing was imaged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.build import exposure_plan, profile, project, target
from ts2mqtt.observatory.exposures import Gain, Progress
from ts2mqtt.observatory.live import LightFrame
from ts2mqtt.observatory.look import Look
from ts2mqtt.observatory.model import ExposurePlan, Listing, NightPlan, PlanBlock, Rig
from ts2mqtt.observatory.night_report import (
    API_AWAY,
    NOT_DONE,
    NOTHING_PLANNED,
    UNKNOWN,
    NightReport,
    Stretch,
    add,
    graded,
    is_over,
    is_worth_telling,
    watched,
    with_completed,
    with_frames,
)
from ts2mqtt.observatory.tree import TargetPlace

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 1, 10, 23, tzinfo=UTC)
NIGHT = NightReport(night=date(2026, 1, 10), seen_from=NOW - timedelta(hours=11))
NOTHING = exposure_plan(100)


def rig(*plans: ExposurePlan, online: bool = True) -> Rig:
    projects = Listing((project(targets=Listing((target(*plans),))),))
    return Rig(
        id="rig", name="Rig", api_version="v0", url="", online=online, profiles=Listing((profile(projects=projects),))
    )


def gain(before: ExposurePlan, after: ExposurePlan, *, at: datetime = NOW, vague_s: float = 0) -> Gain:
    place = TargetPlace(profile(), project(), target(after))
    step = Progress(place, place, before, after)
    return Gain(
        step=step,
        acquired=step.acquired,
        accepted=step.accepted,
        earliest=at - timedelta(seconds=vague_s),
        latest=at,
    )


def taken(before: ExposurePlan, after: ExposurePlan) -> NightReport:
    return add(NIGHT, [gain(before, after)], rig(after))


def fates(report: NightReport) -> tuple[int | None, int | None, int]:
    return report.accepted, report.rejected, report.pending


def planned(*hours: tuple[int, int], fetched: datetime = NOW, names: str = "ABC") -> NightPlan:
    midnight = NOW.replace(hour=0)
    blocks = (
        PlanBlock(
            target_id=name, name=name, start=midnight + timedelta(hours=start), end=midnight + timedelta(hours=end)
        )
        for name, (start, end) in zip(names, hours, strict=False)
    )
    return NightPlan(profile_id="profile", night=NIGHT.night, fetched=fetched, blocks=tuple(blocks))


def look(plan: NightPlan | None = None, *, now: datetime = NOW, online: bool = True) -> Look:
    return Look(rig=rig(online=online), plan=plan, now=now, zone=UTC)


def graded_plans() -> Iterator[tuple[ExposurePlan, ExposurePlan, ExposurePlan, tuple[int | None, int | None, int]]]:
    """Counts before, after three exposures and later; what has become of the three."""
    fresh, waiting = exposure_plan(100), exposure_plan(100, 3, 0, ungraded=3)
    yield fresh, waiting, waiting, (0, 0, 3)
    yield fresh, waiting, exposure_plan(100, 3, 2), (2, 1, 0)
    yield fresh, waiting, exposure_plan(100, 3, 0), (0, 3, 0)
    # Exposures of later nights, and edits by hand: as it was.
    yield fresh, waiting, exposure_plan(100, 5, 5), (0, 0, 3)
    yield fresh, exposure_plan(100, 3, 1, ungraded=2), exposure_plan(100, 0, 0), (1, 0, 2)
    # Images of earlier nights wait, too: only if all are graded alike it is known which were good.
    old, both = exposure_plan(100, 4, 0, ungraded=4), exposure_plan(100, 7, 0, ungraded=7)
    yield old, both, both, (0, 0, 3)
    yield old, both, exposure_plan(100, 7, 7), (3, 0, 0)
    yield old, both, exposure_plan(100, 7, 0), (0, 3, 0)
    yield old, both, exposure_plan(100, 7, 5), (None, None, 0)
    yield old, both, exposure_plan(100, 7, 2, ungraded=3), (0, 0, 3)
    # What was graded before is not this night's.
    yield exposure_plan(100, 9, 5), exposure_plan(100, 12, 7), exposure_plan(100, 12, 7), (2, 1, 0)


@pytest.mark.parametrize(("before", "after", "later", "fate"), list(graded_plans()))
def test_grading_that_comes_later_corrects_the_numbers(
    before: ExposurePlan, after: ExposurePlan, later: ExposurePlan, fate: tuple[int | None, int | None, int]
) -> None:
    report = graded(taken(before, after), rig(later))

    assert report.acquired == 3
    assert fates(report) == fate
    assert report.accepted_at_least == (1 if report.accepted is None else report.accepted)


def test_what_tells_nothing_new_is_the_very_same_report() -> None:
    report = taken(NOTHING, exposure_plan(100, 3, 3))

    assert graded(report, rig(exposure_plan(100, 3, 3))) is report
    assert graded(report, rig()) is report
    assert watched(replace(report, answered=True), look()) == replace(report, answered=True)
    assert with_completed(report, ["another"]) is report


def test_counts_that_were_edited_in_the_night_count_from_there() -> None:
    report = taken(NOTHING, exposure_plan(100, 3, 3))
    report = add(report, [gain(exposure_plan(100, 50, 40), exposure_plan(100, 52, 41))], rig())

    assert (report.acquired, *fates(report)) == (5, 4, 1, 0)


def test_exposures_that_follow_one_another_are_one_stretch() -> None:
    report = NIGHT
    for minute, count in ((0, 1), (1, 2), (3, 3), (60, 4)):
        at = NOW + timedelta(minutes=minute)
        report = add(report, [gain(exposure_plan(100, count - 1), exposure_plan(100, count), at=at)], rig())

    (imaged,) = report.targets
    assert imaged.stretches == (
        Stretch(NOW - timedelta(minutes=1), NOW + timedelta(minutes=3)),
        Stretch(NOW + timedelta(minutes=59), NOW + timedelta(minutes=60)),
    )
    assert report.imaged_s == 300
    assert (report.start, report.end) == (NOW - timedelta(minutes=1), NOW + timedelta(hours=1))


def test_of_an_exposure_that_may_have_been_at_any_time_nobody_knows_when() -> None:
    report = add(NIGHT, [gain(NOTHING, exposure_plan(100, 4), vague_s=3600)], rig())

    assert (report.acquired, report.integration_s) == (4, 240.0)
    assert (report.imaged_s, report.start, report.end) == (None, None, None)


def test_a_later_plan_counts_from_when_it_was_fetched() -> None:
    report = watched(NIGHT, look(planned((18, 22), (22, 28), fetched=NOW - timedelta(hours=8))))
    assert report.planned_s == 10 * 3600

    same = watched(report, look(planned((18, 22), (22, 28), fetched=NOW)))
    assert same.planned == report.planned

    report = watched(report, look(planned((23, 25), fetched=NOW, names="C")))
    assert [(one.id, one.start.hour, one.end.hour) for one in report.planned] == [
        ("A", 18, 22),
        ("B", 22, 23),
        ("C", 23, 1),
    ]


def test_why_nothing_was_imaged() -> None:
    plan, evening = planned((18, 22), fetched=NOW - timedelta(hours=8)), NOW.replace(hour=19)

    assert NIGHT.reason == API_AWAY
    assert watched(NIGHT, look()).reason == UNKNOWN
    assert watched(NIGHT, look(planned())).reason == NOTHING_PLANNED
    assert watched(NIGHT, look(plan, now=evening)).reason == NOT_DONE
    # It answered, but not when it mattered.
    assert watched(watched(NIGHT, look()), look(plan, now=NOW)).reason == API_AWAY
    assert watched(NIGHT, look(plan, now=evening, online=False)).reason == API_AWAY
    assert replace(watched(NIGHT, look(plan, now=evening)), complete=False).reason == UNKNOWN
    assert taken(NOTHING, exposure_plan(100, 1)).reason is None


def test_a_night_is_over_when_its_plan_is_and_imaging_has_ended() -> None:
    report = watched(NIGHT, look(planned((18, 22), (22, 23))))

    assert is_over(report, look(), images=False)
    assert not is_over(report, look(), images=True)
    assert not is_over(report, look(now=NOW - timedelta(seconds=1)), images=False)


def test_a_night_without_a_plan_is_over_at_its_dawn_where_that_is_known() -> None:
    dawn = NOW + timedelta(hours=8)

    def at(now: datetime, dawn: datetime | None) -> Look:
        return replace(look(now=now), dawn=dawn)

    assert is_over(NIGHT, at(dawn, dawn), images=False)
    assert not is_over(NIGHT, at(dawn, dawn), images=True)
    assert not is_over(NIGHT, at(dawn - timedelta(seconds=1), dawn), images=False)
    assert not is_over(NIGHT, at(dawn, None), images=False)
    # Nor at the dawn of the day before.
    assert not is_over(NIGHT, at(NOW, dawn - timedelta(days=1)), images=False)
    # A plan tells better.
    report = watched(NIGHT, look(planned((18, 33))))
    assert not is_over(report, at(dawn, dawn), images=False)


def test_a_night_that_the_bridge_has_not_seen_is_not_worth_telling() -> None:
    morning = replace(NIGHT, seen_from=NOW + timedelta(hours=10))

    assert is_worth_telling(NIGHT, UTC)
    assert not is_worth_telling(morning, UTC)
    assert not is_worth_telling(watched(morning, look(planned((18, 22)))), UTC)
    assert is_worth_telling(watched(morning, look(planned((18, 35)))), UTC)
    assert is_worth_telling(replace(morning, targets=taken(NOTHING, exposure_plan(100, 1)).targets), UTC)


def test_what_n_i_n_a_has_told_of_the_images() -> None:
    plan = exposure_plan(100, 3)
    first = LightFrame(
        time=NOW, target_id="target", filter=plan.filter, exposure_s=60.0, hfr=2.0, stars=9, guide_rms_arcsec=None
    )
    last = replace(first, time=NOW + timedelta(minutes=9), hfr=None, stars=None)

    report = with_frames(NIGHT, [first, last, replace(first, time=NOW - timedelta(minutes=9), hfr=3.0)], rig(plan))

    assert report.last_image == last
    assert (report.hfr_median("target"), report.hfr_median("target", plan.key)) == (2.5, 2.5)
    assert (report.hfr_median("another"), report.hfr_median("target", "another")) == (None, None)


def test_a_target_that_was_imaged_is_completed() -> None:
    report = with_completed(taken(NOTHING, exposure_plan(100, 1)), ["target"])

    assert [one.completed for one in report.targets] == [True]
