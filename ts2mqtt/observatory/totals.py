"""Counts, integration times and progress of targets, projects and profiles, as the plugin itself shows them."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum
from typing import TYPE_CHECKING

from ts2mqtt.observatory.model import ACTIVE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ts2mqtt.observatory.model import ExposurePlan, Profile, Project, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over exposure plans: numbers of exposures, seconds of integration, and progress in percent."""

    desired: int
    acquired: int
    accepted: int
    ungraded: int
    desired_s: float
    acquired_s: float
    accepted_s: float
    remaining_s: float
    progress: float


def plan_progress(plan: ExposurePlan) -> float:
    """Percent done of one exposure plan, 0 to 100.

    The plugin counts what was acquired as provisionally done while its delayed grading has not begun, and what
    was accepted from then on; a plan that desires nothing shows 0.
    """
    done = plan.acquired if plan.ungraded > 0 else plan.accepted
    return _percent(done, plan.desired)


def plan_remaining_s(plan: ExposurePlan) -> float:
    """Seconds of integration that are desired and not yet accepted, never below 0."""
    return max(0, plan.desired - plan.accepted) * (plan.exposure_s or 0.0)


def target_totals(target: Target) -> Totals:
    """Over the target's exposure plans; its progress is the mean of theirs, as in the plugin's target view."""
    plans = target.exposure_plans
    mean = fsum(plan_progress(plan) for plan in plans) / len(plans) if plans else 0.0
    return _sum(plans, progress=mean)


def project_totals(project: Project) -> Totals | None:
    """Over all targets of the project; its progress is accepted over desired; None before targets were read."""
    if project.targets is None:
        return None
    plans = [plan for target in project.targets.items for plan in target.exposure_plans]
    return _sum(plans, progress=_accepted_share(plans))


def profile_totals(profile: Profile) -> Totals | None:
    """Over the Active projects of the profile; None before all of their targets were read."""
    if profile.projects is None:
        return None
    active = [project for project in profile.projects.items if project.state == ACTIVE]
    plans: list[ExposurePlan] = []
    for project in active:
        if project.targets is None:
            return None
        plans += (plan for target in project.targets.items for plan in target.exposure_plans)
    return _sum(plans, progress=_accepted_share(plans))


def _accepted_share(plans: Iterable[ExposurePlan]) -> float:
    plans = list(plans)
    return _percent(sum(plan.accepted for plan in plans), sum(plan.desired for plan in plans))


def _percent(done: int, desired: int) -> float:
    return min(100.0, 100.0 * done / desired) if desired else 0.0


def _sum(plans: Iterable[ExposurePlan], *, progress: float) -> Totals:
    plans = tuple(plans)
    return Totals(
        desired=sum(plan.desired for plan in plans),
        acquired=sum(plan.acquired for plan in plans),
        accepted=sum(plan.accepted for plan in plans),
        ungraded=sum(plan.ungraded for plan in plans),
        desired_s=fsum(plan.desired * (plan.exposure_s or 0.0) for plan in plans),
        acquired_s=fsum(plan.acquired * (plan.exposure_s or 0.0) for plan in plans),
        accepted_s=fsum(plan.accepted * (plan.exposure_s or 0.0) for plan in plans),
        remaining_s=fsum(plan_remaining_s(plan) for plan in plans),
        progress=progress,
    )
