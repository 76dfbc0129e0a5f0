"""What a broker declares in its answer to the login, as it can in MQTT 5, and what of it cannot be lived with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ts2mqtt.errors import BrokerError

if TYPE_CHECKING:
    from paho.mqtt.properties import Properties

_MOST_AT_ONCE = 65_535
_HIGHEST_QOS = 2


@dataclass(frozen=True, slots=True)
class BrokerLimits:
    """By default those of a broker that declares nothing (MQTT 5, 3.2.2.3)."""

    receive_maximum: int = _MOST_AT_ONCE
    """Publishes that may be unacknowledged at once."""

    maximum_qos: int = _HIGHEST_QOS
    maximum_packet_size: int | None = None
    """Bytes; None for any size."""

    server_keep_alive_s: int | None = None
    """In place of what the client proposed; None where the broker agrees to that."""

    keeps_retained: bool = True
    knows_wildcards: bool = True


def declared_limits(properties: Properties | None) -> BrokerLimits:
    """Paho has an attribute for each property that is there, and none for the others."""

    def declared(name: str, default: int) -> int:
        return int(getattr(properties, name, default))

    size, keep_alive = declared("MaximumPacketSize", 0), declared("ServerKeepAlive", -1)
    return BrokerLimits(
        receive_maximum=declared("ReceiveMaximum", _MOST_AT_ONCE),
        maximum_qos=declared("MaximumQoS", _HIGHEST_QOS),
        maximum_packet_size=size or None,
        server_keep_alive_s=None if keep_alive < 0 else keep_alive,
        keeps_retained=bool(declared("RetainAvailable", 1)),
        knows_wildcards=bool(declared("WildcardSubscriptionAvailable", 1)),
    )


def unusable(limits: BrokerLimits) -> BrokerError | None:
    """Why nothing can be done with such a broker, if so."""
    if not limits.keeps_retained:
        return retains_nothing()
    if not limits.knows_wildcards:
        return BrokerError(
            "the broker takes no subscriptions with wildcards, without which the bridge cannot read what is retained",
            "allow them in the broker's configuration (EMQX: mqtt.wildcard_subscription = true; HiveMQ: "
            "wildcard-subscriptions, enabled true)",
        )
    return None


def retains_nothing() -> BrokerError:
    return BrokerError(
        "the broker does not keep retained messages, without which Home Assistant knows nothing after a restart",
        "allow them in the broker's configuration (Mosquitto: retain_available true; EMQX: mqtt.retain_available = "
        "true; HiveMQ: retained-messages, enabled true)",
    )
