"""The plugin's delayed grading: images of an exposure plan are graded once enough of them are acquired."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ts2mqtt.simulator.rows import SimulatedExposurePlan, SimulatedProfile, SimulatedProject


def delay_percent(profile: SimulatedProfile, project: SimulatedProject) -> float:
    """The percentage of a plan that must be acquired before grading; 0 with the grader off."""
    return profile.delay_grading_percent if project.enable_grader else 0.0


def ungraded(plan: SimulatedExposurePlan, delay: float) -> int:
    """The number of images that wait for grading, as the API counts them: acquired minus accepted."""
    return plan.acquired - plan.accepted if _is_delayed(plan, delay) else 0


def remaining(plan: SimulatedExposurePlan, delay: float) -> int:
    """The number of exposures that are still to be accepted; ungraded images count as good."""
    return plan.desired - plan.accepted - ungraded(plan, delay)


def remaining_without_grader(plan: SimulatedExposurePlan, throttle_percent: float) -> int:
    """The number of exposures that are still to be acquired with the grader off: the throttle sets the goal."""
    return int(throttle_percent / 100 * plan.desired) - plan.acquired


def grade(plan: SimulatedExposurePlan, delay: float, *, grader: bool) -> None:
    """Grade every pending image, unless grading is still delayed; with the grader off all are accepted."""
    if _is_delayed(plan, delay):
        return
    for image in plan.images:
        if image.grading != "pending":
            continue
        if image.good or not grader:
            image.grading = "accepted"
            plan.accepted += 1
        else:
            image.grading = "rejected"


def _is_delayed(plan: SimulatedExposurePlan, delay: float) -> bool:
    return plan.acquired * 100 < delay * plan.desired
