"""What N.I.N.A. itself tells of a rig while it happens; nothing here knows how that travels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """`time` is when it was received or, where N.I.N.A. says so, when it happened; aware, by no later than now."""

    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetAnnounced(_Told):
    """The Target Scheduler is about to image this target; it says so before each exposure.

    `until` is when the target can no longer be seen, in the local time of the rig's PC and without an offset.
    """

    target_name: str
    project_name: str | None = None
    ra_hours: float | None = None
    dec_deg: float | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitAnnounced(_Told):
    """The Target Scheduler waits; `until` is aware, None where it does not say until when."""

    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceStarted(_Told):
    """The sequence of N.I.N.A. runs; the Target Scheduler works inside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceFinished(_Told):
    """The sequence has come to its end, or was stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyChanged(_Told):
    """What the safety monitor says now; None where there is none any more."""

    is_safe: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileChanged(_Told):
    """N.I.N.A. runs with another profile; it does not say with which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSaved(_Told):
    """A light frame was saved, by whatever part of N.I.N.A.; `target_name` in plain ASCII.

    `stars` is None where they were not counted, `hfr` in pixels and None where no star was found.
    """

    target_name: str | None = None
    filter: str | None = None
    exposure_s: float | None = None
    hfr: float | None = None
    stars: int | None = None
    guide_rms_arcsec: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlipStarted(_Told):
    """The mount is about to flip at the meridian."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlipFinished(_Told):
    """The mount has flipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaughtUp(_Told):
    """What is so at the start of a connection, or once more after a change; what could not be read is None.

    `process_started` tells one run of N.I.N.A. from the next. `is_safe` is None without a safety monitor.
    `announced` is the Target Scheduler's latest word of a run that was not known before.
    """

    version: str | None = None
    process_started: datetime | None = None
    is_sequence_running: bool | None = None
    is_scheduler_running: bool | None = None
    is_safe: bool | None = None
    announced: TargetAnnounced | WaitAnnounced | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnected(_Told):
    """Nothing more is heard, or no connection could be made."""


LiveEvent = (
    TargetAnnounced
    | WaitAnnounced
    | SequenceStarted
    | SequenceFinished
    | SafetyChanged
    | ProfileChanged
    | ImageSaved
    | FlipStarted
    | FlipFinished
    | CaughtUp
    | Disconnected
)
