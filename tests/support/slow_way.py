"""A TCP way to a broker that carries so many bytes a second in each direction, and no more."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.support.odd_server import closed, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_AT_ONCE = 1_024
_CATCHES_UP_S = 0.5
_BUFFERED_S, _LEAST_BUFFER = 0.3, 4_096
"""Of the operating system; with a large one the sender would think that all has gone, with a small one TCP itself
would be slower than the way."""


@asynccontextmanager
async def slow_way(broker_port: int, bytes_per_second: float) -> AsyncIterator[int]:
    """The port from which it leads to the broker."""
    buffer = max(_LEAST_BUFFER, round(bytes_per_second * _BUFFERED_S))

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _narrow(writer, buffer)
        from_broker, to_broker = await asyncio.open_connection("127.0.0.1", broker_port, limit=_AT_ONCE)
        _narrow(to_broker, buffer)
        back = asyncio.create_task(_carry(from_broker, writer, bytes_per_second))
        try:
            await _carry(reader, to_broker, bytes_per_second)
        finally:
            back.cancel()
            await closed(to_broker)

    async with serving(carry, buffer=buffer) as port:
        yield port


def _narrow(writer: asyncio.StreamWriter, size: int) -> None:
    end: socket.socket = writer.get_extra_info("socket")
    for buffer in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        end.setsockopt(socket.SOL_SOCKET, buffer, size)
    writer.transport.set_write_buffer_limits(_AT_ONCE)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, bytes_per_second: float) -> None:
    clock = asyncio.get_running_loop()
    through = clock.time()
    while octets := await reader.read(_AT_ONCE):
        # A machine that is busy for a while catches up, as the way itself is not slower then.
        through = max(through, clock.time() - _CATCHES_UP_S) + len(octets) / bytes_per_second
        await asyncio.sleep(through - clock.time())
        writer.write(octets)
        await writer.drain()
