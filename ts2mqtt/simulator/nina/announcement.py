"""One thing that N.I.N.A. announces: its name, what comes with it, and when it really happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ts2mqtt.simulator.rows import JsonValue

IMAGE_SAVE = "IMAGE-SAVE"
IMAGE_PREPARED = "IMAGE-PREPARED"
NEW_TARGET_START = "TS-NEWTARGETSTART"
TARGET_START = "TS-TARGETSTART"
WAIT_START = "TS-WAITSTART"
SEQUENCE_STARTING = "SEQUENCE-STARTING"
SEQUENCE_FINISHED = "SEQUENCE-FINISHED"
SAFETY_CHANGED = "SAFETY-CHANGED"
PROFILE_CHANGED = "PROFILE-CHANGED"
BEFORE_FLIP = "MOUNT-BEFORE-FLIP"
AFTER_FLIP = "MOUNT-AFTER-FLIP"
HOMED = "MOUNT-HOMED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """An event as it is in truth, before any fault.

    `tick` is the seventh decimal of its second. `target_id` is the target in Target Scheduler's database that the
    event is about, which N.I.N.A. does not tell.
    """

    time: datetime
    event: str
    fields: Mapping[str, JsonValue] = field(default_factory=dict)
    tick: int = 0
    target_id: str | None = None
    bare_text: str | None = None
    """The text of the user's own message ("Send WebSocket Event"), which is sent instead of an event."""

    @property
    def is_in_history(self) -> bool:
        return self.event != IMAGE_PREPARED and self.bare_text is None

    @property
    def is_of_scheduler(self) -> bool:
        return self.event.startswith("TS-")
