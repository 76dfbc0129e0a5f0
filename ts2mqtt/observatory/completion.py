"""The plugin's own rule for how far an exposure plan is, and how many exposures it still takes.

Source: `ExposureCompletionHelper` of the plugin (5.9), its arithmetic included.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ts2mqtt.observatory.model import ExposurePlan, Project

_COMPLETE = 100.0


@dataclass(frozen=True, slots=True)
class CompletionRule:
    """How the plugin counts the exposure plans of one project.

    With the grader on, accepted images count against the desired number. With the grader off, acquired ones count
    against that number times the exposure throttle, which is in percent.
    """

    is_graded: bool
    throttle_percent: int

    @property
    def decisive_throttle_percent(self) -> int | None:
        """The exposure throttle where it decides the numbers; None with the grader on."""
        return None if self.is_graded else self.throttle_percent

    def progress(self, plan: ExposurePlan) -> float:
        """Percent done, 0 to 100.

        With the grader on, a plan with ungraded images is provisional: its acquired images count. The number of
        ungraded images is negative where accepted was edited above acquired; that is provisional too.
        """
        if self.is_graded:
            return _percent(plan.acquired if plan.ungraded else plan.accepted, plan.desired)
        if not plan.acquired:
            return 0.0
        goal = self._throttled(plan)
        # The plugin divides by a float: by 0 that is infinite, and so complete.
        return _percent(plan.acquired, goal) if goal else _COMPLETE

    def is_complete(self, plan: ExposurePlan) -> bool:
        """Whether the plugin takes no more exposures of it; never where none are desired and the grader is on."""
        return self.progress(plan) >= _COMPLETE

    def remaining(self, plan: ExposurePlan) -> int:
        """How many exposures are still to be accepted, or with the grader off to be acquired; never negative."""
        if self.is_graded:
            return max(0, plan.desired - plan.accepted)
        return max(0, self._throttled(plan) - plan.acquired)

    def remaining_s(self, plan: ExposurePlan) -> float:
        """The integration time of the remaining exposures, in seconds."""
        return self.remaining(plan) * (plan.exposure_s or 0.0)

    def pending(self, plan: ExposurePlan) -> int:
        """How many images wait for the grader; with the grader off none do."""
        return max(0, plan.ungraded) if self.is_graded else 0

    def rejected(self, plan: ExposurePlan) -> int:
        """How many images were graded as bad; never negative, whatever the user has edited."""
        return max(0, plan.acquired - plan.accepted - self.pending(plan))

    def acceptance(self, plan: ExposurePlan) -> float | None:
        """Percent of the graded images that were accepted; None where no image was graded."""
        graded = plan.accepted + self.rejected(plan)
        return _percent(plan.accepted, graded) if graded else None

    def _throttled(self, plan: ExposurePlan) -> int:
        # In floats, as in the plugin: 115 % of 100 is 114 there.
        return int(self.throttle_percent / 100 * plan.desired)


def completion_rule(project: Project, throttle_percent: int) -> CompletionRule:
    """The rule for a project of a rig with this exposure throttle; a grader that is not known to be off is on."""
    return CompletionRule(is_graded=project.enable_grader is not False, throttle_percent=throttle_percent)


def all_complete(plans: Iterable[ExposurePlan], rule: CompletionRule) -> bool:
    """Whether there are exposure plans and each is complete: the mean of their percents is 100."""
    complete = [rule.is_complete(plan) for plan in plans]
    return bool(complete) and all(complete)


def _percent(done: int, goal: int) -> float:
    return min(_COMPLETE, done / goal * 100) if goal else 0.0
