"""Absence is not deletion: decides whether something that is no longer seen is really gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ts2mqtt.observatory.tree import all_projects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ts2mqtt.observatory.model import Listing, Profile, Project, Rig, Target


@dataclass(frozen=True, slots=True)
class Parents:
    """Where a project or target was when it was last seen; None where that is not known."""

    profile_id: str | None = None
    project_id: str | None = None


def profile_is_gone(rig: Rig, profile_id: str) -> bool:
    return _lacks(rig.profiles, profile_id)


def project_is_gone(rig: Rig, project_id: str, parents: Parents) -> bool:
    """Gone when the profile is, or when the profile's list was read completely and lacks it.

    A project of an unknown profile is gone when every list of projects was read completely.
    """
    if any(place.project.id == project_id for place in all_projects(rig)):
        return False
    if parents.profile_id is None:
        return _projects_fully_read(rig)
    profile = next((profile for profile in rig.known_profiles if profile.id == parents.profile_id), None)
    if profile is None:
        return _complete(rig.profiles)
    return _complete(profile.projects)


def target_is_gone(rig: Rig, target_id: str, parents: Parents) -> bool:
    """Gone when its project is, or when the project's list was read completely and lacks it.

    A target of an unknown project is gone when every list of targets was read completely.
    """
    projects = tuple(place.project for place in all_projects(rig))
    if any(target.id == target_id for project in projects for target in _items(project.targets)):
        return False
    if parents.project_id is None:
        return _projects_fully_read(rig) and all(_complete(project.targets) for project in projects)
    project = next((project for project in projects if project.id == parents.project_id), None)
    if project is None:
        return project_is_gone(rig, parents.project_id, parents)
    return _complete(project.targets)


def _lacks(listing: Listing[Profile] | None, thing_id: str) -> bool:
    return _complete(listing) and all(item.id != thing_id for item in _items(listing))


def _complete(listing: Listing[Profile] | Listing[Project] | Listing[Target] | None) -> bool:
    return listing is not None and listing.complete


def _projects_fully_read(rig: Rig) -> bool:
    return _complete(rig.profiles) and all(_complete(profile.projects) for profile in rig.known_profiles)


def _items(listing: Listing[Target] | Listing[Profile] | None) -> Iterable[Target | Profile]:
    return listing.items if listing else ()
