"""A rate limit is used up at once or bit by bit, and grows back to no more than it was."""

from __future__ import annotations

import pytest

from tests.support.clocks import HandClock
from ts2mqtt.timing.rate_limit import RateLimit


@pytest.mark.parametrize(
    ("seconds", "allowed"), [(0.0, 0), (2.9, 0), (3.0, 1), (8.0, 2), (12.0, 4), (1e9, 4), (-5.0, 0)]
)
def test_it_grows_back_with_time(seconds: float, allowed: int) -> None:
    clock = HandClock()
    limit = RateLimit(4, 3.0, clock)
    assert [limit.try_take() for _ in range(10)] == [True] * 4 + [False] * 6
    clock.seconds += seconds
    assert sum(limit.try_take() for _ in range(10)) == allowed
