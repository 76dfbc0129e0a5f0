"""What Home Assistant is told when it starts, and how what is removed disappears from it even if it was down then.

Home Assistant itself is played by the observer here: it says its birth and its will, and sees what it would see.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.bridge.test_bridge import all_published, later_change, named
from tests.support import topics_of_example as of
from tests.support.build import rig_config
from tests.support.running import IMPATIENT, bridge_config, mqtt_config, running_bridge
from ts2mqtt.config import HomeAssistantConfig, SiteConfig
from ts2mqtt.mqtt.connection import connect
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.timing import HomeAssistantTimings

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer, Seen
    from tests.support.running import Log
    from ts2mqtt.simulator.observatory import SimulatedObservatory

_BIRTH = "homeassistant/status"
_M31_RECORD = f"ts2mqtt/bridge/removed/backyard_target_{of.M31}"


async def home_assistant_starts(observer: Observer) -> None:
    await observer.publish(_BIRTH, "online")


async def home_assistant_stops(observer: Observer) -> None:
    await observer.publish(_BIRTH, "offline")


def versions(observer: Observer, mark: int, topic: str) -> list[Seen]:
    return [seen for seen in observer.since(mark) if seen.topic == topic]


async def test_after_its_birth_home_assistant_is_told_every_device_again(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        before, mark = dict(observer.held), observer.mark()
        await home_assistant_starts(observer)
        every = {of.BRIDGE_DEVICE, *of.all_devices()}
        await observer.wait_until(lambda: every <= set(observer.topics_since(mark)))
        assert every == {seen.topic for seen in observer.since(mark, but=(_BIRTH,))}
        assert {topic: observer.held[topic] for topic in every} == {topic: before[topic] for topic in every}
        again = observer.mark()
        bystander = await later_change(observer, example)
        assert observer.topics_since(again) == [bystander]


async def test_what_the_configuration_says_of_two_rigs_reaches_their_devices(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    """Both have one database, so that nothing but the rig's name tells their devices apart."""
    example.project(of.P1).enable_grader = False
    async with SimulatedApi(example) as other_api:
        rigs = (
            rig_config(example_api, site=SiteConfig(latitude=47, longitude=8), exposure_throttle=150),
            rig_config(other_api, name="Remote"),
        )
        async with running_bridge(bridge_config(mosquitto.port, *rigs)):
            topics = (of.target_device(of.M31), of.target_device(of.M31).replace("/backyard_", "/remote_"))
            here, there = [(await observer.wait_for(topic)).json for topic in topics]
            assert (here["device"]["name"], there["device"]["name"]) == ("M 31 · Backyard", "M 31 · Remote")
            assert here["components"].keys() - there["components"].keys() == {
                "moon_separation",
                "maximum_altitude",
                "transit",
            }
            told = [(await observer.wait_for(of.target(of.M31, rig_id))).json for rig_id in ("backyard", "remote")]
            assert [target["exposure_throttle"] for target in told] == [150, 125]


async def test_devices_that_somebody_cleared_are_back_after_a_birth(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    """Home Assistant itself clears the topic of a device that its user deletes."""
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        await observer.publish(of.target_device(of.M31), "", retain=True)
        await observer.wait_until_gone(of.target_device(of.M31))
        await home_assistant_starts(observer)
        await observer.wait_for(of.target_device(of.M31), lambda device: device["device"]["name"] == "M 31")
        await observer.wait_until(lambda: of.target_device(of.M31) in observer.held)


async def test_a_birth_is_not_forgotten_when_the_connection_breaks_before_all_is_told(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    slow = replace(IMPATIENT, home_assistant=HomeAssistantTimings(birth_delay_s=(1.0, 1.0)))
    async with running_bridge(bridge_config(mosquitto.port, example_api), timings=slow):
        await all_published(observer)
        mark = observer.mark()
        await home_assistant_starts(observer)
        # Another client with the bridge's id: the broker ends the bridge's connection.
        async with connect(mqtt_config(mosquitto.port)):
            await observer.wait_for(of.STATUS, b"offline", after=mark)
        await observer.wait_until(lambda: of.all_devices() <= set(observer.topics_since(mark)))


async def test_rediscover_is_a_birth_by_command(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        mark = observer.mark()
        await observer.publish("ts2mqtt/command", "rediscover")
        await observer.wait_until(lambda: of.all_devices() <= set(observer.topics_since(mark)))


async def test_a_retained_birth_is_no_birth(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    """Some set their status to be retained: then every start of the bridge would be one of Home Assistant too."""
    await observer.publish(_BIRTH, "online", retain=True)
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        mark = observer.mark()
        # Longer than a birth would be waited for: a change of a device takes its time.
        for name in ("A", "B", "C"):
            example.rename(example.target(of.M31), name)
            await observer.wait_for(of.target_device(of.M31), named(name), after=mark)
        assert set(observer.topics_since(mark)) == {
            of.target(of.M31),
            of.target_device(of.M31),
            of.project(of.P1),
        }


async def test_without_discovery_a_birth_is_ignored(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi, log: Log
) -> None:
    config = bridge_config(mosquitto.port, example_api, home_assistant=HomeAssistantConfig(enabled=False))
    async with running_bridge(config):
        await observer.wait_until(lambda: of.all_states() <= observer.held.keys())
        mark = observer.mark()
        await home_assistant_starts(observer)
        await observer.publish("ts2mqtt/command", "rediscover")
        await later_change(observer, example)
        assert not [seen for seen in observer.since(mark, but=(_BIRTH,)) if seen.topic.startswith("homeassistant/")]
        assert not log.about("Home Assistant has started")


async def test_another_discovery_prefix_and_status_topic_are_used(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    other = HomeAssistantConfig(discovery_prefix="ha/disco", status_topic="ha/here")
    async with running_bridge(bridge_config(mosquitto.port, example_api, home_assistant=other)):
        count = len({of.BRIDGE_DEVICE, *of.all_devices()})
        await observer.wait_until(lambda: len(observer.held_below("ha/disco/device/ts2mqtt/")) == count)
        assert not observer.held_below("homeassistant/")
        mark = observer.mark()
        await observer.publish("ha/here", "online")
        await observer.wait_until(lambda: len(set(observer.topics_since(mark, but=("ha/here",)))) == count)


async def test_a_target_removed_while_home_assistant_is_up_is_on_record_until_its_registry_is_written(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        mark = observer.mark()
        await home_assistant_starts(observer)
        await observer.wait_until(lambda: of.all_devices() <= set(observer.topics_since(mark)))
        example.remove_target(example.target(of.M31))
        await observer.wait_until_gone(of.target(of.M31), of.target_device(of.M31))
        assert _M31_RECORD in observer.held
        await observer.wait_until_gone(_M31_RECORD)


async def test_a_target_is_removed_again_when_the_power_failed_before_the_registry_was_written(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    """Home Assistant has the target again, and nobody else knows of it any more."""
    slow = replace(IMPATIENT, home_assistant=replace(IMPATIENT.home_assistant, registry_written_s=60.0))
    async with running_bridge(bridge_config(mosquitto.port, example_api), timings=slow):
        await all_published(observer)
        mark = observer.mark()
        await home_assistant_starts(observer)
        await observer.wait_until(lambda: of.all_devices() <= set(observer.topics_since(mark)))
        example.remove_target(example.target(of.M31))
        await observer.wait_until_gone(of.target(of.M31), of.target_device(of.M31))
        mark = observer.mark()
        await home_assistant_stops(observer)
        await home_assistant_starts(observer)
        await observer.wait_for(of.target_device(of.M31), lambda device: device["components"], after=mark)
        await observer.wait_until_gone(of.target_device(of.M31))


@pytest.mark.parametrize("bridge_restarts", [False, True])
async def test_a_target_removed_while_home_assistant_is_down_is_shown_whole_and_removed_when_it_is_back(
    mosquitto: Mosquitto,
    observer: Observer,
    example: SimulatedObservatory,
    example_api: SimulatedApi,
    bridge_restarts: bool,
) -> None:
    config, topic = bridge_config(mosquitto.port, example_api), of.target_device(of.M31)
    async with running_bridge(config):
        await all_published(observer)
        await home_assistant_stops(observer)
        whole = observer.held[topic]
        mark = observer.mark()
        example.remove_target(example.target(of.M31))
        await observer.wait_until_gone(of.target(of.M31), topic)
        published = [seen.topic for seen in observer.since(mark)]
        assert published.index(_M31_RECORD) < published.index(topic)
        assert observer.json(_M31_RECORD)["discovery"]
        if not bridge_restarts:
            await _home_assistant_forgets_m31(observer, json.loads(whole))
    if bridge_restarts:
        async with running_bridge(config):
            await observer.wait_until(lambda: observer.held[of.STATUS] == b"online")
            await later_change(observer, example)
            await _home_assistant_forgets_m31(observer, json.loads(whole))
    await observer.catch_up()
    assert not observer.held_below("ts2mqtt/bridge/removed/")


async def test_what_was_removed_is_not_left_standing_while_its_rig_is_off(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    """It was known to be gone when it was recorded; nobody need be asked for that again."""
    topic = of.target_device(of.M31)
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        await home_assistant_stops(observer)
        example.remove_target(example.target(of.M31))
        await observer.wait_until_gone(of.target(of.M31), topic)
    mark = observer.mark()
    async with running_bridge(bridge_config(mosquitto.port, "http://127.0.0.1:9")):
        await observer.wait_for(of.STATUS, b"online", after=mark)
        await home_assistant_starts(observer)
        await observer.wait_for(topic, lambda device: device["components"], after=mark)
        await observer.wait_for(topic, b"", after=mark)
        await observer.wait_until_gone(_M31_RECORD)
        assert of.rig_device() in observer.held


async def _home_assistant_forgets_m31(observer: Observer, whole: dict[str, object]) -> None:
    topic, mark = of.target_device(of.M31), observer.mark()
    await home_assistant_starts(observer)
    await observer.wait_for(topic, b"", after=mark)
    shown = versions(observer, mark, topic)
    assert [seen.payload != b"" for seen in shown] == [True, False]
    assert shown[0].json == whole
    await observer.wait_until_gone(_M31_RECORD)


async def test_between_showing_something_whole_and_removing_it_home_assistant_has_its_second(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    topic = of.target_device(of.M31)
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        await home_assistant_stops(observer)
        example.remove_target(example.target(of.M31))
        await observer.wait_until_gone(topic)
        mark = observer.mark()
        await home_assistant_starts(observer)
        await observer.wait_for(topic, lambda device: device["components"], after=mark)
        shown = observer.now
        await observer.wait_for(topic, b"", after=mark)
        assert observer.now - shown > 1.0


async def test_a_target_that_comes_back_while_home_assistant_is_down_stays(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    topic, target = of.target_device(of.M31), example.target(of.M31)
    project = example.project_of(target)
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        await home_assistant_stops(observer)
        whole = observer.held[topic]
        example.remove_target(target)
        await observer.wait_until_gone(topic)
        project.targets.append(target)
        await observer.wait_until(lambda: observer.held.get(topic) == whole)
        mark = observer.mark()
        await home_assistant_starts(observer)
        await observer.wait_until_gone(_M31_RECORD)
        await later_change(observer, example)
        assert {seen.payload for seen in versions(observer, mark, topic)} == {whole}


async def test_a_removal_that_lies_long_back_is_forgotten(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        old = {
            "removed": (datetime.now(UTC) - timedelta(days=31)).isoformat(),
            "discovery": observer.held[of.target_device(of.M31)].decode(),
        }
    unknown = "ts2mqtt/bridge/removed/backyard_target_00000000"
    await observer.publish(unknown, json.dumps(old), retain=True)
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await observer.wait_until(lambda: observer.held[of.STATUS] == b"online")
        await later_change(observer, example)
        mark = observer.mark()
        await home_assistant_starts(observer)
        await observer.wait_until_gone(unknown)
        assert "homeassistant/device/ts2mqtt/backyard_target_00000000/config" not in observer.topics_since(mark)


async def test_an_exposure_plan_that_vanishes_becomes_a_tombstone_which_then_goes(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    topic, target = of.target_device(of.M31), example.target(of.M31)
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        mark = observer.mark()
        await home_assistant_starts(observer)
        await observer.wait_for(topic, after=mark)
        before, mark = observer.json(topic)["components"], observer.mark()
        example.remove_exposure_plan(target, 3)
        gone = {key for key in before if key.startswith("blue_60_")}
        assert gone
        seen = await observer.wait_for(topic, lambda device: device["components"].keys() == before.keys(), after=mark)
        tombs = {key: component for key, component in seen.json["components"].items() if len(component) == 1}
        assert tombs == {key: {"platform": before[key]["platform"]} for key in gone}
        await observer.wait_for(topic, lambda device: device["components"].keys() == before.keys() - gone, after=mark)
        assert len(versions(observer, mark, topic)) == 2
        assert not observer.held_below("ts2mqtt/bridge/removed/")


async def test_a_tombstone_stays_while_home_assistant_is_down_and_the_component_is_shown_whole_when_it_is_back(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    topic, target = of.target_device(of.M31), example.target(of.M31)
    config = bridge_config(mosquitto.port, example_api)
    async with running_bridge(config):
        await all_published(observer)
        await home_assistant_stops(observer)
        before = observer.json(topic)["components"]
        example.remove_exposure_plan(target, 3)
        gone = {key for key in before if key.startswith("blue_60_")}
        await observer.wait_for(topic, lambda device: len(device["components"]["blue_60_accepted"]) == 1)
        await observer.wait_until(lambda: _M31_RECORD in observer.held)
        # Another version meanwhile must not lose the tombstones.
        example.rename(target, "Andromeda")
        await observer.wait_for(topic, lambda device: device["device"]["name"] == "Andromeda")
        assert gone <= observer.json(topic)["components"].keys()
    async with running_bridge(config):
        await observer.wait_until(lambda: observer.held[of.STATUS] == b"online")
        await later_change(observer, example)
        assert gone <= observer.json(topic)["components"].keys()
        mark = observer.mark()
        await home_assistant_starts(observer)
        await observer.wait_for(topic, lambda device: device["components"].keys() == before.keys() - gone, after=mark)
        shown = [seen.json["components"] for seen in versions(observer, mark, topic)]
        lost = [{key: components[key] for key in gone & components.keys()} for components in shown]
        assert {key: before[key] for key in gone} in lost
        assert {key: {"platform": before[key]["platform"]} for key in gone} in lost
        await observer.wait_until_gone(_M31_RECORD)


async def test_a_bridge_that_forgets_a_rig_while_home_assistant_is_down_has_it_removed_later(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api, "http://127.0.0.1:9")):
        await all_published(observer)
        await observer.wait_for(of.rig_device("remote"))
        whole = observer.json(of.rig_device("remote"))
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await observer.wait_until_gone(of.rig_device("remote"))
        mark = observer.mark()
        await home_assistant_starts(observer)
        await observer.wait_for(of.rig_device("remote"), lambda device: device == whole, after=mark)
        await observer.wait_for(of.rig_device("remote"), b"", after=mark)
        await observer.wait_until_gone("ts2mqtt/bridge/removed/remote")
        await later_change(observer, example)
