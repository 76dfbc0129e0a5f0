"""Why a target is believed to be at work, and until when: an exposure that was seen, or the plan that follows it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ts2mqtt.observatory.completion import completion_rule
from ts2mqtt.observatory.look import Look
from ts2mqtt.observatory.plan_in_hand import (
    is_complete,
    is_gone,
    may_be_imaged,
    standing_blocks,
    targets_ahead,
)
from ts2mqtt.observatory.tree import find_target

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ts2mqtt.observatory.exposures import Gain
    from ts2mqtt.observatory.model import ExposurePlan, NightPlan, PlanBlock, Rig
    from ts2mqtt.observatory.tree import TargetPlace

LIVE, OBSERVED, PLANNED = "live", "observed", "planned"
"""Kinds of evidence: N.I.N.A. said so; a count rose; the plan says so, right after another target was observed."""

UNKNOWN_EXPOSURE_S = 300.0
"""What an exposure plan that does not say its length is taken to have."""

# Between two exposures of a target a rig may dither, download and focus: three minutes at the most, as a rule.
_OVERHEAD = timedelta(minutes=3)
# It may also centre again, flip at the meridian or lose its guide star.
_DELAYS = timedelta(minutes=5)
_CLOCK_SLACK = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastExposure:
    """The latest exposure that was seen: `time` is when it ended, as near as can be known."""

    time: datetime
    target_id: str
    target_name: str
    filter: str | None
    exposure_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A target that is believed to be at work since `time`, with an exposure of so many seconds under way.

    `is_beyond_completion`: exposures come although the target is complete, as far as can be known; so that it is
    complete does not tell that they end.
    """

    kind: str
    target_id: str
    time: datetime
    exposure_s: float
    is_beyond_completion: bool = False
    until: datetime | None = None
    """After this it cannot be, where that was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """N.I.N.A. said at `time` that nothing is imaged; `until` so long it waits, None where it has stopped."""

    time: datetime
    until: datetime | None = None


def patience(exposure_s: float) -> timedelta:
    """How long a rig that images with exposures of so many seconds may show no new one."""
    return 2 * timedelta(seconds=exposure_s) + _DELAYS


def latest_gain(gains: Iterable[Gain], evidence: Evidence | None, rig: Rig) -> Gain | None:
    """The gain with the latest exposure; of several that were noticed together one of the target that goes on."""

    def rank(gain: Gain) -> tuple[bool, bool, bool, float]:
        step = gain.step
        return (
            may_be_imaged(step.place),
            not is_complete(step.place, rig),
            evidence is None or step.place.target.id != evidence.target_id,
            step.after.exposure_s or 0.0,
        )

    return max((gain for gain in gains if gain.acquired), key=rank, default=None)


def last_exposure(gain: Gain) -> LastExposure:
    """The gain's last exposure."""
    target, plan = gain.step.place.target, gain.step.after
    return LastExposure(
        time=gain.time,
        target_id=target.id,
        target_name=target.name,
        filter=plan.filter,
        exposure_s=plan.exposure_s,
    )


def may_image_until(gain: Gain) -> datetime:
    """Until then the rig may be at the exposure after this gain, also where it is not known when that was."""
    return gain.latest + timedelta(seconds=length_s(gain.step.after)) + _OVERHEAD


def observed(gain: Gain, look: Look, *, is_watched: bool) -> Evidence | None:
    """What a gain that has just been noticed says of now.

    None if its target cannot be at work any more, or if the rig was not looked at meanwhile (`is_watched`) and the
    exposure may have been long ago.
    """
    place = gain.step.place
    if not may_be_imaged(place):
        return None
    longest = timedelta(seconds=length_s(gain.step.after)) + _OVERHEAD
    if not is_watched and gain.uncertainty > longest:
        return None
    return Evidence(
        kind=OBSERVED,
        target_id=place.target.id,
        time=gain.latest,
        exposure_s=_running_exposure_s(place, last_exposure(gain), look.plan, look.rig),
        is_beyond_completion=_was_complete(gain, look.rig),
    )


def recalled_announcement(target_id: str, time: datetime, rig: Rig) -> Evidence:
    """The evidence of an earlier run of the bridge that was told of this target, at `time` or later."""
    place = find_target(rig, target_id)
    if place is None:
        return Evidence(kind=LIVE, target_id=target_id, time=time, exposure_s=UNKNOWN_EXPOSURE_S)
    return announced(place, time, None, None, Look(rig=rig, plan=None, now=time))


def recalled(last: LastExposure, rig: Rig, plan: NightPlan | None) -> Evidence:
    """The evidence of an earlier run of the bridge that ended while this exposure's target was at work."""
    place = find_target(rig, last.target_id)
    return Evidence(
        kind=OBSERVED,
        target_id=last.target_id,
        time=last.time,
        exposure_s=_running_exposure_s(place, last, plan, rig) if place else last.exposure_s or UNKNOWN_EXPOSURE_S,
        is_beyond_completion=place is None or is_complete(place, rig),
    )


def announced(
    place: TargetPlace, time: datetime, until: datetime | None, last: LastExposure | None, look: Look
) -> Evidence:
    """N.I.N.A. said at `time` that the target is about to be imaged, and that it is gone `until`, if it said so.

    It does not say through which filter: that follows from the `last` exposure if it was of this target, else the
    longest that is not complete may follow.
    """
    if last is not None and last.target_id == place.target.id:
        exposure_s = _running_exposure_s(place, last, look.plan, look.rig)
    else:
        exposure_s = max(map(length_s, plans_to_come(place, look.rig)), default=UNKNOWN_EXPOSURE_S)
    return Evidence(
        kind=LIVE,
        target_id=place.target.id,
        time=time,
        exposure_s=exposure_s,
        is_beyond_completion=is_complete(place, look.rig),
        until=until,
    )


def stands(evidence: Evidence, look: Look) -> bool:
    """Whether it has neither ended nor is contradicted by what the rig has become."""
    return look.now < end_of(evidence, look) and not _is_contradicted(evidence, look.rig)


def lasting(evidence: Evidence | None, look: Look) -> Evidence | None:
    """What is left of it at this moment: itself, or the plan that says what follows, or nothing."""
    if evidence is None or look.rig.online is False or evidence.time > look.now + _CLOCK_SLACK:
        return None
    if look.rig.profiles is None or stands(evidence, look):
        return evidence
    following = _following(evidence, look)
    return following if following and stands(following, look) else None


def end_of(evidence: Evidence, look: Look) -> datetime:
    """When it ends, if nothing new is read until then.

    Where the plan tells that nothing comes any more, one exposure with its overhead has to pass, else patience
    decides; what was announced has an exposure more, as its first one has yet to come.
    """
    patient = evidence.time + patience(evidence.exposure_s)
    if evidence.kind == LIVE:
        patient += timedelta(seconds=evidence.exposure_s)
        # A rig may slew, centre and flip before an exposure, and that one may end after the target was to be gone.
        least = evidence.time + one_exposure(evidence) + _DELAYS
        return min(patient, max(evidence.until, least)) if evidence.until else patient
    planned = _planned_end(evidence, standing_blocks(look.plan, look.rig)) if evidence.kind == OBSERVED else None
    if planned is None:
        return patient
    return min(patient, max(planned, evidence.time + one_exposure(evidence)))


def one_exposure(evidence: Evidence) -> timedelta:
    """The exposure that is under way, and what a rig does between two of them."""
    return timedelta(seconds=evidence.exposure_s) + _OVERHEAD


def following_lengths_s(
    place: TargetPlace, last: LastExposure, plan: NightPlan | None, rig: Rig
) -> tuple[float, ...]:
    """The lengths that the exposure after the last one should have; at least one.

    It is of the same exposure plan as long as that is not complete. Where the filter may change after any exposure,
    it is of any that is not complete.
    """
    plans = plans_to_come(place, rig)
    if not plans:
        return (last.exposure_s or UNKNOWN_EXPOSURE_S,)
    if _filters_alternate(place, plan):
        return tuple({length_s(one) for one in plans})
    same = [one for one in plans if (one.filter, one.exposure_s) == (last.filter, last.exposure_s)]
    return (length_s(same[0] if same else plans[0]),)


def plans_to_come(place: TargetPlace, rig: Rig) -> list[ExposurePlan]:
    """The target's exposure plans of which the plugin takes more exposures."""
    rule = completion_rule(place.project, rig.exposure_throttle_percent)
    return [one for one in place.target.exposure_plans if rule.remaining(one) and not rule.is_complete(one)]


def length_s(plan: ExposurePlan) -> float:
    """The length of one of its exposures, or what is taken for it where the plan does not say."""
    return plan.exposure_s or UNKNOWN_EXPOSURE_S


def _is_contradicted(evidence: Evidence, rig: Rig) -> bool:
    place = find_target(rig, evidence.target_id)
    if place is None:
        return is_gone(rig, evidence.target_id)
    if not may_be_imaged(place):
        return True
    return not evidence.is_beyond_completion and is_complete(place, rig)


def _following(evidence: Evidence, look: Look) -> Evidence | None:
    """What the plan has the rig do next, if that was to begin before the next exposure would have been seen."""
    ahead = targets_ahead(standing_blocks(look.plan, look.rig), look.now)
    place = find_target(look.rig, evidence.target_id)
    if evidence.kind != OBSERVED or not ahead or (place is not None and not place.profile.active):
        return None
    block = ahead[0]
    if (
        block.target_id is None
        or block.target_id == evidence.target_id
        or block.start > evidence.time + one_exposure(evidence)
    ):
        return None
    return planned_after(evidence.time, block.target_id, block)


def planned_after(time: datetime, target_id: str, block: PlanBlock | None) -> Evidence:
    """That this target follows the one whose last exposure was seen at `time`; `block` is its own in the plan."""
    runs = block.exposures if block else ()
    return Evidence(
        kind=PLANNED,
        target_id=target_id,
        time=max(block.start, time) if block else time,
        exposure_s=next((run.exposure_s for run in runs if run.exposure_s), UNKNOWN_EXPOSURE_S),
    )


def _planned_end(evidence: Evidence, blocks: tuple[PlanBlock, ...]) -> datetime | None:
    """The first moment since the exposure at which the plan has no target at work; None if it does not tell."""
    targets = [block for block in blocks if not block.is_wait]
    if not any(block.target_id == evidence.target_id and block.start <= evidence.time for block in targets):
        return None
    end = evidence.time
    for block in targets:
        if block.start <= end < block.end:
            end = block.end
    return end


def _was_complete(gain: Gain, rig: Rig) -> bool:
    """Whether the plugin took an exposure of a target that was complete before, by all that we know of its rule."""
    step = gain.step
    return is_complete(step.was, rig) and is_complete(step.place, rig)


def _running_exposure_s(place: TargetPlace, last: LastExposure, plan: NightPlan | None, rig: Rig) -> float:
    """The length of the exposure that follows the last one; the longest of those that it may be."""
    return max(following_lengths_s(place, last, plan, rig))


def _filters_alternate(place: TargetPlace, plan: NightPlan | None) -> bool:
    """Whether the project's settings say so, or the plan, which also knows of an order that the user has set."""
    if place.project.filter_switch_frequency or place.project.smart_exposure_order:
        return True
    blocks = (block for block in plan.blocks if block.target_id == place.target.id) if plan else ()
    return any(_comes_back(block) for block in blocks)


def _comes_back(block: PlanBlock) -> bool:
    runs = Counter((run.filter, run.exposure_s) for run in block.exposures)
    return any(number > 1 for number in runs.values())
