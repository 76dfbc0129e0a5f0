"""A function that blocks, beside the event loop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from ts2mqtt.network.daemon_thread import in_daemon_thread


async def test_what_the_function_returns_or_raises_comes_back() -> None:
    assert await in_daemon_thread(threading.current_thread, name="one") is not threading.current_thread()
    with pytest.raises(ZeroDivisionError):
        await in_daemon_thread(lambda: 1 // 0, name="two")


@pytest.mark.parametrize("succeeds", [True, False])
async def test_what_succeeds_after_nobody_waits_any_more_is_undone(*, succeeds: bool) -> None:
    free, undone = threading.Event(), asyncio.Event()

    def block() -> None:
        free.wait()
        if not succeeds:
            raise OSError

    waiting = asyncio.create_task(in_daemon_thread(block, name="blocked", undo=undone.set))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait((waiting,))
    free.set()
    if succeeds:
        async with asyncio.timeout(30):
            await undone.wait()
    else:
        # What comes after it in the loop has come: the failure was told before, and nothing was undone.
        for thread in threading.enumerate():
            if thread.name == "blocked":
                await in_daemon_thread(thread.join, name="after")
        assert not undone.is_set()
