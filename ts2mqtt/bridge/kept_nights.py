"""Reads from the broker what the last night has brought, for those who ask on the command line."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ts2mqtt.bridge.heartbeat import new_instance
from ts2mqtt.bridge.liveness import Liveness
from ts2mqtt.bridge.retained_reader import RetainedReader
from ts2mqtt.bridge.side_by_side import first_to_end
from ts2mqtt.errors import BrokerError
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.mqtt.connection import connect
from ts2mqtt.timing import SystemClock, Timings
from ts2mqtt.topics import payloads
from ts2mqtt.topics.names import TopicNames
from ts2mqtt.topics.reading import read

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from ts2mqtt.config import Config
    from ts2mqtt.mqtt.connection import Connection


@dataclass(frozen=True, slots=True)
class KeptNight:
    """A rig's last night as the broker holds it; `picture` is a PNG, None where there is none."""

    rig_id: str
    night: payloads.Night
    picture: bytes | None


async def kept_nights(
    config: Config, night: dt.date | None = None, timings: Timings | None = None
) -> list[KeptNight]:
    """Of each configured rig the last night; with a `night` only where it is that one.

    Raises BrokerError where the broker holds none of them.
    """
    ids = DiscoveryIds(config.home_assistant.discovery_prefix, TopicNames(config.mqtt.base_topic))
    client_id = f"{config.mqtt.client_id}-report-{secrets.token_hex(3)}"
    async with connect(config.mqtt, client_id=client_id) as connection:
        reading = _Reading(connection, ids, timings or Timings())
        await first_to_end(reading.hear(), reading.read([rig.id for rig in config.rigs]))
    held = list(_nights(ids.topics, [rig.id for rig in config.rigs], reading.retained))
    wanted = [one for one in held if night in (None, one.night.night)]
    if not wanted:
        known = ", ".join(f"{one.night.rig_name}: {one.night.night}" for one in held)
        raise BrokerError(
            f"the broker holds no report of {f'the night of {night}' if night else 'a night'}"
            + (f"; it holds the last one ({known})" if known else ""),
            "a report is published when a night is over, and stays until the next one is",
        )
    return wanted


def _nights(names: TopicNames, rig_ids: list[str], retained: Mapping[str, bytes]) -> list[KeptNight]:
    found = []
    for rig_id in rig_ids:
        night = read(payloads.Night, retained.get(names.rig_night(rig_id), b""))
        if night is not None:
            found.append(KeptNight(rig_id, night, retained.get(names.rig_night_image(rig_id))))
    return found


class _Reading:
    def __init__(self, connection: Connection, ids: DiscoveryIds, timings: Timings) -> None:
        self.retained: Mapping[str, bytes] = {}
        self._connection = connection
        self._ids = ids
        self._liveness = Liveness(connection, ids.topics, new_instance(SystemClock()), timings.broker)
        self._reader = RetainedReader(connection, ids, self._liveness, timings.broker)

    async def hear(self) -> None:
        async for message in self._connection.received():
            self._reader.hear(message)
            if message.topic == self._ids.topics.heartbeat:
                self._liveness.hear(message.payload)

    async def read(self, rig_ids: list[str]) -> None:
        names = self._ids.topics
        await self._connection.subscribe([names.heartbeat])
        topics = [topic for rig_id in rig_ids for topic in (names.rig_night(rig_id), names.rig_night_image(rig_id))]
        self.retained = await self._reader.read_topics(topics)
