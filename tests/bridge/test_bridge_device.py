"""The bridge says of itself how it is, and its device in Home Assistant comes and goes like all the others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.bridge.test_bridge import all_published, later_change
from tests.support import topics_of_example as of
from tests.support.observer import observing
from tests.support.running import bridge_config, mqtt_config, running_bridge
from ts2mqtt.bridge.clean import clean
from ts2mqtt.config import HomeAssistantConfig
from ts2mqtt.home_assistant.languages import GERMAN
from ts2mqtt.mqtt.connection import connect
from ts2mqtt.observatory.present import ACTIVITIES
from ts2mqtt.simulator.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import AnyBroker
    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer
    from tests.support.running import Log
    from ts2mqtt.simulator.api import SimulatedApi
    from ts2mqtt.simulator.observatory import SimulatedObservatory

_BIRTH = "homeassistant/status"
_RECORD = "ts2mqtt/bridge/removed/bridge"
IN_GERMAN = tuple(GERMAN.say(activity) for activity in ACTIVITIES)
WITHOUT = HomeAssistantConfig(enabled=False)


def has_activities(*words: str) -> Callable[[Any], bool]:
    return lambda device: device["components"]["activity"]["options"] == list(words)


async def test_rigs_are_tied_to_it(mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        (identifier,) = observer.json(of.BRIDGE_DEVICE)["device"]["identifiers"]
        assert observer.json(of.rig_device())["device"]["via_device"] == identifier


async def test_it_counts_the_rigs_and_names_what_went_wrong_last(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        await observer.wait_for(of.BRIDGE, lambda bridge: bridge["rigs_online"] == 1)
        assert observer.json(of.BRIDGE)["last_problem"] is None
        mark = observer.mark()
        example_api.faults.add(f"/projects/{of.P1}/targets", Fault.status(500))
        told = await observer.wait_for(of.BRIDGE, lambda bridge: bridge["last_problem"], after=mark)
        assert told.json["last_problem"].startswith("Backyard, targets of project 'P1': ")
        assert told.json["rigs_online"] == 1
        await example_api.stop()
        gone = await observer.wait_for(of.BRIDGE, lambda bridge: bridge["rigs_online"] == 0, after=mark)
        assert gone.json["last_problem"].startswith("Backyard: the API does not answer")
        example_api.faults.clear()
        await example_api.start()
        await observer.wait_until(
            lambda: (observer.json(of.BRIDGE)["rigs_online"], observer.json(of.BRIDGE)["last_problem"]) == (1, None)
        )
        await later_change(observer, example)
        mark = observer.mark()
        bystander = await later_change(observer, example)
        await later_change(observer, example)
        assert observer.topics_since(mark, but=(bystander,)) == []


async def test_what_the_broker_refuses_is_a_problem(
    mosquitto_with: Callable[..., Mosquitto], example_api: SimulatedApi, log: Log
) -> None:
    acl = ["topic readwrite ts2mqtt/#", "topic read #"]
    async with mosquitto_with(acl=acl) as broker:
        config = bridge_config(broker.port, example_api)
        five = config.model_copy(update={"mqtt": config.mqtt.model_copy(update={"protocol": "5"})})
        async with running_bridge(five), connect(mqtt_config(broker.port, client_id="reader")) as reader:
            await log.says("ERROR", "homeassistant/device/ts2mqtt/config", "access rules")
            await reader.subscribe([of.BRIDGE])
            async for message in reader.received():
                if "access rules" in str(json.loads(message.payload)["last_problem"]):
                    break


async def test_its_log_level_is_the_one_that_was_commanded(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi, log: Log
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        assert observer.json(of.BRIDGE)["log_level"] == "debug"
        select = observer.json(of.BRIDGE_DEVICE)["components"]["log_level"]
        assert "warning" in select["options"]
        await observer.publish(select["command_topic"], "log_level warning")
        await observer.wait_for(of.BRIDGE, lambda bridge: bridge["log_level"] == "warning")
    assert log.about("the log level changes to warning")


async def test_it_goes_when_home_assistant_is_no_longer_wanted_and_comes_again(
    broker: AnyBroker, example_api: SimulatedApi
) -> None:
    async with observing(broker.port) as observer:
        async with running_bridge(bridge_config(broker.port, example_api)):
            await all_published(observer)
            whole = await observer.wait_for(of.BRIDGE_DEVICE)
        async with running_bridge(bridge_config(broker.port, example_api, home_assistant=WITHOUT)):
            await observer.wait_until_gone(of.BRIDGE_DEVICE, of.rig_device())
        async with running_bridge(bridge_config(broker.port, example_api)):
            await observer.wait_for(of.BRIDGE_DEVICE, whole.payload, after=observer.mark())


async def test_an_unchanged_one_is_not_published_again(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    config = bridge_config(mosquitto.port, example_api)
    async with running_bridge(config):
        await all_published(observer)
    mark = observer.mark()
    async with running_bridge(config):
        await observer.wait_for(of.STATUS, b"online", after=mark)
        await later_change(observer, example)
        assert of.BRIDGE_DEVICE not in observer.topics_since(mark)


async def test_after_its_birth_home_assistant_is_told_of_a_component_that_an_older_version_had(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    """The records of what was removed work for this device as for all."""
    config = bridge_config(mosquitto.port, example_api)
    async with running_bridge(config):
        await all_published(observer)
    older = observer.json(of.BRIDGE_DEVICE)
    older["components"]["coffee"] = {"platform": "button", "unique_id": "coffee", "command_topic": "coffee"}
    await observer.publish(of.BRIDGE_DEVICE, json.dumps(older), retain=True)
    async with running_bridge(config):
        await observer.wait_for(
            of.BRIDGE_DEVICE, lambda device: device["components"].get("coffee") == {"platform": "button"}
        )
        await observer.wait_until(lambda: _RECORD in observer.held)
        mark = observer.mark()
        await observer.publish(_BIRTH, "online")
        await observer.wait_for(
            of.BRIDGE_DEVICE, lambda device: "unique_id" in device["components"].get("coffee", {}), after=mark
        )
        await observer.wait_until_gone(_RECORD)
        await observer.wait_until(lambda: "coffee" not in observer.json(of.BRIDGE_DEVICE)["components"])


async def test_another_language_changes_devices_and_nothing_else(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    german = HomeAssistantConfig(language="de")
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        await later_change(observer, example)
        english = {topic: observer.json(topic) for topic in (of.BRIDGE_DEVICE, *of.all_devices())}
    told_again = {of.RIG_STATE, of.project(of.P1), of.project(of.P2)}
    held = {topic: observer.held[topic] for topic in told_again}
    mark = observer.mark()
    async with running_bridge(bridge_config(mosquitto.port, example_api, home_assistant=german)):
        await observer.wait_for(of.rig_device(), has_activities(*IN_GERMAN), after=mark)
        await observer.wait_until(lambda: english.keys() <= set(observer.topics_since(mark)))
        bystander = await later_change(observer, example)
        changed = set(observer.topics_since(mark, but=(of.STATUS, of.BRIDGE, bystander)))
        assert changed == english.keys() | told_again
        assert {topic: observer.held[topic] for topic in told_again} == held
        for topic, device in english.items():
            for key, component in device["components"].items():
                now = observer.json(topic)["components"][key]
                assert now.get("unique_id") == component.get("unique_id")
                assert now.get("default_entity_id") == component.get("default_entity_id")


async def test_a_state_is_told_again_in_new_words_while_the_old_ones_are_still_options(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    """Home Assistant refuses the state that it shows if it is no option, and renders it anew at the next message."""
    german = HomeAssistantConfig(language="de")
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
    mark = observer.mark()
    async with running_bridge(bridge_config(mosquitto.port, example_api, home_assistant=german)):
        both = await observer.wait_for(of.rig_device(), has_activities(*IN_GERMAN, *ACTIVITIES[:-1]), after=mark)
        only = await observer.wait_for(of.rig_device(), has_activities(*IN_GERMAN), after=mark)
    seen = observer.seen[mark:]
    between = seen[seen.index(both) : seen.index(only)]
    assert of.RIG_STATE in {message.topic for message in between}
    assert len([message for message in seen if message.topic == of.rig_device()]) == 2
    assert (
        both.json["components"]["activity"]["value_template"] == only.json["components"]["activity"]["value_template"]
    )


async def test_clean_takes_it_away(mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi) -> None:
    config = bridge_config(mosquitto.port, example_api, home_assistant=WITHOUT)
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
    await observer.publish("homeassistant/device/another/config", "kept", retain=True)
    await clean(config)
    await observer.catch_up()
    assert observer.held_below(of.DEVICES) == {"homeassistant/device/another/config"}
