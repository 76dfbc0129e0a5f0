"""A simulated Target Scheduler database: tests shape it by hand, and it answers as the plugin's API does.

    observatory = SimulatedObservatory()
    profile = observatory.add_profile("Backyard")            # the first profile is the active one
    project = observatory.add_project(profile, "Autumn", priority=2)
    target = observatory.add_target(project, "M 31", ra_hours=0.712, dec_deg=41.27)
    observatory.add_exposure_plan(target, "Lum", exposure_s=60, desired=20)
    observatory.acquire(target, 0, hfr=2.1)                  # goes by the delayed grading rule
    observatory.acquire(target, 0, accepted=True)            # graded at once
    observatory.set_project_state(project, "Closed")
    project.raw["NewField"] = 1                              # see entities.py
    observatory.counters.statistics_requests[target.id]      # what the bridge asked for

A plain observatory changes by hand alone. With `life` (see life.py) it images by itself as `advance` passes
time; `lively.lively` makes such a one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from ts2mqtt.errors import NotFoundError
from ts2mqtt.simulator.chance import chance, guid
from ts2mqtt.simulator.entities import (
    ExposurePlanFields,
    ImageFields,
    JsonValue,
    ProfileFields,
    ProjectFields,
    SimulatedExposurePlan,
    SimulatedImage,
    SimulatedProfile,
    SimulatedProject,
    SimulatedTarget,
    TargetFields,
)
from ts2mqtt.simulator.grading import delay_percent, grade
from ts2mqtt.simulator.planner import Planner, PreviewBlock, preview_night, wanted_now
from ts2mqtt.simulator.sky import Site, Sky
from ts2mqtt.simulator.wire import preview_rows, profile_row, project_row, statistics_rows, target_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Unpack

RequestKind = Literal["version", "profiles", "projects", "targets", "statistics", "preview"]

RowWithId = TypeVar("RowWithId", SimulatedProfile, SimulatedProject, SimulatedTarget)

_FIVE_HOURS_WEST = timezone(timedelta(hours=-5))
_PREVIEW_HOUR = 13
"""The plugin's preview starts at 13:00 local time."""


class Life(Protocol):
    """What makes an observatory change by itself."""

    @property
    def is_imaging(self) -> bool: ...

    def advance(self, to: datetime) -> None: ...


@dataclass(eq=False)
class Counters:
    """What was asked of the observatory; tests of kindness to the rig read it.

    `filter_cadence_writes` counts what previews wrote to the live database.
    """

    requests: Counter[RequestKind] = field(default_factory=Counter)
    projects_requests: Counter[str] = field(default_factory=Counter)
    targets_requests: Counter[str] = field(default_factory=Counter)
    statistics_requests: Counter[str] = field(default_factory=Counter)
    preview_requests: Counter[str] = field(default_factory=Counter)
    previews_taken: int = 0
    previews_while_imaging: int = 0
    filter_cadence_writes: int = 0


class SimulatedObservatory:
    """Profiles, projects, targets, exposure plans and images of one rig; ids come from the seed."""

    def __init__(
        self,
        *,
        seed: int = 1,
        site: Site | None = None,
        timezone: tzinfo | None = None,
        now: datetime | None = None,
    ) -> None:
        self.seed = seed
        self.site = site or Site(latitude_deg=40.0, longitude_deg=-75.0)
        self.timezone = timezone or _FIVE_HOURS_WEST
        self.version = "5.9.3.0"
        self.profiles: list[SimulatedProfile] = []
        self.counters = Counters()
        self.life: Life | None = None
        self.imaging_by_hand = False
        self._now = (now or datetime(2026, 2, 27, 17, tzinfo=UTC)).astimezone(UTC)
        self._ids = chance(seed, "ids")
        self._previews: dict[str, tuple[PreviewBlock, ...]] = {}

    @property
    def now(self) -> datetime:
        """The observatory's clock, in its local time."""
        return self._now.astimezone(self.timezone)

    @property
    def is_imaging(self) -> bool:
        """Whether a sequence is at work on a target: exposing, or between two exposures of it.

        A plain observatory images while a test sets `imaging_by_hand`.
        """
        return self.imaging_by_hand or (self.life is not None and self.life.is_imaging)

    @property
    def active_profile(self) -> SimulatedProfile:
        for profile in self.profiles:
            if profile.active:
                return profile
        raise NotFoundError("The simulated observatory has no active profile", "add or activate one")

    def advance(self, to: datetime) -> None:
        """Let time pass; the result is the same in one step or in many. Time never goes back."""
        to = to.astimezone(UTC)
        if to <= self._now:
            return
        if self.life is not None:
            self.life.advance(to)
        self._now = to

    def add_profile(self, name: str, **fields: Unpack[ProfileFields]) -> SimulatedProfile:
        """A new profile; the first one is active unless told otherwise."""
        fields.setdefault("id", self.new_id())
        fields.setdefault("active", not self.profiles)
        profile = SimulatedProfile(name=name, **fields)
        self.profiles.append(profile)
        return profile

    def add_project(self, profile: SimulatedProfile, name: str, **fields: Unpack[ProjectFields]) -> SimulatedProject:
        """A new project, Active and created now unless told otherwise."""
        fields.setdefault("id", self.new_id())
        fields.setdefault("create_date", self._now)
        project = SimulatedProject(name=name, **fields)
        profile.projects.append(project)
        return project

    def add_target(self, project: SimulatedProject, name: str, **fields: Unpack[TargetFields]) -> SimulatedTarget:
        fields.setdefault("id", self.new_id())
        target = SimulatedTarget(name=name, **fields)
        project.targets.append(target)
        return target

    def add_exposure_plan(
        self, target: SimulatedTarget, template_name: str, **fields: Unpack[ExposurePlanFields]
    ) -> SimulatedExposurePlan:
        """A new exposure plan: 10 exposures of 60 s with the filter that is named like the template."""
        fields.setdefault("filter_name", template_name)
        fields.setdefault("exposure_s", 60.0)
        fields.setdefault("desired", 10)
        plan = SimulatedExposurePlan(template_name=template_name, **fields)
        target.exposure_plans.append(plan)
        return plan

    def new_id(self) -> str:
        return guid(self._ids)

    def remove_profile(self, profile: SimulatedProfile) -> None:
        self.profiles.remove(profile)

    def remove_project(self, project: SimulatedProject) -> None:
        self.profile_of(project).projects.remove(project)

    def remove_target(self, target: SimulatedTarget) -> None:
        self.project_of(target).targets.remove(target)

    def remove_exposure_plan(self, target: SimulatedTarget, plan_index: int) -> None:
        del target.exposure_plans[plan_index]

    def rename(self, row: SimulatedProfile | SimulatedProject | SimulatedTarget, name: str) -> None:
        """A new name; the id stays."""
        row.name = name

    def set_project_state(self, project: SimulatedProject, state: str) -> None:
        """Draft, Active, Inactive or Closed; the plugin's dates of it stay at never, as they do today."""
        project.state = state

    def move_target(self, target: SimulatedTarget, project: SimulatedProject) -> None:
        """Move a target as the plugin does: it is another target afterwards, with a new id."""
        self.project_of(target).targets.remove(target)
        target.id = self.new_id()
        project.targets.append(target)

    def move_project(self, project: SimulatedProject, profile: SimulatedProfile) -> None:
        """Move a project as the plugin does: it and its targets get new ids."""
        self.profile_of(project).projects.remove(project)
        project.id = self.new_id()
        for target in project.targets:
            target.id = self.new_id()
        profile.projects.append(project)

    def activate_profile(self, profile: SimulatedProfile) -> None:
        """Switch profiles in N.I.N.A.; that its API restarts, perhaps on another port, is the test's to do."""
        for other in self.profiles:
            other.active = other is profile

    def acquire(
        self,
        target: SimulatedTarget,
        plan_index: int = 0,
        *,
        accepted: bool | None = None,
        **measured: Unpack[ImageFields],
    ) -> SimulatedImage:
        """Save an image. `accepted` grades it at once; without it the delayed grading rule decides when."""
        project = self.project_of(target)
        profile = self.profile_of(project)
        plan = target.exposure_plans[plan_index]
        image = SimulatedImage(**measured)
        if accepted is not None:
            image.grading = "accepted" if accepted else "rejected"
            plan.accepted += accepted
        plan.acquired += 1
        plan.images.append(image)
        grade(plan, delay_percent(profile, project), grader=project.enable_grader)
        return image

    def set_preview(self, profile: SimulatedProfile, blocks: Sequence[PreviewBlock] | None) -> None:
        """Answer this preview instead of a planned one; None plans again."""
        if blocks is None:
            self._previews.pop(profile.id, None)
        else:
            self._previews[profile.id] = tuple(blocks)

    def projects(self) -> Iterator[SimulatedProject]:
        """All projects of all profiles."""
        for profile in self.profiles:
            yield from profile.projects

    def targets(self) -> Iterator[SimulatedTarget]:
        """All targets of all projects."""
        for project in self.projects():
            yield from project.targets

    def profile(self, identity: str) -> SimulatedProfile:
        """The profile with this id; NotFoundError without one."""
        return _by_id("profile", identity, self.profiles)

    def project(self, identity: str) -> SimulatedProject:
        """The first project with this id; NotFoundError without one."""
        return _by_id("project", identity, self.projects())

    def target(self, identity: str) -> SimulatedTarget:
        """The first target with this id; NotFoundError without one."""
        return _by_id("target", identity, self.targets())

    def profile_of(self, project: SimulatedProject) -> SimulatedProfile:
        for profile in self.profiles:
            if project in profile.projects:
                return profile
        raise NotFoundError(f"The project {project.name!r} belongs to no profile of the simulated observatory")

    def project_of(self, target: SimulatedTarget) -> SimulatedProject:
        for project in self.projects():
            if target in project.targets:
                return project
        raise NotFoundError(f"The target {target.name!r} belongs to no project of the simulated observatory")

    def version_answer(self) -> JsonValue:
        self.counters.requests["version"] += 1
        return self.version

    def profiles_answer(self) -> JsonValue:
        self.counters.requests["profiles"] += 1
        return [profile_row(profile) for profile in self.profiles]

    def projects_answer(self, profile_id: str) -> JsonValue:
        """The projects of a profile; an unknown profile has none."""
        self.counters.requests["projects"] += 1
        self.counters.projects_requests[profile_id] += 1
        return [
            project_row(project, profile, self.timezone)
            for profile in self.profiles
            if profile.id == profile_id
            for project in profile.projects
        ]

    def targets_answer(self, project_id: str) -> JsonValue:
        """The targets of a project; NotFoundError for an unknown one."""
        self.counters.requests["targets"] += 1
        self.counters.targets_requests[project_id] += 1
        project = self.project(project_id)
        profile = self.profile_of(project)
        return [target_row(target, project, profile) for target in project.targets]

    def statistics_answer(self, target_id: str) -> JsonValue:
        """A target's statistics; None where the plugin fails to write them. NotFoundError if unknown."""
        self.counters.requests["statistics"] += 1
        self.counters.statistics_requests[target_id] += 1
        target = self.target(target_id)
        return statistics_rows(target, self.profile_of(self.project_of(target)))

    def preview_answer(self, profile_id: str, start: datetime | None = None) -> JsonValue:
        """A profile's night from `start`, or from 13:00 of today; NotFoundError for an unknown profile.

        A start without offset is local time, and makes the answer's first time lack its offset too.
        """
        self.counters.requests["preview"] += 1
        self.counters.preview_requests[profile_id] += 1
        blocks = self.preview(profile_id, start)
        return preview_rows(blocks, self.timezone, naive_start=start is not None and start.tzinfo is None)

    def preview(self, profile_id: str, start: datetime | None = None) -> tuple[PreviewBlock, ...]:
        """The blocks that a preview answers, with the harm that it does counted."""
        profile = self.profile(profile_id)
        self.counters.previews_taken += 1
        self.counters.previews_while_imaging += self.is_imaging
        if profile.id in self._previews:
            return self._previews[profile.id]
        if start is None:
            start = self.now.replace(hour=_PREVIEW_HOUR, minute=0, second=0, microsecond=0)
        elif start.tzinfo is None:
            start = start.replace(tzinfo=self.timezone)
        start = start.astimezone(UTC)
        # The plugin plans with the active profile's site, whatever profile it is asked about.
        sky = Sky(self.active_profile.site or self.site)
        tick = chance(self.seed, "tick", start).randrange(1, 10)
        if profile.active or any(True for _ in Planner(sky, wanted_now).unfinished(profile)):
            preview = preview_night(profile, sky, start, tick)
            blocks = preview.blocks
        else:
            preview = preview_night(self.active_profile, sky, start, tick)
            blocks = tuple(block for block in preview.blocks if block.target_id is not None)[:1]
        self.counters.filter_cadence_writes += preview.cadence_writes
        return blocks


def _by_id(kind: str, identity: str, rows: Iterable[RowWithId]) -> RowWithId:
    for row in rows:
        if row.id == identity:
            return row
    raise NotFoundError(f"The simulated observatory knows no {kind} {identity!r}")
