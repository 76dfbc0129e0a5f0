"""How much Home Assistant is told of: devices, and the entities that they have."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Announced:
    """`disabled` of the entities stay hidden until a user enables them."""

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
