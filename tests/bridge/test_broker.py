"""What the bridge does when the broker is away, comes back, forgets, refuses or is shared with another bridge."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from tests.bridge.test_bridge import all_published, later_change
from tests.support import topics_of_example as of
from tests.support.mosquitto import Mosquitto, free_port
from tests.support.observer import observing, retained_on
from tests.support.running import bridge_config, mqtt_config, polling, running_bridge, with_broker
from ts2mqtt.bridge import heartbeat
from ts2mqtt.bridge.clean import clean
from ts2mqtt.bridge.healthcheck import check_health
from ts2mqtt.errors import BrokerError, OtherBridgeError
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.broker import EmbeddedBroker
from ts2mqtt.simulator.example import documentation_example
from ts2mqtt.simulator.mqtt_packets import Message as MqttMessage
from ts2mqtt.timing import Timings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import AnyBroker
    from tests.support.observer import Observer
    from tests.support.running import Log
    from ts2mqtt.simulator.observatory import SimulatedObservatory


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_a_killed_broker_that_forgot_everything_is_refilled(
    mosquitto: Mosquitto,
    example: SimulatedObservatory,
    example_api: SimulatedApi,
    log: Log,
    protocol: str,
) -> None:
    config = bridge_config(mqtt_config(mosquitto.port, protocol=protocol), example_api)
    async with observing(mosquitto.port) as before, running_bridge(config):
        await all_published(before)
        await mosquitto.kill()
        await log.says("MQTT")
        await mosquitto.start(keep_retained=False)
        async with observing(mosquitto.port) as after:
            await all_published(after)
            await later_change(after, example)
            assert {topic: payload for topic, payload in after.held.items() if topic != of.profile(of.PROFILE_3)} == {
                topic: payload for topic, payload in before.held.items() if topic != of.profile(of.PROFILE_3)
            }
        assert log.about("MQTT: recovered")


async def test_a_killed_broker_that_kept_everything_is_told_only_what_changed_meanwhile(
    mosquitto: Mosquitto,
    observer: Observer,
    example: SimulatedObservatory,
    example_api: SimulatedApi,
    log: Log,
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        await mosquitto.save()
        await observer.catch_up()
        await mosquitto.kill()
        await log.says("MQTT")
        example.rename(example.project(of.P2), "Spring")
        looks = len(example_api.answered)
        await example_api.wait_for_answer(f"/projects/{of.P2}/targets", after=looks)
        mark = observer.mark()
        await mosquitto.start(keep_retained=True)
        await observer.wait_for(of.project_device(of.P2), lambda device: device["device"]["name"] == "Spring")
        bystander = await later_change(observer, example)
        live = {seen.topic for seen in observer.since(mark) if not seen.retain}
        assert live <= {
            of.STATUS,
            of.project(of.P2),
            of.project_device(of.P2),
            of.profile(of.PROFILE_1),
            bystander,
        }


async def test_the_embedded_broker_is_refilled_too(broker: AnyBroker, example_api: SimulatedApi) -> None:
    async with running_bridge(bridge_config(broker.port, example_api)):
        async with observing(broker.port) as before:
            await all_published(before)
        await broker.stop()
        await broker.start(keep_retained=False)
        async with observing(broker.port) as after:
            await all_published(after)
            assert after.held == before.held


async def test_a_broker_that_is_absent_at_the_start_is_waited_for(
    mosquitto_with: Callable[..., Mosquitto], example_api: SimulatedApi, log: Log
) -> None:
    mosquitto = mosquitto_with()
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        assert f"127.0.0.1:{mosquitto.port}" in await log.says("WARNING MQTT", "no broker at")
        async with mosquitto, observing(mosquitto.port) as observer:
            await all_published(observer)
        assert len(log.about("no broker at")) == 1


async def test_a_bridge_without_a_broker_stops_at_once(example_api: SimulatedApi, log: Log) -> None:
    async with running_bridge(bridge_config(free_port(), example_api)):
        await log.says("no broker at")
        started = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - started < 5


async def test_a_wrong_password_is_an_error_that_says_what_to_do_and_is_retried_slowly(
    mosquitto_with: Callable[..., Mosquitto], example_api: SimulatedApi, log: Log
) -> None:
    async with mosquitto_with(users={"rig": "right"}) as mosquitto:
        config = bridge_config(mqtt_config(mosquitto.port, username="rig", password="wrong"), example_api)  # noqa: S106 - a test's
        async with running_bridge(config, timings=Timings()):
            line = await log.says("ERROR", "MQTT")
            assert "mqtt.username" in line
            assert "mqtt.password" in line
            assert "wrong" not in line
            # A quick retry would come now: it does after an unreachable broker.
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(2.5):
                    await mosquitto.says("New connection", after=1)
        assert len(log.about("ERROR", "MQTT")) == 1


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_a_password_that_is_put_right_on_the_broker_is_taken_at_the_next_try(
    mosquitto_with: Callable[..., Mosquitto], example_api: SimulatedApi, log: Log, protocol: str
) -> None:
    right = {"username": "rig", "password": "right"}
    first = mosquitto_with(users={"rig": "another"})
    async with first, running_bridge(bridge_config(mqtt_config(first.port, protocol=protocol, **right), example_api)):
        await log.says("ERROR", "refuses")
        await first.stop()
        first.let_in({"rig": "right"})
        await first.start()
        async with observing(first.port, **right) as observer:
            await all_published(observer)


async def test_a_bridge_that_may_not_read_below_its_own_topics_says_so(
    mosquitto_with: Callable[..., Mosquitto], example_api: SimulatedApi, log: Log
) -> None:
    broker = mosquitto_with(acl=["topic write ts2mqtt/#", "topic write homeassistant/#"])
    async with broker, running_bridge(bridge_config(broker.port, example_api), timings=with_broker(fence_s=0.3)):
        assert "read and write" in await log.says("does not give back", of.HEARTBEAT)


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_a_broker_that_keeps_no_retained_messages_is_said_so(
    mosquitto_with: Callable[..., Mosquitto], example_api: SimulatedApi, log: Log, protocol: str
) -> None:
    broker = mosquitto_with(options=["retain_available false"])
    async with broker, running_bridge(bridge_config(mqtt_config(broker.port, protocol=protocol), example_api)):
        await log.says("WARNING MQTT", "retained messages")


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_access_rules_that_let_nothing_be_kept_are_told(
    mosquitto_with: Callable[..., Mosquitto], example_api: SimulatedApi, log: Log, protocol: str
) -> None:
    acl = ["topic read #", "topic write ts2mqtt/bridge/heartbeat", "topic write ts2mqtt/status"]
    broker = mosquitto_with(acl=acl)
    async with broker, running_bridge(bridge_config(mqtt_config(broker.port, protocol=protocol), example_api)):
        await log.says("ERROR", "does not keep")


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_a_message_that_is_too_large_for_the_broker_keeps_no_other_from_it(
    mosquitto_with: Callable[..., Mosquitto],
    example: SimulatedObservatory,
    example_api: SimulatedApi,
    log: Log,
    protocol: str,
) -> None:
    """MQTT 5 names the limit at the login; to a 3.1.1 client Mosquitto closes the connection without a word."""
    broker = mosquitto_with(options=["max_packet_size 16000"])
    config = bridge_config(mqtt_config(broker.port, protocol=protocol), example_api)
    async with broker, observing(broker.port) as observer, running_bridge(config):
        too_large = of.target_device(of.M31)
        await observer.wait_until(lambda: of.all_devices() - {too_large} <= observer.held.keys())
        await log.says("ERROR", too_large, "more than the broker takes")
        lost = len(log.about("the connection to the broker broke"))
        await later_change(observer, example)
        await later_change(observer, example)
        assert len(log.about("the connection to the broker broke")) == lost
        assert too_large not in observer.held


async def test_the_last_will_says_offline_when_the_connection_breaks(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    """A bridge that is cut off: another client takes its client id, as the broker's only way of cutting it."""
    config = bridge_config(mqtt_config(mosquitto.port, client_id="victim"), example_api)
    async with running_bridge(config, timings=with_broker(first_retry_s=60.0)):
        await all_published(observer)
        mark = observer.mark()
        async with observing(mosquitto.port, client_id="victim"):
            await observer.wait_for(of.STATUS, b"offline", after=mark)


async def test_a_frozen_broker_is_noticed_and_left(
    mosquitto: Mosquitto, example: SimulatedObservatory, example_api: SimulatedApi, log: Log
) -> None:
    running = running_bridge(bridge_config(mosquitto.port, example_api), timings=with_broker(heartbeat_s=0.1))
    async with running, observing(mosquitto.port) as observer:
        await all_published(observer)
        mosquitto.freeze()
        await log.says("heartbeats no longer come back")
        mosquitto.thaw()
        await log.says("MQTT: recovered")
        await later_change(observer, example)
        assert observer.held[of.STATUS] == b"online"


async def test_a_frozen_broker_does_not_keep_a_bridge_from_stopping(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    loop = asyncio.get_running_loop()
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        mosquitto.freeze()
        started = loop.time()
    assert loop.time() - started < 5


async def test_a_second_bridge_stands_back_and_takes_over_when_the_first_stops(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, log: Log
) -> None:
    async with SimulatedApi(example) as api:
        first = bridge_config(mqtt_config(mosquitto.port, client_id="first"), api)
        second = bridge_config(mqtt_config(mosquitto.port, client_id="second"), api)
        async with running_bridge(first) as working:
            await all_published(observer)
            instance = observer.json(of.BRIDGE)["instance"]
            mark = observer.mark()
            async with running_bridge(second):
                line = await log.says("ERROR", "another bridge is at work")
                assert "mqtt.base_topic" in line
                bystander = await later_change(observer, example)
                assert observer.topics_since(mark) == [bystander]
                working.stop()
                await observer.wait_for(of.STATUS, b"offline", after=mark)
                await observer.wait_for(of.BRIDGE, lambda bridge: bridge["instance"] != instance, after=mark)
                await observer.wait_for(of.STATUS, b"online", after=mark)
                await later_change(observer, example)
        assert len(log.about("another bridge is at work")) == 1


async def test_of_two_bridges_that_start_together_one_works(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, log: Log
) -> None:
    async with SimulatedApi(example) as api:
        first = bridge_config(mqtt_config(mosquitto.port, client_id="first"), api)
        second = bridge_config(mqtt_config(mosquitto.port, client_id="second"), api)
        async with running_bridge(first), running_bridge(second):
            # Whatever it said at first, it finds the other at work when it tries again.
            await log.says("ERROR", "another bridge is at work")
            await all_published(observer)
            await later_change(observer, example)
            mark, told = observer.mark(), len(log.about("ERROR"))
            for _ in range(3):
                bystander = await later_change(observer, example)
            assert set(observer.topics_since(mark)) == {bystander}
            assert len(log.about("ERROR")) == told
            assert observer.held[of.STATUS] == b"online"


async def test_two_bridges_with_one_client_id_do_not_throw_each_other_out_for_ever(
    mosquitto: Mosquitto,
    observer: Observer,
    example: SimulatedObservatory,
    log: Log,
) -> None:
    """The most likely mistake: the same configuration on a second machine."""
    # Whoever was thrown out comes back sooner than whoever stands back looks again, as with the real times.
    timings = with_broker(refused_retry_s=3.0)
    async with SimulatedApi(example) as api:
        config = bridge_config(mosquitto.port, api)
        async with running_bridge(config, timings=timings):
            await all_published(observer)
            async with running_bridge(config, timings=timings):
                await log.says("ERROR", "another bridge")
                await observer.wait_until(lambda: observer.held[of.STATUS] == b"online")
                await later_change(observer, example)
                # Whoever stands back looks again and again, and must not disturb who works.
                thrown_out = len(mosquitto.lines("already connected"))
                mark = observer.mark()
                await mosquitto.says("New client connected", after=len(mosquitto.lines("New client connected")) + 1)
                bystander = await later_change(observer, example)
                assert observer.topics_since(mark) == [bystander]
                assert len(mosquitto.lines("already connected")) == thrown_out


async def test_bridges_with_different_base_topics_leave_each_other_alone(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    north = bridge_config(mqtt_config(mosquitto.port, client_id="n", base_topic="site/north"), example_api)
    south = bridge_config(mqtt_config(mosquitto.port, client_id="s", base_topic="site"), example_api)
    async with running_bridge(north):
        await observer.wait_for("site/north/backyard/target/" + of.M31)
        await observer.wait_until(lambda: len(observer.held_below("homeassistant/device/site_north/")) == 8)
        mark = observer.mark()
        async with running_bridge(south):
            await observer.wait_until(lambda: len(observer.held_below("homeassistant/device/site/")) == 8)
            assert not [seen for seen in observer.since(mark) if "north" in seen.topic]
        assert await clean(south) > 10
        await observer.catch_up()
        assert len(observer.held_below("homeassistant/device/site_north/")) == 8
        assert "site/north/status" in observer.held
        assert not observer.held_below("homeassistant/device/site/", "site/status", "site/bridge", "site/backyard/")


async def test_what_a_broker_in_trouble_acknowledged_and_did_not_keep_is_published_again(
    example_api: SimulatedApi, log: Log
) -> None:
    """As NATS does while a node of its cluster is gone; slowness, which shows it, is here no time at all."""
    always_slow = with_broker(slow_acknowledgement_s=-1.0)
    async with EmbeddedBroker() as broker:
        broker._exchange.retained = LosesTheFirst()
        running = running_bridge(bridge_config(broker.port, example_api), timings=always_slow)
        async with observing(broker.port), running:
            await log.says("WARNING", "not kept what it acknowledged")
            async with observing(broker.port) as newcomer:
                await all_published(newcomer)
                # Nothing more is said once all stands there.
                mark = newcomer.mark()
                await check_health(mqtt_config(broker.port))
                await newcomer.catch_up()
                assert newcomer.topics_since(mark) == []
                # Looking again at the topic of its own status has not made the bridge deaf to it.
                await newcomer.publish(of.STATUS, "offline", retain=True)
                await newcomer.wait_for(of.STATUS, b"online", after=mark)


class LosesTheFirst(dict[str, MqttMessage]):
    """What a broker retains, without the first message of each topic."""

    def __init__(self) -> None:
        super().__init__()
        self._lost: set[str] = set()

    def __setitem__(self, topic: str, message: MqttMessage) -> None:
        if topic in self._lost:
            super().__setitem__(topic, message)
        self._lost.add(topic)


async def test_somebody_elses_offline_is_put_right(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi, log: Log
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        mark = observer.mark()
        await observer.publish(of.STATUS, "offline", retain=True)
        await observer.wait_for(of.STATUS, b"online", after=mark)
        assert log.about("WARNING", "somebody published", of.STATUS)


async def test_clean_leaves_nothing_of_ours_and_everything_of_others(
    broker: AnyBroker, example_api: SimulatedApi
) -> None:
    foreign = {
        "ts2mqtt/notes/of/mine": b"kept",
        "ts2mqtt/backyard/target/a/b": b"kept",
        "zigbee2mqtt/bridge/state": b"kept",
        "homeassistant/device/other/backyard/config": b"kept",
        "homeassistant/sensor/ts2mqtt/backyard/config": b"kept",
        "homeassistant/status": b"online",
    }
    config = bridge_config(broker.port, example_api)
    async with observing(broker.port) as observer:
        for topic, payload in foreign.items():
            await observer.publish(topic, payload, retain=True)
        async with running_bridge(config):
            await all_published(observer)
        count = await clean(config)
        await observer.catch_up()
        # Also the bridge's own: its device, and what it retained at its end, status and bridge.
        assert count == len(of.all_devices() | of.all_states()) + 3
        assert await retained_on(broker.port) == foreign
        cleared = [seen.topic for seen in observer.seen if not seen.payload]
        assert cleared.index(of.target_device(of.M31)) < cleared.index(of.target(of.M31))
        assert await clean(config) == 0


async def test_clean_refuses_while_a_bridge_is_at_work(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    config = bridge_config(mosquitto.port, example_api)
    async with running_bridge(config):
        await all_published(observer)
        mark = observer.mark()
        with pytest.raises(OtherBridgeError, match="another bridge is at work"):
            await clean(config)
        bystander = await later_change(observer, example)
        assert observer.topics_since(mark) == [bystander]


async def test_clean_refuses_also_right_after_a_healthcheck(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    """Questions are answered seldom; a container asks one every few seconds."""
    config = bridge_config(mosquitto.port, example_api)
    async with running_bridge(config):
        await all_published(observer)
        await check_health(config.mqtt)
        with pytest.raises(OtherBridgeError, match="another bridge is at work"):
            await clean(config)


async def test_a_crashed_bridge_is_cleaned_and_restarted_although_it_says_online(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    """A broker that was killed with it had no time for the last will."""
    await observer.publish(of.STATUS, "online", retain=True)
    await observer.publish(of.target(of.M31), json.dumps({"id": of.M31, "rig_id": of.RIG}), retain=True)
    assert await clean(bridge_config(mosquitto.port, example_api)) == 2


async def test_health_is_that_of_the_whole_path(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    config = bridge_config(mosquitto.port, example_api)
    with pytest.raises(BrokerError, match=r"no bridge at work under 'ts2mqtt'"):
        await check_health(config.mqtt, patience_s=0.2)
    async with running_bridge(config):
        await all_published(observer)
        await check_health(config.mqtt)
    with pytest.raises(BrokerError, match=r"no bridge at work"):
        await check_health(config.mqtt, patience_s=0.2)


async def test_a_bridge_that_only_listens_is_not_healthy(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    """Nor is one whose heartbeats do not return."""
    config = bridge_config(mosquitto.port, example_api)
    for working, returned in ((False, 7), (True, 2)):
        beat = {"instance": "x", "number": 7, "returned": returned, "working": working}
        checking = asyncio.create_task(check_health(config.mqtt, patience_s=0.5))
        await observer.wait_for(of.HEARTBEAT, heartbeat.ASK, after=observer.mark())
        await observer.publish(of.HEARTBEAT, json.dumps(beat))
        with pytest.raises(BrokerError):
            await checking


async def test_many_questions_for_health_are_answered_seldom(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        await later_change(observer, example)
        mark, began = observer.mark(), observer.now
        for _ in range(50):
            await observer.publish(of.HEARTBEAT, heartbeat.ASK)
        await later_change(observer, example)
        answers = [
            seen for seen in observer.seen[mark:] if seen.topic == of.HEARTBEAT and b"instance" in seen.payload
        ]
        # Two in a second, one more at either end, and the bridge's own.
        assert 1 <= len(answers) <= 2 * (observer.now - began) + 3


async def test_one_broker_and_two_rigs_survive_a_broker_that_comes_and_goes(
    mosquitto: Mosquitto, example_api: SimulatedApi
) -> None:
    async with SimulatedApi(documentation_example()) as other:
        config = bridge_config(mosquitto.port, example_api, other, looks=polling())
        async with running_bridge(config):
            for _ in range(3):
                async with observing(mosquitto.port) as observer:
                    await all_published(observer)
                    await observer.wait_until(lambda: of.all_devices("remote") <= observer.held.keys())
                await mosquitto.kill()
                await mosquitto.start(keep_retained=False)
