"""The simulated planner: chooses the next exposure, and previews a whole night from such choices.

The running night and the preview use the same `Planner`. The preview is simpler, as the plugin's is: only exposures
take time, the sky is clear and every image is accepted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ts2mqtt.simulator.grading import delay_percent, remaining, remaining_without_grader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ts2mqtt.simulator.rows import (
        SimulatedExposurePlan,
        SimulatedProfile,
        SimulatedProject,
        SimulatedTarget,
    )
    from ts2mqtt.simulator.sky import Sky

DEFAULT_MINIMUM_ALTITUDE_DEG = 25.0
"""The minimum altitude of a project that sets none."""

_DEGREES_PER_PRIORITY = 15.0
_RETRY_AFTER = timedelta(minutes=5)
_SHORTEST_EXPOSURE_S = 1.0

CountRemaining = Callable[["SimulatedProfile", "SimulatedProject", "SimulatedExposurePlan"], int]


def remaining_exposures(profile: SimulatedProfile, project: SimulatedProject, plan: SimulatedExposurePlan) -> int:
    """The number of exposures that a plan still needs, by the counts in the database."""
    if not project.enable_grader:
        return remaining_without_grader(plan, profile.exposure_throttle_percent)
    return remaining(plan, delay_percent(profile, project))


@dataclass(frozen=True, slots=True)
class NextExposure:
    """The exposure that the planner chose: one of a target's exposure plans."""

    profile: SimulatedProfile
    project: SimulatedProject
    target: SimulatedTarget
    plan_index: int

    @property
    def plan(self) -> SimulatedExposurePlan:
        return self.target.exposure_plans[self.plan_index]

    @property
    def duration(self) -> timedelta:
        """The integration time; at least a second, so that time always passes."""
        return timedelta(seconds=max(self.plan.exposure_s, _SHORTEST_EXPOSURE_S))


@dataclass(frozen=True, slots=True)
class PreviewExposures:
    """Some exposures in a row with one filter and one integration time."""

    filter_name: str
    exposure_s: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewBlock:
    """A part of the night: a target with its exposures, or a wait if `target_id` is None.

    `tick` is the seventh decimal of the seconds, which .NET has and Python lacks.
    """

    target_id: str | None = None
    name: str | None = None
    start: datetime
    end: datetime
    exposures: tuple[PreviewExposures, ...] = ()
    tick: int = 0


class Planner:
    """Chooses one exposure after the other; it remembers the current target and each target's filter cadence."""

    def __init__(self, sky: Sky, count_remaining: CountRemaining) -> None:
        self._sky = sky
        self._count_remaining = count_remaining
        self._current: SimulatedTarget | None = None
        self._keep_until = datetime.min.replace(tzinfo=UTC)
        self._cadence: dict[str, tuple[int, int]] = {}

    def next_exposure(self, profile: SimulatedProfile, at: datetime) -> NextExposure | None:
        """The exposure to take at this time, or None if nothing can be imaged.

        A target stays current for its project's minimum time. Then the highest target is next; each step of the
        project's priority counts as 15° of altitude.
        """
        best: tuple[float, SimulatedProject, SimulatedTarget] | None = None
        for project, target in self.unfinished(profile):
            altitude = self._sky.altitude(target.ra_hours, target.dec_deg, at)
            lowest = project.minimum_altitude or DEFAULT_MINIMUM_ALTITUDE_DEG
            highest = project.maximum_altitude or 90.0
            if not lowest <= altitude <= highest:
                continue
            if target is self._current and at < self._keep_until:
                return self._with_plan(profile, project, target)
            score = altitude + project.priority * _DEGREES_PER_PRIORITY
            if best is None or score > best[0]:
                best = score, project, target
        if best is None:
            self._current = None
            return None
        _, project, target = best
        self._current = target
        self._keep_until = at + timedelta(minutes=project.minimum_time)
        return self._with_plan(profile, project, target)

    def look_ahead(self, profile: SimulatedProfile, at: datetime) -> NextExposure | None:
        """What `next_exposure` will answer at this time; the planner stays as it is."""
        kept = self._current, self._keep_until
        try:
            return self.next_exposure(profile, at)
        finally:
            self._current, self._keep_until = kept

    def count_exposure(self, exposure: NextExposure) -> None:
        """Count a taken exposure for the target's filter cadence."""
        index, run = self._cadence.get(exposure.target.id, (exposure.plan_index, 0))
        self._cadence[exposure.target.id] = (exposure.plan_index, run + 1 if index == exposure.plan_index else 1)

    def unfinished(self, profile: SimulatedProfile) -> Iterator[tuple[SimulatedProject, SimulatedTarget]]:
        """Every active target of the profile's Active projects that still needs exposures."""
        for project in profile.projects:
            if project.state != "Active":
                continue
            for target in project.targets:
                if target.active and self._unfinished_plans(profile, project, target):
                    yield project, target

    def _unfinished_plans(
        self, profile: SimulatedProfile, project: SimulatedProject, target: SimulatedTarget
    ) -> list[int]:
        """The indexes of the exposure plans that still need exposures."""
        plans = enumerate(target.exposure_plans)
        return [index for index, plan in plans if self._count_remaining(profile, project, plan) > 0]

    def _with_plan(
        self, profile: SimulatedProfile, project: SimulatedProject, target: SimulatedTarget
    ) -> NextExposure:
        """The next exposure of this target, by the filter cadence of its project."""
        unfinished_plans = self._unfinished_plans(profile, project, target)
        last, run = self._cadence.get(target.id, (0, 0))
        frequency = project.filter_switch_frequency
        if frequency == 0:
            index = unfinished_plans[0]
        elif last in unfinished_plans and run < frequency:
            index = last
        else:
            index = next((index for index in unfinished_plans if index > last), unfinished_plans[0])
        return NextExposure(profile, project, target, index)


@dataclass(frozen=True, slots=True)
class Preview:
    """The blocks of a night, and how often the plugin would write a filter cadence to its live database for them."""

    blocks: tuple[PreviewBlock, ...]
    cadence_writes: int


def preview_night(profile: SimulatedProfile, sky: Sky, start: datetime, tick: int) -> Preview:
    """What the profile would image from `start` to dawn; if it is day at `start`, in the next night."""
    night = sky.night_from(start)
    if night is None:
        return Preview((), 0)
    taken: dict[int, int] = {}

    def count_remaining(profile: SimulatedProfile, project: SimulatedProject, plan: SimulatedExposurePlan) -> int:
        return remaining_exposures(profile, project, plan) - taken.get(id(plan), 0)

    planner = Planner(sky, count_remaining)
    blocks: list[PreviewBlock] = []
    cadence_writes = 0
    at = max(start, night.dusk)
    idle_since = start
    while at < night.dawn and any(True for _ in planner.unfinished(profile)):
        exposure = planner.next_exposure(profile, at)
        if exposure is None:
            at += _RETRY_AFTER
            continue
        end = at + exposure.duration
        if end > night.dawn:
            break
        if at > idle_since:
            blocks.append(PreviewBlock(start=idle_since, end=at, tick=tick))
        _add_exposure(blocks, exposure, at, tick)
        planner.count_exposure(exposure)
        taken[id(exposure.plan)] = taken.get(id(exposure.plan), 0) + 1
        cadence_writes += exposure.project.filter_switch_frequency > 0
        at = idle_since = end
    return Preview(tuple(blocks), cadence_writes)


def _add_exposure(blocks: list[PreviewBlock], exposure: NextExposure, at: datetime, tick: int) -> None:
    one = PreviewExposures(exposure.plan.filter_name, exposure.plan.exposure_s, 1)
    end = at + exposure.duration
    if not blocks or blocks[-1].target_id != exposure.target.id:
        block = PreviewBlock(
            target_id=exposure.target.id, name=exposure.target.name, start=at, end=end, exposures=(one,), tick=tick
        )
        blocks.append(block)
        return
    *before, last = blocks[-1].exposures
    if (last.filter_name, last.exposure_s) == (one.filter_name, one.exposure_s):
        exposures = (*before, replace(last, count=last.count + 1))
    else:
        exposures = (*before, last, one)
    blocks[-1] = replace(blocks[-1], end=end, exposures=exposures)
