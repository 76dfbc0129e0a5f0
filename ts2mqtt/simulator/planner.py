"""The simulated planner: which target and exposure plan comes next, and the preview of a night made of that.

The running night and the preview use the same `Planner`. The preview differs as the plugin's does: nothing
but exposures takes time, the sky is clear and every image is accepted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ts2mqtt.simulator.grading import delay_percent, remaining, remaining_without_grader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ts2mqtt.simulator.entities import (
        SimulatedExposurePlan,
        SimulatedProfile,
        SimulatedProject,
        SimulatedTarget,
    )
    from ts2mqtt.simulator.sky import Sky

DEFAULT_MINIMUM_ALTITUDE_DEG = 25.0
"""Taken for a project that sets none: below it even a simulated sky is murky."""

_PRIORITY_WORTH_DEG = 15.0
_LOOK_AGAIN = timedelta(minutes=5)
_SHORTEST_EXPOSURE_S = 1.0

Remaining = Callable[["SimulatedProfile", "SimulatedProject", "SimulatedExposurePlan"], int]


def wanted_now(profile: SimulatedProfile, project: SimulatedProject, plan: SimulatedExposurePlan) -> int:
    """How many exposures the database says a plan still needs."""
    if not project.enable_grader:
        return remaining_without_grader(plan, profile.exposure_throttle_percent)
    return remaining(plan, delay_percent(profile, project))


@dataclass(frozen=True, slots=True)
class Choice:
    """The next exposure."""

    profile: SimulatedProfile
    project: SimulatedProject
    target: SimulatedTarget
    plan_index: int

    @property
    def plan(self) -> SimulatedExposurePlan:
        return self.target.exposure_plans[self.plan_index]

    @property
    def duration(self) -> timedelta:
        """The integration time; never nothing, so that time always passes."""
        return timedelta(seconds=max(self.plan.exposure_s, _SHORTEST_EXPOSURE_S))


@dataclass(frozen=True, slots=True)
class PreviewExposures:
    """So many exposures in a row of one filter and integration time."""

    filter_name: str
    exposure_s: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewBlock:
    """A stretch of the night: a target with its exposures, or a wait if `target_id` is None.

    `tick` is the seventh decimal of the second that .NET has and Python lacks.
    """

    target_id: str | None = None
    name: str | None = None
    start: datetime
    end: datetime
    exposures: tuple[PreviewExposures, ...] = ()
    tick: int = 0


class Planner:
    """Chooses exposure by exposure and remembers what it is at: the target and each target's filter cadence."""

    def __init__(self, sky: Sky, wanted: Remaining) -> None:
        self._sky = sky
        self._wanted = wanted
        self._current: SimulatedTarget | None = None
        self._keep_until = datetime.min.replace(tzinfo=UTC)
        self._cadence: dict[str, tuple[int, int]] = {}

    def choose(self, profile: SimulatedProfile, at: datetime) -> Choice | None:
        """The exposure to take at `at`, or None if nothing can be imaged then.

        A target keeps the telescope for its project's minimum time; then the highest gets it, each step of
        the project's priority being worth 15° of altitude.
        """
        best: tuple[float, SimulatedProject, SimulatedTarget] | None = None
        for project, target in self.unfinished(profile):
            altitude = self._sky.altitude(target.ra_hours, target.dec_deg, at)
            lowest = project.minimum_altitude or DEFAULT_MINIMUM_ALTITUDE_DEG
            highest = project.maximum_altitude or 90.0
            if not lowest <= altitude <= highest:
                continue
            if target is self._current and at < self._keep_until:
                return self._choice(profile, project, target)
            merit = altitude + project.priority * _PRIORITY_WORTH_DEG
            if best is None or merit > best[0]:
                best = merit, project, target
        if best is None:
            self._current = None
            return None
        _, project, target = best
        self._current = target
        self._keep_until = at + timedelta(minutes=project.minimum_time)
        return self._choice(profile, project, target)

    def took(self, choice: Choice) -> None:
        """Count an exposure for the target's filter cadence."""
        index, run = self._cadence.get(choice.target.id, (choice.plan_index, 0))
        self._cadence[choice.target.id] = (choice.plan_index, run + 1 if index == choice.plan_index else 1)

    def unfinished(self, profile: SimulatedProfile) -> Iterator[tuple[SimulatedProject, SimulatedTarget]]:
        """Every active target of the profile's Active projects that still wants exposures."""
        for project in profile.projects:
            if project.state != "Active":
                continue
            for target in project.targets:
                if target.active and any(self._wanted(profile, project, plan) > 0 for plan in target.exposure_plans):
                    yield project, target

    def _choice(self, profile: SimulatedProfile, project: SimulatedProject, target: SimulatedTarget) -> Choice:
        open_plans = [
            index for index, plan in enumerate(target.exposure_plans) if self._wanted(profile, project, plan) > 0
        ]
        last, run = self._cadence.get(target.id, (0, 0))
        frequency = project.filter_switch_frequency
        if frequency == 0:
            index = open_plans[0]
        elif last in open_plans and run < frequency:
            index = last
        else:
            index = next((index for index in open_plans if index > last), open_plans[0])
        return Choice(profile, project, target, index)


@dataclass(frozen=True, slots=True)
class Preview:
    """The blocks of a night, and how often the plugin wrote a filter cadence to its live database for them."""

    blocks: tuple[PreviewBlock, ...]
    cadence_writes: int


def preview_night(profile: SimulatedProfile, sky: Sky, start: datetime, tick: int) -> Preview:
    """What the profile would image from `start` to the end of that night, or of the next if it is day."""
    night = sky.night_from(start)
    if night is None:
        return Preview((), 0)
    taken: dict[int, int] = {}

    def wanted(profile: SimulatedProfile, project: SimulatedProject, plan: SimulatedExposurePlan) -> int:
        return wanted_now(profile, project, plan) - taken.get(id(plan), 0)

    planner = Planner(sky, wanted)
    blocks: list[PreviewBlock] = []
    cadence_writes = 0
    at = max(start, night.dusk)
    idle_since = start
    while at < night.dawn and any(True for _ in planner.unfinished(profile)):
        choice = planner.choose(profile, at)
        if choice is None:
            at += _LOOK_AGAIN
            continue
        end = at + choice.duration
        if end > night.dawn:
            break
        if at > idle_since:
            blocks.append(PreviewBlock(start=idle_since, end=at, tick=tick))
        _add_exposure(blocks, choice, at, tick)
        planner.took(choice)
        taken[id(choice.plan)] = taken.get(id(choice.plan), 0) + 1
        cadence_writes += choice.project.filter_switch_frequency > 0
        at = idle_since = end
    return Preview(tuple(blocks), cadence_writes)


def _add_exposure(blocks: list[PreviewBlock], choice: Choice, at: datetime, tick: int) -> None:
    one = PreviewExposures(choice.plan.filter_name, choice.plan.exposure_s, 1)
    end = at + choice.duration
    if not blocks or blocks[-1].target_id != choice.target.id:
        block = PreviewBlock(
            target_id=choice.target.id, name=choice.target.name, start=at, end=end, exposures=(one,), tick=tick
        )
        blocks.append(block)
        return
    *before, last = blocks[-1].exposures
    if (last.filter_name, last.exposure_s) == (one.filter_name, one.exposure_s):
        exposures = (*before, replace(last, count=last.count + 1))
    else:
        exposures = (*before, last, one)
    blocks[-1] = replace(blocks[-1], end=end, exposures=exposures)
