"""Whatever happens to bridge, broker and rigs, and in whatever order: in the end the broker holds what is true."""

from __future__ import annotations

import os

import pytest

from tests.faults.sequences import THEMES, play, told

_SEQUENCES = int(os.environ.get("FAULT_SEQUENCES", "500"))
_AT_A_TIME = 10
_OF_A_THEME = 50

# Home Assistant's birth was heard before the connection broke, and what went was shown on the next one; or the broker
# took no packet as large as the new record.
_RECORDS_THAT_STAYED = (506, 1378, 1477)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("first", range(0, _SEQUENCES, _AT_A_TIME), ids="from-seed-{}".format)
def test_after_any_faults_the_broker_holds_what_the_observatory_says(first: int) -> None:
    for seed in range(first, first + _AT_A_TIME):
        outcome = play(seed)
        assert not outcome.problems, told(outcome)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("theme", [theme for theme in THEMES if theme != "anything"])
def test_after_many_faults_of_one_kind(theme: str) -> None:
    for seed in range(_OF_A_THEME):
        outcome = play(seed, theme)
        assert not outcome.problems, told(outcome)


@pytest.mark.parametrize("seed", _RECORDS_THAT_STAYED)
def test_a_record_goes_when_home_assistant_was_shown_what_went(seed: int) -> None:
    outcome = play(seed)
    assert not outcome.problems, told(outcome)
