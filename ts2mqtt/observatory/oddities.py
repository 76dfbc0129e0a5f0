"""What of a rig cannot be told apart: projects and targets without an id, and those whose id stands in two places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ts2mqtt.observatory.tree import all_projects, all_targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ts2mqtt.observatory.model import Rig


@dataclass(frozen=True, slots=True)
class WithoutId:
    """Projects by name, and the number of targets in projects that have an id."""

    projects: tuple[str, ...] = ()
    targets: int = 0

    def __bool__(self) -> bool:
        return bool(self.projects or self.targets)


@dataclass(frozen=True, slots=True)
class TwoPlaces:
    """One id that stands in several places of one rig; `places` says where, as a person reads it."""

    name: str
    places: tuple[str, ...]


def things_without_id(rig: Rig) -> WithoutId:
    """What the API names without an id, so that it can neither be asked for nor be told apart from others."""
    projects = (name for profile in rig.known_profiles if profile.projects for name in profile.projects.without_id)
    lists = {place.project.id: place.project.targets for place in all_projects(rig)}
    return WithoutId(
        projects=tuple(projects), targets=sum(len(targets.without_id) for targets in lists.values() if targets)
    )


def in_two_places(rig: Rig) -> tuple[TwoPlaces, ...]:
    """What one rig names more than once: projects, then targets that stand under two projects."""
    projects = (
        (place.project.id, place.project.name, f"profile {place.profile.name!r}") for place in all_projects(rig)
    )
    targets = {
        (place.target.id, place.project.id): (place.target.id, place.target.name, f"project {place.project.name!r}")
        for place in all_targets(rig)
    }
    return (*_named_twice("project", projects), *_named_twice("target", targets.values()))


def _named_twice(kind: str, things: Iterable[tuple[str, str, str]]) -> Iterator[TwoPlaces]:
    names: dict[str, str] = {}
    places: dict[str, list[str]] = {}
    for thing_id, name, place in things:
        names.setdefault(thing_id, name)
        places.setdefault(thing_id, []).append(place)
    for thing_id, where in places.items():
        if len(where) > 1:
            yield TwoPlaces(f"{kind} {names[thing_id]!r}", tuple(where))
