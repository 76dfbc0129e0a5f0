"""How many lines the package's log gets, and how many of them in the worst hour."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ts2mqtt.logs.format import TextFormatter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ts2mqtt.timing import Clock

MOST_IN_AN_HOUR = 100
"""More nobody reads, whatever has failed."""

_HOUR_S = 3_600.0


class LogLines(logging.Handler):
    """Counts what the log has at the level `info`; a traceback has as many lines as it shows."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(TextFormatter())
        self._clock = clock
        self._written: list[tuple[float, int]] = []
        self.texts: list[str] = []

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Counts within the block."""
        logger = logging.getLogger("ts2mqtt")
        before = logger.level
        logger.setLevel(logging.INFO)
        logger.addHandler(self)
        try:
            yield
        finally:
            logger.removeHandler(self)
            logger.setLevel(before)

    def emit(self, record: logging.LogRecord) -> None:
        self._written.append((self._clock.monotonic(), self.format(record).count("\n") + 1))
        self.texts.append(record.getMessage())

    def most_in_an_hour(self) -> int:
        """Of every span of an hour, the one with the most lines."""
        most = within = first = 0
        for moment, lines in self._written:
            within += lines
            while self._written[first][0] <= moment - _HOUR_S:
                within -= self._written[first][1]
                first += 1
            most = max(most, within)
        return most
