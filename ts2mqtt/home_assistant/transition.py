"""Leads Home Assistant from the device that it knows to the device that there is, step by step.

Five facts of Home Assistant make the steps necessary:

- It removes an entity only when it sees the removal of something that it discovered since its own start. A component
  that is left out of a payload stays; it has to be named as a tombstone once (mqtt/discovery.py).
- What goes while it is down has to be shown to it whole once more, and then be removed again. So what goes is put on
  record, on the broker.
- It writes its registry late: when the power fails within some ten seconds after a removal, what was removed is there
  again. So the record stays for two minutes also when Home Assistant is up.
- With a new payload it goes on showing the state that it rendered with the old one, until the next message on the
  state's topic (mqtt/subscription.py subscribes again only where the topic is another).
- A state that is none of the new payload's options breaks the entity (sensor/entity.py). So the old words stay among
  the options until the state has been published again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ts2mqtt.home_assistant.discovery import DevicePayload, Tombstone, read_device

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ts2mqtt.home_assistant.discovery import ReadComponent

LONGEST_MEMORY = timedelta(days=30)
"""After this a record is dropped: a Home Assistant that is down for longer will be cleaned by its owner."""


class Presence(Enum):
    """What is known of Home Assistant, by its birth and last will."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


class RemovalRecord(BaseModel):
    """Stands, retained, for something that was removed, until Home Assistant has surely forgotten it."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)

    removed: datetime = Field(description="when it was removed")
    discovery: str = Field(description="the device's discovery payload with everything in it that was removed")
    seen: bool = Field(default=False, description="whether Home Assistant was up at every removal")

    def to_bytes(self) -> bytes:
        return self.model_dump_json().encode()


@dataclass(frozen=True, slots=True)
class Step:
    """What to do about one device now; a payload of None leaves a topic as it is, an empty one clears it.

    `record` goes to the topic of removed devices before `publish` goes to the device's own. `tell_before` and
    `tell_after` are state topics to publish once more: just before, and when the device has settled. With
    `look_again` the next step is due when the device has settled. With `forget_record`, Home Assistant has seen the
    removal: the record can go once its registry is written.
    """

    publish: bytes | None = None
    record: bytes | None = None
    tell_before: frozenset[str] = frozenset()
    tell_after: frozenset[str] = frozenset()
    look_again: bool = False
    forget_record: bool = False


NOTHING = Step()


@dataclass(frozen=True, slots=True)
class Showing:
    """A device as Home Assistant has to see it, and what has to stand there `afterwards`; empty: nothing.

    `record` then takes the place of the one that led to this.
    """

    whole: bytes
    afterwards: bytes
    record: bytes


def next_step(
    wanted: bytes | None, held: bytes | None, record: bytes | None, presence: Presence, now: datetime
) -> Step:
    """From what the broker holds of a device and what is `wanted` to what to do; None stands for nothing.

    `record` is what stands on record about this device. `now` is aware. The table of all cases is in
    docs/architecture.md.
    """
    if held is None:
        return Step(publish=wanted)
    if held == wanted:
        return NOTHING
    before = read_device(held)
    if wanted is None:
        new_record = _new_record(before, record, presence, now)
        return Step(publish=b"", record=new_record, forget_record=_is_seen(new_record or record, presence))
    after = read_device(wanted)
    if before is None or after is None:
        return Step(publish=wanted)
    lost = _living(before).keys() - after.components.keys()
    buried = before.components.keys() - after.components.keys()
    changes = tuple(_changes_of_words(before, after))
    leading = _with_tombstones(_with_old_words(after, changes), before, lost if record is None else buried)
    payload = wanted if leading is after else leading.to_bytes()
    new_record = _new_record(before, record, presence, now) if lost else None
    return Step(
        publish=payload if payload != held else None,
        record=new_record,
        tell_before=frozenset(one.state_topic for one in changes if not one.has_other_template),
        tell_after=frozenset(one.state_topic for one in changes if one.has_other_template and not one.lost_words),
        look_again=any(one.has_other_template and one.lost_words for one in changes),
        forget_record=bool(buried) and _is_seen(new_record or record, presence),
    )


def showing(held: bytes | None, record: bytes, now: datetime) -> Showing | None:
    """How a Home Assistant that has just started sees what went while it was away; None if that is not worth it."""
    recorded = read_record(record)
    if recorded is None or now - recorded.removed >= LONGEST_MEMORY:
        return None
    again = recorded.model_copy(update={"removed": now, "seen": True}).to_bytes()
    if held is None:
        return Showing(recorded.discovery.encode(), b"", again)
    lost, current = read_device(recorded.discovery.encode()), read_device(held)
    if lost is None or current is None or _living(lost).keys() <= _living(current).keys():
        return Showing(held, held, again)
    whole = current.with_components(_living(lost) | _living(current))
    gone = whole.components.keys() - current.components.keys()
    return Showing(whole.to_bytes(), _with_tombstones(current, whole, gone).to_bytes(), again)


def read_record(payload: bytes) -> RemovalRecord | None:
    """None for what is no record that can be used."""
    try:
        record = RemovalRecord.model_validate_json(payload)
    except ValidationError:
        return None
    return record if record.removed.tzinfo and read_device(record.discovery.encode()) else None


@dataclass(frozen=True, slots=True)
class _ChangeOfWords:
    """A component that shows the same topic with another template, or has old words among its options."""

    key: str
    state_topic: str
    has_other_template: bool
    lost_words: tuple[str, ...]


def _living(payload: DevicePayload) -> dict[str, ReadComponent]:
    return {key: component for key, component in payload.components.items() if not isinstance(component, Tombstone)}


def _new_record(
    before: DevicePayload | None, record: bytes | None, presence: Presence, now: datetime
) -> bytes | None:
    """Remembers the living components of a device and those of an earlier record of it; None if there is no need."""
    if before is None:
        return None
    earlier = read_record(record) if record else None
    recorded = read_device(earlier.discovery.encode()) if earlier else None
    whole = before.with_components((_living(recorded) if recorded else {}) | _living(before))
    discovery = whole.to_bytes().decode()
    if earlier and earlier.discovery == discovery:
        return None
    seen = presence is Presence.UP and (earlier is None or earlier.seen)
    return RemovalRecord(removed=now, discovery=discovery, seen=seen).to_bytes()


def _is_seen(record: bytes | None, presence: Presence) -> bool:
    recorded = read_record(record) if record else None
    return recorded is not None and recorded.seen and presence is Presence.UP


def _with_tombstones(payload: DevicePayload, before: DevicePayload, lost: set[str]) -> DevicePayload:
    if not lost:
        return payload
    tombstones = {key: Tombstone(platform=before.components[key].platform) for key in sorted(lost)}
    return payload.with_components(payload.components | tombstones)


def _changes_of_words(before: DevicePayload, after: DevicePayload) -> Iterator[_ChangeOfWords]:
    for key, new in after.components.items():
        old = before.components.get(key)
        state_topic = getattr(new, "state_topic", None)
        if old is None or state_topic is None or state_topic != getattr(old, "state_topic", None):
            continue
        has_other_template = getattr(new, "value_template", None) != getattr(old, "value_template", None)
        words = _words(new)
        lost = tuple(word for word in _words(old) if words and word not in words)
        if has_other_template or lost:
            yield _ChangeOfWords(key, state_topic, has_other_template, lost)


def _words(component: ReadComponent) -> tuple[str, ...]:
    """A strange component may have anything under this key."""
    options = getattr(component, "options", None)
    return tuple(options) if isinstance(options, list | tuple) else ()


def _with_old_words(payload: DevicePayload, changes: tuple[_ChangeOfWords, ...]) -> DevicePayload:
    changed = {
        change.key: payload.components[change.key].model_copy(
            update={"options": (*_words(payload.components[change.key]), *change.lost_words)}
        )
        for change in changes
        if change.has_other_template and change.lost_words
    }
    return payload.with_components(payload.components | changed) if changed else payload
