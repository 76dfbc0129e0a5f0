"""Shows the bridge's log on the demo's screen: standard error is the same terminal and would draw over it."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LOGGERS = ("ts2mqtt", "asyncio", "py.warnings")


@contextmanager
def capture_log(show: Callable[[str, str], None]) -> Iterator[None]:
    """Send each log record to `show(level, message)` only; the loggers' own handlers come back at the end."""
    handler = _CapturingHandler(show)
    before = {name: _replace_handlers(logging.getLogger(name), handler) for name in _LOGGERS}
    try:
        yield
    finally:
        for name, (handlers, propagate) in before.items():
            logger = logging.getLogger(name)
            logger.handlers[:] = handlers
            logger.propagate = propagate


def _replace_handlers(logger: logging.Logger, handler: logging.Handler) -> tuple[list[logging.Handler], bool]:
    """Make this the logger's only handler; returns the earlier handlers and whether the logger propagated."""
    before = (list(logger.handlers), logger.propagate)
    logger.handlers[:] = [handler]
    logger.propagate = False
    return before


class _CapturingHandler(logging.Handler):
    def __init__(self, show: Callable[[str, str], None]) -> None:
        super().__init__()
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        error = record.exc_info[1] if record.exc_info else None
        self._show(record.levelname, f"{text} ({type(error).__name__}: {error})" if error else text)
