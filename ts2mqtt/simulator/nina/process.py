"""What the REST calls show of a N.I.N.A. process: its devices, its sequence, and whether it is safe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from ts2mqtt.simulator.nina.announcement import Announcement

Status = Literal["CREATED", "RUNNING", "FINISHED"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessState:
    """At one moment; `started_at` is when the process started, and `scheduler` is Target Scheduler's container."""

    started_at: datetime
    sequence: Status = "CREATED"
    scheduler: Status = "CREATED"
    devices_connected: bool = False
    monitor_connected: bool = True
    is_safe: bool = True
    is_parked: bool = True
    is_guiding: bool = False
    filter_name: str = "L"
    exposes_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something happens in N.I.N.A.: the state from then on, and what it announces; None if it says nothing.

    When N.I.N.A. is restarted, `started_at` differs from the state before.
    """

    time: datetime
    state: ProcessState
    announcement: Announcement | None = None
