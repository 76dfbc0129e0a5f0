"""The plugin's delayed grading: nothing of an exposure plan is judged until enough of it is acquired."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ts2mqtt.simulator.entities import SimulatedExposurePlan, SimulatedProfile, SimulatedProject


def delay_percent(profile: SimulatedProfile, project: SimulatedProject) -> float:
    """How much of a plan must be acquired before it is graded; with the grader off nothing waits."""
    return profile.delay_grading_percent if project.enable_grader else 0.0


def ungraded(plan: SimulatedExposurePlan, delay: float) -> int:
    """How many images wait for the grader, as the API counts them: by subtraction, not by image."""
    return plan.acquired - plan.accepted if _delayed(plan, delay) else 0


def remaining(plan: SimulatedExposurePlan, delay: float) -> int:
    """How many exposures are still to be accepted, with ungraded images taken as good until proven bad."""
    return plan.desired - plan.accepted - ungraded(plan, delay)


def remaining_without_grader(plan: SimulatedExposurePlan, throttle_percent: float) -> int:
    """How many exposures are still to be acquired: with the grader off the exposure throttle sets the goal."""
    return int(throttle_percent / 100 * plan.desired) - plan.acquired


def grade(plan: SimulatedExposurePlan, delay: float, *, grader: bool) -> None:
    """Judge every image that waits, unless grading is still delayed; without a grader all are accepted."""
    if _delayed(plan, delay):
        return
    for image in plan.images:
        if image.grading != "pending":
            continue
        if image.good or not grader:
            image.grading = "accepted"
            plan.accepted += 1
        else:
            image.grading = "rejected"


def _delayed(plan: SimulatedExposurePlan, delay: float) -> bool:
    return plan.acquired * 100 < delay * plan.desired
