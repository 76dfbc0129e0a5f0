"""Reading what the broker retains of ours: all of it, and nothing of others."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support import topics_of_example as of
from tests.support.running import mqtt_config
from ts2mqtt.bridge.liveness import Liveness
from ts2mqtt.bridge.retained_reader import RetainedReader
from ts2mqtt.home_assistant.devices import device_messages
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.mqtt.connection import connect
from ts2mqtt.mqtt.message import Received
from ts2mqtt.observatory.model import Rig
from ts2mqtt.timing import BrokerTimings
from ts2mqtt.topics.names import TopicNames

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import AnyBroker
    from tests.support.mosquitto import Mosquitto


@asynccontextmanager
async def reading(port: int, ids: DiscoveryIds = of.NAMES) -> AsyncIterator[RetainedReader]:
    """A reader on a connection of its own, given all that arrives."""
    async with connect(mqtt_config(port)) as connection:
        liveness = Liveness(connection, ids.topics, "0-me", BrokerTimings())
        reader = RetainedReader(connection, ids, liveness, BrokerTimings())

        async def hear() -> None:
            async for message in connection.received():
                reader.hear(message)
                if message.topic == ids.topics.heartbeat:
                    liveness.hear(message.payload)

        await connection.subscribe([ids.topics.heartbeat])
        hearing = asyncio.create_task(hear())
        yield reader
        hearing.cancel()
        await asyncio.wait((hearing,))


async def retain(port: int, payloads: dict[str, str]) -> None:
    async with connect(mqtt_config(port, client_id="retainer")) as connection:
        for topic, payload in payloads.items():
            await connection.publish(topic, payload.encode(), retain=True)
        await connection.drain()


async def test_everything_of_ours_and_nothing_else_is_read(broker: AnyBroker) -> None:
    ours = {topic: topic for topic in (*of.all_devices(), of.BRIDGE_DEVICE, *of.all_states(), of.STATUS, of.BRIDGE)}
    ours["ts2mqtt/bridge/removed/backyard"] = "{}"
    foreign = {
        "ts2mqtt": "x",
        "ts2mqtt/notes": "x",
        "ts2mqtt/backyard/target": "x",
        "ts2mqtt/backyard/target/a/b": "x",
        "ts2mqtt/bridge/state": "x",
        "ts2mqtt/bridge/1": "x",
        "ts2mqtt/bridge/1/status": "x",
        "ts2mqtt/command": "x",
        "ts2mqttx/status": "x",
        "homeassistant/device/other/backyard/config": "x",
        "homeassistant/device/ts2mqtt/UPPER/config": "x",
        "homeassistant/device/ts2mqtt/bridge/config": "x",
        "homeassistant/device/other/config": "x",
        "other": "x",
    }
    await retain(broker.port, ours | foreign)
    async with reading(broker.port) as reader:
        assert await reader.read() == {topic: payload.encode() for topic, payload in ours.items()}


async def test_what_was_read_topic_by_topic_is_not_kept_beside(broker: AnyBroker) -> None:
    await retain(broker.port, {of.BRIDGE: "{}"})
    async with reading(broker.port) as reader:
        assert await reader.read_topics([of.BRIDGE]) == {of.BRIDGE: b"{}"}
        await retain(broker.port, {of.BRIDGE: ""})
        assert await reader.read() == {}


async def test_a_message_that_just_happens_says_nothing_about_what_is_kept(mosquitto: Mosquitto) -> None:
    async with reading(mosquitto.port) as reader:
        reader.hear(Received(of.STATUS, b"online", retain=False))
        reader.hear(Received(of.STATUS, b"", retain=True))
        assert await reader.read() == {}
        reader.hear(Received(of.STATUS, b"online", retain=True))
        assert await reader.read() == {of.STATUS: b"online"}
        assert await reader.read() == {}, "what was read is not kept a second time"


async def test_an_empty_broker_holds_nothing(broker: AnyBroker) -> None:
    async with reading(broker.port) as reader:
        assert await reader.read() == {}


async def test_whether_a_topic_is_kept_is_asked_of_the_broker(broker: AnyBroker) -> None:
    await retain(broker.port, {of.BRIDGE: "{}"})
    async with reading(broker.port) as reader:
        assert await reader.read_topics([of.BRIDGE])
        await retain(broker.port, {of.BRIDGE: ""})
        assert not await reader.read_topics([of.BRIDGE])


async def test_nothing_is_asked_for_again_of_few(mosquitto: Mosquitto) -> None:
    await retain(mosquitto.port, {of.target(of.M31): "{}"})
    async with reading(mosquitto.port) as reader:
        await reader.read()
        await mosquitto.says("UNSUBSCRIBE")
        assert len(mosquitto.lines("Received SUBSCRIBE")) == 2


@pytest.mark.parametrize(
    "evidence",
    [
        {"ts2mqtt/old/state": '{"id": "old"}'},
        {"ts2mqtt/old/plan": '{"rig_id": "old"}'},
        {"ts2mqtt/old/target/1": '{"id": "1", "rig_id": "old"}'},
        {"homeassistant/device/ts2mqtt/old/config": "{}"},
        {"homeassistant/device/ts2mqtt/old_target_1/config": "{}"},
        {"ts2mqtt/bridge": '{"rigs": [{"id": "backyard"}, {"id": "old"}]}'},
    ],
)
async def test_topics_of_a_rig_that_was_once_ours_are_ours(mosquitto: Mosquitto, evidence: dict[str, str]) -> None:
    topics = {"ts2mqtt/old/status": "online", "ts2mqtt/old/target/2": "garbage"} | evidence
    await retain(mosquitto.port, topics)
    async with reading(mosquitto.port) as reader:
        assert (await reader.read()).keys() == topics.keys()


async def test_garbage_below_a_rig_that_the_bridge_watches_is_ours(mosquitto: Mosquitto) -> None:
    await retain(mosquitto.port, {of.target("1"): "garbage"})
    async with reading(mosquitto.port) as reader:
        assert (await reader.read(["backyard"])).keys() == {of.target("1")}


async def test_a_strangers_topics_in_the_shape_of_ours_are_not_ours(mosquitto: Mosquitto) -> None:
    strange = {
        "ts2mqtt/north/status": "online",
        "ts2mqtt/node-red/state": '{"id": 7}',
        "ts2mqtt/node-red/target/1": '{"id": "1"}',
        "ts2mqtt/node-red/plan/image": "\x89PNG",
    }
    ours = {of.STATUS: "online", of.BRIDGE: '{"rigs": []}', of.RIG_STATE: '{"id": "backyard"}'}
    await retain(mosquitto.port, strange | ours)
    async with reading(mosquitto.port) as reader:
        assert (await reader.read()).keys() == ours.keys()


async def test_a_device_of_a_bridge_whose_base_topic_looks_the_same_in_an_id_is_not_ours(
    mosquitto: Mosquitto,
) -> None:
    names = DiscoveryIds("homeassistant", TopicNames("site/a"))
    similar = DiscoveryIds("homeassistant", TopicNames("site_a"))
    ours, other = (rig_device(each, rig) for each, rig in ((names, "backyard"), (similar, "remote")))
    await retain(mosquitto.port, ours | other)
    async with reading(mosquitto.port, ids=names) as reader:
        assert (await reader.read()).keys() == ours.keys()


def rig_device(names: DiscoveryIds, rig_id: str) -> dict[str, str]:
    rig = Rig(id=rig_id, name=rig_id, api_version="v0", url="http://127.0.0.1:9")
    return {topic: message.payload.decode() for topic, message in device_messages(names, rig, frozenset()).items()}
