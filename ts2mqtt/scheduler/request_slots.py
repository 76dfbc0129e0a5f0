"""So many requests at once to one rig, a number that may change while some are under way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


class RequestSlots:
    """As asyncio.Semaphore, whose number cannot be changed."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0
        self._freed = asyncio.Event()

    def allow(self, limit: int) -> None:
        """From now on; whoever has a slot keeps it."""
        self._limit = limit
        self._freed.set()

    async def __aenter__(self) -> None:
        while self._taken >= self._limit:
            self._freed.clear()
            await self._freed.wait()
        self._taken += 1

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._taken -= 1
        self._freed.set()
