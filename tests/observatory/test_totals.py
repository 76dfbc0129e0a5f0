"""Counts, integration times and progress, as the plugin itself shows them."""

from __future__ import annotations

import pytest

from tests.support.build import exposure_plan, profile, project, target
from ts2mqtt.observatory.model import CLOSED, DRAFT, INACTIVE, ExposurePlan, Listing, Target
from ts2mqtt.observatory.totals import (
    Totals,
    plan_progress,
    plan_remaining_s,
    profile_totals,
    project_totals,
    target_totals,
)


@pytest.mark.parametrize(
    ("desired", "acquired", "accepted", "ungraded", "progress"),
    [
        (10, 0, 0, 0, 0.0),
        (10, 4, 4, 0, 40.0),
        (10, 4, 3, 0, 30.0),
        (10, 4, 0, 4, 40.0),  # provisional, until delayed grading has begun
        (10, 8, 5, 3, 80.0),
        (10, 15, 0, 15, 100.0),
        (10, 15, 12, 0, 100.0),
        (0, 0, 0, 0, 0.0),
        (0, 5, 5, 0, 0.0),
        (0, 5, 0, 5, 0.0),
        (3, 1, 1, 0, 100 / 3),
    ],
)
def test_progress_of_an_exposure_plan(
    desired: int, acquired: int, accepted: int, ungraded: int, progress: float
) -> None:
    plan = exposure_plan(desired, acquired, accepted, ungraded=ungraded)

    assert plan_progress(plan) == pytest.approx(progress)


@pytest.mark.parametrize(
    ("plan", "remaining_s"),
    [
        (exposure_plan(10, 4, 3, exposure_s=120.5), 7 * 120.5),
        (exposure_plan(10, 9, 0, ungraded=9), 600.0),  # what is not graded is not accepted
        (exposure_plan(10, 12, 12), 0.0),
        (exposure_plan(0, 5, 5), 0.0),
        (exposure_plan(10, exposure_s=None), 0.0),
    ],
)
def test_remaining_is_what_is_desired_and_not_yet_accepted_and_never_below_zero(
    plan: ExposurePlan, remaining_s: float
) -> None:
    assert plan_remaining_s(plan) == remaining_s


def test_a_targets_progress_is_the_mean_over_its_plans_and_its_counts_are_sums() -> None:
    galaxy = target(
        exposure_plan(100, 50, 50, exposure_s=60.0),
        exposure_plan(1, 1, 1, exposure_s=300.0),
        exposure_plan(10, 4, 0, ungraded=4, exposure_s=0.5),
        exposure_plan(0, 2, 2, exposure_s=10.0),
    )

    assert target_totals(galaxy) == Totals(
        desired=111,
        acquired=57,
        accepted=53,
        ungraded=4,
        desired_s=6_305.0,
        acquired_s=3_322.0,
        accepted_s=3_320.0,
        remaining_s=3_005.0,
        progress=(50 + 100 + 40 + 0) / 4,
    )


def test_a_target_without_plans_has_done_nothing() -> None:
    totals = target_totals(target())

    assert (totals.desired, totals.remaining_s, totals.progress) == (0, 0.0, 0.0)


def test_one_plan_beyond_its_goal_does_not_hide_that_another_is_behind() -> None:
    totals = target_totals(target(exposure_plan(10, 30, 30), exposure_plan(10)))

    assert totals.progress == 50.0
    assert totals.remaining_s == 600.0


def test_a_projects_progress_is_the_sum_accepted_over_the_sum_desired() -> None:
    galaxy = target(exposure_plan(100, 50, 50), identity="galaxy")
    nebula = target(exposure_plan(10, 10, 0, ungraded=10, exposure_s=None), identity="nebula")

    totals = project_totals(project(targets=Listing((galaxy, nebula))))

    assert totals is not None
    assert (totals.desired, totals.acquired, totals.accepted, totals.ungraded) == (110, 60, 50, 10)
    assert totals.progress == pytest.approx(100 * 50 / 110)
    assert (totals.desired_s, totals.accepted_s, totals.remaining_s) == (6_000.0, 3_000.0, 3_000.0)


@pytest.mark.parametrize("targets", [(), (target(),), (target(exposure_plan(0, 3, 3)),)])
def test_a_project_that_desires_nothing_has_done_nothing(targets: tuple[Target, ...]) -> None:
    totals = project_totals(project(targets=Listing(targets)))

    assert totals is not None
    assert (totals.desired, totals.progress) == (0, 0.0)


def test_a_project_accepted_beyond_its_goal_shows_a_hundred_percent() -> None:
    totals = project_totals(project(targets=Listing((target(exposure_plan(2, 5, 5)),))))

    assert totals is not None
    assert totals.progress == 100.0


def test_a_project_whose_targets_were_not_read_has_no_totals() -> None:
    assert project_totals(project(targets=None)) is None


def test_a_profiles_totals_are_over_its_active_projects() -> None:
    projects = (
        project("one", Listing((target(exposure_plan(10, 5, 5)),))),
        project("two", Listing((target(exposure_plan(30, 5, 5)),))),
        project("draft", Listing((target(exposure_plan(1_000)),)), DRAFT),
        project("inactive", None, INACTIVE),
        project("closed", Listing((target(exposure_plan(1_000, 1_000, 1_000)),)), CLOSED),
    )

    totals = profile_totals(profile(projects=Listing(projects)))

    assert totals is not None
    assert (totals.desired, totals.accepted, totals.remaining_s) == (40, 10, 1_800.0)
    assert totals.progress == 25.0


def test_a_profile_has_no_totals_before_all_targets_of_active_projects_were_read() -> None:
    read, unread = project("one", Listing(())), project("two", None)

    assert profile_totals(profile(projects=None)) is None
    assert profile_totals(profile(projects=Listing((read, unread)))) is None
    assert profile_totals(profile(projects=Listing((read,)))) is not None


def test_tenths_of_seconds_add_up() -> None:
    totals = target_totals(target(*(exposure_plan(1, 1, 1, exposure_s=0.1) for _ in range(10))))

    assert (totals.desired_s, totals.acquired_s, totals.accepted_s) == (1.0, 1.0, 1.0)
