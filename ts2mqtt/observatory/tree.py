"""Who belongs where: a rig's projects and targets with their parents, and which of two places with one id counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ts2mqtt.observatory.model import ACTIVE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ts2mqtt.observatory.model import Profile, Project, Rig, Target


@dataclass(frozen=True, slots=True)
class ProjectPlace:
    """A project with the profile that it belongs to."""

    profile: Profile
    project: Project

    @property
    def rank(self) -> tuple[bool, bool]:
        """The lowest counts where one id stands in several places: the active profile's, then an Active project's."""
        return _rank(self.profile, self.project)


@dataclass(frozen=True, slots=True)
class TargetPlace:
    """A target with the project and the profile that it belongs to."""

    profile: Profile
    project: Project
    target: Target

    @property
    def rank(self) -> tuple[bool, bool]:
        """As that of its project."""
        return _rank(self.profile, self.project)


def all_projects(rig: Rig) -> tuple[ProjectPlace, ...]:
    """All projects that are known, each time they are named."""
    return places_of(rig).all_projects


def all_targets(rig: Rig) -> tuple[TargetPlace, ...]:
    """All targets that are known, each time they are named."""
    return places_of(rig).all_targets


def distinct_projects(rig: Rig) -> tuple[ProjectPlace, ...]:
    """Every project once, in the place that counts: an imported profile names those of the profile it came from."""
    return places_of(rig).distinct_projects


def distinct_targets(rig: Rig) -> tuple[TargetPlace, ...]:
    """Every target once, in the place that counts: a restored database can name one under two projects."""
    return places_of(rig).distinct_targets


def find_target(rig: Rig, target_id: str) -> TargetPlace | None:
    """Where this target belongs; None if the rig does not name it."""
    return places_of(rig).target_anywhere(target_id)


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


def places_of(rig: Rig) -> Places:
    """Every place of the rig, found once for each value of it: each look asks for them again and again."""
    if isinstance(rig.places, Places):
        return rig.places
    places = Places.of(rig)
    # The rig is frozen to everybody else. It never changes, nor do its places.
    object.__setattr__(rig, "places", places)
    return places


@dataclass(frozen=True, slots=True)
class Places:
    """A rig's projects and targets, as they are named, and to find again what another look has in some place.

    `all_…` has each every time it is named, `distinct_…` each once, in the place that counts.
    """

    all_projects: tuple[ProjectPlace, ...]
    all_targets: tuple[TargetPlace, ...]
    distinct_projects: tuple[ProjectPlace, ...]
    distinct_targets: tuple[TargetPlace, ...]
    _projects: Mapping[tuple[str, str], ProjectPlace]
    _projects_anywhere: Mapping[str, ProjectPlace]
    _targets: Mapping[tuple[str, str, str], TargetPlace]
    _targets_anywhere: Mapping[str, TargetPlace]

    @classmethod
    def of(cls, rig: Rig) -> Places:
        projects = tuple(
            ProjectPlace(profile, project)
            for profile in rig.known_profiles
            for project in (profile.projects.items if profile.projects else ())
        )
        targets = tuple(
            TargetPlace(place.profile, place.project, target)
            for place in projects
            for target in (place.project.targets.items if place.project.targets else ())
        )
        one_project_each, one_target_each = counting_projects(projects), counting_targets(targets)
        return cls(
            projects,
            targets,
            one_project_each,
            one_target_each,
            {(place.profile.id, place.project.id): place for place in projects},
            {place.project.id: place for place in one_project_each},
            {(place.profile.id, place.project.id, place.target.id): place for place in targets},
            {place.target.id: place for place in one_target_each},
        )

    def project(self, place: ProjectPlace) -> ProjectPlace | None:
        """The project in the same place, else in the one that counts."""
        there = self._projects.get((place.profile.id, place.project.id))
        return there or self._projects_anywhere.get(place.project.id)

    def target(self, place: TargetPlace) -> TargetPlace | None:
        """The target in the same place, else in the one that counts."""
        there = self._targets.get((place.profile.id, place.project.id, place.target.id))
        return there or self._targets_anywhere.get(place.target.id)

    def target_anywhere(self, target_id: str) -> TargetPlace | None:
        """The target in the place that counts; None if the rig does not name it."""
        return self._targets_anywhere.get(target_id)


def _rank(profile: Profile, project: Project) -> tuple[bool, bool]:
    return not profile.active, project.state != ACTIVE
