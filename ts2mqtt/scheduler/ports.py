"""The ports that users mix up: what to write where a URL has none, or that of another program."""

from __future__ import annotations

from urllib.parse import urlsplit

API_PORT = 8188
"""The Target Scheduler's default."""

ADVANCED_API_PORT = 1888
_OTHERS = {1883: "an MQTT broker", 8883: "an MQTT broker with TLS", 8123: "Home Assistant itself"}


def port_advice(url: str) -> str:
    """What is likely to be wrong with the URL's port, where nothing usable answers there; empty if nothing is."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    meant = f"{parts.scheme}://{host}:{API_PORT}"
    if parts.scheme == "http" and parts.port is None and not parts.path:
        return f"the address has no port, and the Target Scheduler's is {API_PORT}: write {meant}"
    if parts.port == ADVANCED_API_PORT:
        return (
            f"port {ADVANCED_API_PORT} is that of another plugin, the Advanced API, and the Target Scheduler's is "
            f"{API_PORT}: write {meant}"
        )
    if owner := _OTHERS.get(parts.port or 0):
        return f"port {parts.port} is that of {owner}, and the Target Scheduler's is {API_PORT}: write {meant}"
    return ""
