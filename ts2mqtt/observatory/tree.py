"""Who belongs where: a rig's projects and targets with their parents, and which of two places with one id counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ts2mqtt.observatory.model import ACTIVE

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    first: dict[str, ProjectPlace] = {}
    for place in sorted(all_projects(rig), key=lambda place: place.rank):
        first.setdefault(place.project.id, place)
    return tuple(first.values())


def distinct_targets(rig: Rig) -> tuple[TargetPlace, ...]:
    """Every target once, in the place that counts: a restored database can name one under two projects."""
    first: dict[str, TargetPlace] = {}
    for place in sorted(all_targets(rig), key=lambda place: place.rank):
        first.setdefault(place.target.id, place)
    return tuple(first.values())


def find_target(rig: Rig, target_id: str) -> TargetPlace | None:
    """Where this target belongs; None if the rig does not name it."""
    places = (place for place in all_targets(rig) if place.target.id == target_id)
    return min(places, key=lambda place: place.rank, default=None)
