"""`--seed` repeats a run exactly, whenever and wherever it is run."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ts2mqtt.cli import main
from ts2mqtt.demo.start import simulation_start

if TYPE_CHECKING:
    from pydantic import JsonValue


SPEED = 60.0


def some_nights(seed: int, *, steps: int) -> list[JsonValue]:
    start = simulation_start(seed, SPEED)
    observatory = start.observatory()
    for step in range(1, steps + 1):
        observatory.advance(start.begins + timedelta(days=4) * step / steps)
        observatory.preview_answer(observatory.active_profile.id)
    return [
        *(observatory.projects_answer(profile.id) for profile in observatory.profiles),
        *(observatory.targets_answer(project.id) for project in observatory.projects()),
    ]


def test_the_same_seed_has_the_same_happenings() -> None:
    assert some_nights(5, steps=3) == some_nights(5, steps=40)
    assert some_nights(5, steps=3) != some_nights(6, steps=3)


def test_a_seeded_run_begins_on_the_same_evening_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    here = simulation_start(5, SPEED)
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        assert simulation_start(5, SPEED) == here
        assert simulation_start(None, SPEED).begins.utcoffset() != here.begins.utcoffset()
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_seed_is_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["demo", "--seed", "moon"])
    assert "invalid int value: 'moon'" in capsys.readouterr().err
