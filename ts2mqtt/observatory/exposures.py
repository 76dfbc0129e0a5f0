"""Exposures that were taken between two looks at a rig, as its counts tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ts2mqtt.observatory.completion import completion_rule
from ts2mqtt.observatory.tree import all_targets, distinct_targets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ts2mqtt.observatory.model import ExposurePlan, Rig
    from ts2mqtt.observatory.tree import TargetPlace

# Between two exposures a rig may refocus, centre again or flip at the meridian.
_OVERHEAD = timedelta(minutes=5)
UNKNOWN_EXPOSURE_S = 300.0
"""What an exposure plan that does not say its length is taken to have."""


@dataclass(frozen=True, slots=True)
class Progress:
    """An exposure plan before and after; the counts may have risen, fallen or stayed."""

    place: TargetPlace
    before: ExposurePlan
    after: ExposurePlan

    @property
    def acquired(self) -> int:
        """Exposures taken meanwhile; a count that fell was reset by hand and says nothing."""
        return max(0, self.after.acquired - self.before.acquired)

    @property
    def accepted(self) -> int:
        return max(0, self.after.accepted - self.before.accepted)


@dataclass(frozen=True, slots=True)
class LastExposure:
    """The latest exposure that was seen to be taken, and when; `exposure_s` is the longest that may follow it."""

    target_id: str
    seen: datetime
    exposure_s: float

    def imaging_until(self) -> datetime:
        """Until then the next exposure may still come before one would say that imaging has ended."""
        return self.seen + patience(self.exposure_s)


def patience(exposure_s: float) -> timedelta:
    """How long a rig that images with exposures of so many seconds may show no new one."""
    return 2 * timedelta(seconds=exposure_s) + _OVERHEAD


def progress(before: Rig, after: Rig) -> Iterator[Progress]:
    """Exposure plans whose counts differ, found again by target id and key, if possible in the same project."""
    anywhere = {place.target.id: place.target for place in distinct_targets(before)}
    there = {(place.project.id, place.target.id): place.target for place in all_targets(before)}
    for place in distinct_targets(after):
        old = there.get((place.project.id, place.target.id)) or anywhere.get(place.target.id)
        if old is None or old is place.target:
            continue
        plans = {plan.key: plan for plan in old.exposure_plans}
        for plan in place.target.exposure_plans:
            earlier = plans.get(plan.key)
            if earlier and (earlier.acquired, earlier.accepted) != (plan.acquired, plan.accepted):
                yield Progress(place, earlier, plan)


def last_exposure(before: Rig, after: Rig, now: datetime) -> LastExposure | None:
    """The latest exposure of the active profile between two looks; None if none was taken.

    Another profile's counts may rise too: several N.I.N.A. can share one database.
    """
    taken = [step for step in progress(before, after) if step.acquired and step.place.profile.active]
    if not taken:
        return None
    step = max(taken, key=lambda step: step.after.exposure_s or 0.0)
    rule = completion_rule(step.place.project, after.exposure_throttle_percent)
    may_follow = [step.after, *(plan for plan in step.place.target.exposure_plans if rule.remaining(plan))]
    return LastExposure(step.place.target.id, now, max(plan.exposure_s or UNKNOWN_EXPOSURE_S for plan in may_follow))
