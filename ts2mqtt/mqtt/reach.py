"""The way to the broker and back: name, TCP, TLS and WebSocket in a thread, as paho blocks meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from typing import TYPE_CHECKING

from paho.mqtt import client as paho

from ts2mqtt.errors import BrokerError, BrokerUnreachableError
from ts2mqtt.logs.certificates import untrusted_certificate
from ts2mqtt.mqtt.websocket_refusal import websocket_refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from ts2mqtt.config import MqttConfig


async def reach(client: paho.Client, config: MqttConfig) -> None:
    """Returns when the client has sent its login; its answer has not been read yet.

    Raises BrokerUnreachableError, or BrokerError for a certificate that is not trusted.
    """
    try:
        await _in_thread(
            lambda: _connect(client, config),
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


async def _in_thread(function: Callable[[], object], *, undo: Callable[[], None]) -> None:
    """Runs a function that blocks in a thread that no exit of the program waits for.

    If it succeeds after the caller has been cancelled, it is undone.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def tell(error: Exception | None) -> None:
        if done.done():
            if error is None:
                undo()
        elif error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def run() -> None:
        error: Exception | None = None
        try:
            function()
        except Exception as caught:  # noqa: BLE001 - handed over, whatever it is
            error = caught
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(tell, error)

    threading.Thread(target=run, name="mqtt-connect", daemon=True).start()
    await done
