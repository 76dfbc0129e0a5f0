"""Runs several works side by side until the first of them ends."""

from __future__ import annotations

import asyncio
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Coroutine


async def first_to_end(*works: Coroutine[None, None, None]) -> None:
    """Cancels the others when one ends or fails, and raises its failure."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            release_frames(ended)


def release_frames(error: BaseException | None) -> None:
    """Ends circles of an error that was caught: it holds the frames that it went through, with all that they used.

    Where one of them holds the task or the future that failed, which holds the error, all of that would stay until
    the garbage collector comes: of a connection that broke, everything that the broker retains.
    """
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__
