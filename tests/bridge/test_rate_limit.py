"""An allowance is used up at once or bit by bit, and grows back to no more than it was."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ts2mqtt.bridge.rate_limit import RateLimit


@pytest.mark.parametrize(
    ("seconds", "allowed"), [(0.0, 0), (2.9, 0), (3.0, 1), (8.0, 2), (12.0, 4), (1e9, 4), (-5.0, 0)]
)
def test_it_grows_back_with_time(monkeypatch: pytest.MonkeyPatch, seconds: float, allowed: int) -> None:
    now = 100.0
    monkeypatch.setattr("ts2mqtt.bridge.rate_limit.time", SimpleNamespace(monotonic=lambda: now))
    allowance = RateLimit(4, 3.0)
    assert [allowance.use() for _ in range(10)] == [True] * 4 + [False] * 6
    now += seconds
    assert sum(allowance.use() for _ in range(10)) == allowed
