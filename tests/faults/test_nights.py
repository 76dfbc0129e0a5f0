"""A month of nights in which everything happens: what is told is true, and nothing is invented, lost or doubled."""

from __future__ import annotations

import os

import pytest

from tests.faults.nights import play_night, told

_NIGHTS = int(os.environ.get("DISTURBED_NIGHTS", "30"))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(_NIGHTS))
def test_whatever_happens_in_a_night_what_is_told_of_it_is_true(seed: int) -> None:
    outcome = play_night(seed)

    assert not outcome.problems, told(outcome)
