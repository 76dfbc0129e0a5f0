"""The plugin's rule for one exposure plan, against a second writing of it and against a case from life."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import product
from json import loads
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, strategies as st

from tests.support.build import exposure_plan, project
from ts2mqtt.observatory.completion import CompletionRule, all_complete, completion_rule
from ts2mqtt.observatory.model import DEFAULT_THROTTLE_PERCENT, ExposurePlan

GRADED = CompletionRule(is_graded=True, throttle_percent=125)
UNGRADED = CompletionRule(is_graded=False, throttle_percent=125)
CASE = Path(__file__).with_name("graded_by_hand.json")


class Counts(NamedTuple):
    """What the API says of one exposure plan, and what decides how it is counted."""

    grader: bool | None
    throttle: int
    desired: int
    acquired: int
    accepted: int
    ungraded: int


class Expected(NamedTuple):
    percent: float
    complete: bool
    remaining: int
    pending: int
    rejected: int


def by_the_plugin(counts: Counts) -> Expected:
    """The plugin's rule, written a second time: with exact fractions, and branch by branch as its source has them."""
    if counts.grader is None or counts.grader:
        counted = counts.accepted if counts.ungraded == 0 else counts.acquired
        ratio = Fraction(0) if counts.desired == 0 else Fraction(counted, counts.desired)
        remaining = counts.desired - counts.accepted
        pending = max(0, counts.ungraded)
    else:
        # The plugin multiplies doubles; a Decimal of the product is exactly that double.
        goal = int(Decimal(counts.throttle / 100 * counts.desired))
        if counts.acquired == 0:
            ratio = Fraction(0)
        elif goal == 0:
            ratio = Fraction(1)
        else:
            ratio = Fraction(counts.acquired, goal)
        remaining = goal - counts.acquired
        pending = 0
    rejected = counts.acquired - counts.accepted - pending
    return Expected(
        percent=float(min(Fraction(1), ratio) * 100),
        complete=ratio >= 1,
        remaining=max(0, remaining),
        pending=pending,
        rejected=max(0, rejected),
    )


def assert_as_the_plugin_counts(counts: Counts) -> None:
    rule = completion_rule(project(enable_grader=counts.grader), counts.throttle)
    plan = exposure_plan(counts.desired, counts.acquired, counts.accepted, ungraded=counts.ungraded, exposure_s=120.5)
    expected = by_the_plugin(counts)

    assert rule.progress(plan) == pytest.approx(expected.percent, abs=1e-9)
    assert 0 <= rule.progress(plan) <= 100
    assert rule.is_complete(plan) is expected.complete
    assert rule.remaining(plan) == expected.remaining
    assert rule.remaining_s(plan) == expected.remaining * 120.5
    assert rule.pending(plan) == expected.pending
    assert rule.rejected(plan) == expected.rejected


# Desired, acquired, accepted, ungraded: before the first image, at the goal, beyond it, edited by hand.
COUNTS = [
    (0, 0, 0, 0),
    (0, 3, 3, 0),
    (0, 3, 0, 3),
    (1, 0, 0, 0),
    (1, 1, 1, 0),
    (1, 1, 0, 0),
    (3, 3, 3, 0),
    (3, 4, 4, 0),
    (10, 0, 0, 0),
    (10, 0, 4, -4),
    (10, 0, 10, -10),
    (10, 3, 5, -2),
    (10, 3, 5, 0),
    (10, 4, 0, 4),
    (10, 5, 5, 0),
    (10, 10, 2, 8),
    (10, 10, 9, 0),
    (10, 10, 10, 0),
    (10, 11, 11, 0),
    (10, 12, 12, 0),
    (10, 13, 7, 0),
    (10, 30, 30, 0),
    (100, 114, 114, 0),
    (1_000_000_000, 999_999_999, 999_999_999, 0),
]
TABLE = [
    Counts(grader, throttle, *counts)
    for grader, throttle, counts in product((True, False, None), (100, 115, 125, 50, 300), COUNTS)
    if grader is False or throttle == DEFAULT_THROTTLE_PERCENT
]


def test_the_table_is_long_enough() -> None:
    assert len(set(TABLE)) >= 160


@pytest.mark.parametrize("counts", TABLE, ids=str)
def test_as_the_plugin_counts(counts: Counts) -> None:
    assert_as_the_plugin_counts(counts)


COUNT = st.integers(0, 1_000_000_000) | st.integers(0, 40)


@given(
    counts=st.builds(
        Counts,
        grader=st.none() | st.booleans(),
        throttle=st.integers(1, 1_000),
        desired=COUNT,
        acquired=COUNT,
        accepted=COUNT,
        ungraded=st.integers(-1_000_000_000, 1_000_000_000) | st.integers(-40, 40),
    )
)
def test_whatever_the_counts_it_is_as_the_plugin_counts(counts: Counts) -> None:
    assert_as_the_plugin_counts(counts)


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
        (10, 3, 5, -2, 30.0),  # accepted was edited by hand: provisional, too
    ],
)
def test_progress_with_the_grader_on(
    desired: int, acquired: int, accepted: int, ungraded: int, progress: float
) -> None:
    plan = exposure_plan(desired, acquired, accepted, ungraded=ungraded)

    assert GRADED.progress(plan) == pytest.approx(progress)


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
    assert GRADED.remaining_s(plan) == remaining_s


@pytest.mark.parametrize(
    ("desired", "acquired", "percent"),
    [
        (10, 10, 83.333),
        (10, 11, 91.667),
        (10, 12, 100),
        (3, 3, 100),
        (3, 2, 66.667),
        (1, 1, 100),
        (0, 0, 0),
        (0, 1, 100),
    ],
)
def test_with_grading_off_acquired_counts_against_the_throttle(desired: int, acquired: int, percent: float) -> None:
    plan = exposure_plan(desired, acquired, acquired)

    assert UNGRADED.progress(plan) == pytest.approx(percent, abs=1e-3)


def test_the_throttle_is_cut_as_the_plugin_cuts_it() -> None:
    # 1.15 is a little less as a float.
    rule = CompletionRule(is_graded=False, throttle_percent=115)

    assert rule.remaining(exposure_plan(100)) == 114


@pytest.mark.parametrize(("grader", "decisive"), [(True, None), (None, None), (False, 140)])
def test_the_throttle_decides_only_with_grading_off(grader: bool | None, decisive: int | None) -> None:
    assert completion_rule(project(enable_grader=grader), 140).decisive_throttle_percent == decisive


@pytest.mark.parametrize(
    ("counts", "graded", "percent"),
    [
        ((10, 0, 0, 0), True, None),
        ((10, 4, 0, 4), True, None),  # nothing is graded yet
        ((10, 4, 3, 0), True, 75.0),
        ((10, 8, 3, 1), True, 300 / 7),
        ((10, 3, 5, -2), True, 100.0),
        ((10, 4, 4, 0), False, 100.0),
    ],
)
def test_acceptance_is_the_share_of_graded_images(
    counts: tuple[int, int, int, int], graded: bool, percent: float | None
) -> None:
    desired, acquired, accepted, ungraded = counts
    rule = GRADED if graded else UNGRADED
    acceptance = rule.acceptance(exposure_plan(desired, acquired, accepted, ungraded=ungraded))

    assert acceptance == (None if percent is None else pytest.approx(percent))


def test_all_are_complete_when_there_are_some_and_each_is() -> None:
    done, open_, nothing = exposure_plan(5, 5, 5), exposure_plan(5, 4, 4), exposure_plan(0, 3, 3)

    assert all_complete((done, done), GRADED)
    assert not all_complete((done, open_), GRADED)
    assert not all_complete((), GRADED)
    # The plugin shows 0 % for what is not desired: the mean stays below 100 %.
    assert not all_complete((done, nothing), GRADED)
    assert all_complete((nothing,), UNGRADED)


def test_frames_that_were_entered_by_hand() -> None:
    answers = loads(CASE.read_text(encoding="utf-8"))["answers"]
    percents = []
    for grader, targets in (
        (True, "d900ba4a-5f70-4eb1-bd30-cd4c9b45d1c4"),
        (False, "da436a23-a700-402b-aea5-db438f7ce565"),
    ):
        rule = completion_rule(project(enable_grader=grader), DEFAULT_THROTTLE_PERCENT)
        (target,) = answers[f"/projects/{targets}/targets"]
        percents.append(
            [
                round(
                    rule.progress(
                        exposure_plan(row["Desired"], row["Acquired"], row["Accepted"], ungraded=row["Ungraded"])
                    ),
                    2,
                )
                for row in target["ExposurePlan"]
            ]
        )

    assert percents == [[0, 30, 0], [83.33, 41.67, 100, 100]]
