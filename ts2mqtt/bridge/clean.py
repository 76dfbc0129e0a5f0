"""Takes everything that a bridge has left on the broker away again."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from ts2mqtt.bridge.heartbeat import new_instance
from ts2mqtt.bridge.liveness import Liveness
from ts2mqtt.bridge.retained_reader import RetainedReader
from ts2mqtt.bridge.side_by_side import first_to_end
from ts2mqtt.errors import BrokerError, PublishRefusedError
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.logs.wording import counted
from ts2mqtt.mqtt.connection import connect
from ts2mqtt.timing import SystemClock, Timings
from ts2mqtt.topics.names import TopicNames

if TYPE_CHECKING:
    from ts2mqtt.config import Config
    from ts2mqtt.mqtt.connection import Connection


async def clean(config: Config, timings: Timings | None = None) -> int:
    """Clears every retained topic and discovery payload of this base topic; returns how many there were.

    Raises OtherBridgeError while a bridge is at work there, which would publish it all again.
    """
    ids = DiscoveryIds(config.home_assistant.discovery_prefix, TopicNames(config.mqtt.base_topic))
    client_id = f"{config.mqtt.client_id}-clean-{secrets.token_hex(3)}"
    async with connect(config.mqtt, client_id=client_id) as connection:
        cleaner = _Cleaner(connection, ids, timings or Timings())
        await first_to_end(cleaner.hear(), cleaner.clean())
    return cleaner.cleared


class _Cleaner:
    def __init__(self, connection: Connection, ids: DiscoveryIds, timings: Timings) -> None:
        self.cleared = 0
        self._connection = connection
        self._ids = ids
        instance = new_instance(SystemClock())
        self._liveness = Liveness(connection, ids.topics, instance, timings.broker)
        self._reader = RetainedReader(connection, ids, self._liveness, timings.broker)

    async def hear(self) -> None:
        async for message in self._connection.received():
            self._reader.hear(message)
            if message.topic == self._ids.topics.heartbeat:
                self._liveness.hear(message.payload)

    async def clean(self) -> None:
        """Devices first, as Home Assistant reads both."""
        await self._connection.subscribe([self._ids.topics.heartbeat])
        retained = await self._reader.read()
        await self._liveness.make_sure_of_being_alone(retained, is_returning=False)
        refused: list[str] = []
        for topic in sorted(retained, key=lambda topic: self._ids.subject(topic) is None):
            try:
                await (await self._connection.publish(topic, b"", retain=True))
            except PublishRefusedError:
                refused.append(topic)
            else:
                self.cleared += 1
        if refused:
            raise BrokerError(
                f"the broker does not let {counted(len(refused), 'topic')} be cleared, such as {refused[0]}",
                "check the broker's access rules",
            )
