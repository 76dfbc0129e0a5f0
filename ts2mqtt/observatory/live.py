"""What a rig is doing right now, as far as a read-only look from outside can tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

    from ts2mqtt.observatory.model import NightPlan, PlanBlock, Profile, Rig

IMAGING, WAITING, IDLE, OFFLINE = "imaging", "waiting", "idle", "offline"
ACTIVITIES = (IMAGING, WAITING, IDLE, OFFLINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """A target at work, or about to be; `source` is `observed` or `planned`."""

    target_id: str
    name: str
    project_id: str | None
    project_name: str | None
    start: datetime | None
    end: datetime | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What was done in the night that began on `night`: numbers of exposures, seconds of integration."""

    night: date
    exposures_acquired: int = 0
    exposures_accepted: int = 0
    integration_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """Activity (one of ACTIVITIES), and the targets of now and next."""

    activity: str
    current_target: Appointment | None = None
    next_target: Appointment | None = None
    tonight: Tally | None = None


def live(rig: Rig, plan: NightPlan | None, now: datetime) -> Live:
    """By the plan and the clock; `now` is aware."""
    if not rig.online:
        return Live(activity=OFFLINE)
    profile = rig.active_profile
    if plan is None or profile is None or plan.profile_id != profile.id:
        return Live(activity=IDLE)
    ahead = [block for block in plan.blocks if block.end > now]
    upcoming = next((block for block in ahead if not block.is_wait and block.start > now), None)
    current = next((block for block in ahead if not block.is_wait and block.start <= now), None)
    return Live(
        activity=WAITING if current or upcoming else IDLE,
        current_target=_appointment(current, profile),
        next_target=_appointment(upcoming, profile),
    )


def next_edge(plan: NightPlan | None, now: datetime) -> datetime | None:
    """When the plan's next block begins or ends: until then live() answers the same."""
    edges = (edge for block in (plan.blocks if plan else ()) for edge in (block.start, block.end))
    return min((edge for edge in edges if edge > now), default=None)


def _appointment(block: PlanBlock | None, profile: Profile) -> Appointment | None:
    if block is None or block.target_id is None:
        return None
    projects = profile.projects.items if profile.projects else ()
    project = next((p for p in projects if p.targets and any(t.id == block.target_id for t in p.targets.items)), None)
    return Appointment(
        target_id=block.target_id,
        name=block.name or "",
        project_id=project.id if project else None,
        project_name=project.name if project else None,
        start=block.start,
        end=block.end,
        source="planned",
    )
