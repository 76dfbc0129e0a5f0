"""The paced clock, which the simulator and the demo run on."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from ts2mqtt.timing import PacedClock

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_paced_clock_runs_so_many_times_faster() -> None:
    # The pace is so high that the time between two lines of this test can be measured.
    pace = 100_000_000
    before_made = time.monotonic()
    clock = PacedClock(START, pace)
    made = time.monotonic()
    asked = time.monotonic()
    passed = (clock.now() - START).total_seconds()
    answered = time.monotonic()

    assert pace * (asked - made) - 0.01 <= passed <= pace * (answered - before_made) + 0.01
    assert clock.now() > START
    assert PacedClock(START, pace=0).now() == START


def test_a_wait_is_so_many_times_shorter() -> None:
    clock = PacedClock(START, pace=3_600)

    assert 23.0 < clock.seconds_until(START + timedelta(days=1)) <= 24.0
