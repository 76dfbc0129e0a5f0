"""The event loop of every command: asyncio's own, but for the names of hosts."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar, cast

import sniffio

from ts2mqtt.network.names import Names, Question, SystemResolver
from ts2mqtt.system.waking import woken_by_signals
from ts2mqtt.timing import LookUpTimings, SystemClock

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from ts2mqtt.network.names import Entry

_Result = TypeVar("_Result")


class NamesLoop(asyncio.SelectorEventLoop):
    """Looks names up in threads that nothing else uses, and for which the exit does not wait.

    asyncio itself has a few threads for look-ups and everything else that blocks, such as the drawing of a picture.
    A resolver that hangs soon holds all of them, and asyncio.run() waits for them at its end.
    """

    def __init__(self, names: Names) -> None:
        super().__init__()
        self._names = names

    async def getaddrinfo(  # noqa: PLR0913 - asyncio's signature
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 - asyncio's name for it
        proto: int = 0,
        flags: int = 0,
    ) -> list[Entry]:
        """As asyncio's own; a port has to be a number."""
        entries = await self._names.look_up(Question(host, family, type, proto, flags))
        return [_with_port(entry, int(port or 0)) for entry in entries]


def _with_port(entry: Entry, port: int) -> Entry:
    *rest, address = entry
    with_port: Any = (*rest, (address[0], port, *address[2:]))
    return cast("Entry", with_port)


def run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """As asyncio.run(), in a loop of this kind."""

    def loop() -> NamesLoop:
        return NamesLoop(Names(SystemResolver(), SystemClock(), LookUpTimings()))

    with asyncio.Runner(loop_factory=loop) as runner:
        waking = woken_by_signals(runner.get_loop()) if sys.platform == "win32" else nullcontext()
        with waking, _known_to_sniffio():
            try:
                return runner.run(work)
            finally:
                _let_no_signal_wake()


@contextmanager
def _known_to_sniffio() -> Iterator[None]:
    """Tells sniffio that asyncio runs in this thread: httpcore and anyio ask it several times a request.

    Sniffio finds a name that is set faster than it works one out.
    """
    name_before, sniffio.thread_local.name = sniffio.thread_local.name, "asyncio"
    try:
        yield
    finally:
        sniffio.thread_local.name = name_before


def _let_no_signal_wake() -> None:
    """No signal writes to a closed socket, for which Python would print an error.

    asyncio closes the socket with which signals wake it before it removes their handlers (close() in
    asyncio/unix_events.py). Only the main thread hears signals.
    """
    if sys.platform != "win32" and threading.current_thread() is threading.main_thread():
        signal.set_wakeup_fd(-1)
