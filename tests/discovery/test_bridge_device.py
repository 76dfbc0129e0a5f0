"""The bridge's own device: what it shows, and what it can be told."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from jinja2 import Environment

from tests.discovery.home_assistant import COMPONENT_KEYS, DEVICE_KEYS, ID, PAYLOAD_KEYS, shown
from tests.support.build import rig
from tests.support.commanding import carried_out
from ts2mqtt import __version__
from ts2mqtt.home_assistant.devices import SETTLE_S, bridge_device_message, device_messages
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.topics import payloads
from ts2mqtt.topics.names import BRIDGE, TopicNames

NAMES = DiscoveryIds("homeassistant", TopicNames("ts2mqtt"))


def device(names: DiscoveryIds = NAMES) -> dict[str, Any]:
    ((topic, message),) = bridge_device_message(names).items()
    assert topic == names.topic(BRIDGE)
    assert message.settle_s == SETTLE_S
    return json.loads(message.payload)  # type: ignore[no-any-return]


def about(**keys: Any) -> bytes:
    usual = {
        "version": "1.2.3",
        "instance": "1",
        "since": datetime(2026, 2, 27, tzinfo=UTC),
        "protocol": "5",
        "log_level": "info",
        "last_problem": None,
        "rigs_online": 1,
        "rigs": [],
    }
    return payloads.Bridge.model_validate(usual | keys).to_bytes()


def test_it_stands_beside_the_rigs_and_is_taken_for_none() -> None:
    assert NAMES.topic(BRIDGE) == "homeassistant/device/ts2mqtt/config"
    assert NAMES.topics.removed(NAMES.object_id(BRIDGE)) == "ts2mqtt/bridge/removed/bridge"
    assert device()["device"] == {
        "identifiers": ["ts2mqtt_bridge"],
        "name": "ts2mqtt",
        "manufacturer": "ts2mqtt",
        "model": "Bridge",
        "sw_version": __version__,
    }


def test_two_bridges_can_be_told_apart() -> None:
    other = device(DiscoveryIds("homeassistant", TopicNames("roof/ts2mqtt")))
    assert other["device"]["name"] == "ts2mqtt roof/ts2mqtt"
    assert other["device"]["identifiers"] == ["roof_ts2mqtt_bridge"]


def test_home_assistant_knows_every_key() -> None:
    payload = device()
    assert payload.keys() <= PAYLOAD_KEYS
    assert payload["device"].keys() <= DEVICE_KEYS
    for key, component in payload["components"].items():
        assert component.keys() <= COMPONENT_KEYS[component["platform"]]
        assert ID.fullmatch(component["unique_id"])
        assert component["unique_id"] == f"ts2mqtt_bridge_{key}"
        assert component["default_entity_id"] == f"{component['platform']}.ts2mqtt {key}"


@pytest.mark.parametrize("rig_id", ["ts2mqtt", "connection", "bridge_log", "log_level"])
def test_no_rigs_ids_are_its_own(rig_id: str) -> None:
    announced = device_messages(NAMES, rig(id=rig_id), frozenset())
    assert NAMES.topic(BRIDGE) not in announced
    ids = {
        component["unique_id"]
        for message in announced.values()
        for component in json.loads(message.payload)["components"].values()
        if "unique_id" in component
    }
    assert ids.isdisjoint(component["unique_id"] for component in device()["components"].values())


def test_its_entities_show_what_the_bridge_says_of_itself() -> None:
    components = device()["components"]
    problem = "Backyard: the API does not answer"
    payload = about(last_problem=problem, rigs_online=2, log_level="debug")
    states = {key: shown(components[key], payload) for key in ("version", "rigs_online", "last_problem", "log_level")}
    assert states == {"version": "1.2.3", "rigs_online": 2, "last_problem": problem, "log_level": "debug"}
    assert {component.get("state_topic") for component in components.values()} == {
        "ts2mqtt/bridge",
        "ts2mqtt/status",
        None,
    }


def test_while_all_is_well_there_is_no_last_problem() -> None:
    assert shown(device()["components"]["last_problem"], about()) is None


def test_a_problem_without_end_is_cut() -> None:
    assert shown(device()["components"]["last_problem"], about(last_problem="x" * 500)) == "x" * 255


def test_the_connection_says_off_where_everything_else_is_unavailable() -> None:
    payload = device()
    assert payload["availability"] == [{"topic": "ts2mqtt/status"}]
    connection = payload["components"]["connection"]
    assert connection["availability"] == []
    assert (connection["state_topic"], connection["payload_on"], connection["payload_off"]) == (
        "ts2mqtt/status",
        "online",
        "offline",
    )
    assert [key for key, one in payload["components"].items() if "availability" in one] == ["connection"]


def test_its_commands_are_those_of_the_contract() -> None:
    level, rediscover = device()["components"]["log_level"], device()["components"]["rediscover"]
    assert level["command_topic"] == rediscover["command_topic"] == "ts2mqtt/command"
    assert rediscover["payload_press"] == "rediscover"
    assert carried_out(rediscover["command_topic"], rediscover["payload_press"]) == ["rediscover"]
    sent = [
        Environment(autoescape=True).from_string(level["command_template"]).render(value=v) for v in level["options"]
    ]
    assert sent == ["log_level debug", "log_level info", "log_level warning", "log_level error"]
    assert [carried_out(level["command_topic"], command) for command in sent] == [[command] for command in sent]
