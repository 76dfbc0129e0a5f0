"""What the preparation of a Home Assistant does where it cannot be had, and with what it finds left over."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.home_assistant import prepare
from tests.home_assistant.releases import NEWEST

if TYPE_CHECKING:
    from pathlib import Path

_IMPOSSIBLE = replace(NEWEST, python=(3, 99, 1))


@pytest.fixture(autouse=True)
def _nobody_with_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TS2MQTT_HASS_DIR", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


def test_without_a_fitting_python_only_root_can_help_and_the_reason_is_kept_for_the_tests(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prepare, "RELEASES", (_IMPOSSIBLE,))
    monkeypatch.setattr("sys.argv", ["prepare"])
    assert "run `make test-home-assistant`" in prepare.why_not(_IMPOSSIBLE)
    assert prepare.main() == 1
    assert not prepare.is_ready(_IMPOSSIBLE)
    reason = "this machine has no Python 3.99.1 or a later one of its series, and only root on a Debian can add one"
    assert prepare.why_not(_IMPOSSIBLE) == reason
    assert reason in capsys.readouterr().err


def test_what_was_left_half_finished_is_begun_again() -> None:
    half = prepare.folder(_IMPOSSIBLE) / "root" / "half"
    half.mkdir(parents=True)
    with pytest.raises(prepare.CannotPrepareError):
        prepare.prepare(_IMPOSSIBLE)
    assert not half.exists()


def test_what_was_prepared_by_another_recipe_is_not_ready() -> None:
    home = prepare.folder(NEWEST)
    home.mkdir()
    (home / "ready").write_text(prepare._recipe(NEWEST))
    assert prepare.is_ready(NEWEST)
    assert not prepare.is_ready(replace(NEWEST, constraints=("pycares<5",)))
