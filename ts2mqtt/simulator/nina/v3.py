"""The shapes of the Advanced API, version 3, which is not released: no envelope, other names, no time.

Read from the branch at 3.0.0.0. Sequence events never come there, as their watcher gets no mediator.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from ts2mqtt.simulator.nina.announcement import (
    AFTER_FLIP,
    BEFORE_FLIP,
    IMAGE_SAVE,
    NEW_TARGET_START,
    SAFETY_CHANGED,
    SEQUENCE_FINISHED,
    SEQUENCE_STARTING,
    TARGET_START,
    WAIT_START,
)
from ts2mqtt.simulator.nina.json_text import newtonsoft
from ts2mqtt.simulator.nina.v2 import naive_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ts2mqtt.simulator.nina.announcement import Announcement
    from ts2mqtt.simulator.rows import JsonValue
    from ts2mqtt.simulator.wire import JsonObject

_NAMES = {
    WAIT_START: "ts-wait-started",
    NEW_TARGET_START: "ts-newtarget-started",
    TARGET_START: "ts-target-started",
    IMAGE_SAVE: "image-saved",
    SAFETY_CHANGED: "safetymonitor-safety-changed",
    BEFORE_FLIP: "mount-flip-started",
    AFTER_FLIP: "mount-flip-finished",
}
_NEVER = (SEQUENCE_STARTING, SEQUENCE_FINISHED)
_LOST = ("WaitEndTime", "TargetEndTime")


def live_message(announcement: Announcement) -> str | None:
    """The message on the socket; None for what version 3 never tells."""
    if announcement.event in _NEVER:
        return None
    if announcement.bare_text is not None:
        return _message("custom", {"Message": announcement.bare_text})
    fields = {name: value for name, value in announcement.fields.items() if name not in _LOST}
    return _message(_name(announcement), fields)


def scheduler_stopped() -> str:
    """Target Scheduler's container has stopped, which version 2 does not tell."""
    return _message("ts-container-stopped", {})


def event_rows(announcements: Sequence[Announcement]) -> list[JsonValue]:
    """The events in /v3/api/events, in which images are missing; their time is UTC."""
    return [
        {"Event": _name(announcement), "Timestamp": naive_time(announcement.time, announcement.tick, UTC) + "Z"}
        for announcement in announcements
        if announcement.event not in (IMAGE_SAVE, *_NEVER)
    ]


def _name(announcement: Announcement) -> str:
    return _NAMES.get(announcement.event, announcement.event.lower())


def _message(name: str, fields: JsonObject) -> str:
    return newtonsoft({"Event": name, "Data": fields})
