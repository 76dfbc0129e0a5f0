"""What is remembered of a rig after a look: what the look could not read stays as it was before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from ts2mqtt.observatory.model import Listing, Profile, Project, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from ts2mqtt.observatory.model import Rig

Thing = TypeVar("Thing", Profile, Project, Target)


def remembered(before: Rig | None, after: Rig) -> Rig | None:
    """The rig after a look, completed by what was known before; None while nothing was ever read.

    What is missing from an incomplete listing is still there for all one knows: should the next listing have it
    again, it was not added, and what it gained meanwhile was gained.
    """
    if after.profiles is None:
        online = before.online if before and after.online is None else after.online
        return replace(before, online=online) if before else None
    profiles = _listing(before.profiles if before else None, after.profiles, _profile)
    if profiles is None or profiles is after.profiles:
        return after
    return replace(after, profiles=replace(profiles, items=_one_active(profiles.items, after)))


def _profile(before: Profile, after: Profile) -> Profile:
    projects = _listing(before.projects, after.projects, _project)
    return after if projects is after.projects else replace(after, projects=projects)


def _project(before: Project, after: Project) -> Project:
    if after.state is None:
        # A state that was not told is no change: what comes next is compared with the one before.
        after = replace(after, state=before.state)
    targets = _listing(before.targets, after.targets, lambda _, target: target)
    return after if targets is after.targets else replace(after, targets=targets)


def _listing(
    before: Listing[Thing] | None, after: Listing[Thing] | None, child: Callable[[Thing, Thing], Thing]
) -> Listing[Thing] | None:
    """`after` itself where nothing has to be added to it."""
    if before is None or before is after:
        return after
    if after is None:
        return before
    known = {item.id: item for item in before.items}
    items = tuple(child(known[item.id], item) if item.id in known else item for item in after.items)
    if not after.complete:
        read = {item.id for item in after.items}
        items += tuple(item for item in before.items if item.id not in read)
    if len(items) == len(after.items) and all(map(_is, items, after.items)):
        return after
    return replace(after, items=items)


def _is(one: object, other: object) -> bool:
    return one is other


def _one_active(profiles: tuple[Profile, ...], after: Rig) -> tuple[Profile, ...]:
    """Of the profiles that were read the active one counts, if there is one."""
    active = after.active_profile
    if active is None:
        return profiles
    return tuple(
        replace(profile, active=False) if profile.active and profile.id != active.id else profile
        for profile in profiles
    )
