"""Where the Advanced API's socket and its other answers are, below the address of a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from ts2mqtt.config.rig_tls import tls_context

if TYPE_CHECKING:
    import ssl

    from ts2mqtt.config import RigConfig

API_PATH = "/v2/api"
"""What the path of every request comes after."""

_SOCKETS = {2: "/v2/socket", 3: "/v3/ws/events"}
_SCHEMES = {"http": "ws", "https": "wss"}


def socket_url(url: str, *, version: int = 2) -> str:
    """Of the socket that has all events, in this version of the API."""
    parts = urlsplit(url)
    return urlunsplit((_SCHEMES[parts.scheme], parts.netloc, f"{parts.path}{_SOCKETS[version]}", "", ""))


def nina_tls(url: str, rig: RigConfig) -> ssl.SSLContext | None:
    """How its certificate is verified, as that of the Target Scheduler's API; None for what is not encrypted."""
    return tls_context(rig) if url.startswith("https:") else None
