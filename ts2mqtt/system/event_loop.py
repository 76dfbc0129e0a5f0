"""Runs a command's work in the event loop that can watch sockets, which is not the default one on Windows."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

_Result = TypeVar("_Result")


def run(work: Coroutine[None, None, _Result]) -> _Result:
    """As asyncio.run(), in a loop that has add_reader(): it watches the socket of paho-mqtt."""
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        # Elsewhere a signal interrupts select() and its like.
        waking = woken_by_signals(runner.get_loop()) if sys.platform == "win32" else nullcontext()
        with waking:
            return runner.run(work)


@contextmanager
def woken_by_signals(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Has each signal interrupt the loop while it waits: on Windows select() does not return for a signal."""
    waking, waiting = socket.socketpair()
    with waking, waiting:
        waking.setblocking(False)
        waiting.setblocking(False)
        loop.add_reader(waiting, waiting.recv, 4096)
        before = signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            loop.remove_reader(waiting)
