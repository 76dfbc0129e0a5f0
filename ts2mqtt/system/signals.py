"""The signals that end ts2mqtt or have it read its configuration again, as each operating system has them."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if sys.platform == "win32":
    from ts2mqtt.system.windows_console import stopping_when_the_console_closes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


@contextmanager
def stopping_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """In this block SIGTERM and Ctrl-C call `stop` in the running event loop.

    On Windows Ctrl-Break does so, too, and the end of the console, of the user's session or of the system.
    """
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        signals = (signal.SIGTERM, signal.SIGINT, signal.SIGBREAK)
        with _calling(loop, stop, signals), stopping_when_the_console_closes(loop, stop):
            yield
    else:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        yield


def reload_on_hangup(reload: Callable[[], None]) -> None:
    """From now on SIGHUP calls `reload` in the running event loop; Windows has no such signal."""
    if sys.platform != "win32":
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload)


@contextmanager
def _calling(
    loop: asyncio.AbstractEventLoop, function: Callable[[], None], numbers: tuple[signal.Signals, ...]
) -> Iterator[None]:
    """As loop.add_signal_handler(), which no event loop has on Windows."""

    def hear(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(function)

    handlers = {number: signal.signal(number, hear) for number in numbers}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
