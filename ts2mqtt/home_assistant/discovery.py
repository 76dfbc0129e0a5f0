"""Home Assistant's device discovery payload, as typed models with the keys it accepts and no others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ts2mqtt import REPOSITORY_URL, __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

# Home Assistant subscribes to exactly these two forms of id (mqtt/discovery.py); anything else is ignored.
_NOT_ALLOWED_IN_IDS = re.compile(r"[^a-zA-Z0-9_-]")


class _Model(BaseModel):
    # What an earlier or later version of ours had written beyond these keys stays when a payload is read back.
    model_config = ConfigDict(frozen=True, extra="allow")


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
    json_attributes_topic: str | None = None
    json_attributes_template: str | None = None
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

    model_config = ConfigDict(frozen=True, extra="forbid")

    platform: str


class StrangeComponent(_Model):
    """A component as another version of ours has written it."""

    platform: str = "None"


Entity = Sensor | BinarySensor | Button | Select | Image | EventEntity
AnyComponent = Entity | DeviceTrigger
ReadComponent = Tombstone | AnyComponent | StrangeComponent


def guide_url(repository_url: str) -> str | None:
    """What *Visit* on a device opens; None where the repository's address is not known.

    An address of the rig would open nothing: neither the Target Scheduler's API nor N.I.N.A.'s has a page, and a
    browser may not reach what the bridge reaches.
    """
    return f"{repository_url}/blob/main/docs/home-assistant.md" if repository_url else None


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
    support_url: str | None = REPOSITORY_URL or None


class DevicePayload(_Model):
    """A device with all its entities and triggers, as Home Assistant's MQTT integration reads it."""

    device: Device
    origin: Origin = Origin()
    availability: tuple[Availability, ...]
    components: dict[str, Annotated[ReadComponent, Field(union_mode="left_to_right")]]

    def to_bytes(self) -> bytes:
        return self.model_dump_json(exclude_none=True).encode()

    def with_components(self, components: Mapping[str, ReadComponent]) -> DevicePayload:
        return self.model_copy(update={"components": dict(components)})


def read_device(payload: bytes) -> DevicePayload | None:
    """A discovery payload of ours as the broker holds it; None if it cannot be read."""
    try:
        return DevicePayload.model_validate_json(payload)
    except ValidationError:
        return None


@dataclass(frozen=True, slots=True)
class Announced:
    """How much Home Assistant is told of; `disabled` of the entities stay hidden until a user enables them."""

    devices: int = 0
    entities: int = 0
    disabled: int = 0

    def __add__(self, other: Announced) -> Announced:
        return Announced(self.devices + other.devices, self.entities + other.entities, self.disabled + other.disabled)


# As to_bytes() writes them: inside of a JSON text, the quotes around a key would be escaped.
_ENTITY, _DISABLED = b'"unique_id":', b'"enabled_by_default":false'


def announced(payload: bytes) -> Announced:
    """Counts in one of our own discovery payloads; a device trigger is no entity and has no unique id."""
    return Announced(devices=1, entities=payload.count(_ENTITY), disabled=payload.count(_DISABLED))


# Asked for with every topic and id of every device.
@cache
def node_id(base_topic: str) -> str:
    """The base topic in the form that Home Assistant allows in a discovery topic."""
    return _NOT_ALLOWED_IN_IDS.sub("_", base_topic)
