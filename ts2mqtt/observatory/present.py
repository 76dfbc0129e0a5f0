"""What a rig is doing right now, as far as a read-only look from outside can tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import takewhile
from typing import TYPE_CHECKING

from ts2mqtt.observatory.exposures import patience
from ts2mqtt.observatory.tree import find_target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ts2mqtt.observatory.exposures import LastExposure
    from ts2mqtt.observatory.model import NightPlan, PlanBlock, Rig

IMAGING, WAITING, IDLE, OFFLINE = "imaging", "waiting", "idle", "offline"
ACTIVITIES = (IMAGING, WAITING, IDLE, OFFLINE)
OBSERVED, PLANNED = "observed", "planned"

# A real night runs behind its plan, which knows of no slew, no focusing and no meridian flip.
_SLACK = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """A target at work, or about to be; `source` is OBSERVED or PLANNED."""

    target_id: str
    name: str
    project_id: str | None
    project_name: str | None
    start: datetime | None
    end: datetime | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """Activity (one of ACTIVITIES), and the targets of now and next."""

    activity: str
    current_target: Appointment | None = None
    next_target: Appointment | None = None


def live(rig: Rig, plan: NightPlan | None, last: LastExposure | None, now: datetime) -> Live:
    """What is observed goes before what is planned; `now` is aware.

    A target whose block has long begun without an image is not called current: it does not happen.
    """
    if not rig.online:
        return Live(activity=OFFLINE)
    blocks = _blocks(rig, plan)
    block = next((block for block in blocks if block.start <= now < block.end), None)
    current: Appointment | None = None
    if last is not None and now < last.imaging_until():
        activity = IMAGING
        current = _observed(rig, blocks, last, block)
    elif block is not None and not block.is_wait:
        happens = now < _should_have_begun(blocks, block)
        activity = WAITING if happens else IDLE
        current = _planned(rig, blocks, _row(blocks, block)[0]) if happens else None
    else:
        upcoming = any(later.start > now for later in blocks if not later.is_wait)
        activity = WAITING if upcoming else IDLE
    following = _following(blocks, block, current, now)
    return Live(
        activity=activity,
        current_target=current,
        next_target=_planned(rig, blocks, following) if following else None,
    )


def next_edge(rig: Rig, plan: NightPlan | None, last: LastExposure | None, now: datetime) -> datetime | None:
    """Until then live() answers the same, if nothing new is read; None: for ever."""
    return min((edge for edge in _edges(rig, plan, last) if edge > now), default=None)


def _edges(rig: Rig, plan: NightPlan | None, last: LastExposure | None) -> Iterator[datetime]:
    if last is not None:
        yield last.imaging_until()
    blocks = _blocks(rig, plan)
    for block in blocks:
        yield block.start
        yield block.end
        if not block.is_wait:
            yield _should_have_begun(blocks, block)


def _blocks(rig: Rig, plan: NightPlan | None) -> tuple[PlanBlock, ...]:
    profile = rig.active_profile
    return plan.blocks if plan and profile and plan.profile_id == profile.id else ()


def _following(
    blocks: tuple[PlanBlock, ...], block: PlanBlock | None, current: Appointment | None, now: datetime
) -> PlanBlock | None:
    """The next block of another target than the current one; that of now, as long as it may still begin late."""
    late = block is not None and current is not None and not block.is_wait and now < _should_have_begun(blocks, block)
    earliest = block.start if late and block else None
    current_id = current.target_id if current else None
    return next(
        (b for b in blocks if (b.start > now or b.start == earliest) and not b.is_wait and b.target_id != current_id),
        None,
    )


def _should_have_begun(blocks: tuple[PlanBlock, ...], block: PlanBlock) -> datetime:
    row = _row(blocks, block)
    longest = max((run.exposure_s or 0.0 for part in row for run in part.exposures), default=0.0)
    return row[0].start + patience(longest) + _SLACK


def _row(blocks: tuple[PlanBlock, ...], block: PlanBlock) -> tuple[PlanBlock, ...]:
    """The blocks around this one that follow one another with the same target."""
    at = blocks.index(block)

    def same(other: PlanBlock) -> bool:
        return other.target_id == block.target_id

    return (*reversed([*takewhile(same, reversed(blocks[:at]))]), *takewhile(same, blocks[at:]))


def _observed(rig: Rig, blocks: tuple[PlanBlock, ...], last: LastExposure, block: PlanBlock | None) -> Appointment:
    as_planned = block is not None and block.target_id == last.target_id
    place = find_target(rig, last.target_id)
    return Appointment(
        target_id=last.target_id,
        name=place.target.name if place else "",
        project_id=place.project.id if place else None,
        project_name=place.project.name if place else None,
        start=_row(blocks, block)[0].start if as_planned and block else None,
        end=_end(blocks, block) if as_planned and block else None,
        source=OBSERVED,
    )


def _planned(rig: Rig, blocks: tuple[PlanBlock, ...], block: PlanBlock) -> Appointment:
    place = find_target(rig, block.target_id or "")
    return Appointment(
        target_id=block.target_id or "",
        name=place.target.name if place else block.name or "",
        project_id=place.project.id if place else None,
        project_name=place.project.name if place else None,
        start=block.start,
        end=_end(blocks, block),
        source=PLANNED,
    )


def _end(blocks: tuple[PlanBlock, ...], block: PlanBlock) -> datetime:
    return max(part.end for part in _row(blocks, block))
