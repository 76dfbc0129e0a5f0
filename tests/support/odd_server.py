"""A TCP server for peers that no real program plays: its connections end with the test."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

_LIMIT = 65_536


@asynccontextmanager
async def serving(
    behave: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    *,
    buffer: int | None = None,
) -> AsyncIterator[int]:
    """Its port; each connection is treated so until that returns, or its client goes.

    `buffer`: so many bytes are taken before they are read, where it matters.
    """
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.current_task()
        if serving:
            connections.add(serving)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await behave(reader, writer)
        await closed(writer)

    listening = socket.create_server(("127.0.0.1", 0))
    if buffer is not None:
        # What is accepted inherits it; set later, the sender would have been promised more already.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    server = await asyncio.start_server(serve, sock=listening, limit=buffer or _LIMIT)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def closed(writer: asyncio.StreamWriter) -> None:
    """Closes it, and returns when it is."""
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
