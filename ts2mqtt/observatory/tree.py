"""Who belongs where: a rig's projects and targets with their parents, and which of two places with one id counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ts2mqtt.observatory.model import ACTIVE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ts2mqtt.observatory.model import Profile, Project, Rig, Target


@dataclass(frozen=True, slots=True)
class ProjectPlace:
    """A project with the profile that it belongs to."""

    profile: Profile
    project: Project

    @property
    def rank(self) -> tuple[bool, bool]:
        """The lowest counts where one id stands in several places: the active profile's, then an Active project's."""
        return not self.profile.active, self.project.state != ACTIVE


@dataclass(frozen=True, slots=True)
class TargetPlace:
    """A target with the project and the profile that it belongs to."""

    profile: Profile
    project: Project
    target: Target

    @property
    def rank(self) -> tuple[bool, bool]:
        """As that of its project."""
        return ProjectPlace(self.profile, self.project).rank


def all_projects(rig: Rig) -> Iterator[ProjectPlace]:
    """All projects that are known, each time they are named."""
    for profile in rig.known_profiles:
        for project in profile.projects.items if profile.projects else ():
            yield ProjectPlace(profile, project)


def all_targets(rig: Rig) -> Iterator[TargetPlace]:
    """All targets that are known, each time they are named."""
    for place in all_projects(rig):
        for target in place.project.targets.items if place.project.targets else ():
            yield TargetPlace(place.profile, place.project, target)


def distinct_projects(rig: Rig) -> tuple[ProjectPlace, ...]:
    """Every project once, in the place that counts: an imported profile names those of the profile it came from."""
    return counting_projects(all_projects(rig))


def distinct_targets(rig: Rig) -> tuple[TargetPlace, ...]:
    """Every target once, in the place that counts: a restored database can name one under two projects."""
    return counting_targets(all_targets(rig))


def counting_projects(places: Iterable[ProjectPlace]) -> tuple[ProjectPlace, ...]:
    """Of these places, for each project the one that counts."""
    first: dict[str, ProjectPlace] = {}
    for place in sorted(places, key=lambda place: place.rank):
        first.setdefault(place.project.id, place)
    return tuple(first.values())


def counting_targets(places: Iterable[TargetPlace]) -> tuple[TargetPlace, ...]:
    """Of these places, for each target the one that counts."""
    first: dict[str, TargetPlace] = {}
    for place in sorted(places, key=lambda place: place.rank):
        first.setdefault(place.target.id, place)
    return tuple(first.values())


@dataclass(frozen=True, slots=True)
class Places:
    """A rig's projects and targets, to find again what another look has in some place."""

    _projects: Mapping[tuple[str, str], ProjectPlace]
    _projects_anywhere: Mapping[str, ProjectPlace]
    _targets: Mapping[tuple[str, str, str], TargetPlace]
    _targets_anywhere: Mapping[str, TargetPlace]

    @classmethod
    def of(cls, rig: Rig) -> Places:
        return cls(
            {(place.profile.id, place.project.id): place for place in all_projects(rig)},
            {place.project.id: place for place in distinct_projects(rig)},
            {(place.profile.id, place.project.id, place.target.id): place for place in all_targets(rig)},
            {place.target.id: place for place in distinct_targets(rig)},
        )

    def project(self, place: ProjectPlace) -> ProjectPlace | None:
        """The project in the same place, else in the one that counts."""
        there = self._projects.get((place.profile.id, place.project.id))
        return there or self._projects_anywhere.get(place.project.id)

    def target(self, place: TargetPlace) -> TargetPlace | None:
        """The target in the same place, else in the one that counts."""
        there = self._targets.get((place.profile.id, place.project.id, place.target.id))
        return there or self._targets_anywhere.get(place.target.id)


def find_target(rig: Rig, target_id: str) -> TargetPlace | None:
    """Where this target belongs; None if the rig does not name it."""
    places = (place for place in all_targets(rig) if place.target.id == target_id)
    return min(places, key=lambda place: place.rank, default=None)
