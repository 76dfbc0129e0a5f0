"""Short sequences of a rig that does much, with faults of live events: nothing is invented or told twice."""

from __future__ import annotations

import os

import pytest

from tests.faults.live_nights import told
from tests.faults.live_sequences import SHORT_FAULTS, play_live_sequence

_SEQUENCES = int(os.environ.get("LIVE_SEQUENCES", "24"))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(_SEQUENCES))
def test_whatever_goes_wrong_what_is_told_is_true(seed: int) -> None:
    outcome = play_live_sequence(seed)

    assert not outcome.problems, told(outcome)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", SHORT_FAULTS)
def test_with_each_fault_alone_what_is_told_is_true(fault: str) -> None:
    outcome = play_live_sequence(0, fault)

    assert not outcome.problems, told(outcome)
