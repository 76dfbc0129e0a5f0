"""Counts, integration times and progress, as the plugin itself shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.build import exposure_plan, profile, project, target
from ts2mqtt.observatory.completion import CompletionRule
from ts2mqtt.observatory.model import CLOSED, DRAFT, INACTIVE, Listing, Target
from ts2mqtt.observatory.totals import (
    Totals,
    profile_totals,
    project_to_image_s,
    project_totals,
    target_to_image_s,
    target_totals,
)

if TYPE_CHECKING:
    from ts2mqtt.observatory.model import ExposurePlan

GRADED = CompletionRule(is_graded=True, throttle_percent=125)
UNGRADED = CompletionRule(is_graded=False, throttle_percent=125)


def test_a_targets_progress_is_the_mean_over_its_plans_and_its_counts_are_sums() -> None:
    galaxy = target(
        exposure_plan(100, 50, 50, exposure_s=60.0),
        exposure_plan(1, 1, 1, exposure_s=300.0),
        exposure_plan(10, 4, 0, ungraded=4, exposure_s=0.5),
        exposure_plan(0, 2, 2, exposure_s=10.0),
    )

    assert target_totals(galaxy, GRADED) == Totals(
        desired=111,
        acquired=57,
        accepted=53,
        ungraded=4,
        pending=4,
        rejected=0,
        desired_s=6_305.0,
        acquired_s=3_322.0,
        accepted_s=3_320.0,
        remaining_s=3_005.0,
        progress=(50 + 100 + 40 + 0) / 4,
    )


def test_a_target_without_plans_has_done_nothing() -> None:
    totals = target_totals(target(), GRADED)

    assert (totals.desired, totals.remaining_s, totals.progress) == (0, 0.0, 0.0)


def test_one_plan_beyond_its_goal_does_not_hide_that_another_is_behind() -> None:
    totals = target_totals(target(exposure_plan(10, 30, 30), exposure_plan(10)), GRADED)

    assert totals.progress == 50.0
    assert totals.remaining_s == 600.0


def test_a_projects_progress_is_the_sum_accepted_over_the_sum_desired() -> None:
    galaxy = target(exposure_plan(100, 50, 50), identity="galaxy")
    nebula = target(exposure_plan(10, 10, 0, ungraded=10, exposure_s=None), identity="nebula")

    totals = project_totals(project(targets=Listing((galaxy, nebula))), 125)

    assert totals is not None
    assert (totals.desired, totals.acquired, totals.accepted, totals.ungraded) == (110, 60, 50, 10)
    assert totals.progress == pytest.approx(100 * 50 / 110)
    assert (totals.desired_s, totals.accepted_s, totals.remaining_s) == (6_000.0, 3_000.0, 3_000.0)


@pytest.mark.parametrize("targets", [(), (target(),), (target(exposure_plan(0, 3, 3)),)])
def test_a_project_that_desires_nothing_has_done_nothing(targets: tuple[Target, ...]) -> None:
    totals = project_totals(project(targets=Listing(targets)), 125)

    assert totals is not None
    assert (totals.desired, totals.progress) == (0, 0.0)


def test_a_project_accepted_beyond_its_goal_shows_a_hundred_percent() -> None:
    totals = project_totals(project(targets=Listing((target(exposure_plan(2, 5, 5)),))), 125)

    assert totals is not None
    assert totals.progress == 100.0


def test_a_project_whose_targets_were_not_read_has_no_totals() -> None:
    assert project_totals(project(targets=None), 125) is None


def test_a_profiles_totals_are_over_its_active_projects() -> None:
    projects = (
        project("one", Listing((target(exposure_plan(10, 5, 5)),))),
        project("two", Listing((target(exposure_plan(30, 5, 5)),))),
        project("draft", Listing((target(exposure_plan(1_000)),)), DRAFT),
        project("inactive", None, INACTIVE),
        project("closed", Listing((target(exposure_plan(1_000, 1_000, 1_000)),)), CLOSED),
    )

    totals = profile_totals(profile(projects=Listing(projects)), 125)

    assert totals is not None
    assert (totals.desired, totals.accepted, totals.remaining_s) == (40, 10, 1_800.0)
    assert totals.progress == 25.0


def test_a_profile_has_no_totals_before_all_targets_of_active_projects_were_read() -> None:
    read, unread = project("one", Listing(())), project("two", None)

    assert profile_totals(profile(projects=None), 125) is None
    assert profile_totals(profile(projects=Listing((read, unread))), 125) is None
    assert profile_totals(profile(projects=Listing((read,))), 125) is not None


def test_with_grading_off_a_target_counts_what_is_acquired_and_its_project_what_is_accepted() -> None:
    galaxy = target(exposure_plan(10, 10, 10), exposure_plan(10, 5, 4, ungraded=1))
    ungraded = project(targets=Listing((galaxy,)), enable_grader=False)

    of_target, of_project = target_totals(galaxy, UNGRADED), project_totals(ungraded, 125)

    assert of_target.progress == pytest.approx((83.333 + 41.667) / 2, abs=1e-3)
    assert (of_target.remaining_s, of_target.pending, of_target.rejected) == ((2 + 7) * 60.0, 0, 1)
    assert of_project is not None
    assert of_project.progress == pytest.approx(70.0)
    assert (of_project.remaining_s, of_project.pending) == (540.0, 0)


def test_a_profile_counts_each_project_by_its_own_grader() -> None:
    graded = project("graded", Listing((target(exposure_plan(10, 5, 0, ungraded=5)),)))
    ungraded = project("ungraded", Listing((target(exposure_plan(10, 5, 5)),)), enable_grader=False)

    totals = profile_totals(profile(projects=Listing((graded, ungraded))), 200)

    assert totals is not None
    assert (totals.remaining_s, totals.pending) == ((10 + 15) * 60.0, 5)


def test_what_was_accepted_by_hand_takes_nothing_from_what_is_pending() -> None:
    totals = target_totals(target(exposure_plan(10, 0, 4, ungraded=-4), exposure_plan(10, 6, 0, ungraded=6)), GRADED)

    assert (totals.ungraded, totals.pending, totals.rejected) == (2, 6, 0)


def test_tenths_of_seconds_add_up() -> None:
    totals = target_totals(target(*(exposure_plan(1, 1, 1, exposure_s=0.1) for _ in range(10))), GRADED)

    assert (totals.desired_s, totals.acquired_s, totals.accepted_s) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("plan", "minutes"),
    [
        (exposure_plan(10), 10),
        # What waits for grading counts as good; what was graded as bad is to be taken again.
        (exposure_plan(10, 4, ungraded=4), 6),
        (exposure_plan(10, 10, ungraded=10), 0),
        (exposure_plan(10, 12, ungraded=12), 0),
        (exposure_plan(10, 10, 7), 3),
        (exposure_plan(10, 9, 12, ungraded=-3), 0),
        (exposure_plan(10, exposure_s=None), 0),
    ],
)
def test_what_is_still_to_be_imaged(plan: ExposurePlan, minutes: int) -> None:
    own = target(plan)

    assert target_to_image_s(own, GRADED) == 60 * minutes
    assert project_to_image_s(project(targets=Listing((own, own))), 125) == 2 * 60 * minutes
    assert project_to_image_s(project(targets=None), 125) == 0


def test_without_grading_the_throttle_leaves_what_is_still_to_be_imaged() -> None:
    assert target_to_image_s(target(exposure_plan(10, 4, 4)), UNGRADED) == 60 * 8
