"""A clock that runs faster than real time: with `SpeedClock(start, speed=60)` an hour takes a minute."""

from __future__ import annotations

import time
from datetime import datetime, timedelta


class SpeedClock:
    """Call it for the simulated time, which is `start` at the moment when the clock is made."""

    def __init__(self, start: datetime, speed: float) -> None:
        self._start = start
        self._speed = speed
        self._began = time.monotonic()

    def __call__(self) -> datetime:
        return self._start + timedelta(seconds=(time.monotonic() - self._began) * self._speed)
