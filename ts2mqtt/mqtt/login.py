"""The login: what a paho client is told of the configuration, and what the broker's refusal means in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from ts2mqtt.errors import BrokerError, BrokerUnreachableError, LoginRefusedError, QosRefusedError
from ts2mqtt.mqtt.broker_limits import retains_nothing
from ts2mqtt.mqtt.paho_client import PahoClient
from ts2mqtt.mqtt.tls import tls_context

if TYPE_CHECKING:
    from paho.mqtt.reasoncodes import ReasonCode

    from ts2mqtt.config import MqttConfig
    from ts2mqtt.mqtt.message import Will

# Reason codes of MQTT 5; paho translates the return codes of 3.1.1 into them.
_UNSUPPORTED_PROTOCOL = 132
_RETAIN_NOT_SUPPORTED = 154
_QOS_NOT_SUPPORTED = 155
_REFUSED_LOGIN = {133: "the client id", 134: "user or password", 135: "the login", 138: "this client"}


def paho_client(config: MqttConfig, client_id: str, will: Will | None) -> PahoClient:
    """A client that has not connected yet; BrokerError for TLS files that cannot be used."""
    client = PahoClient(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=MQTTProtocolVersion.MQTTv5 if config.protocol == "5" else MQTTProtocolVersion.MQTTv311,
        transport="websockets" if config.transport == "websockets" else "tcp",
        reconnect_on_failure=False,
    )
    client.max_inflight_messages_set(0)
    client.max_queued_messages_set(0)
    if config.transport == "websockets":
        client.ws_set_options(path=config.websocket_path)
    if config.username is not None:
        client.username_pw_set(config.username, config.password.get_secret_value() if config.password else None)
    if will is not None:
        client.will_set(will.topic, will.payload, qos=config.qos, retain=True)
    if config.tls.enabled:
        client.tls_set_context(tls_context(config.tls))
    return client


def login_failure(reason: ReasonCode, protocol: str) -> BrokerError:
    """The error for a broker that has answered the login with a failure."""
    if reason.value in _REFUSED_LOGIN:
        return LoginRefusedError(
            f"the broker refuses {_REFUSED_LOGIN[reason.value]} ({reason})",
            "check mqtt.username, mqtt.password and mqtt.client_id, and the broker's own log",
        )
    if reason.value == _UNSUPPORTED_PROTOCOL:
        return version_refused(protocol)
    if reason.value == _RETAIN_NOT_SUPPORTED:
        return retains_nothing()
    if reason.value == _QOS_NOT_SUPPORTED:
        return QosRefusedError("the broker does not take our last will with this QoS", "set mqtt.qos to 0")
    return BrokerUnreachableError(f"the broker turns us away: {reason}")


def version_refused(protocol: str) -> BrokerError:
    return BrokerError(f"the broker does not speak MQTT {protocol}", "set mqtt.protocol to the other version")


def login_not_answered() -> BrokerUnreachableError:
    """The error for a broker that has closed the connection in place of an answer to the login."""
    # MQTT 3.1.1 has no reason code for it; Mosquitto closes so when its retain_available is false.
    return BrokerUnreachableError(
        "the broker closed the connection instead of answering the login",
        "its own log knows why: perhaps it does not allow retained messages, such as our last will, or not their QoS "
        "(mqtt.qos: 0), or expects TLS on this port",
    )
