"""Decides when to ask a rig for its night plan: seldom, because a preview costs, and never while the rig images."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from ts2mqtt.observatory.evidence import UNKNOWN_EXPOSURE_S, patience
from ts2mqtt.observatory.model import ACTIVE
from ts2mqtt.observatory.night import is_midday, night_of, planning_inputs, preview_start
from ts2mqtt.observatory.plan_in_hand import marked, standing_blocks
from ts2mqtt.observatory.tree import all_targets

if TYPE_CHECKING:
    from ts2mqtt.observatory.model import NightPlan, Rig


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """A preview to ask for; `night_start` is aware, with the rig's offset."""

    profile_id: str
    night_start: datetime


@dataclass(frozen=True, slots=True)
class Rise:
    """Counts of the active profile were seen to rise; `exposure_s` is the longest exposure among them.

    Whether exposures or a user made them rise is all one here: the rig is left alone.
    """

    seen: datetime
    exposure_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that the decision depends on; times are aware.

    `watched_since`: since when the rig has been looked at with its active profile and without a break. `asked`:
    when a preview was last asked for. `zone`: the rig's, None for the bridge's own. `may_sequence_run`: N.I.N.A. says
    that its sequence runs, or has not been asked yet; False where nobody listens to it.
    """

    rig: Rig
    plan: NightPlan | None
    last_rise: Rise | None
    asked: datetime | None
    watched_since: datetime
    now: datetime
    zone: tzinfo | None
    plan_interval: timedelta
    may_sequence_run: bool = False


def plan_request(situation: Situation, *, requested: bool) -> PlanRequest | None:
    """The preview to ask for now, or None: on request always, else only when it is needed and harmless."""
    profile = situation.rig.active_profile
    if profile is None or not situation.rig.online:
        return None
    if not requested and not (_is_needed(situation) and _is_harmless(situation)):
        return None
    return PlanRequest(profile.id, preview_start(situation.now, situation.zone))


def _is_needed(situation: Situation) -> bool:
    profile, plan = situation.rig.active_profile, situation.plan
    if profile is None:
        return False
    inputs = planning_inputs(profile)
    if inputs is None:
        return False
    if situation.asked and situation.now - situation.asked < situation.plan_interval:
        return False
    if plan is None or plan.profile_id != profile.id:
        return True
    tonight = night_of(situation.now, situation.zone)
    # One that was read in the morning is already the coming night's; one from further ahead is from a wrong clock.
    return not tonight <= plan.night <= tonight + timedelta(days=1) or plan.inputs != inputs


def _is_harmless(situation: Situation) -> bool:
    """Whether the rig is not imaging, for all that can be seen.

    A rig that is watched only for a little while may be in the middle of an exposure: at hours when it could be
    night, one has to have looked for longer than an exposure takes. After the last image of one target the first
    one of the next may take as long.
    """
    if situation.may_sequence_run:
        return False
    now, rise = situation.now, situation.last_rise
    pause = _longest_pause(situation.rig)
    if rise and now < rise.seen + max(patience(rise.exposure_s), pause):
        return False
    if _says_imaging(situation.plan, situation.rig, now):
        return False
    return is_midday(now, situation.zone) or now - situation.watched_since > pause


def _says_imaging(plan: NightPlan | None, rig: Rig, now: datetime) -> bool:
    """Whether it is the time of a target that may still be imaged."""
    blocks = standing_blocks(marked(plan, None, rig, now), rig)
    return any(block.start <= now < block.end and not block.is_wait for block in blocks)


def _longest_pause(rig: Rig) -> timedelta:
    """The longest time that may pass between two exposures of this rig while it images."""
    exposures = [
        plan.exposure_s or UNKNOWN_EXPOSURE_S
        for place in all_targets(rig)
        if place.profile.active and place.project.state == ACTIVE
        for plan in place.target.exposure_plans
    ]
    return patience(max(exposures, default=0.0)) if exposures else timedelta(0)
