"""What the event loop needs on Windows to hear of a signal while it waits."""

from __future__ import annotations

import signal
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator


@contextmanager
def woken_by_signals(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Has each signal interrupt the loop while it waits; elsewhere than on Windows select() does so by itself."""
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
