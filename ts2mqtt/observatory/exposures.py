"""Exposures that were taken between two looks at a rig, as its counts tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from ts2mqtt.observatory.model import ACTIVE
from ts2mqtt.observatory.tree import all_targets, distinct_targets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from ts2mqtt.observatory.look import Look
    from ts2mqtt.observatory.model import ExposurePlan, Rig, Target
    from ts2mqtt.observatory.tree import TargetPlace

PlanId = tuple[str, str]
"""Target id and exposure plan key."""

LATE_IMAGES = timedelta(seconds=90)
"""The plugin stores an image after it was looked at, up to 80 s after it was taken: two may come close together."""


@dataclass(frozen=True, slots=True)
class Progress:
    """An exposure plan before and after, and where its target was and is; counts may have risen, fallen or stayed."""

    was: TargetPlace
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

    def __str__(self) -> str:
        before, after = self.before, self.after
        return (
            f"{after.key} of {self.place.target.name!r} went from {before.acquired} acquired and {before.accepted} "
            f"accepted to {after.acquired} and {after.accepted}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What an exposure plan has gained between two reads of its list.

    The last of its exposures ended between `earliest` and `latest`, both aware.
    """

    step: Progress
    acquired: int
    accepted: int
    earliest: datetime
    latest: datetime

    @property
    def time(self) -> datetime:
        """When the last exposure ended: the middle of the time in which it can have been."""
        return self.earliest + self.uncertainty / 2

    @property
    def uncertainty(self) -> timedelta:
        return self.latest - self.earliest

    @property
    def began(self) -> datetime:
        """When the first of its exposures began, if they followed one another at once."""
        return self.time - self.acquired * timedelta(seconds=self.step.after.exposure_s or 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What the counts are compared with.

    `since`: by project id, when its targets were last read; of one that is missing that is not known. `left`: by id,
    until when a profile was the active one and a project was Active, as far as this run of the bridge has seen it
    (`is_watched`: it has read the rig before). `last_ended`: when the latest exposure ended that was seen. `peaks`:
    the most that was ever accepted of exposure plans whose accepted count has fallen since, as when images are graded
    anew: to rise again is no gain.
    """

    rig: Rig
    since: Mapping[str, datetime] = field(default_factory=dict)
    left: Mapping[str, datetime] = field(default_factory=dict)
    is_watched: bool = True
    last_ended: datetime | None = None
    peaks: Mapping[PlanId, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What the rig has taken, what somebody has edited, and the peaks from here on."""

    gains: tuple[Gain, ...] = ()
    edited: tuple[Progress, ...] = ()
    peaks: Mapping[PlanId, int] = field(default_factory=dict)


def count(before: Before, look: Look) -> Counted:
    """Gains of the active profile, and of one that has been left, until its last exposures are read.

    Another profile's counts may rise too: several N.I.N.A. can share one database.
    """
    gains: list[Gain] = []
    edited: list[Progress] = []
    peaks = dict(before.peaks)
    for step in progress(before.rig, look.rig):
        since = before.since.get(step.place.project.id)
        if not (step.place.profile.active or _was_left_since(step.place.profile.id, step, since, before)):
            continue
        peak = _take_peak(step, peaks)
        elapsed = look.now - since if since is not None and since <= look.now else None
        accepted = max(0, step.after.accepted - peak) if step.after.acquired >= step.before.acquired else 0
        if not (_is_of_active_project(step, since, before) and _fits_into(step, elapsed)):
            edited.append(step)
            continue
        if not _can_have_been_accepted(step):
            edited.append(step)
            accepted = 0
        if step.acquired or accepted:
            earliest = _earliest_end(step, elapsed, before, look.now)
            gains.append(
                Gain(step=step, acquired=step.acquired, accepted=accepted, earliest=earliest, latest=look.now)
            )
    return Counted(gains=tuple(gains), edited=tuple(edited), peaks=peaks)


def progress(before: Rig, after: Rig) -> Iterator[Progress]:
    """Exposure plans whose counts differ, found again by target id and key, if possible in the same project."""
    anywhere = {place.target.id: place for place in distinct_targets(before)}
    there = {(place.project.id, place.target.id): place for place in all_targets(before)}
    for place in distinct_targets(after):
        was = there.get((place.project.id, place.target.id)) or anywhere.get(place.target.id)
        if was is None or was.target is place.target:
            continue
        plans = {plan.key: plan for plan in was.target.exposure_plans}
        for plan in place.target.exposure_plans:
            earlier = plans.get(plan.key)
            if earlier is None or (earlier.acquired, earlier.accepted) == (plan.acquired, plan.accepted):
                continue
            # Of equal plans one that is gone leaves its key to the next: which is which cannot be told any more.
            if _number_of_equals(place.target, plan) == _number_of_equals(was.target, plan):
                yield Progress(was, place, earlier, plan)


def _number_of_equals(target: Target, plan: ExposurePlan) -> int:
    """How many of the target's exposure plans are of the template and the exposure of this one."""
    kind = (plan.template, plan.exposure_s)
    return sum((other.template, other.exposure_s) == kind for other in target.exposure_plans)


def _was_left_since(thing_id: str, step: Progress, since: datetime | None, before: Before) -> bool:
    """Whether a profile or project was left for others so lately that its last exposure had not been read."""
    left = before.left.get(thing_id)
    under_way = timedelta(seconds=step.after.exposure_s or 0.0) + LATE_IMAGES
    return left is not None and (since is None or since < left + under_way)


def _is_of_active_project(step: Progress, since: datetime | None, before: Before) -> bool:
    """Whether exposures can have been taken for its project; what was accepted may have been graded at any time."""
    return (
        not step.acquired
        or not before.is_watched
        or any(place.project.state in (ACTIVE, None) for place in (step.was, step.place))
        or _was_left_since(step.place.project.id, step, since, before)
    )


def _take_peak(step: Progress, peaks: dict[PlanId, int]) -> int:
    """The number above which accepted images are new; `peaks` is left with what counts from here on."""
    plan_id = (step.place.target.id, step.after.key)
    peak = max(peaks.pop(plan_id, 0), step.before.accepted)
    if step.after.acquired >= step.before.acquired and step.after.accepted < peak:
        # What was reset by hand begins anew; what is graded anew does not.
        peaks[plan_id] = peak
    return peak


def _fits_into(step: Progress, elapsed: timedelta | None) -> bool:
    """Whether the rig can have taken so many in that time; if nobody knows how long it was, it can."""
    return elapsed is None or _between_first_and_last(step) <= elapsed + LATE_IMAGES


def _between_first_and_last(step: Progress) -> timedelta:
    """The first exposure may have been all but over when the list was read before."""
    return max(0, step.acquired - 1) * timedelta(seconds=step.after.exposure_s or 0.0)


def _earliest_end(step: Progress, elapsed: timedelta | None, before: Before, now: datetime) -> datetime:
    """When the last of the exposures can have ended at the earliest; `now` if nothing is known."""
    if elapsed is None:
        return now
    earliest = now - elapsed + _between_first_and_last(step)
    if before.last_ended is not None and not before.is_watched:
        # What an earlier run of the bridge saw last is long ago: a rig takes one exposure after the other.
        exposures = step.acquired * timedelta(seconds=step.after.exposure_s or 0.0)
        earliest = max(earliest, before.last_ended + exposures)
    return min(earliest, now)


def _can_have_been_accepted(step: Progress) -> bool:
    """No more images can be accepted than were taken and not accepted yet."""
    not_accepted = max(0, step.before.acquired - step.before.accepted)
    return step.accepted <= not_accepted + step.acquired
