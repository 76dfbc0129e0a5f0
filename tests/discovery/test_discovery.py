"""The models of discovery payloads: only known keys, and none without a value."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from tests.discovery.home_assistant import COMPONENT_KEYS, DEVICE_KEYS, ORIGIN_KEYS, PAYLOAD_KEYS
from ts2mqtt import __version__
from ts2mqtt.home_assistant.discovery import (
    Availability,
    BinarySensor,
    Button,
    Component,
    Device,
    DevicePayload,
    EventEntity,
    Image,
    Origin,
    Sensor,
    Tombstone,
    node_id,
)

RIG = Device(identifiers=("ts2mqtt_backyard",), name="Backyard", manufacturer="N.I.N.A.", model="Target Scheduler")
SENSOR = Sensor(
    unique_id="ts2mqtt_backyard_activity",
    name="Activity",
    default_entity_id="sensor.backyard activity",
    state_topic="ts2mqtt/backyard/state",
    value_template="{{ value_json.activity }}",
)


@pytest.mark.parametrize(
    "model", [Sensor, BinarySensor, Button, Image, EventEntity], ids=lambda model: model.__name__
)
def test_a_component_has_no_key_that_home_assistant_lacks(model: type[Component]) -> None:
    platform = model.model_fields["platform"].default
    # `device_class` stands in the common part; the image platform, which has none, must not be given one.
    assert model.model_fields.keys() - {"device_class"} <= COMPONENT_KEYS[platform]


@pytest.mark.parametrize(
    ("model", "keys"),
    [(DevicePayload, PAYLOAD_KEYS), (Device, DEVICE_KEYS), (Origin, ORIGIN_KEYS), (Tombstone, {"platform"})],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_the_levels_above_have_none_either(model: type[DevicePayload | Device | Origin], keys: set[str]) -> None:
    assert model.model_fields.keys() <= keys


def test_a_key_that_does_not_exist_cannot_be_sent() -> None:
    with pytest.raises(ValidationError, match="object_id"):
        Tombstone.model_validate({"platform": "sensor", "object_id": "x"})


def test_a_payload_holds_what_has_a_value_and_each_platforms_own_keys() -> None:
    payload = DevicePayload(
        device=RIG, availability=(Availability(topic="ts2mqtt/status"),), components={"activity": SENSOR}
    )
    assert json.loads(payload.to_bytes()) == {
        "device": {
            "identifiers": ["ts2mqtt_backyard"],
            "name": "Backyard",
            "manufacturer": "N.I.N.A.",
            "model": "Target Scheduler",
        },
        "origin": {"name": "ts2mqtt", "sw_version": __version__},
        "availability": [{"topic": "ts2mqtt/status"}],
        "components": {
            "activity": {
                "platform": "sensor",
                "unique_id": "ts2mqtt_backyard_activity",
                "name": "Activity",
                "default_entity_id": "sensor.backyard activity",
                "state_topic": "ts2mqtt/backyard/state",
                "value_template": "{{ value_json.activity }}",
            }
        },
    }


@pytest.mark.parametrize(
    ("base_topic", "expected"),
    [("ts2mqtt", "ts2mqtt"), ("a/b", "a_b"), ("Stern.warte 1", "Stern_warte_1"), ("ä-_9", "_-_9")],
)
def test_a_base_topic_becomes_a_node_id(base_topic: str, expected: str) -> None:
    assert node_id(base_topic) == expected
