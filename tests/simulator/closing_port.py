"""A connection that comes in the very turn of the event loop in which a server closes its port."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Coroutine

_PATIENCE_S = 10


async def closes_what_comes_as_the_port_closes(port: int, stop: Coroutine[object, object, None]) -> bool:
    """Whether a server on 127.0.0.1 closes such a connection while it stops."""
    stopping = asyncio.create_task(stop)
    await asyncio.sleep(0)
    with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_S) as connection:
        time.sleep(0.005)  # noqa: ASYNC251 - holds the loop: the connection and stop's timer fall into one turn
        await stopping
        try:
            return await asyncio.to_thread(connection.recv, 1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
