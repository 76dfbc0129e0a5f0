"""Counts, integration times and progress of targets, projects and profiles, as the plugin itself shows them."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum
from typing import TYPE_CHECKING

from ts2mqtt.observatory.completion import completion_rule
from ts2mqtt.observatory.model import ACTIVE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ts2mqtt.observatory.completion import CompletionRule
    from ts2mqtt.observatory.model import ExposurePlan, Profile, Project, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over exposure plans: numbers of exposures, seconds of integration, and progress in percent."""

    desired: int
    acquired: int
    accepted: int
    ungraded: int
    pending: int
    rejected: int
    desired_s: float
    acquired_s: float
    accepted_s: float
    remaining_s: float
    progress: float


def target_totals(target: Target, rule: CompletionRule) -> Totals:
    """Over the target's exposure plans; its progress is the mean of theirs, as in the plugin's target view."""
    plans = target.exposure_plans
    mean = fsum(rule.progress(plan) for plan in plans) / len(plans) if plans else 0.0
    return _sum([(plan, rule) for plan in plans], progress=mean)


def project_totals(project: Project, throttle_percent: int) -> Totals | None:
    """Over all targets of the project; None before targets were read. `throttle_percent` is the rig's.

    Its progress is accepted over desired, whatever the grader, as in the plugin's project view.
    """
    if project.targets is None:
        return None
    plans = list(_plans_with_rule(project, throttle_percent))
    return _sum(plans, progress=_accepted_share(plans))


def profile_totals(profile: Profile, throttle_percent: int) -> Totals | None:
    """Over the Active projects of the profile; None before all of their targets were read."""
    if profile.projects is None:
        return None
    active = [project for project in profile.projects.items if project.state == ACTIVE]
    if any(project.targets is None for project in active):
        return None
    plans = [row for project in active for row in _plans_with_rule(project, throttle_percent)]
    return _sum(plans, progress=_accepted_share(plans))


def target_to_image_s(target: Target, rule: CompletionRule) -> float:
    """Seconds of integration that are still to be imaged, if what waits for grading is good, as the plugin plans."""
    return fsum(
        max(0, rule.remaining(plan) - rule.pending(plan)) * (plan.exposure_s or 0.0) for plan in target.exposure_plans
    )


def project_to_image_s(project: Project, throttle_percent: int) -> float:
    """As of a target, of all that the project has."""
    rule = completion_rule(project, throttle_percent)
    return fsum(target_to_image_s(target, rule) for target in (project.targets.items if project.targets else ()))


_PlanWithRule = tuple["ExposurePlan", "CompletionRule"]


def _plans_with_rule(project: Project, throttle_percent: int) -> Iterable[_PlanWithRule]:
    rule = completion_rule(project, throttle_percent)
    targets = project.targets.items if project.targets else ()
    return ((plan, rule) for target in targets for plan in target.exposure_plans)


def _accepted_share(plans: Sequence[_PlanWithRule]) -> float:
    desired = sum(plan.desired for plan, _ in plans)
    return min(100.0, sum(plan.accepted for plan, _ in plans) / desired * 100) if desired else 0.0


def _sum(plans_with_rule: Iterable[_PlanWithRule], *, progress: float) -> Totals:
    desired = acquired = accepted = ungraded = pending = rejected = 0
    desired_s: list[float] = []
    acquired_s: list[float] = []
    accepted_s: list[float] = []
    remaining_s: list[float] = []
    # One loop for all of them: it is run for each target, project and profile.
    for plan, rule in plans_with_rule:
        exposure_s = plan.exposure_s or 0.0
        desired += plan.desired
        acquired += plan.acquired
        accepted += plan.accepted
        ungraded += plan.ungraded
        pending += rule.pending(plan)
        rejected += rule.rejected(plan)
        desired_s.append(plan.desired * exposure_s)
        acquired_s.append(plan.acquired * exposure_s)
        accepted_s.append(plan.accepted * exposure_s)
        remaining_s.append(rule.remaining_s(plan))
    return Totals(
        desired=desired,
        acquired=acquired,
        accepted=accepted,
        ungraded=ungraded,
        pending=pending,
        rejected=rejected,
        desired_s=fsum(desired_s),
        acquired_s=fsum(acquired_s),
        accepted_s=fsum(accepted_s),
        remaining_s=fsum(remaining_s),
        progress=progress,
    )
