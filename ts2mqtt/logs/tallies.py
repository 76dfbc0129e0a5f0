"""Of each kind of happening the first few lines are written, the others are counted, and their sum is told rarely."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ts2mqtt.logs.wording import spoken_duration
from ts2mqtt.timing import LogTimings
from ts2mqtt.timing.rate_limit import RateLimit

if TYPE_CHECKING:
    import logging

    from ts2mqtt.timing import Clock

_LINES_OF_A_KIND = 5
_LINES_OF_A_SUBJECT = 3
_SUMS_AT_ONCE = 3
_MOST_SUBJECTS = 1_000
_LONGEST_SUBJECT = 200
_LONGEST_LINE = 2_000


@dataclass(frozen=True, slots=True)
class Kind:
    """Happenings that mean the same to a reader of the log, whatever rig, list or topic they are about.

    `name` is in the plural, as in "refused topics: 297 more". A traceback has dozens of lines: of a kind with
    tracebacks one is written, and another one as rarely as of one subject.
    """

    name: str
    has_traceback: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One line for the log, with the traceback of `error` where there is one."""

    logger: logging.Logger
    level: int
    text: str
    error: BaseException | None = None

    def write(self) -> None:
        # A topic alone may have 65,535 bytes.
        self.logger.log(self.level, "%s", self.text[:_LONGEST_LINE], exc_info=self.error)


@dataclass(slots=True)
class _Tally:
    lines: RateLimit
    sums: RateLimit
    reminders: RateLimit
    subjects: OrderedDict[str, RateLimit] = field(default_factory=OrderedDict)
    failing: int = 0
    is_of_failures: bool = False
    untold: int = 0
    untold_ends: int = 0
    untold_since: float = 0.0
    latest: Line | None = None


class Tallies:
    """All kinds of one process: whatever fails, and with however many rigs, the log stays readable."""

    def __init__(self, clock: Clock, timings: LogTimings | None = None) -> None:
        self._clock = clock
        self._timings = timings or LogTimings()
        self._tallies: dict[Kind, _Tally] = {}

    def tell(self, kind: Kind, subject: str, line: Line) -> bool:
        """Writes the line, or counts it where the kind or the subject has had its lines; whether it was written."""
        tally = self._tally(kind)
        lines_of_subject = self._lines_of(tally, subject)
        if lines_of_subject.has_left() and tally.lines.try_take():
            lines_of_subject.try_take()
            line.write()
            return True
        self._begin_to_count(tally)
        tally.untold += 1
        tally.latest = line
        self._sum_up(kind, tally)
        return False

    def begin(self, kind: Kind) -> None:
        """One more subject fails."""
        tally = self._tally(kind)
        tally.is_of_failures = True
        tally.failing += 1

    def end(self, kind: Kind, *, is_told: bool) -> None:
        """One subject fails no more; `is_told` says that a line of its own does so, or that none is needed."""
        tally = self._tally(kind)
        tally.failing -= 1
        if not is_told:
            self._begin_to_count(tally)
            tally.untold_ends += 1

    def remind(self, kind: Kind, line: Line) -> None:
        """Writes that something still fails, and how much of its kind does; one such line of a kind in an hour."""
        tally = self._tally(kind)
        if not tally.reminders.try_take():
            return
        if tally.failing > 1:
            line = Line(line.logger, line.level, f"{line.text}; {kind.name}: {tally.failing} in all")
        line.write()

    def sum_up(self, *, at_the_end: bool = False) -> None:
        """Writes the sums that are due; at the end of the process all of them."""
        for kind, tally in self._tallies.items():
            self._sum_up(kind, tally, at_the_end=at_the_end)

    def _tally(self, kind: Kind) -> _Tally:
        tally = self._tallies.get(kind)
        if tally is None:
            timings = self._timings
            tally = self._tallies[kind] = _Tally(
                lines=RateLimit(1, timings.next_line_of_subject_s, self._clock)
                if kind.has_traceback
                else RateLimit(_LINES_OF_A_KIND, timings.next_line_s, self._clock),
                sums=RateLimit(_SUMS_AT_ONCE, timings.next_sum_s, self._clock),
                reminders=RateLimit(1, timings.reminder_s, self._clock),
            )
        return tally

    def _lines_of(self, tally: _Tally, subject: str) -> RateLimit:
        subject = subject[:_LONGEST_SUBJECT]
        limit = RateLimit(_LINES_OF_A_SUBJECT, self._timings.next_line_of_subject_s, self._clock)
        lines = tally.subjects.setdefault(subject, limit)
        tally.subjects.move_to_end(subject)
        if len(tally.subjects) > _MOST_SUBJECTS:
            tally.subjects.popitem(last=False)
        return lines

    def _begin_to_count(self, tally: _Tally) -> None:
        if not tally.untold and not tally.untold_ends:
            tally.untold_since = self._clock.monotonic()

    def _sum_up(self, kind: Kind, tally: _Tally, *, at_the_end: bool = False) -> None:
        """Some time after what is summed up began, as what fails together fails within that time."""
        if tally.latest is None or not (tally.untold or tally.untold_ends):
            return
        lasted_s = self._clock.monotonic() - tally.untold_since
        if not at_the_end and (lasted_s < self._timings.first_sum_s or not tally.sums.try_take()):
            return
        line = tally.latest
        Line(line.logger, line.level, f"{kind.name}: {_sum(tally, lasted_s)}; the last: {line.text}").write()
        tally.untold = tally.untold_ends = 0


def _sum(tally: _Tally, lasted_s: float) -> str:
    parts = [f"{tally.untold:,} more in {spoken_duration(lasted_s)}"] if tally.untold else []
    if tally.untold_ends:
        parts.append(f"{tally.untold_ends:,} recovered")
    if tally.is_of_failures:
        parts.append(f"{tally.failing:,} at present" if tally.failing else "none at present")
    return ", ".join(parts)
