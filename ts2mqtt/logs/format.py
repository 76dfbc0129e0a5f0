"""How the log looks: one line for a person, or one JSON object for a machine, and nothing raw from outside."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ts2mqtt.logs.wording import counted, printable
from ts2mqtt.timing import SystemClock
from ts2mqtt.timing.rate_limit import RateLimit

if TYPE_CHECKING:
    from types import TracebackType
    from typing import TextIO

    from ts2mqtt.timing import Clock

    _ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


_AT_ONCE, _EVERY_S = 40, 60.0
"""No more than a hundred lines in any hour."""


def set_up(level: str, form: str) -> None:
    """Sends the package's log to standard error; `level` and `form` as in the configuration's `log`."""
    handler = LimitedHandler(sys.stderr, SystemClock())
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logger = logging.getLogger("ts2mqtt")
    for old in list(logger.handlers):
        logger.removeHandler(old)
    logger.addHandler(handler)
    logger.setLevel(level.upper())
    logger.propagate = False


def level() -> str:
    """How much the package's log says now, in the words of the configuration's `log.level`."""
    return logging.getLevelName(logging.getLogger("ts2mqtt").getEffectiveLevel()).lower()


class LimitedHandler(logging.StreamHandler["TextIO"]):
    """The last resort, behind the tallies: so many lines at once, and one more a minute; the others are counted.

    Whoever has set the level to `debug` reads along, and gets every line.
    """

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        super().__init__(stream)
        self._limit = RateLimit(_AT_ONCE, _EVERY_S, clock)
        self._left_out = 0

    def emit(self, record: logging.LogRecord) -> None:
        if not logging.getLogger("ts2mqtt").isEnabledFor(logging.DEBUG) and not self._limit.try_take():
            self._left_out += 1
            return
        if self._left_out:
            text = f"{record.getMessage()} (before it {counted(self._left_out, 'line')} left out: too many at once)"
            record = logging.LogRecord(
                record.name, record.levelno, record.pathname, record.lineno, text, None, record.exc_info
            )
            self._left_out = 0
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """A line that a full disk does not take is lost: a traceback beside it would be no help, and take room."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


class TextFormatter(logging.Formatter):
    """Time, level and message; control characters in it are shown, not obeyed.

    A target's name comes from a network without protection: an escape sequence in it must reach no terminal.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", "%Y-%m-%d %H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return printable(super().formatMessage(record))

    def formatException(self, ei: _ExceptionInfo) -> str:  # noqa: N802 - logging's name
        return "\n".join(printable(line) for line in super().formatException(ei).split("\n"))


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry)
