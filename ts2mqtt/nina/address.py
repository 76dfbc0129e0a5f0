"""Where the Advanced API's socket and its other answers are, below the address of a configuration."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

API_PATH = "/v2/api"
"""What the path of every request comes after."""

_SOCKETS = {2: "/v2/socket", 3: "/v3/ws/events"}
_SCHEMES = {"http": "ws", "https": "wss"}


def socket_url(url: str, *, version: int = 2) -> str:
    """Of the socket that has all events, in this version of the API."""
    parts = urlsplit(url)
    return urlunsplit((_SCHEMES[parts.scheme], parts.netloc, f"{parts.path}{_SOCKETS[version]}", "", ""))
