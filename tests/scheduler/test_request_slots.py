"""RequestSlots at a rig: never more than allowed, also when that number changes."""

from __future__ import annotations

import asyncio

import pytest

from ts2mqtt.scheduler.request_slots import RequestSlots


class Guests:
    """So many that want a place and stay until they are sent away."""

    def __init__(self, places: RequestSlots, number: int) -> None:
        self.inside = 0
        self._places = places
        self._leave = asyncio.Semaphore(0)
        self.all = [asyncio.create_task(self._visit()) for _ in range(number)]

    async def settle(self) -> int:
        """How many are inside when nobody moves any more."""
        for _ in range(20):
            await asyncio.sleep(0)
        return self.inside

    async def leave(self, number: int) -> int:
        for _ in range(number):
            self._leave.release()
        return await self.settle()

    async def _visit(self) -> None:
        async with self._places:
            self.inside += 1
            try:
                await self._leave.acquire()
            finally:
                self.inside -= 1


async def test_more_places_are_taken_at_once() -> None:
    places = RequestSlots(1)
    guests = Guests(places, 5)
    assert await guests.settle() == 1
    places.allow(3)
    assert await guests.settle() == 3
    assert await guests.leave(2) == 3
    assert await guests.leave(3) == 0


async def test_fewer_places_send_nobody_away() -> None:
    places = RequestSlots(3)
    guests = Guests(places, 6)
    assert await guests.settle() == 3
    places.allow(1)
    assert await guests.settle() == 3
    assert await guests.leave(2) == 1
    assert await guests.leave(1) == 1
    assert await guests.leave(3) == 0


async def test_a_place_is_free_after_a_failure_and_a_cancelled_wait() -> None:
    places = RequestSlots(1)
    with pytest.raises(ZeroDivisionError):
        async with places:
            raise ZeroDivisionError
    guests = Guests(places, 3)
    await guests.settle()
    for guest in guests.all[:2]:
        guest.cancel()
    assert await guests.settle() == 1
    assert await guests.leave(1) == 0
