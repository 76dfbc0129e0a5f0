"""The one clock of the program: what time it is, and how much time has passed."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Protocol

from ts2mqtt.errors import ConfigError


class Clock(Protocol):
    """Wall time for what people read, monotonic time for what is measured."""

    def now(self) -> datetime:
        """The wall time, aware; it may jump when somebody sets this machine's clock."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back."""
        ...

    def seconds_until(self, moment: datetime) -> float:
        """How long to sleep until this wall time; negative for a moment that has passed."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        return datetime.now().astimezone()

    def monotonic(self) -> float:
        return time.monotonic()

    def seconds_until(self, moment: datetime) -> float:
        return (moment - self.now()).total_seconds()


def make_sure_of_time_zone() -> None:
    """Raises ConfigError for a zone of this machine that Python cannot tell times in."""
    try:
        datetime.now().astimezone()
    except ValueError:
        raise ConfigError(
            "TZ: this machine's time zone is a day or more from UTC; expected a name such as Europe/Berlin"
        ) from None


class PacedClock(SystemClock):
    """A wall clock that begins at a chosen moment and runs `pace` times as fast as life, beside a simulator."""

    def __init__(self, begins: datetime, pace: float) -> None:
        self._begins = begins
        self._pace = pace
        self._started = self.monotonic()

    def now(self) -> datetime:
        return self._begins + timedelta(seconds=(self.monotonic() - self._started) * self._pace)

    def seconds_until(self, moment: datetime) -> float:
        return super().seconds_until(moment) / self._pace
