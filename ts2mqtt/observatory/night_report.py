"""What a night has brought, in full: planned against imaged, and what has become of each exposure that was taken."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from math import fsum
from typing import TYPE_CHECKING

from ts2mqtt.observatory.completion import completion_rule
from ts2mqtt.observatory.evidence import UNKNOWN_EXPOSURE_S, patience
from ts2mqtt.observatory.night import is_past_midnight, night_of
from ts2mqtt.observatory.sharpness import hfr_median, measured
from ts2mqtt.observatory.tree import find_target

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime, tzinfo

    from ts2mqtt.observatory.completion import CompletionRule
    from ts2mqtt.observatory.exposures import Gain
    from ts2mqtt.observatory.live import LightFrame
    from ts2mqtt.observatory.look import Look
    from ts2mqtt.observatory.model import ExposurePlan, NightPlan, PlanBlock, Rig, Target
    from ts2mqtt.observatory.sharpness import Sharpness

API_AWAY, NOTHING_PLANNED, NOT_DONE, UNKNOWN = "api_away", "nothing_planned", "not_done", "unknown"
REASONS = (API_AWAY, NOTHING_PLANNED, NOT_DONE, UNKNOWN)
"""Why nothing was imaged."""

# An exposure that may have ended at any time in more than this and its own length has no place on the time axis.
_VAGUE = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which a target was imaged, pauses of an ordinary length included."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStretch:
    """A time for which the night plan had a target."""

    id: str
    name: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagedStretch:
    """A time in which a target of the plan was imaged, and which is over."""

    id: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReport:
    """What one exposure plan has gained in the night.

    `accepted` and `rejected` are None where images of earlier nights were graded together with these, so that nobody
    can tell which is which; `accepted_at_least` is certain all the same. `acquired_before`, `accepted_before`,
    `pending_before`: its counts before the night.
    """

    key: str
    filter: str | None
    exposure_s: float | None
    acquired: int
    accepted: int | None
    accepted_at_least: int
    rejected: int | None
    pending: int
    acquired_before: int
    accepted_before: int
    pending_before: int

    @property
    def integration_s(self) -> float:
        return self.acquired * (self.exposure_s or 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetReport:
    id: str
    name: str
    project_id: str
    project_name: str
    completed: bool = False
    plans: tuple[PlanReport, ...] = ()
    stretches: tuple[Stretch, ...] = ()

    @property
    def acquired(self) -> int:
        return sum(plan.acquired for plan in self.plans)

    @property
    def accepted(self) -> int | None:
        return _sum_of_known(plan.accepted for plan in self.plans)

    @property
    def accepted_at_least(self) -> int:
        return sum(plan.accepted_at_least for plan in self.plans)

    @property
    def rejected(self) -> int | None:
        return _sum_of_known(plan.rejected for plan in self.plans)

    @property
    def pending(self) -> int:
        return sum(plan.pending for plan in self.plans)

    @property
    def integration_s(self) -> float:
        return fsum(plan.integration_s for plan in self.plans)


@dataclass(frozen=True, slots=True, kw_only=True)
class NightReport:
    """The night that began on `night`, as far as it has come.

    `seen_from`: since when the bridge has watched it. `plan_fetched`: when the latest plan that is in `planned` was
    asked for. `answered`: whether the API answered while something was planned, or at all where nothing was.
    `unplaced`: exposures of which nobody knows when in the night they were taken. Not `complete`: the bridge did not
    see the night's end, and there may be more. `last_image` and `sharpness`: what N.I.N.A. has told of the images.
    """

    night: date
    seen_from: datetime
    plan_fetched: datetime | None = None
    planned: tuple[PlannedStretch, ...] = ()
    answered: bool = False
    unplaced: int = 0
    complete: bool = True
    targets: tuple[TargetReport, ...] = ()
    last_image: LightFrame | None = None
    sharpness: tuple[Sharpness, ...] = ()

    @property
    def acquired(self) -> int:
        return sum(target.acquired for target in self.targets)

    @property
    def accepted(self) -> int | None:
        return _sum_of_known(target.accepted for target in self.targets)

    @property
    def accepted_at_least(self) -> int:
        return sum(target.accepted_at_least for target in self.targets)

    @property
    def rejected(self) -> int | None:
        return _sum_of_known(target.rejected for target in self.targets)

    @property
    def pending(self) -> int:
        return sum(target.pending for target in self.targets)

    @property
    def integration_s(self) -> float:
        return fsum(target.integration_s for target in self.targets)

    @property
    def planned_s(self) -> float | None:
        """Seconds for which the plan had a target, whatever became of it; None where no plan was known."""
        if self.plan_fetched is None:
            return None
        return _covered_s(self.planned)

    @property
    def imaged_s(self) -> float | None:
        """Seconds in which the rig imaged; None where nobody knows when it did."""
        return None if self.unplaced else _covered_s(self._stretches)

    @property
    def start(self) -> datetime | None:
        """When the first exposure began; None without one, or where nobody knows when it did."""
        return None if self.unplaced else min((one.start for one in self._stretches), default=None)

    @property
    def end(self) -> datetime | None:
        """When the last exposure ended; None as for the start."""
        return None if self.unplaced else max((one.end for one in self._stretches), default=None)

    @property
    def reason(self) -> str | None:
        """Why nothing was imaged, one of REASONS; None if something was."""
        if self.acquired:
            return None
        if not self.complete:
            return UNKNOWN
        if not self.answered:
            return API_AWAY
        if self.plan_fetched is None:
            return UNKNOWN
        return NOT_DONE if self.planned else NOTHING_PLANNED

    def hfr_median(self, target_id: str, key: str | None = None) -> float | None:
        """Of the target's images in pixels, with a `key` of this exposure plan alone; None if that is not known."""
        return hfr_median(
            one for one in self.sharpness if one.target_id == target_id and (key is None or one.key == key)
        )

    @property
    def _stretches(self) -> tuple[Stretch, ...]:
        return tuple(stretch for target in self.targets for stretch in target.stretches)


def is_worth_telling(report: NightReport, zone: tzinfo | None) -> bool:
    """Whether the bridge has seen anything of the night: not if it began to watch when that was over."""
    if report.acquired:
        return True
    if report.planned:
        return report.seen_from < max(one.end for one in report.planned)
    return not is_past_midnight(report.seen_from, zone)


def is_over(report: NightReport, look: Look, *, images: bool) -> bool:
    """Whether imaging has ended, and the night's plan has; without a plan the sun has risen, if a site tells when.

    Without both only the next noon tells.
    """
    end = max((one.end for one in report.planned), default=None)
    if end is None and look.dawn is not None and night_of(look.dawn, look.zone) == report.night:
        end = look.dawn
    return end is not None and look.now >= end and not images


def imaged_stretches(
    report: NightReport, at_work: str | None, shown: Sequence[ImagedStretch] = ()
) -> tuple[ImagedStretch, ...]:
    """What the night has brought so far; the latest stretch of the target `at_work` as it was `shown`, if it was.

    That stretch still grows. It was shown if the API went away in the meantime, which also ends it for a while.
    """
    stretches: list[ImagedStretch] = []
    for target in report.targets:
        new = [ImagedStretch(id=target.id, start=one.start, end=one.end) for one in target.stretches]
        if new and target.id == at_work:
            latest = new.pop()
            new += (one for one in shown if (one.id, one.start) == (latest.id, latest.start))
        stretches += new
    return tuple(stretches)


def watched(report: NightReport, look: Look) -> NightReport:
    """The report with what a look tells of the plan and of the API."""
    report = _with_plan(report, look.plan)
    if report.answered or not look.rig.online:
        return report
    is_time = any(one.start <= look.now < one.end for one in report.planned)
    return replace(report, answered=True) if is_time or not report.planned else report


def add(report: NightReport, gains: Iterable[Gain], rig: Rig) -> NightReport:
    """The report with the exposures of these gains; targets and plans in the order of their first exposure."""
    for gain in gains:
        if gain.acquired:
            report = _add_one(report, gain, completion_rule(gain.step.place.project, rig.exposure_throttle_percent))
    return report


def graded(report: NightReport, rig: Rig) -> NightReport:
    """The report with what the counts of now tell of its exposures; the very same report if that is nothing new."""
    targets = tuple(_graded_target(target, rig) for target in report.targets)
    return report if targets == report.targets else replace(report, targets=targets)


def with_completed(report: NightReport, target_ids: Iterable[str]) -> NightReport:
    """The report in which these targets, as far as they were imaged, are completed."""
    completed = frozenset(target_ids)
    if not any(target.id in completed and not target.completed for target in report.targets):
        return report
    return replace(
        report,
        targets=tuple(
            replace(target, completed=target.completed or target.id in completed) for target in report.targets
        ),
    )


def with_frames(report: NightReport, frames: Iterable[LightFrame], rig: Rig) -> NightReport:
    """The report with light frames of its night, each to be told once."""
    last, sharpness = report.last_image, report.sharpness
    for frame in frames:
        last = frame if last is None or last.time <= frame.time else last
        sharpness = measured(sharpness, frame, rig)
    return replace(report, last_image=last, sharpness=sharpness)


def _sum_of_known(numbers: Iterable[int | None]) -> int | None:
    """None if one of them is not known."""
    total = 0
    for number in numbers:
        if number is None:
            return None
        total += number
    return total


def _covered_s(stretches: Iterable[Stretch | PlannedStretch]) -> float:
    """How long they last, what several of them cover counted once."""
    covered = timedelta()
    until: datetime | None = None
    for stretch in sorted(stretches, key=lambda one: one.start):
        start = stretch.start if until is None else max(stretch.start, until)
        covered += max(timedelta(), stretch.end - start)
        until = stretch.end if until is None else max(stretch.end, until)
    return covered.total_seconds()


def _with_plan(report: NightReport, plan: NightPlan | None) -> NightReport:
    """What an earlier plan had until this one was fetched stays; from there on this one counts."""
    if plan is None or plan.night != report.night:
        return report
    fetched = plan.fetched.replace(microsecond=0)
    if fetched == report.plan_fetched:
        return report
    new = tuple(_planned(block) for block in plan.blocks if not block.is_wait and block.end > block.start)
    if report.plan_fetched is not None:
        earlier = (replace(one, end=min(one.end, fetched)) for one in report.planned if one.start < fetched)
        later = (replace(one, start=max(one.start, fetched)) for one in new if one.end > fetched)
        new = _joined((*earlier, *later))
    # That the API answered while nothing was planned does not say that it will when something is.
    answered = report.answered and not (new and not report.planned)
    return replace(report, plan_fetched=fetched, planned=new, answered=answered)


def _planned(block: PlanBlock) -> PlannedStretch:
    return PlannedStretch(
        id=block.target_id or "",
        name=block.name or "",
        start=block.start.replace(microsecond=0),
        end=block.end.replace(microsecond=0),
    )


def _joined(planned: Sequence[PlannedStretch]) -> tuple[PlannedStretch, ...]:
    joined: list[PlannedStretch] = []
    for one in planned:
        if joined and joined[-1].id == one.id and joined[-1].end == one.start:
            joined[-1] = replace(joined[-1], end=one.end)
        else:
            joined.append(one)
    return tuple(joined)


def _add_one(report: NightReport, gain: Gain, rule: CompletionRule) -> NightReport:
    place, plan = gain.step.place, gain.step.after
    targets = {target.id: target for target in report.targets}
    target = targets.get(place.target.id) or TargetReport(
        id=place.target.id,
        name=place.target.name,
        project_id=place.project.id,
        project_name=place.project.name,
    )
    plans = {one.key: one for one in target.plans}
    plans[plan.key] = _with_exposures(plans.get(plan.key), gain, rule)
    length = timedelta(seconds=plan.exposure_s or UNKNOWN_EXPOSURE_S)
    is_placed = gain.uncertainty <= length + _VAGUE
    targets[target.id] = replace(
        target,
        name=place.target.name,
        plans=tuple(plans.values()),
        stretches=_with_stretch(target.stretches, gain, patience(length.total_seconds()))
        if is_placed
        else target.stretches,
    )
    unplaced = report.unplaced + (0 if is_placed else gain.acquired)
    return replace(report, targets=tuple(targets.values()), unplaced=unplaced)


def _with_exposures(known: PlanReport | None, gain: Gain, rule: CompletionRule) -> PlanReport:
    before, after = gain.step.before, gain.step.after
    if known is None:
        known = PlanReport(
            key=after.key,
            filter=after.filter,
            exposure_s=after.exposure_s,
            acquired=0,
            accepted=0,
            accepted_at_least=0,
            rejected=0,
            pending=0,
            acquired_before=before.acquired,
            accepted_before=before.accepted,
            pending_before=rule.pending(before),
        )
    elif known.acquired_before + known.acquired != before.acquired:
        # Somebody has edited the counts: what comes from here on is counted from there.
        known = replace(
            known,
            acquired_before=before.acquired - known.acquired,
            accepted_before=before.accepted - known.accepted_at_least,
        )
    known = replace(known, filter=after.filter, exposure_s=after.exposure_s, acquired=known.acquired + gain.acquired)
    return _graded_plan(known, after, rule)


def _with_stretch(stretches: tuple[Stretch, ...], gain: Gain, pause: timedelta) -> tuple[Stretch, ...]:
    start, end = gain.began.replace(microsecond=0), gain.time.replace(microsecond=0)
    if stretches and start - stretches[-1].end <= pause:
        last = stretches[-1]
        return (*stretches[:-1], Stretch(min(last.start, start), max(last.end, end)))
    return (*stretches, Stretch(start, end))


def _graded_target(target: TargetReport, rig: Rig) -> TargetReport:
    place = find_target(rig, target.id)
    if place is None:
        return target
    rule = completion_rule(place.project, rig.exposure_throttle_percent)
    plans = tuple(_graded_plan(known, _plan_of(place.target, known.key), rule) for known in target.plans)
    return target if plans == target.plans else replace(target, plans=plans)


def _plan_of(target: Target, key: str) -> ExposurePlan | None:
    return next((plan for plan in target.exposure_plans if plan.key == key), None)


def _graded_plan(known: PlanReport, plan: ExposurePlan | None, rule: CompletionRule) -> PlanReport:
    """As it was once the counts hold more than this night's exposures, or somebody has edited them."""
    if plan is None or plan.acquired != known.acquired_before + known.acquired:
        return known
    all_pending = min(rule.pending(plan), known.pending_before + known.acquired)
    # The grader takes the oldest images first.
    pending = min(known.acquired, all_pending)
    looked_at = known.acquired - pending
    earlier_looked_at = known.pending_before - (all_pending - pending)
    accepted = min(max(0, plan.accepted - known.accepted_before), looked_at + earlier_looked_at)
    least, most = max(0, accepted - earlier_looked_at), min(looked_at, accepted)
    if least != most:
        return replace(known, accepted=None, accepted_at_least=least, rejected=None, pending=pending)
    return replace(known, accepted=most, accepted_at_least=most, rejected=looked_at - most, pending=pending)
