"""Why a port cannot be listened on, and which one to offer instead."""

from __future__ import annotations

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
