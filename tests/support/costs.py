"""Counts what the bridge in this process does that costs somebody something, on any machine the same."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from unittest.mock import patch

from ts2mqtt.mqtt.connection import Connection
from ts2mqtt.scheduler.client import TargetSchedulerClient
from ts2mqtt.scheduler.decode import Item, Items, ListReader

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator


@dataclass(slots=True)
class Costs:
    """`requests` by what was asked for, `messages` by topic."""

    requests: Counter[str] = field(default_factory=Counter)
    bytes_read: int = 0
    parses: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    bytes_published: int = 0

    def messages_to(self, part: str) -> int:
        """To the topics with this in them."""
        return sum(count for topic, count in self.messages.items() if part in topic)


@contextmanager
def counted() -> Iterator[Costs]:
    """Heartbeats, which tell nobody anything, are left out."""
    costs = Costs()
    get, read, publish = TargetSchedulerClient._get, ListReader.read, Connection.publish

    async def counted_get(
        client: TargetSchedulerClient,
        path: str,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - as the real one
        repeat: bool = True,
    ) -> bytes:
        body = await get(client, path, timeout=timeout, repeat=repeat)
        costs.requests[path.partition("?")[0].rpartition("/")[2]] += 1
        costs.bytes_read += len(body)
        return body

    def counted_read(reader: ListReader[Item], body: bytes) -> Items[Item]:
        costs.parses += 1
        return read(reader, body)

    async def counted_publish(
        connection: Connection, topic: str, payload: bytes, *, retain: bool
    ) -> asyncio.Future[float]:
        if not topic.endswith("/heartbeat"):
            costs.messages[topic] += 1
            costs.bytes_published += len(payload)
        return await publish(connection, topic, payload, retain=retain)

    with (
        patch.object(TargetSchedulerClient, "_get", counted_get),
        patch.object(ListReader, "read", counted_read),
        patch.object(Connection, "publish", counted_publish),
    ):
        yield costs
