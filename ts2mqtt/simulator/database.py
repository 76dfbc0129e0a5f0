"""The rows of the simulated observatory, and the changes that users and the plugin make to them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from ts2mqtt.errors import NotFoundError
from ts2mqtt.simulator.grading import delay_percent, grade
from ts2mqtt.simulator.random_numbers import guid, random_numbers
from ts2mqtt.simulator.rows import (
    ExposurePlanFields,
    ImageFields,
    ProfileFields,
    ProjectFields,
    SimulatedExposurePlan,
    SimulatedImage,
    SimulatedProfile,
    SimulatedProject,
    SimulatedTarget,
    TargetFields,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Unpack

RowWithId = TypeVar("RowWithId", SimulatedProfile, SimulatedProject, SimulatedTarget)


class SimulatedDatabase:
    """Profiles, projects, targets, exposure plans and images; the seed decides the ids of new rows."""

    def __init__(self, *, seed: int, now: datetime) -> None:
        self.seed = seed
        self.now_utc = now.astimezone(UTC)
        self.profiles: list[SimulatedProfile] = []
        self._id_numbers = random_numbers(seed, "ids")

    @property
    def active_profile(self) -> SimulatedProfile:
        for profile in self.profiles:
            if profile.active:
                return profile
        raise NotFoundError("The simulated observatory has no active profile", "add or activate one")

    def add_profile(self, name: str, **fields: Unpack[ProfileFields]) -> SimulatedProfile:
        """Add a profile; the first one is active unless `active` says otherwise."""
        fields.setdefault("id", self.new_id())
        fields.setdefault("active", not self.profiles)
        profile = SimulatedProfile(name=name, **fields)
        self.profiles.append(profile)
        return profile

    def add_project(self, profile: SimulatedProfile, name: str, **fields: Unpack[ProjectFields]) -> SimulatedProject:
        """Add a project; unless the fields say otherwise, it is Active and created now."""
        fields.setdefault("id", self.new_id())
        fields.setdefault("create_date", self.now_utc)
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
        """Add an exposure plan; by default 10 exposures of 60 s with the filter of the template's name."""
        fields.setdefault("filter_name", template_name)
        fields.setdefault("exposure_s", 60.0)
        fields.setdefault("desired", 10)
        plan = SimulatedExposurePlan(template_name=template_name, **fields)
        target.exposure_plans.append(plan)
        return plan

    def new_id(self) -> str:
        return guid(self._id_numbers)

    def remove_profile(self, profile: SimulatedProfile) -> None:
        self.profiles.remove(profile)

    def remove_project(self, project: SimulatedProject) -> None:
        self.profile_of(project).projects.remove(project)

    def remove_target(self, target: SimulatedTarget) -> None:
        self.project_of(target).targets.remove(target)

    def remove_exposure_plan(self, target: SimulatedTarget, plan_index: int) -> None:
        del target.exposure_plans[plan_index]

    def rename(self, row: SimulatedProfile | SimulatedProject | SimulatedTarget, name: str) -> None:
        """Change the name; the id stays."""
        row.name = name

    def set_project_state(self, project: SimulatedProject, state: str) -> None:
        """Set Draft, Active, Inactive or Closed; the dates of the change stay empty, as the plugin leaves them."""
        project.state = state

    def move_target(self, target: SimulatedTarget, project: SimulatedProject) -> None:
        """Move a target as the plugin does: it gets a new id."""
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
        """Switch profiles in N.I.N.A.; a test that wants the API to restart, as it does then, restarts it itself."""
        for other in self.profiles:
            other.active = other is profile

    def acquire(
        self,
        target: SimulatedTarget,
        plan_index: int = 0,
        *,
        accepted: bool | None = None,
        **measurements: Unpack[ImageFields],
    ) -> SimulatedImage:
        """Save an image; `accepted` grades it at once, without it the rule of delayed grading decides."""
        project = self.project_of(target)
        profile = self.profile_of(project)
        plan = target.exposure_plans[plan_index]
        image = SimulatedImage(**measurements)
        if accepted is not None:
            image.grading = "accepted" if accepted else "rejected"
            plan.accepted += accepted
        plan.acquired += 1
        plan.images.append(image)
        grade(plan, delay_percent(profile, project), grader=project.enable_grader)
        return image

    def projects(self) -> Iterator[SimulatedProject]:
        """The projects of all profiles."""
        for profile in self.profiles:
            yield from profile.projects

    def targets(self) -> Iterator[SimulatedTarget]:
        """The targets of all projects."""
        for project in self.projects():
            yield from project.targets

    def profile(self, identity: str) -> SimulatedProfile:
        """The profile with this id; raises NotFoundError."""
        return _by_id("profile", identity, self.profiles)

    def project(self, identity: str) -> SimulatedProject:
        """The first project with this id; raises NotFoundError."""
        return _by_id("project", identity, self.projects())

    def target(self, identity: str) -> SimulatedTarget:
        """The first target with this id; raises NotFoundError."""
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


def _by_id(kind: str, identity: str, rows: Iterable[RowWithId]) -> RowWithId:
    for row in rows:
        if row.id == identity:
            return row
    raise NotFoundError(f"The simulated observatory knows no {kind} {identity!r}")
