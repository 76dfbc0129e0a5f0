"""The way to the broker and back: its name, then TCP, TLS and WebSocket in a thread, as paho blocks meanwhile."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import TYPE_CHECKING

from paho.mqtt import client as paho

from ts2mqtt.errors import BrokerError, BrokerUnreachableError
from ts2mqtt.logs.certificates import untrusted_certificate
from ts2mqtt.mqtt.websocket_refusal import websocket_refusal
from ts2mqtt.network.daemon_thread import in_daemon_thread

if TYPE_CHECKING:
    from ts2mqtt.config import MqttConfig
    from ts2mqtt.mqtt.paho_client import PahoClient


async def reach(client: PahoClient, config: MqttConfig) -> None:
    """Returns when the client has sent its login; its answer has not been read yet.

    Raises BrokerUnreachableError, or BrokerError for a certificate that is not trusted.
    """
    client.addresses = await _look_up(config)
    try:
        await in_daemon_thread(
            lambda: _connect(client, config),
            name="mqtt-connect",
            undo=lambda: leave(client),
        )
    except ssl.SSLCertVerificationError as error:
        raise BrokerError(
            *untrusted_certificate(address_text(config), config.host, "mqtt.tls.ca_file", error)
        ) from error
    except (OSError, ValueError) as error:
        raise BrokerUnreachableError(f"no broker at {address_text(config)} ({error})") from error


def leave(client: paho.Client) -> None:
    """Says goodbye, so that the broker does not publish the will, and closes the connection."""
    client.disconnect()
    client.loop_write()


def address_text(config: MqttConfig) -> str:
    return f"{config.host}:{config.port}"


def _connect(client: paho.Client, config: MqttConfig) -> None:
    try:
        client.connect(config.host, config.port, max(1, round(config.keepalive)))
    except paho.WebsocketConnectionError as error:
        message, advice = websocket_refusal(config) or (str(error), "")
        raise BrokerUnreachableError(f"no broker at {address_text(config)} ({message})", advice) from error


async def _look_up(config: MqttConfig) -> tuple[str, ...]:
    try:
        entries = await asyncio.get_running_loop().getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise BrokerUnreachableError(
            f"no broker at {address_text(config)}: its name cannot be looked up "
            f"({getattr(error, 'strerror', None) or error})",
            "check mqtt.host and the name server, or write the address in numbers",
        ) from error
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in entries))
