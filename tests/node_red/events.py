"""Events as the bridge publishes them, for flows that listen to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ts2mqtt.topics.payloads import Event

TIME = datetime(2026, 1, 11, 1, 2, 3, 456_000, tzinfo=UTC)
TOPIC = "ts2mqtt/backyard/event"
NO_EVENTS = (b"", b"null", b"7", b"[]", b"text", b"{", b"\xff\xfe", b"{}", b'{"event_type": 3}')
"""What somebody else may publish on an event's topic."""


def event(event_type: str, **fields: Any) -> bytes:
    """Of the rig Backyard; what is not given is null."""
    nothing = dict.fromkeys(Event.model_fields)
    known = {"event_type": event_type, "time": TIME, "noticed": TIME + timedelta(seconds=30)}
    known |= {"rig_id": "backyard", "rig_name": "Backyard"}
    return Event.model_validate(nothing | known | fields).to_bytes()
