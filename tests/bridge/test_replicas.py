"""Replicas that share the rigs: what each says of itself, what it leaves to others, and when it takes over."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from tests.bridge.test_bridge import all_published
from tests.support import topics_of_example as of
from tests.support.observer import observing, retained_on
from tests.support.running import bridge_config, running_bridge
from ts2mqtt.bridge import heartbeat
from ts2mqtt.bridge.clean import clean
from ts2mqtt.bridge.healthcheck import check_health
from ts2mqtt.bridge.sharding import Shard, owner
from ts2mqtt.errors import BrokerError, OtherBridgeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import AnyBroker
    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer
    from tests.support.running import Log
    from ts2mqtt.config import Config
    from ts2mqtt.simulator.api import SimulatedApi

FIRST, LAST = Shard(0, 3), Shard(2, 3)
"""Backyard belongs to the first of three replicas, Remote to the last."""

FEWER = Shard(0, 2)
"""Backyard's, when there are two."""


def configs(port: int, *rigs: SimulatedApi | str) -> tuple[Config, Config]:
    return bridge_config(port, *rigs, shard=FIRST), bridge_config(port, *rigs, shard=LAST)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has gone is looked for ten times a second, and cleared at once."""
    monkeypatch.setattr(heartbeat, "INTERVAL_S", 0.1)
    monkeypatch.setattr("ts2mqtt.bridge.replicas.STARTING_S", 0.3)


def status(replica: int) -> str:
    return f"ts2mqtt/bridge/{replica}/status"


def serves(*rigs: str) -> Callable[[dict[str, list[dict[str, str]]]], bool]:
    return lambda about: [rig["id"] for rig in about["rigs"]] == list(rigs)


def says_it_serves(*rigs: str, instance: str) -> str:
    return json.dumps({"instance": instance, "rigs": [{"id": rig_id} for rig_id in rigs]})


def all_follow(observer: Observer, status_topic: str) -> bool:
    return all(observer.json(topic)["availability"] == [{"topic": status_topic}] for topic in of.all_devices())


def test_the_rigs_of_these_tests_belong_as_it_is_said() -> None:
    assert (owner("backyard", 3), owner("remote", 3), owner("backyard", 2)) == (0, 2, 0)


async def test_without_a_shard_nothing_is_another_on_the_wire(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        await observer.wait_for(of.BRIDGE_DEVICE)
        await observer.wait_for(of.HEARTBEAT, lambda beat: beat["working"])
        await observer.catch_up()
    await observer.wait_for(of.STATUS, b"offline")
    assert observer.held.keys() == {
        of.STATUS,
        of.BRIDGE,
        of.BRIDGE_DEVICE,
        *of.all_states(),
        *of.all_devices(),
    }
    assert observer.json(of.BRIDGE).keys() == {
        "version",
        "instance",
        "since",
        "protocol",
        "log_level",
        "last_problem",
        "rigs_online",
        "rigs",
    }
    for topic in of.all_devices():
        assert observer.json(topic)["availability"] == [{"topic": of.STATUS}]
    assert observer.json(of.rig_device())["device"]["via_device"] == "ts2mqtt_bridge"
    assert {seen.topic for seen in observer.seen if not seen.payload} == set()
    assert mosquitto.lines(" as ts2mqtt (")


async def test_each_replica_speaks_for_itself_and_its_rigs(broker: AnyBroker, example_api: SimulatedApi) -> None:
    first, last = configs(broker.port, example_api, "http://127.0.0.1:9")
    async with observing(broker.port) as observer:
        async with running_bridge(first), running_bridge(last):
            await observer.wait_until(lambda: of.all_devices() | of.all_states() <= observer.held.keys())
            for replica, rig_id in ((0, "backyard"), (2, "remote")):
                await observer.wait_for(status(replica), b"online")
                about = (await observer.wait_for(f"ts2mqtt/bridge/{replica}", serves(rig_id))).json
                assert (about["replica"], about["replicas"]) == (replica, 3)
                await observer.wait_for(f"ts2mqtt/bridge/{replica}/heartbeat")
                device = (await observer.wait_for(f"homeassistant/device/ts2mqtt_replica_{replica}/config")).json
                assert device["device"]["name"] == f"ts2mqtt replica {replica}"
                assert device["availability"] == [{"topic": status(replica)}]
            for topic in of.all_devices():
                assert observer.json(topic)["availability"] == [{"topic": status(0)}]
            via = observer.json(of.rig_device())["device"]["via_device"]
            assert [via] == observer.json("homeassistant/device/ts2mqtt_replica_0/config")["device"]["identifiers"]
            await check_health(first.mqtt, 0)
            await check_health(last.mqtt, 2)
            with pytest.raises(BrokerError):
                await check_health(first.mqtt, patience_s=0.2)
        await observer.catch_up()
        assert {observer.held[status(replica)] for replica in (0, 2)} == {b"offline"}
        assert not observer.held_below(of.STATUS)


async def test_a_rigs_command_is_heard_by_the_replica_that_serves_it(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi, log: Log
) -> None:
    unknown = next(rig_id for rig_id in (f"rig{number}" for number in range(100)) if LAST.owns(rig_id))
    first, last = configs(mosquitto.port, example_api)
    async with running_bridge(first), running_bridge(last):
        await observer.wait_until(lambda: of.all_devices() | of.all_states() <= observer.held.keys())
        await observer.wait_for(status(2), b"online")
        await observer.publish("ts2mqtt/backyard/command", "refresh_plan")
        await observer.wait_for("ts2mqtt/backyard/plan/image")
        await observer.publish("ts2mqtt/backyard/command", "dance")
        await observer.publish(f"ts2mqtt/{unknown}/command", "refresh")
        await log.says(f"ts2mqtt/{unknown}/command is not understood")
        await observer.publish("ts2mqtt/command", "log_level info")
        await observer.wait_until(lambda: len(log.about("the log level changes")) == 2)
    assert len(log.about("ts2mqtt/backyard/command is not understood")) == 1
    assert len(log.about(f"ts2mqtt/{unknown}/command is not understood")) == 1


async def test_what_is_left_of_a_rig_is_cleared_by_the_replica_to_which_it_belonged(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    both = configs(mosquitto.port, "http://127.0.0.1:9", example_api)
    remote = of.all_devices("remote") | of.all_states("remote")
    async with running_bridge(both[1]):
        await observer.wait_until(lambda: remote <= observer.held.keys())
    first, last = configs(mosquitto.port, "http://127.0.0.1:9")
    async with running_bridge(first):
        await observer.wait_for(of.rig_device())
        mark = observer.mark()
        await observer.publish("ts2mqtt/command", "rediscover")
        await observer.wait_for(of.rig_device(), after=mark)
        await observer.catch_up()
        assert remote <= observer.held.keys()
        async with running_bridge(last):
            await observer.wait_until_gone(*remote)
            assert of.rig_device() in observer.held


async def test_a_rig_that_another_serves_is_left_alone_until_it_lets_go(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    """The other is one of three, as before the number changed."""
    await observer.publish("ts2mqtt/bridge/2", says_it_serves("backyard", instance="0"), retain=True)
    await observer.publish(status(2), "online", retain=True)
    async with running_bridge(bridge_config(mosquitto.port, example_api, shard=FEWER)):
        await observer.wait_for(status(0), b"online")
        await observer.publish("ts2mqtt/backyard/command", "refresh")
        await observer.publish("ts2mqtt/command", "rediscover")
        await observer.catch_up()
        assert observer.json("ts2mqtt/bridge/0")["rigs"] == []
        assert example_api.requests == []
        # What the other one publishes last is what this one begins with.
        first_seen = "2020-01-01T00:00:00Z"
        target = {"id": of.M31, "project_id": of.P1, "rig_id": "backyard", "first_seen": first_seen}
        await observer.publish(of.target(of.M31), json.dumps(target), retain=True)
        await observer.publish(status(2), "offline", retain=True)
        await observer.wait_until(lambda: of.all_devices() | of.all_states() <= observer.held.keys())
        await observer.wait_for(of.target(of.M31), lambda payload: "active" in payload)
        assert observer.json(of.target(of.M31))["first_seen"] == first_seen
        await observer.wait_until_gone("ts2mqtt/bridge/2", status(2))


async def test_the_rigs_of_a_replica_that_falls_silent_are_taken_over(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ts2mqtt.bridge.replicas.SILENT_S", 0.5)
    await observer.publish("ts2mqtt/bridge/2", says_it_serves("backyard", instance="0"), retain=True)
    await observer.publish(status(2), "online", retain=True)
    async with running_bridge(bridge_config(mosquitto.port, example_api, shard=FEWER)):
        await observer.wait_for("ts2mqtt/bridge/0", serves())
        await observer.wait_for("ts2mqtt/bridge/0", serves("backyard"))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("instance", "gives_way"), [("0-earlier", True), ("f-later", False)])
async def test_of_two_that_serve_one_rig_the_later_gives_way(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi, instance: str, gives_way: bool
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api, shard=FEWER)):
        await observer.wait_for("ts2mqtt/bridge/0", lambda about: about["rigs_online"] == 1)
        await observer.wait_until(lambda: of.all_devices() <= observer.held.keys())
        await observer.catch_up()
        mark = observer.mark()
        await observer.publish("ts2mqtt/bridge/2", says_it_serves("backyard", instance=instance), retain=True)
        await observer.publish(status(2), "online", retain=True)
        if gives_way:
            await observer.wait_for("ts2mqtt/bridge/0", serves(), after=mark)
            await observer.catch_up()
            looks = len(example_api.requests)
            await observer.publish("ts2mqtt/backyard/command", "refresh")
            await observer.catch_up()
            assert len(example_api.requests) == looks
        else:
            await example_api.wait_for_answer("/profiles", after=len(example_api.requests_to("/profiles")) + 2)
            await observer.catch_up()
            assert "ts2mqtt/bridge/0" not in observer.topics_since(mark)
            # Until it gave way it has changed what is on the broker.
            await observer.publish(of.rig_device(), '{"availability": []}', retain=True)
            await observer.publish("ts2mqtt/bridge/2", says_it_serves(instance=instance), retain=True)
            await observer.wait_for(of.rig_device(), lambda device: device["availability"] == [{"topic": status(0)}])
            await observer.wait_until(lambda: all_follow(observer, status(0)))
        assert [seen.topic for seen in observer.since(mark) if not seen.payload] == []


async def test_a_second_replica_of_the_same_number_waits(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi, log: Log
) -> None:
    config = bridge_config(mosquitto.port, example_api, shard=FIRST)
    other = config.model_copy(update={"mqtt": config.mqtt.model_copy(update={"client_id": "other"})})
    async with running_bridge(config):
        await observer.wait_for(status(0), b"online")
        async with running_bridge(other):
            await log.says("ERROR", "another bridge is at work under the base topic 'ts2mqtt'")


@pytest.mark.usefixtures("impatient")
async def test_a_single_bridge_waits_until_the_replicas_have_gone(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi, log: Log
) -> None:
    async with AsyncExitStack() as replica:
        await replica.enter_async_context(running_bridge(bridge_config(mosquitto.port, example_api, shard=FIRST)))
        await observer.wait_until(lambda: of.all_devices() | of.all_states() <= observer.held.keys())
        mark = observer.mark()
        async with running_bridge(bridge_config(mosquitto.port, example_api)):
            await log.says("ERROR", "another bridge is at work under the base topic 'ts2mqtt'")
            await replica.aclose()
            await observer.wait_for(of.STATUS, b"online")
            await observer.wait_until_gone(
                status(0), "ts2mqtt/bridge/0", "homeassistant/device/ts2mqtt_replica_0/config"
            )
            await observer.wait_until(lambda: all_follow(observer, of.STATUS))
        cleared = {seen.topic for seen in observer.since(mark) if not seen.payload}
        assert cleared == {status(0), "ts2mqtt/bridge/0", "homeassistant/device/ts2mqtt_replica_0/config"}


async def test_replicas_wait_until_a_single_bridge_has_gone(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi, log: Log
) -> None:
    async with AsyncExitStack() as single:
        await single.enter_async_context(running_bridge(bridge_config(mosquitto.port, example_api)))
        await all_published(observer)
        await observer.wait_until(lambda: of.all_devices() <= observer.held.keys())
        mark = observer.mark()
        async with running_bridge(bridge_config(mosquitto.port, example_api, shard=FIRST)):
            await log.says("another replica still serves backyard")
            await observer.wait_for("ts2mqtt/bridge/0", serves())
            await single.aclose()
            await observer.wait_for("ts2mqtt/bridge/0", serves("backyard"))
            await observer.wait_until_gone(of.STATUS, of.BRIDGE, of.BRIDGE_DEVICE)
            await observer.wait_until(lambda: all_follow(observer, status(0)))
        cleared = {seen.topic for seen in observer.since(mark) if not seen.payload}
        assert cleared == {of.STATUS, of.BRIDGE, of.BRIDGE_DEVICE}


async def test_clean_takes_a_replicas_share_or_everything(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    first, last = configs(mosquitto.port, example_api, "http://127.0.0.1:9")
    everything = bridge_config(mosquitto.port, example_api)
    async with running_bridge(first), running_bridge(last):
        await observer.wait_until(lambda: of.all_devices() | of.all_states() <= observer.held.keys())
        await observer.wait_for("ts2mqtt/remote/status")
        await observer.wait_for("homeassistant/device/ts2mqtt_replica_2/config")
        for config in (first, everything):
            with pytest.raises(OtherBridgeError):
                await clean(config)
    held = await retained_on(mosquitto.port)
    of_the_last = {topic for topic in held if "remote" in topic or "replica_2" in topic or "bridge/2" in topic}
    assert await clean(first) == len(held) - len(of_the_last)
    assert (await retained_on(mosquitto.port)).keys() == of_the_last
    assert await clean(everything) == len(of_the_last)
    assert await retained_on(mosquitto.port) == {}
