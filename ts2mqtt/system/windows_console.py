"""Windows ends a program that does not end by itself soon after its console is closed, or the system shuts down."""

from __future__ import annotations

import ctypes
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator

assert sys.platform == "win32"  # noqa: S101 - mypy skips this module elsewhere

# https://learn.microsoft.com/windows/console/handlerroutine
_CLOSE, _LOGOFF, _SHUTDOWN = 2, 5, 6
_LONGER_THAN_WINDOWS_WAITS_S = 30.0
"""Windows waits 5 seconds after a close of the console, and 20 at a shutdown."""


@contextmanager
def stopping_when_the_console_closes(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> Iterator[None]:
    """In this block the end of the console, of the user's session or of the system calls `stop` in the event loop."""
    kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)

    def hear(event: int) -> bool:
        """Called by Windows in a thread of its own; the program is ended when this returns."""
        if event not in {_CLOSE, _LOGOFF, _SHUTDOWN}:
            return False
        loop.call_soon_threadsafe(stop)
        threading.Event().wait(_LONGER_THAN_WINDOWS_WAITS_S)
        return True

    handler = ctypes.WINFUNCTYPE(ctypes.c_int, ctypes.c_uint)(hear)
    kernel32.SetConsoleCtrlHandler(handler, True)
    try:
        yield
    finally:
        kernel32.SetConsoleCtrlHandler(handler, False)
