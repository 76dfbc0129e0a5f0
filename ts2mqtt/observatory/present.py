"""What a rig is doing right now, as far as the evidence, the night plan and the clock tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ts2mqtt.observatory.evidence import LIVE, OBSERVED, PLANNED, Evidence, Pause, end_of, patience
from ts2mqtt.observatory.plan_in_hand import row_around, standing_blocks, targets_ahead
from ts2mqtt.observatory.tree import find_target

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from ts2mqtt.observatory.evidence import LastExposure
    from ts2mqtt.observatory.look import Look
    from ts2mqtt.observatory.model import PlanBlock, Rig

IMAGING, WAITING, IDLE, OFFLINE = "imaging", "waiting", "idle", "offline"
ACTIVITIES = (IMAGING, WAITING, IDLE, OFFLINE)

# A real night runs behind its plan, which knows of no slew, no focusing and no meridian flip.
_SLACK = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """A target at work, or about to be; `source` is LIVE, OBSERVED or PLANNED."""

    target_id: str
    name: str
    project_id: str | None
    project_name: str | None
    start: datetime | None
    end: datetime | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """Activity (one of ACTIVITIES) and since when, the targets of now and next, and the latest exposure.

    `waiting_until` is what N.I.N.A. said, None where it did not.
    """

    activity: str
    activity_since: datetime | None = None
    current_target: Appointment | None = None
    next_target: Appointment | None = None
    last_exposure: LastExposure | None = None
    waiting_until: datetime | None = None

    @property
    def imaging(self) -> bool | None:
        """None while the API does not answer."""
        return None if self.activity == OFFLINE else self.activity == IMAGING

    @property
    def evidence(self) -> str | None:
        """What the current target rests on."""
        return self.current_target.source if self.current_target else None

    @property
    def observed_target(self) -> Appointment | None:
        """The target at work, if it was seen to be, or N.I.N.A. said so."""
        return self.current_target if self.evidence in {LIVE, OBSERVED} else None


def present(look: Look, basis: Evidence | Pause | None, last: LastExposure | None, before: Present | None) -> Present:
    """What follows from evidence that has not ended, or a pause that has not; `before`: what was said last.

    A target whose block has long begun without an image is not called current, but may still come.
    """
    activity, current, following = _doing(look, basis)
    return Present(
        activity=activity,
        activity_since=_since(activity, before, look.now),
        current_target=current,
        next_target=following,
        last_exposure=last,
        waiting_until=basis.until if isinstance(basis, Pause) else None,
    )


def next_edge(look: Look, basis: Evidence | Pause | None) -> datetime | None:
    """Until then the present is the same, if nothing new is read; None: for ever."""
    return min((edge for edge in _edges(look, basis) if edge > look.now), default=None)


def _doing(look: Look, basis: Evidence | Pause | None) -> tuple[str, Appointment | None, Appointment | None]:
    """Activity, the current target and the next one."""
    rig, now = look.rig, look.now
    if not rig.online:
        return OFFLINE, None, None
    blocks = standing_blocks(look.plan, rig)
    ahead = targets_ahead(blocks, now)
    begun = next((block for block in ahead if block.start <= now), None)
    current: Appointment | None = None
    if isinstance(basis, Evidence):
        activity = IMAGING
        current = _at_work(rig, blocks, basis, begun)
    elif isinstance(basis, Pause):
        activity = WAITING if ahead or basis.until else IDLE
    else:
        activity = WAITING if ahead else IDLE
        if begun is not None and now < _should_have_begun(blocks, begun):
            current = _planned(rig, blocks, row_around(blocks, begun)[0])
    current_id = current.target_id if current else None
    following = next((block for block in ahead if block.target_id != current_id), None)
    return activity, current, _planned(rig, blocks, following) if following else None


def _since(activity: str, before: Present | None, now: datetime) -> datetime:
    if before is None or before.activity != activity or before.activity_since is None:
        return now
    # What seems to lie ahead was told by a clock that has been set back.
    return min(before.activity_since, now)


def _edges(look: Look, basis: Evidence | Pause | None) -> Iterator[datetime]:
    if isinstance(basis, Evidence):
        yield end_of(basis, look)
    elif basis is not None and basis.until is not None:
        yield basis.until
    blocks = standing_blocks(look.plan, look.rig)
    for block in targets_ahead(blocks, look.now):
        yield block.start
        yield block.end
        yield _should_have_begun(blocks, block)


def _should_have_begun(blocks: Sequence[PlanBlock], block: PlanBlock) -> datetime:
    row = row_around(blocks, block)
    longest = max((run.exposure_s or 0.0 for part in row for run in part.exposures), default=0.0)
    return row[0].start + patience(longest) + _SLACK


def _at_work(rig: Rig, blocks: Sequence[PlanBlock], evidence: Evidence, begun: PlanBlock | None) -> Appointment:
    """With the times of its block, if the plan has the target at work now or, where only the plan tells it, next."""
    block = begun
    if evidence.kind == PLANNED:
        block = next((one for one in blocks if one.target_id == evidence.target_id and one.end > evidence.time), None)
    row = row_around(blocks, block) if block is not None and block.target_id == evidence.target_id else ()
    place = find_target(rig, evidence.target_id)
    return Appointment(
        target_id=evidence.target_id,
        name=place.target.name if place else (row[0].name or "" if row else ""),
        project_id=place.project.id if place else None,
        project_name=place.project.name if place else None,
        start=row[0].start if row else None,
        end=_end(row) if row else None,
        source=evidence.kind,
    )


def _planned(rig: Rig, blocks: Sequence[PlanBlock], block: PlanBlock) -> Appointment:
    place = find_target(rig, block.target_id or "")
    return Appointment(
        target_id=block.target_id or "",
        name=place.target.name if place else block.name or "",
        project_id=place.project.id if place else None,
        project_name=place.project.name if place else None,
        start=block.start,
        end=_end(row_around(blocks, block)),
        source=PLANNED,
    )


def _end(row: Sequence[PlanBlock]) -> datetime:
    return max(block.end for block in row)
