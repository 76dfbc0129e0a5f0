"""Which port to offer where one is taken."""

from __future__ import annotations

LAST_PORT = 65_535


def next_port(port: int) -> int:
    """The port after this one, or 0 (any free one) where there is none."""
    return port + 1 if 0 < port < LAST_PORT else 0
