"""Two of the nights of tests/faults/nights.py, in which much happens; make test-faults plays a month of them."""

from __future__ import annotations

import pytest

from tests.faults.nights import play_night, told


@pytest.mark.parametrize("seed", [6, 9])
def test_in_a_disturbed_night_what_is_told_is_true(seed: int) -> None:
    outcome = play_night(seed)

    assert outcome.exposures
    assert not outcome.problems, told(outcome)
