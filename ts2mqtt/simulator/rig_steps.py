"""What a simulated rig does, step by step: the one schedule of its images and of what N.I.N.A. says about them.

The rig notes a step when the step begins. A step that images is known with its end, so that N.I.N.A. can announce an
image a moment before the image is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from ts2mqtt.simulator.planner import NextExposure
    from ts2mqtt.simulator.rows import ImageFields
    from ts2mqtt.simulator.sky import Night


@dataclass(frozen=True, slots=True, kw_only=True)
class Evening:
    """The night is known; from `at` on the user starts the sequence, which waits until dusk."""

    at: datetime
    night: Night
    ready_at: datetime | None
    """When the first target can be imaged; None if none can tonight."""
    is_cloudy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudedOver:
    """Clouds stop the rig."""

    at: datetime
    until: datetime
    before_dawn: bool
    """Whether they leave before the night is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Nothing can be imaged now; the rig looks again at `until`."""

    at: datetime
    until: datetime
    ready_at: datetime | None
    """When the next target can be imaged; None if none can tonight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparing:
    """The rig slews to a target, or else focuses."""

    at: datetime
    until: datetime
    exposure: NextExposure
    slews: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposing:
    """An exposure, which is counted at `until`."""

    at: datetime
    until: datetime
    exposure: NextExposure
    measurements: ImageFields


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """An exposure is counted in the database; the rig goes on at `until`."""

    at: datetime
    until: datetime
    exposure: NextExposure
    dithers: bool
    following: NextExposure | None
    """What Target Scheduler plans next; None if nothing can follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NightOver:
    """It dawns."""

    at: datetime


RigStep = Evening | CloudedOver | Waiting | Preparing | Exposing | Counted | NightOver
