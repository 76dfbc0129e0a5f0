"""Nothing here waits as long as it would for a real network."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, seconds in {
        "network._PATIENCE_S": 0.5,
        "broker._LOGIN_S": 1.0,
        "broker._ECHO_S": 0.5,
        "broker._ANSWER_S": 0.4,
    }.items():
        monkeypatch.setattr(f"ts2mqtt.check.{limit}", seconds)
