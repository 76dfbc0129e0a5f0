"""Logs a failure that repeats once, then rarely, and says when it is over."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from ts2mqtt.logs.tallies import Kind, Line, Tallies
from ts2mqtt.logs.wording import counted, spoken_duration

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ts2mqtt.timing import Clock

_FIRST_REMINDER_S = 3_600.0
_MOST_CAUSES = 10
_OTHER = Kind("other failures")


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that fails now; `told` is the monotonic time at which its cause was first told."""

    told: float
    text: str


@dataclass(slots=True)
class _Streak:
    kind: Kind
    is_told: bool
    began: float
    count: int
    causes: set[str]
    latest: Failure
    silence_s: float
    remind_at: float


KEEPS_TRYING = "the bridge keeps trying; 'ts2mqtt check' says which step fails"
"""What a user has to know about a failure where nothing has worked yet."""


class FailureLog:
    """Failures by subject (a rig, one of its lists, the broker), each told as its own streak.

    The first failure of a streak is a warning; the same again is silent for an hour, then for two, four and so
    on; another cause is told at once, but each only once; the first success after it says how long it lasted.
    A `key` holds a streak together whose subject may be renamed; by default it is the subject.

    `tallies` are those of the process: of a kind of which much fails, or fails over and over, only the first few
    lines are written.
    """

    def __init__(self, logger: logging.Logger, clock: Clock, tallies: Tallies | None = None) -> None:
        self._logger = logger
        self._clock = clock
        self._tallies = tallies or Tallies(clock)
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
        self,
        subject: str,
        message: str,
        *,
        kind: Kind = _OTHER,
        key: Hashable | None = None,
        level: int = logging.WARNING,
    ) -> None:
        now = self._clock.monotonic()
        key = key or subject
        text = f"{subject}: {message}"
        line = Line(self._logger, level, text)
        streak = self._streaks.get(key)
        if streak is None:
            self._tallies.begin(kind)
            is_told = self._tallies.tell(kind, subject, line)
            self._streaks[key] = _Streak(
                kind, is_told, now, 1, {message}, Failure(now, text), _FIRST_REMINDER_S, now + _FIRST_REMINDER_S
            )
            return
        streak.count += 1
        # Some causes name something that differs each time, such as a port.
        if message not in streak.causes and len(streak.causes) < _MOST_CAUSES:
            streak.causes.add(message)
            streak.latest = Failure(now, text)
            streak.is_told |= self._tallies.tell(streak.kind, subject, line)
        elif now >= streak.remind_at:
            streak.silence_s *= 2
            streak.remind_at = now + streak.silence_s
            lasted = spoken_duration(now - streak.began)
            self._tallies.remind(
                streak.kind, Line(self._logger, level, f"{subject}: still failing after {lasted}: {message}")
            )

    def succeeded(self, subject: str, *, key: Hashable | None = None) -> None:
        streak = self._streaks.pop(key or subject, None)
        if streak is None:
            return
        self._tallies.end(streak.kind, is_told=streak.is_told)
        if streak.is_told:
            lasted = spoken_duration(self._clock.monotonic() - streak.began)
            self._logger.info("%s: recovered after %s (%s)", subject, lasted, counted(streak.count, "failure"))

    def noted(
        self,
        kind: Kind,
        subject: str,
        text: str,
        *,
        level: int = logging.WARNING,
        error: BaseException | None = None,
    ) -> None:
        """Writes the text of something that happened to the subject and does not last."""
        self._tallies.tell(kind, subject, Line(self._logger, level, text, error))

    def forget(self, key: Hashable) -> None:
        """Ends a streak without a word, for a subject that is gone."""
        streak = self._streaks.pop(key, None)
        if streak is not None:
            self._tallies.end(streak.kind, is_told=True)
