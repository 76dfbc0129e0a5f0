"""What CONTRIBUTING.md, the hooks, editors and CI say of one another is true."""

from __future__ import annotations

import configparser
import re
import tomllib
from typing import Any

import yaml

from tests.support.project import ROOT, recipe

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def hooks() -> list[dict[str, Any]]:
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"], "nothing is fetched"
    return [hook for repository in repositories for hook in repository["hooks"]]


def targets(start: str = "") -> set[str]:
    """Of the Makefile, those whose names begin so."""
    return set(re.findall(rf"^({start}[a-z-]*):", MAKEFILE, re.MULTILINE))


def test_the_hooks_run_what_make_lint_runs() -> None:
    assert [hook["entry"] for hook in hooks()] == [line.replace("$(BIN)", ".venv/bin") for line in recipe("lint")]


def test_the_hooks_look_at_the_whole_project_with_what_is_installed() -> None:
    for hook in hooks():
        assert hook["language"] == "system"
        assert hook["pass_filenames"] is False


def test_ci_runs_every_suite() -> None:
    suites = targets("test-")
    assert suites > {"test-brokers", "test-home-assistant", "test-node-red"}
    called = set(re.findall(r"make ([a-z-]+)", CI))
    assert called >= suites | {"test", "lint", "lint-workflows"}


def test_ci_measures_coverage_and_there_is_a_bound() -> None:
    assert re.findall(r"^coverage: (.+)$", MAKEFILE, re.MULTILINE) == [
        "override PYTEST += --cov --cov-report=term",
        "test",
    ]
    assert PYPROJECT["tool"]["coverage"]["report"]["fail_under"] >= 95
    # .ci/run does without, as measuring makes simulated nights three times as slow.
    assert "run: make coverage" in (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")


def test_contributing_names_every_suite() -> None:
    named = set(re.findall(r"make ([a-z-]+)", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")))
    assert named <= targets()
    assert named >= targets("test") | {"quick", "coverage", "lint"}


def test_editors_break_lines_where_the_linter_does() -> None:
    # Above the first section stands `root`, which configparser would not take.
    _, _, sections = (ROOT / ".editorconfig").read_text(encoding="utf-8").partition("\n[")
    editors = configparser.ConfigParser()
    editors.read_string(f"[{sections}")
    assert editors["*.py"]["max_line_length"] == str(PYPROJECT["tool"]["ruff"]["line-length"])
