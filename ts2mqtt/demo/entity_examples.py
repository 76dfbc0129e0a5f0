"""The entities that Home Assistant would make from the discovery payloads: their number, and examples with states."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ts2mqtt.demo.short_text import terminal_safe
from ts2mqtt.home_assistant import entities

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import JsonValue

    from ts2mqtt.demo.payloads import Component
    from ts2mqtt.demo.screen import Screen

_RIG_KEYS = ("activity", "current_target", "exposures_tonight", "planned_imaging")
_PROJECT_KEYS = ("completion", "remaining_integration")
_TARGET_KEYS = ("completion", "accepted_integration")
_MAXIMUM_NUMBER = 1e12


@dataclass(frozen=True, slots=True)
class EntityExample:
    """An entity's id and its state now."""

    entity_id: str
    state: str


@dataclass(frozen=True, slots=True)
class EntityCount:
    """How many devices and entities are announced; `disabled` entities are hidden until the user enables them."""

    devices: int
    entities: int
    disabled: int


def entity_count(screen: Screen) -> EntityCount:
    announced = [
        component
        for device in screen.devices.values()
        for component in device.components.values()
        if component.default_entity_id
    ]
    disabled = sum(not component.enabled_by_default for component in announced)
    return EntityCount(len(screen.devices), len(announced), disabled)


def entity_examples(screen: Screen) -> Iterator[EntityExample]:
    """Some entities of each rig, and of its current project and target (or the next ones)."""
    for rig in screen.rigs.values():
        yield from _examples(screen, rig.id, rig.id, entities.RIG, _RIG_KEYS)
        scheduled = rig.state.current_target or rig.state.next_target
        if scheduled is not None:
            project, target = f"{rig.id}_project_{scheduled.project_id}", f"{rig.id}_target_{scheduled.id}"
            yield from _examples(screen, rig.id, target, entities.TARGET, _TARGET_KEYS)
            yield from _examples(screen, rig.id, project, entities.PROJECT, _PROJECT_KEYS)


def _examples(
    screen: Screen, rig_id: str, object_id: str, table: tuple[entities.Entity, ...], keys: tuple[str, ...]
) -> Iterator[EntityExample]:
    device = screen.devices.get(object_id)
    rows = {row.key: row for row in table}
    for key in keys:
        row = rows.get(key)
        component = device.components.get(key) if device else None
        if component is None or not isinstance(row, entities.Shown):
            continue
        entity_id = _entity_id(component)
        if entity_id is not None:
            unavailable = screen.rigs[rig_id].online is False and row.live
            yield EntityExample(entity_id, "unavailable" if unavailable else _state(screen, component, row))


def _entity_id(component: Component) -> str | None:
    """The id as Home Assistant writes it; None for a name that Home Assistant would transliterate."""
    domain, _, name = (component.default_entity_id or "").partition(".")
    if not name.isascii():
        return None
    return f"{domain}.{re.sub(r'[^a-z0-9]+', '_', name.lower()).strip('_')}"


def _state(screen: Screen, component: Component, row: entities.Shown) -> str:
    value = _value_at(screen.json_by_topic.get(component.state_topic or "", {}), row.path)
    match row, value:
        case _, int() | float() if abs(value) > _MAXIMUM_NUMBER:
            return "unknown"
        case entities.Hours(), int() | float():
            return f"{value / 3600:.{row.precision or 0}f} {row.unit}"
        case entities.Measure(), int() | float():
            number = f"{value:.{row.precision}f}" if row.precision is not None else f"{value:g}"
            return f"{number} {row.unit}" if row.unit else number
        case _, str() if value:
            return terminal_safe(value)
        case _:
            return "unknown"


def _value_at(content: Mapping[str, JsonValue], path: str) -> JsonValue:
    outer, _, inner = path.partition(".")
    value = content.get(outer)
    return value if not inner else value.get(inner) if isinstance(value, dict) else None
