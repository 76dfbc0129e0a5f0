"""The package's log while the screen is in use: its lines go there, as standard error is the same terminal."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LOGGERS = ("ts2mqtt", "asyncio", "py.warnings")


@contextmanager
def log_shown(show: Callable[[str, str], None]) -> Iterator[None]:
    """Calls `show(level, message)` for each record, in place of what the loggers did before and do afterwards."""
    handler = _ToScreen(show)
    before = {name: _taken(logging.getLogger(name), handler) for name in _LOGGERS}
    try:
        yield
    finally:
        for name, (handlers, propagate) in before.items():
            logger = logging.getLogger(name)
            logger.handlers[:] = handlers
            logger.propagate = propagate


def _taken(logger: logging.Logger, handler: logging.Handler) -> tuple[list[logging.Handler], bool]:
    before = (list(logger.handlers), logger.propagate)
    logger.handlers[:] = [handler]
    logger.propagate = False
    return before


class _ToScreen(logging.Handler):
    def __init__(self, show: Callable[[str, str], None]) -> None:
        super().__init__()
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        error = record.exc_info[1] if record.exc_info else None
        self._show(record.levelname, f"{text} ({type(error).__name__}: {error})" if error else text)
