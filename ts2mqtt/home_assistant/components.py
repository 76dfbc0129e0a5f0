"""From the rows of the table to the components of one device."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from ts2mqtt.home_assistant import entities
from ts2mqtt.home_assistant.discovery import (
    AnyComponent,
    Availability,
    BinarySensor,
    Button,
    Entity,
    EventEntity,
    Image,
    Select,
    Sensor,
)
from ts2mqtt.topics.encode import OFFLINE, ONLINE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ts2mqtt.home_assistant.languages import Language

Row = TypeVar("Row", bound=entities.Entity)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTopics:
    """Where the entities of one device listen and send.

    `states` and `images` by what a row calls its topic; `live` are the status topics that must be online for what is
    live.
    """

    status: str
    command: str
    states: Mapping[str | None, str]
    event: str = ""
    images: Mapping[str, str] = field(default_factory=dict)
    live: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ComponentMaker:
    """For one device: unique ids begin with its id, suggested entity ids with `stem`."""

    device_id: str
    stem: str
    topics: DeviceTopics
    language: Language
    has_nina: bool = False

    def components(self, rows: Iterable[entities.Entity]) -> dict[str, AnyComponent]:
        return {row.key: self._component(spoken(row, self.language)) for row in rows}

    def _component(self, row: entities.Entity) -> Entity:
        match row:
            case entities.Shown():
                return self.shown(row, row.key, row.name, row.template(value_at(row.path)))
            case entities.Connectivity():
                return BinarySensor(
                    unique_id=self._unique_id(row.key),
                    name=row.name,
                    default_entity_id=self._entity_id("binary_sensor", row.key),
                    state_topic=self.topics.status,
                    payload_on=ONLINE.decode(),
                    payload_off=OFFLINE.decode(),
                    device_class=row.device_class,
                    entity_category=row.category,
                    availability=() if row.always else None,
                )
            case entities.Press():
                return Button(
                    unique_id=self._unique_id(row.key),
                    name=row.name,
                    default_entity_id=self._entity_id("button", row.key),
                    command_topic=self.topics.command,
                    payload_press=row.command,
                    entity_category=row.category,
                    icon=row.icon,
                )
            case entities.Picture():
                return Image(
                    unique_id=self._unique_id(row.key),
                    name=row.name,
                    default_entity_id=self._entity_id("image", row.key),
                    image_topic=self.topics.images[row.topic],
                    content_type="image/png",
                    icon=row.icon,
                )
            case entities.Happening():
                return EventEntity(
                    unique_id=self._unique_id(row.key),
                    name=row.name,
                    default_entity_id=self._entity_id("event", row.key),
                    state_topic=self.topics.event,
                    event_types=row.types(has_nina=self.has_nina),
                    icon=row.icon,
                )
            case _:
                raise TypeError(f"no component is made from {type(row).__name__}")

    def shown(self, row: entities.Shown, key: str, name: str, template: str) -> Entity:
        """For a row as it is spoken(); an exposure plan's component has a key, a name and a template of its own."""
        state_topic = self.topics.states[row.topic]
        enabled = None if row.enabled else False
        availability = tuple(Availability(topic=topic) for topic in self.topics.live) if row.live else None
        availability_mode = "all" if row.live else None
        match row:
            case entities.Truth():
                return BinarySensor(
                    unique_id=self._unique_id(key),
                    name=name,
                    default_entity_id=self._entity_id("binary_sensor", key),
                    entity_category=row.category,
                    enabled_by_default=enabled,
                    icon=row.icon,
                    device_class=row.device_class,
                    availability=availability,
                    availability_mode=availability_mode,
                    state_topic=state_topic,
                    value_template=template,
                )
            case entities.Selection():
                return Select(
                    unique_id=self._unique_id(key),
                    name=name,
                    default_entity_id=self._entity_id("select", key),
                    entity_category=row.category,
                    enabled_by_default=enabled,
                    icon=row.icon,
                    state_topic=state_topic,
                    value_template=template,
                    command_topic=self.topics.command,
                    command_template=f"{row.command} {{{{ value }}}}",
                    options=row.options,
                )
        measure = row if isinstance(row, entities.Measure) else None
        attributes = row.attributes_template()
        return Sensor(
            unique_id=self._unique_id(key),
            name=name,
            default_entity_id=self._entity_id("sensor", key),
            entity_category=row.category,
            enabled_by_default=enabled,
            icon=row.icon,
            device_class=row.device_class,
            availability=availability,
            availability_mode=availability_mode,
            state_topic=state_topic,
            value_template=template,
            json_attributes_topic=state_topic if attributes else None,
            json_attributes_template=attributes,
            unit_of_measurement=measure.unit if measure else None,
            state_class=measure.state_class if measure else None,
            suggested_display_precision=measure.precision if measure else None,
            options=(row.words or row.options) if isinstance(row, entities.Choice) else None,
        )

    def _unique_id(self, key: str) -> str:
        return f"{self.device_id}_{key}"

    def _entity_id(self, platform: str, key: str) -> str:
        return f"{platform}.{self.stem} {key}"


# Some forty rows make all the components of all the devices.
@cache
def spoken(row: Row, language: Language) -> Row:
    """The row with what people read of it in this language; its key and path stay."""
    said = replace(row, name=language.say(row.name))
    match said:
        case entities.Measure():
            unit, counts = (phrase and language.say(phrase) for phrase in (said.unit, said.counts))
            return replace(said, unit=unit, counts=counts)
        case entities.Choice():
            return replace(said, words=tuple(language.say(word) for word in said.options))
        case _:
            return said


def value_at(path: str) -> str:
    """A template expression for a key of the payload, or for one inside an object that may be null."""
    outer, dot, inner = path.partition(".")
    return f"(value_json.{outer} or {{}}).{inner} | default(none)" if dot else f"value_json.{path}"
