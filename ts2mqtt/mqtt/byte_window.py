"""How many bytes may be under way to the broker: as many as it acknowledges soon."""

from __future__ import annotations

import asyncio

_FIRST, _LEAST, _MOST = 32_768, 16_384, 2_097_152
_SMALL = 512
"""Bytes; a heartbeat has fewer, and waits for nothing."""

_LATE_S, _SOON_S = 1.5, 1.0
"""After a late acknowledgement fewer bytes may be under way, after one that came soon more."""


class ByteWindow:
    """Over a slow way a heartbeat must not wait behind megabytes, nor an acknowledgement look late because of them.

    One that `grows` suits a broker that is far away; without acknowledgements nothing tells that it should.
    """

    def __init__(self, *, grows: bool = True) -> None:
        self._allowed = _FIRST if grows else _LEAST
        self._most = _MOST if grows else _LEAST
        self._under_way = 0
        self._freed = asyncio.Event()

    async def take(self, size: int) -> None:
        """Waits until there is room; what is larger than the window goes alone."""
        while size > _SMALL and self._under_way and self._under_way + size > self._allowed:
            self._freed.clear()
            await self._freed.wait()
        self._under_way += size

    def give_back(self, size: int) -> None:
        self._under_way -= size
        self._freed.set()

    def adapt(self, size: int, seconds: float) -> None:
        """A message of this size was acknowledged after so many seconds."""
        if seconds > _LATE_S:
            self._allowed = max(_LEAST, self._allowed // 2)
        elif seconds < _SOON_S:
            self._allowed = min(self._most, self._allowed + size)
