"""How many bytes go to the broker at once: few over a slow way, many over a quick one."""

from __future__ import annotations

import asyncio

from ts2mqtt.mqtt.byte_window import ByteWindow

_MESSAGE = 10_000


async def _fill(window: ByteWindow) -> int:
    """How many messages find room."""
    number = 0
    while True:
        taking = asyncio.ensure_future(window.take(_MESSAGE))
        done, _ = await asyncio.wait((taking,), timeout=0)
        if not done:
            taking.cancel()
            return number
        number += 1


async def _acknowledge_all(window: ByteWindow, number: int, seconds: float) -> None:
    for _ in range(number):
        window.give_back(_MESSAGE)
        window.adapt(_MESSAGE, seconds)


async def test_it_grows_as_long_as_acknowledgements_come_soon() -> None:
    window = ByteWindow()
    first = await _fill(window)
    await _acknowledge_all(window, first, 0.01)
    assert await _fill(window) == 2 * first


async def test_without_acknowledgements_it_does_not_grow() -> None:
    window = ByteWindow(grows=False)
    first = await _fill(window)
    await _acknowledge_all(window, first, 0.01)
    assert await _fill(window) == first


async def test_it_shrinks_when_they_come_late_down_to_one_message() -> None:
    window = ByteWindow()
    for _ in range(3):
        await _acknowledge_all(window, await _fill(window), 3.0)
    assert await _fill(window) == 1


async def test_it_stays_when_they_come_neither_soon_nor_late() -> None:
    window = ByteWindow()
    first = await _fill(window)
    await _acknowledge_all(window, first, 1.2)
    assert await _fill(window) == first


async def test_what_is_larger_than_the_window_goes_alone() -> None:
    window = ByteWindow()
    await window.take(_MESSAGE)
    taking = asyncio.ensure_future(window.take(10_000_000))
    done, _ = await asyncio.wait((taking,), timeout=0)
    assert not done
    window.give_back(_MESSAGE)
    await taking


async def test_a_heartbeat_does_not_wait_for_large_messages() -> None:
    window = ByteWindow()
    await window.take(10_000_000)
    await window.take(200)
