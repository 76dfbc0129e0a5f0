"""Asks a running bridge, through the broker, whether it hears itself: nothing listens on a port for that."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

from ts2mqtt.bridge import heartbeat
from ts2mqtt.errors import BrokerError
from ts2mqtt.mqtt.connection import connect
from ts2mqtt.topics import decode
from ts2mqtt.topics.names import TopicNames

if TYPE_CHECKING:
    from ts2mqtt.config import MqttConfig
    from ts2mqtt.mqtt.connection import Connection

_PATIENCE_S = 8.0


async def check_health(mqtt: MqttConfig, patience_s: float = _PATIENCE_S) -> None:
    """Returns when a bridge under this base topic has shown that its heartbeats come back; else a BrokerError."""
    topic = TopicNames(mqtt.base_topic).heartbeat
    async with connect(mqtt, client_id=f"{mqtt.client_id}-health-{secrets.token_hex(3)}") as connection:
        await connection.subscribe([topic])
        await (await connection.publish(topic, heartbeat.ASK, retain=False))
        try:
            async with asyncio.timeout(patience_s):
                await _healthy_beat(connection)
        except TimeoutError as error:
            raise BrokerError(
                f"no bridge at work under {mqtt.base_topic!r} has answered within {patience_s:g} s"
            ) from error


async def _healthy_beat(connection: Connection) -> None:
    async for message in connection.received():
        beat = decode.heartbeat_in(message.payload)
        if beat is not None and heartbeat.is_healthy(beat):
            return
