"""Clocks for tests: one that a test sets by hand, and one that follows the event loop's time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_START = datetime(2026, 1, 10, 12, tzinfo=UTC)


@dataclass(slots=True)
class HandClock:
    """Stands still until a test moves it: `advance` passes time, `set` changes the wall time alone."""

    wall_time: datetime = _START
    seconds: float = 1_000.0
    """The monotonic time."""

    def __post_init__(self) -> None:
        _require_time_zone(self.wall_time)

    def now(self) -> datetime:
        return self.wall_time

    def monotonic(self) -> float:
        return self.seconds

    def seconds_until(self, moment: datetime) -> float:
        return (moment - self.wall_time).total_seconds()

    def advance(self, seconds: float) -> None:
        """Lets this many seconds pass, on the wall and on the monotonic clock."""
        self.seconds += seconds
        self.wall_time += timedelta(seconds=seconds)

    def set(self, wall_time: datetime) -> None:
        """Sets the wall clock as somebody sets a machine's clock: no monotonic time passes."""
        _require_time_zone(wall_time)
        self.wall_time = wall_time


@dataclass(frozen=True, slots=True)
class LoopClock:
    """Follows the time of the running event loop, real or simulated; `start` is the wall time at the loop's 0.

    `now()` is in the machine's time zone, as SystemClock tells it.
    """

    start: datetime = _START

    def __post_init__(self) -> None:
        _require_time_zone(self.start)

    def now(self) -> datetime:
        # In UTC, as adding seconds to local time goes wrong where summer time begins or ends.
        return (self.start.astimezone(UTC) + timedelta(seconds=self.monotonic())).astimezone()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def seconds_until(self, moment: datetime) -> float:
        return (moment - self.now()).total_seconds()


@dataclass(slots=True)
class MovedClock:
    """Goes with another clock, but shows a wall time that somebody has moved."""

    true: LoopClock
    moved: timedelta = timedelta()

    def now(self) -> datetime:
        return (self.true.now().astimezone(UTC) + self.moved).astimezone()

    def monotonic(self) -> float:
        return self.true.monotonic()

    def seconds_until(self, moment: datetime) -> float:
        return (moment - self.now()).total_seconds()


def _require_time_zone(moment: datetime) -> None:
    if moment.tzinfo is None:
        raise ValueError(f"a clock tells aware times; {moment} has no time zone")
