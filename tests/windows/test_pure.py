"""The tests of pure code in Python for Windows, under Wine."""

from __future__ import annotations

import pytest

from tests.windows.prepare import NEWEST, OLDEST
from tests.windows.program import LONGEST_S, SHORT, prepared

pytestmark = pytest.mark.timeout(LONGEST_S)

RUN_PYTEST = "import pytest, sys; sys.exit(pytest.main())"
OPTIONS = ("--quick", "-q", "--tb=short", "--timeout=900", "-p", "no:cacheprovider")
CHOICE = {
    # What meets Python's own libraries: files, texts, time zones.
    OLDEST: ("tests/config", "tests/logs", "tests/timing", "tests/topics"),
    # All but those that read the project's code, which is the same everywhere.
    NEWEST: ("--ignore=tests/test_layers.py", "--ignore=tests/test_quick.py"),
}


@pytest.mark.parametrize("version", [NEWEST, pytest.param(OLDEST, marks=SHORT)])
async def test_the_pure_tests_pass(version: str) -> None:
    code, output = await prepared(version).output_of("-c", RUN_PYTEST, *OPTIONS, *CHOICE[version])
    assert code == 0, output[-5000:]
