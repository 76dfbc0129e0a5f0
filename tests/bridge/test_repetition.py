"""A subscriber that reads too slowly for its broker has everything in the end."""

from __future__ import annotations

import asyncio
import struct
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.bridge.test_session import session_at
from tests.support import topics_of_example as of
from tests.support.running import IMPATIENT
from tests.support.sample_rig import SILENT
from ts2mqtt.bridge.inbox import RigUpdate, Stop
from ts2mqtt.simulator.broker import EmbeddedBroker
from ts2mqtt.timing import PaceTimings
from ts2mqtt.topics.message import Message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.bridge.test_session import AtWork
    from tests.support.mosquitto import Mosquitto
    from tests.support.running import Log

_DEVICES = [of.target_device(f"{number:08}") for number in range(1_800)]
_STATES = [of.target(f"{number:08}") for number in range(1_800)]
_LARGE = b'{"components": {}, "padding": "%s"}' % (b"x" * 8_000)
_FAST = replace(IMPATIENT, pace=PaceTimings(devices_per_second=500.0, most_devices_per_second=500.0))
"""Faster than a subscriber that has stopped reading can take."""

_COUNTS_EVERY_SECOND = "sys_interval 1"
_PATIENCE_S = 120.0
_CONNECT = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x00\x00\x04slow"
_FILTERS = (b"homeassistant/#", b"ts2mqtt/#")
_PUBLISH, _RETAIN = 3, 0x01


class SlowSubscriber:
    """With QoS 0, as Home Assistant; reads nothing until it is told to. `heard` are the topics that have come."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self.heard: set[str] = set()
        self._reader = reader

    async def read_until(self, topics: set[str]) -> None:
        async with asyncio.timeout(_PATIENCE_S):
            while not topics <= self.heard:
                kind, body = await _packet(self._reader)
                if kind >> 4 == _PUBLISH:
                    (length,) = struct.unpack_from("!H", body)
                    self.heard.add(body[2 : 2 + length].decode())


async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    kind, length, shift = (await reader.readexactly(1))[0], 0, 0
    while True:
        (byte,) = await reader.readexactly(1)
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            return kind, await reader.readexactly(length)
        shift += 7


@asynccontextmanager
async def slow_subscriber(port: int) -> AsyncIterator[SlowSubscriber]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4_096)
    try:
        writer.write(_CONNECT)
        await _packet(reader)
        filters = b"".join(struct.pack("!H", len(name)) + name + b"\x00" for name in _FILTERS)
        writer.write(bytes((0x82, 2 + len(filters))) + b"\x00\x01" + filters)
        await _packet(reader)
        yield SlowSubscriber(reader)
    finally:
        writer.close()


def much() -> RigUpdate:
    return RigUpdate(
        rig=SILENT,
        states={topic: Message(b"{}") for topic in _STATES},
        devices={topic: Message(_LARGE) for topic in _DEVICES},
    )


@asynccontextmanager
async def working(at_work: AtWork) -> AsyncIterator[None]:
    task = asyncio.create_task(at_work.session.keep_true())
    try:
        yield
    finally:
        at_work.inbox.put(Stop())
        await task


async def test_what_the_broker_dropped_for_a_slow_subscriber_is_published_again(
    mosquitto_with: Callable[..., Mosquitto], log: Log
) -> None:
    async with (
        mosquitto_with(options=[_COUNTS_EVERY_SECOND]) as broker,
        slow_subscriber(broker.port) as subscriber,
        session_at(broker.port, timings=_FAST) as at_work,
        working(at_work),
    ):
        at_work.inbox.put(much())
        await broker.says("being dropped for client slow")
        await log.says("WARNING the broker drops messages", "max_queued_messages")
        await subscriber.read_until({*_DEVICES, *_STATES})


async def test_a_broker_that_forbids_its_counts_is_published_to_all_the_same(
    mosquitto_with: Callable[..., Mosquitto], log: Log
) -> None:
    async with (
        mosquitto_with(acl=["topic readwrite ts2mqtt/#", "topic readwrite homeassistant/#"]) as broker,
        slow_subscriber(broker.port) as subscriber,
        session_at(broker.port, timings=_FAST) as at_work,
        working(at_work),
    ):
        at_work.inbox.put(much())
        await subscriber.read_until({*_DEVICES, *_STATES})
    assert not log.problems


async def test_a_broker_without_counts_is_published_to_all_the_same(log: Log) -> None:
    async with (
        EmbeddedBroker() as broker,
        slow_subscriber(broker.port) as subscriber,
        session_at(broker.port, timings=_FAST) as at_work,
        working(at_work),
    ):
        at_work.inbox.put(much())
        await subscriber.read_until({*_DEVICES, *_STATES})
    assert not log.problems
