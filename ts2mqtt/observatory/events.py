"""What just happened at a rig: the kinds of events, and what each of them concerns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

RIG_ONLINE, RIG_OFFLINE = "rig_online", "rig_offline"
PROFILE_CHANGED = "profile_changed"
TARGET_STARTED, TARGET_FINISHED = "target_started", "target_finished"
EXPOSURE_ACQUIRED, EXPOSURE_ACCEPTED = "exposure_acquired", "exposure_accepted"
TARGET_COMPLETED, PROJECT_COMPLETED = "target_completed", "project_completed"
PROJECT_STATE_CHANGED = "project_state_changed"
PROJECT_ADDED, PROJECT_REMOVED = "project_added", "project_removed"
TARGET_ADDED, TARGET_REMOVED = "target_added", "target_removed"
PLAN_CHANGED = "plan_changed"
IMAGE_SAVED = "image_saved"
MERIDIAN_FLIP_STARTED, MERIDIAN_FLIP_FINISHED = "meridian_flip_started", "meridian_flip_finished"
BECAME_UNSAFE, BECAME_SAFE = "became_unsafe", "became_safe"
NIGHT_FINISHED = "night_finished"

EVENT_TYPES = (
    RIG_ONLINE,
    RIG_OFFLINE,
    PROFILE_CHANGED,
    TARGET_STARTED,
    TARGET_FINISHED,
    EXPOSURE_ACQUIRED,
    EXPOSURE_ACCEPTED,
    TARGET_COMPLETED,
    PROJECT_COMPLETED,
    PROJECT_STATE_CHANGED,
    PROJECT_ADDED,
    PROJECT_REMOVED,
    TARGET_ADDED,
    TARGET_REMOVED,
    PLAN_CHANGED,
    NIGHT_FINISHED,
)
LIVE_EVENT_TYPES = (
    IMAGE_SAVED,
    MERIDIAN_FLIP_STARTED,
    MERIDIAN_FLIP_FINISHED,
    BECAME_UNSAFE,
    BECAME_SAFE,
)
"""Told only where somebody listens to N.I.N.A. itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened between two looks; what it does not concern is None.

    `time`: when it happened, as near as can be known; `noticed`: when the bridge saw it; both aware. `count` is the
    number of exposures of one filter, or of a whole night, `state` and `previous_state` a project's; a completed
    target or project `took_s` seconds since it was first seen and holds `accepted_s` seconds of integration.
    """

    event_type: str
    time: datetime
    noticed: datetime
    profile_id: str | None = None
    profile_name: str | None = None
    project_id: str | None = None
    project_name: str | None = None
    target_id: str | None = None
    target_name: str | None = None
    filter: str | None = None
    exposure_s: float | None = None
    count: int | None = None
    state: str | None = None
    previous_state: str | None = None
    took_s: float | None = None
    accepted_s: float | None = None
    night: date | None = None
