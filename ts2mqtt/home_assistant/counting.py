"""How much Home Assistant is told of: devices, and the entities that they have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Announced:
    """`disabled` of the entities stay hidden until a user enables them."""

    devices: int
    entities: int
    disabled: int


class _Component(BaseModel):
    unique_id: str | None = None
    enabled_by_default: bool = True


class _Payload(BaseModel):
    components: dict[str, _Component]


def announced(payloads: Iterable[bytes]) -> Announced:
    """Counts in our own discovery payloads; a device trigger is no entity and has no unique id."""
    devices = [_Payload.model_validate_json(payload) for payload in payloads]
    entities = [component for device in devices for component in device.components.values() if component.unique_id]
    return Announced(
        devices=len(devices),
        entities=len(entities),
        disabled=sum(not entity.enabled_by_default for entity in entities),
    )
