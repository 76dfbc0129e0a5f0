"""What the screen reads in the payloads: any client may have published them, so no text and no number is trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import Field

from ts2mqtt.demo.wording import harmless
from ts2mqtt.topics.payloads import (
    Appointment,
    ExposurePlan,
    Payload,
    Plan,
    PlannedExposures,
    Project,
    State,
    Statistics,
    Target,
    Tonight,
)
from ts2mqtt.topics.reading import read_content

if TYPE_CHECKING:
    from pydantic import JsonValue

__all__ = [
    "NO_PLAN",
    "NO_STATE",
    "Appointment",
    "Component",
    "Device",
    "ExposurePlan",
    "Plan",
    "PlannedExposures",
    "Project",
    "State",
    "Statistics",
    "Target",
    "Tonight",
    "read",
]

Model = TypeVar("Model", bound=Payload)

NO_STATE = State.model_validate({})
NO_PLAN = Plan.model_validate({"blocks": []})
_LARGEST = 1e12


class Component(Payload):
    """One of a device's parts; without an entity id it is no entity, but a device trigger or a tombstone."""

    default_entity_id: str | None = None
    enabled_by_default: bool = True
    state_topic: str | None = None


class Device(Payload):
    """A device as it is announced to Home Assistant."""

    components: dict[str, Component] = Field(default_factory=dict)


def read(model: type[Model], content: JsonValue) -> Model | None:
    """None for what is no such payload; texts in it can do nothing to a terminal, and no number is absurd."""
    return read_content(model, _harmless(content))


def _harmless(content: JsonValue) -> JsonValue:
    match content:
        case str():
            return harmless(content)
        case int() | float():
            return content if abs(content) <= _LARGEST else None
        case list():
            return [_harmless(item) for item in content]
        case dict():
            return {key: _harmless(value) for key, value in content.items()}
        case _:
            return None
