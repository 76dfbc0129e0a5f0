"""Runs a function that blocks in a thread of its own, for which no exit of the program waits."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Result = TypeVar("_Result")


async def in_daemon_thread(
    function: Callable[[], _Result], *, name: str, undo: Callable[[], None] | None = None
) -> _Result:
    """What the function returns or raises; `name` is the thread's.

    If the function succeeds after the caller has been cancelled, `undo` is called in the event loop.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_Result] = loop.create_future()

    def succeed(result: _Result) -> None:
        if not done.done():
            done.set_result(result)
        elif undo:
            undo()

    def fail(error: Exception) -> None:
        if not done.done():
            done.set_exception(error)

    def run() -> None:
        # The loop may be closed by then: nobody waits any more.
        with contextlib.suppress(RuntimeError):
            try:
                result = function()
            except Exception as error:  # noqa: BLE001 - handed over, whatever it is
                loop.call_soon_threadsafe(fail, error)
            else:
                loop.call_soon_threadsafe(succeed, result)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await done
