"""Home Assistant's device discovery payload, as typed models with the keys it accepts and no others."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, SerializeAsAny

from ts2mqtt import __version__

# Home Assistant subscribes to exactly these two forms of id (mqtt/discovery.py); anything else is ignored.
_NOT_ALLOWED_IN_IDS = re.compile(r"[^a-zA-Z0-9_-]")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Availability(_Model):
    topic: str


class Component(_Model):
    """What all platforms have in common; keys that are None are not sent."""

    unique_id: str
    name: str
    default_entity_id: str
    entity_category: str | None = None
    enabled_by_default: bool | None = None
    icon: str | None = None
    device_class: str | None = None
    availability: tuple[Availability, ...] | None = None
    availability_mode: str | None = None


class Sensor(Component):
    platform: Literal["sensor"] = "sensor"
    state_topic: str
    value_template: str
    unit_of_measurement: str | None = None
    state_class: str | None = None
    suggested_display_precision: int | None = None
    options: tuple[str, ...] | None = None


class BinarySensor(Component):
    platform: Literal["binary_sensor"] = "binary_sensor"
    state_topic: str
    value_template: str | None = None
    payload_on: str | None = None
    payload_off: str | None = None


class Button(Component):
    platform: Literal["button"] = "button"
    command_topic: str
    payload_press: str


class Select(Component):
    platform: Literal["select"] = "select"
    state_topic: str
    value_template: str
    command_topic: str
    command_template: str
    options: tuple[str, ...]


class Image(Component):
    platform: Literal["image"] = "image"
    image_topic: str
    content_type: str


class EventEntity(Component):
    platform: Literal["event"] = "event"
    state_topic: str
    event_types: tuple[str, ...]


class DeviceTrigger(_Model):
    """No entity: shows in the automation editor as something that this device does."""

    platform: Literal["device_automation"] = "device_automation"
    automation_type: Literal["trigger"] = "trigger"
    topic: str
    value_template: str
    payload: str
    type: str
    subtype: str


class Tombstone(_Model):
    """Tells Home Assistant that a component is gone; leaving the component out would not."""

    platform: str


Entity = Sensor | BinarySensor | Button | Select | Image | EventEntity
AnyComponent = Entity | DeviceTrigger


class Device(_Model):
    identifiers: tuple[str, ...]
    name: str
    manufacturer: str
    model: str
    sw_version: str | None = None
    configuration_url: str | None = None
    via_device: str | None = None


class Origin(_Model):
    name: str = "ts2mqtt"
    sw_version: str = __version__


class DevicePayload(_Model):
    """A device with all its entities and triggers, as Home Assistant's MQTT integration reads it."""

    device: Device
    origin: Origin = Origin()
    availability: tuple[Availability, ...]
    components: dict[str, SerializeAsAny[AnyComponent | Tombstone]]

    def to_bytes(self) -> bytes:
        return self.model_dump_json(exclude_none=True).encode()


# Asked for with every topic and id of every device.
@cache
def node_id(base_topic: str) -> str:
    """The base topic in the form that Home Assistant allows in a discovery topic."""
    return _NOT_ALLOWED_IN_IDS.sub("_", base_topic)
