"""Logs a failure that repeats once, then rarely, and says when it is over."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from ts2mqtt.logs.wording import counted, spoken_duration

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ts2mqtt.timing import Clock

_FIRST_REMINDER_S = 3_600.0
_MOST_CAUSES = 10


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that fails now; `told` is the monotonic time at which its cause was first told."""

    told: float
    text: str


@dataclass(slots=True)
class _Streak:
    began: float
    count: int
    causes: set[str]
    latest: Failure
    silence_s: float
    remind_at: float


class FailureLog:
    """Failures by subject (a rig, one of its lists, the broker), each told as its own streak.

    The first failure of a streak is a warning; the same again is silent for an hour, then for two, four and so
    on; another cause is told at once, but each only once; the first success after it says how long it lasted.
    A `key` holds a streak together whose subject may be renamed; by default it is the subject.
    """

    def __init__(self, logger: logging.Logger, clock: Clock) -> None:
        self._logger = logger
        self._clock = clock
        self._streaks: dict[Hashable, _Streak] = {}

    @property
    def latest(self) -> Failure | None:
        """Of all that fails now, what was told last."""
        return max((streak.latest for streak in self._streaks.values()), key=attrgetter("told"), default=None)

    @property
    def failing(self) -> tuple[Hashable, ...]:
        """The keys of all streaks that have not ended."""
        return tuple(self._streaks)

    def failed(
        self, subject: str, message: str, *, key: Hashable | None = None, level: int = logging.WARNING
    ) -> None:
        now = self._clock.monotonic()
        streak = self._streaks.get(key or subject)
        if streak is None:
            latest = Failure(now, f"{subject}: {message}")
            self._streaks[key or subject] = _Streak(
                now, 1, {message}, latest, _FIRST_REMINDER_S, now + _FIRST_REMINDER_S
            )
            self._logger.log(level, "%s: %s", subject, message)
            return
        streak.count += 1
        # Some causes name something that differs each time, such as a port.
        if message not in streak.causes and len(streak.causes) < _MOST_CAUSES:
            streak.causes.add(message)
            streak.latest = Failure(now, f"{subject}: {message}")
            self._logger.log(level, "%s: %s", subject, message)
        elif now >= streak.remind_at:
            streak.silence_s *= 2
            streak.remind_at = now + streak.silence_s
            lasted = spoken_duration(now - streak.began)
            self._logger.log(level, "%s: still failing after %s: %s", subject, lasted, message)

    def succeeded(self, subject: str, *, key: Hashable | None = None) -> None:
        streak = self._streaks.pop(key or subject, None)
        if streak is not None:
            lasted = spoken_duration(self._clock.monotonic() - streak.began)
            self._logger.info("%s: recovered after %s (%s)", subject, lasted, counted(streak.count, "failure"))

    def forget(self, key: Hashable) -> None:
        """Ends a streak without a word, for a subject that is gone."""
        self._streaks.pop(key, None)
