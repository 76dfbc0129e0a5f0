"""Nights in which everything goes wrong between N.I.N.A. and the bridge: nothing is invented or told twice."""

from __future__ import annotations

import os

import pytest

from tests.faults.live_nights import play_live_night, told

# The night of seed 4 is the first of a row in which most are clear.
_FIRST = 4
_NIGHTS = int(os.environ.get("LIVE_NIGHTS", "6"))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(_FIRST, _FIRST + _NIGHTS))
def test_whatever_goes_wrong_with_live_events_what_is_told_is_true(seed: int) -> None:
    outcome = play_live_night(seed, polls_too=False)

    assert not outcome.problems, told(outcome)
