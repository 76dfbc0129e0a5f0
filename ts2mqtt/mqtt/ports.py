"""The ports that users mix up with the broker's."""

from __future__ import annotations

_OWNERS = {
    1888: "N.I.N.A.'s Advanced API",
    8123: "Home Assistant itself",
    8188: "the Target Scheduler's API",
}
_WEBSOCKETS = (1884, 8083, 8084, 8884, 9001)
"""Those of the app of Home Assistant, of EMQX and of Mosquitto's examples."""


def broker_port_advice(port: int, transport: str) -> str:
    """What is likely to be wrong with mqtt.port, where no broker answers there; empty if nothing is."""
    if owner := _OWNERS.get(port):
        return f"port {port} is that of {owner}, and a broker's is 1883: leave mqtt.port out"
    if port in _WEBSOCKETS and transport == "tcp":
        return (
            f"port {port} is often a broker's for WebSockets: leave mqtt.port out, or set mqtt.transport: websockets"
        )
    return ""
