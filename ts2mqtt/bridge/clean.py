"""Takes everything that a bridge has left on the broker away again."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from typing import TYPE_CHECKING

from ts2mqtt.bridge.commands import Commands
from ts2mqtt.bridge.desired_state import DesiredState
from ts2mqtt.bridge.heartbeat import new_instance
from ts2mqtt.bridge.session import Session
from ts2mqtt.bridge.transitions import HomeAssistantStatus
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.mqtt.connection import connect
from ts2mqtt.topics.message import Message
from ts2mqtt.topics.names import TopicNames

if TYPE_CHECKING:
    from ts2mqtt.config import Config


async def clean(config: Config) -> int:
    """Clears every retained topic and discovery payload of this base topic; returns how many there were.

    Raises OtherBridgeError while a bridge is at work there, which would publish it all again.
    """
    names = DiscoveryIds(config.home_assistant.discovery_prefix, TopicNames(config.mqtt.base_topic))
    nothing = DesiredState(names, frozenset(), home_assistant=True)
    client_id = f"{config.mqtt.client_id}-clean-{secrets.token_hex(3)}"
    async with connect(config.mqtt, client_id=client_id) as connection:
        session = Session(
            connection,
            names,
            config.home_assistant,
            instance=new_instance(),
            about=lambda: Message(b""),
            wanted=lambda: nothing,
            events=deque(),
            commands=Commands(lambda _: False, lambda _: False, lambda _: False),
            changed=asyncio.Event(),
            news=HomeAssistantStatus(),
        )
        async with session.running():
            return await session.clean()
