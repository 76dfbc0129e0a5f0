"""As much of Home Assistant as discovery payloads have to please: its schemas, its templates, its sensors.

Keys and units are those of components/mqtt/schemas.py and components/sensor/const.py of Home Assistant 2026.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

ID = re.compile(r"[a-zA-Z0-9_-]+")
LONGEST_STATE = 255

PAYLOAD_KEYS = {
    "device",
    "origin",
    "components",
    "availability",
    "availability_topic",
    "availability_mode",
    "availability_template",
    "payload_available",
    "payload_not_available",
    "state_topic",
    "command_topic",
    "qos",
    "encoding",
}
DEVICE_KEYS = {
    "identifiers",
    "connections",
    "name",
    "manufacturer",
    "model",
    "model_id",
    "hw_version",
    "sw_version",
    "serial_number",
    "suggested_area",
    "configuration_url",
    "via_device",
}
ORIGIN_KEYS = {"name", "sw_version", "support_url"}
AVAILABILITY_KEYS = {"topic", "payload_available", "payload_not_available", "value_template"}

_ENTITY_KEYS = {
    "platform",
    "unique_id",
    "name",
    "default_entity_id",
    "entity_category",
    "enabled_by_default",
    "icon",
    "entity_picture",
    "availability",
    "availability_mode",
    "json_attributes_topic",
    "json_attributes_template",
    "qos",
    "encoding",
}
COMPONENT_KEYS = {
    "sensor": _ENTITY_KEYS
    | {
        "state_topic",
        "value_template",
        "device_class",
        "unit_of_measurement",
        "state_class",
        "suggested_display_precision",
        "options",
        "expire_after",
        "force_update",
        "last_reset_value_template",
    },
    "binary_sensor": _ENTITY_KEYS
    | {
        "state_topic",
        "value_template",
        "device_class",
        "payload_on",
        "payload_off",
        "expire_after",
        "force_update",
        "off_delay",
    },
    "button": _ENTITY_KEYS | {"command_topic", "command_template", "payload_press", "device_class", "retain"},
    "select": _ENTITY_KEYS
    | {"state_topic", "value_template", "command_topic", "command_template", "options", "retain", "optimistic"},
    "device_automation": {
        "platform",
        "automation_type",
        "topic",
        "value_template",
        "payload",
        "type",
        "subtype",
        "qos",
    },
    "event": _ENTITY_KEYS | {"state_topic", "value_template", "event_types", "device_class"},
    "image": _ENTITY_KEYS | {"image_topic", "image_encoding", "content_type", "url_topic", "url_template"},
}
DEVICE_CLASSES: dict[str, set[str | None]] = {
    "sensor": {"duration", "timestamp", "enum", None},
    "binary_sensor": {"connectivity", "running", "problem", None},
    "button": {"restart", "update", "identify", None},
    "select": {None},
    "event": {"button", "doorbell", "motion", None},
    "image": {None},
}
UNITS: dict[str, set[str | None]] = {
    "duration": {"d", "h", "min", "s", "ms", "μs"},
    "timestamp": {None},
    "enum": {None},
}
"""By device class; without one any unit goes."""

STATE_CLASSES: set[str | None] = {None, "measurement", "measurement_angle", "total", "total_increasing"}

_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined)


def entities_in(payload: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The components of a device that are entities, which its triggers are not."""
    components = payload["components"].items()
    return {key: component for key, component in components if component["platform"] != "device_automation"}


def rendered(template: str, payload: bytes) -> str:
    """The text a value template gives; anything that Home Assistant would log about it raises.

    Home Assistant logs where something undefined is printed, compared or asked for its truth; StrictUndefined
    raises there.
    """
    text = _ENVIRONMENT.from_string(template).render(value=payload.decode(), value_json=json.loads(payload))
    return text.strip()


def shown(component: dict[str, Any], payload: bytes) -> str | float | datetime | None:
    """What the entity shows, None for unknown; asserts that Home Assistant takes it without a word.

    A number for what has a unit or a state class, an aware time for a timestamp, else text.
    """
    text = rendered(component["value_template"], payload) if "value_template" in component else payload.decode()
    if text == "None":
        return None
    if component["platform"] == "binary_sensor":
        assert text in {component.get("payload_on", "ON"), component.get("payload_off", "OFF")}, text
        return text
    if component.get("device_class") == "timestamp":
        moment = datetime.fromisoformat(text)
        assert moment.tzinfo is not None, text
        return moment
    if "options" in component:
        assert text in component["options"], text
        return text
    if component.keys() & {"unit_of_measurement", "state_class", "suggested_display_precision"}:
        return float(text)
    assert text
    assert len(text) <= LONGEST_STATE
    return text
