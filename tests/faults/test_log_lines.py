"""Whatever fails, and however often: the log has no more lines in an hour than somebody reads."""

from __future__ import annotations

import pytest

from tests.faults.long_faults import COUNTS, lines_in_an_hour
from tests.support.log_lines import MOST_IN_AN_HOUR


@pytest.mark.timeout(300)
@pytest.mark.parametrize("words", COUNTS)
def test_a_fault_that_lasts_does_not_fill_the_log(words: str) -> None:
    assert 1 <= lines_in_an_hour(words) <= MOST_IN_AN_HOUR
