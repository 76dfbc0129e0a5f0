"""Why a port cannot be listened on, which one to offer instead, and what to wait for before it is left."""

from __future__ import annotations

import asyncio
import errno

LAST_PORT = 65_535


def why_refused(error: OSError | OverflowError) -> str:
    """In the user's words, where asyncio's would name the address once more."""
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return "another program listens there"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def next_port(port: int) -> int:
    """The port after this one, or 0 (any free one) where there is none."""
    return port + 1 if 0 < port < LAST_PORT else 0


async def until_all_are_accepted() -> None:
    """Before a server closes: what it accepts in the same turn of the event loop is neither served nor closed.

    That is CPython's issue 109564. A timer runs last in a turn.
    """
    await asyncio.sleep(0.001)
