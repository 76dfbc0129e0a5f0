"""How much Home Assistant is told of: devices, and the entities that they have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Announced:
    """`disabled` of the entities stay hidden until a user enables them."""

    devices: int
    entities: int
    disabled: int


# As to_bytes() writes them: inside of a JSON text, the quotes around a key would be escaped.
_ENTITY, _DISABLED = b'"unique_id":', b'"enabled_by_default":false'


def announced(payloads: Iterable[bytes]) -> Announced:
    """Counts in our own discovery payloads; a device trigger is no entity and has no unique id."""
    devices = tuple(payloads)
    return Announced(
        devices=len(devices),
        entities=sum(device.count(_ENTITY) for device in devices),
        disabled=sum(device.count(_DISABLED) for device in devices),
    )
