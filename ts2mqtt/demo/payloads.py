"""Reads payloads for the demo's screen.

Any client may publish on the demo's broker. So no text and no number is trusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import Field

from ts2mqtt.demo.short_text import terminal_safe
from ts2mqtt.topics.payloads import Payload, Plan, State
from ts2mqtt.topics.reading import read_content

if TYPE_CHECKING:
    from pydantic import JsonValue

Model = TypeVar("Model", bound=Payload)

NO_STATE = State.model_validate({})
"""The state of a rig before its first message."""

NO_PLAN = Plan.model_validate({"blocks": []})
"""The night plan of a rig before its first message."""

_LARGEST_NUMBER = 1e12


class Component(Payload):
    """One component of a discovery payload; a device trigger and a removed component have no entity id."""

    default_entity_id: str | None = None
    enabled_by_default: bool = True
    state_topic: str | None = None


class Device(Payload):
    """A discovery payload of Home Assistant."""

    components: dict[str, Component] = Field(default_factory=dict)


def read_payload(model: type[Model], content: JsonValue) -> Model | None:
    """The JSON as this model, or None if it does not fit the model.

    Texts are safe for a terminal. A number that is too large is read as if it were missing.
    """
    return read_content(model, _safe(content))


def _safe(content: JsonValue) -> JsonValue:
    match content:
        case str():
            return terminal_safe(content)
        case int() | float():
            return content if abs(content) <= _LARGEST_NUMBER else None
        case list():
            return [_safe(item) for item in content]
        case dict():
            return {key: _safe(value) for key, value in content.items()}
        case _:
            return None
