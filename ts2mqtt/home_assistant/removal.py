"""What it takes to make Home Assistant forget: tombstones for components, and a record of what it may have missed.

Home Assistant removes an entity only when it sees the removal of something that it discovered since its own
start. What goes while it is down has to be shown to it whole once more, and then be removed again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ts2mqtt.home_assistant.discovery import Tombstone
from ts2mqtt.home_assistant.held import read_payload

LONGEST_MEMORY = timedelta(days=30)
"""After this a record is dropped: a Home Assistant that is down for longer will be cleaned by its owner."""


class RemovalRecord(BaseModel):
    """Stands, retained, for something that was removed while nobody knew whether Home Assistant was up."""

    model_config = ConfigDict(frozen=True)

    removed: datetime = Field(description="when it was removed")
    discovery: str = Field(description="the device's discovery payload with everything in it that was removed")

    def to_bytes(self) -> bytes:
        return self.model_dump_json().encode()


def vanished_components(wanted: bytes, held: bytes) -> bool:
    """Whether the broker's payload has a living component that the wanted one lacks."""
    old, new = read_payload(held), read_payload(wanted)
    return old is not None and new is not None and not old.living().keys() <= new.components.keys()


def with_tombstones(wanted: bytes, held: bytes, *, keep_old: bool) -> bytes:
    """The wanted payload with a tombstone for each component that the broker's payload has and it has not.

    Tombstones that are there already stay only with `keep_old`: until Home Assistant must have seen them.
    """
    old, new = read_payload(held), read_payload(wanted)
    if old is None or new is None:
        return wanted
    missing = (old.components if keep_old else old.living()).keys() - new.components.keys()
    if not missing:
        return wanted
    for key in sorted(missing):
        platform = old.components[key].get("platform")
        new.components[key] = Tombstone(platform=str(platform)).model_dump()
    return new.to_bytes()


def record(held: bytes, earlier: RemovalRecord | None, now: datetime) -> RemovalRecord | None:
    """A record that remembers this payload's living components and those of an earlier record of the device."""
    payload = read_payload(held)
    if payload is None:
        return None
    before = read_payload(earlier.discovery.encode()) if earlier else None
    whole = payload.model_copy(update={"components": (before.living() if before else {}) | payload.living()})
    return RemovalRecord(removed=now, discovery=whole.to_bytes().decode())


def read_record(payload: bytes) -> RemovalRecord | None:
    """None if this is no record that can be used."""
    try:
        found = RemovalRecord.model_validate_json(payload)
    except ValidationError:
        return None
    return found if read_payload(found.discovery.encode()) and found.removed.tzinfo else None


def whole_again(found: RemovalRecord, current: bytes | None) -> bytes:
    """What to show Home Assistant before removing: the device as it is now, with what it has lost since."""
    if current is None:
        return found.discovery.encode()
    lost, now = read_payload(found.discovery.encode()), read_payload(current)
    if lost is None or now is None or lost.living().keys() <= now.living().keys():
        return current
    return now.model_copy(update={"components": lost.living() | now.living()}).to_bytes()
