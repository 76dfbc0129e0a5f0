"""Whatever fails, and however often: the log has no more lines in an hour than somebody reads."""

from __future__ import annotations

import re

import pytest

from tests.faults.long_faults import LONG_FAULTS, log_of
from tests.support.log_lines import MOST_IN_AN_HOUR


@pytest.mark.timeout(300)
@pytest.mark.parametrize("words", LONG_FAULTS)
def test_a_fault_that_lasts_does_not_fill_the_log(words: str) -> None:
    assert 1 <= log_of(words).most_in_an_hour() <= MOST_IN_AN_HOUR


@pytest.mark.timeout(300)
def test_what_has_no_line_of_its_own_is_counted_within_two_minutes() -> None:
    """Though nothing more happens to rigs that are off: the bridge itself has the sum written."""
    texts = log_of("40 rigs are off").texts
    (told,) = [text for text in texts if text.startswith("rigs that do not answer: ")]
    assert re.match(r"rigs that do not answer: 35 more in (\d+ seconds|2 minutes), 40 at present; the last: ", told)
