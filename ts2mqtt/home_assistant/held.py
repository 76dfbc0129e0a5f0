"""A discovery payload of this or an earlier version of ours, as the broker holds it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError


class HeldPayload(BaseModel):
    """Read for its components alone; everything else stays as it is."""

    model_config = ConfigDict(extra="allow")

    components: dict[str, dict[str, JsonValue]]

    def living(self) -> dict[str, dict[str, JsonValue]]:
        """The components that are no tombstones."""
        return {key: component for key, component in self.components.items() if not component.keys() <= {"platform"}}

    def to_bytes(self) -> bytes:
        return self.model_dump_json().encode()


def read_payload(payload: bytes) -> HeldPayload | None:
    """None if this cannot be read."""
    try:
        return HeldPayload.model_validate_json(payload)
    except ValidationError:
        return None
