"""What the README says of the oldest Home Assistant is what the tests meet."""

from __future__ import annotations

import re

from tests.home_assistant.releases import NEWEST, OLDEST
from tests.support.project import ROOT

_README = ROOT / "README.md"


def test_the_readme_names_the_oldest_release_that_is_tested() -> None:
    named = re.findall(r"Home Assistant (\d{4}\.\d+) or newer", _README.read_text(encoding="utf-8"))
    assert named == [OLDEST.version.removesuffix(".0")]


def test_the_oldest_is_not_the_newest() -> None:
    assert OLDEST.year_and_month < NEWEST.year_and_month
