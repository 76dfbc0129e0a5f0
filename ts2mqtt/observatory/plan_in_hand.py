"""The night plan in hand, held against what the rig has become since: which of its blocks may still happen."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING

from ts2mqtt.observatory.completion import all_complete, completion_rule
from ts2mqtt.observatory.model import ACTIVE
from ts2mqtt.observatory.night import planning_inputs
from ts2mqtt.observatory.tree import find_target

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ts2mqtt.observatory.model import NightPlan, PlanBlock, Profile, Rig
    from ts2mqtt.observatory.tree import TargetPlace


def marked(plan: NightPlan | None, before: NightPlan | None, rig: Rig, now: datetime) -> NightPlan | None:
    """The plan with the blocks marked that cannot happen any more; the very same plan if nothing about it changes.

    What a block that is over was marked as stays: its target may have been imaged before it was complete or paused.
    `before`: the plan as it was marked last, `now`: aware.
    """
    if plan is None or not _is_of_active_profile(plan, rig):
        return plan
    target_ids = {block.target_id for block in targets_ahead(plan.blocks, now)}
    impossible = {target_id for target_id in target_ids if target_id and not _may_happen(rig, target_id)}
    dropped_before = {_place(block) for block in before.blocks if block.dropped} if before else set()
    blocks = tuple(
        _dropped(block, block.target_id in impossible)
        if block.end > now
        else _dropped(block, block.dropped or _place(block) in dropped_before)
        for block in plan.blocks
    )
    return plan if blocks == plan.blocks else replace(plan, blocks=blocks)


def is_outdated(plan: NightPlan | None, rig: Rig) -> bool | None:
    """Whether something that the planning depends on has changed since; None where that cannot be known."""
    if plan is None or rig.active_profile is None:
        return None
    if not _is_of_active_profile(plan, rig):
        return True
    inputs = planning_inputs(rig.active_profile)
    return plan.inputs != inputs if plan.inputs is not None and inputs is not None else None


def standing_blocks(plan: NightPlan | None, rig: Rig) -> tuple[PlanBlock, ...]:
    """The plan's blocks, without those that were dropped; none of another profile's plan."""
    if plan is None or not _is_of_active_profile(plan, rig):
        return ()
    return tuple(block for block in plan.blocks if not block.dropped)


def targets_ahead(blocks: Sequence[PlanBlock], now: datetime) -> tuple[PlanBlock, ...]:
    """The blocks of targets that are not over."""
    return tuple(block for block in blocks if not block.is_wait and block.end > now)


def row_around(blocks: Sequence[PlanBlock], block: PlanBlock) -> tuple[PlanBlock, ...]:
    """The blocks around this one that follow one another with the same target."""
    at = blocks.index(block)

    def same(other: PlanBlock) -> bool:
        return other.target_id == block.target_id

    return (*reversed([*takewhile(same, reversed(blocks[:at]))]), *takewhile(same, blocks[at:]))


def may_be_imaged(place: TargetPlace) -> bool:
    """Whether the planner may choose this target; what is not known does not speak against it."""
    return place.profile.active and place.project.state in (ACTIVE, None) and place.target.active is not False


def is_complete(place: TargetPlace, rig: Rig) -> bool:
    """Whether every exposure plan of the target is complete."""
    return all_complete(place.target.exposure_plans, completion_rule(place.project, rig.exposure_throttle_percent))


def is_gone(rig: Rig, target_id: str) -> bool:
    """Whether the lists of all Active projects of the active profile were read and do not name it."""
    if find_target(rig, target_id) is not None:
        return False
    return rig.active_profile is not None and _is_fully_read(rig.active_profile)


def _may_happen(rig: Rig, target_id: str) -> bool:
    place = find_target(rig, target_id)
    if place is None:
        return not is_gone(rig, target_id)
    return may_be_imaged(place) and not is_complete(place, rig)


def _is_of_active_profile(plan: NightPlan, rig: Rig) -> bool:
    return rig.active_profile is not None and plan.profile_id == rig.active_profile.id


def _is_fully_read(profile: Profile) -> bool:
    if profile.projects is None or not profile.projects.complete:
        return False
    active = (project for project in profile.projects.items if project.state == ACTIVE)
    return all(project.targets is not None and project.targets.complete for project in active)


def _place(block: PlanBlock) -> tuple[str | None, datetime]:
    return block.target_id, block.start


def _dropped(block: PlanBlock, is_dropped: bool) -> PlanBlock:
    return block if block.dropped is is_dropped else replace(block, dropped=is_dropped)
