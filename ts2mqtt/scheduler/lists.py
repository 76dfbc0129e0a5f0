"""Reads one rig's lists and puts them together as the observatory's Rig; what could not be read stays as it was."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from ts2mqtt.errors import RigError, RigGoneError
from ts2mqtt.observatory.model import Listing, Profile, Project, Target
from ts2mqtt.observatory.night import rig_zone
from ts2mqtt.scheduler import translate as translation

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator
    from datetime import datetime, tzinfo

    from pydantic import BaseModel

    from ts2mqtt.logs.failures import FailureLog
    from ts2mqtt.scheduler import wire
    from ts2mqtt.scheduler.client import Answer, TargetSchedulerClient
    from ts2mqtt.scheduler.decode import Items

_LOG = logging.getLogger(__name__)

_MOST_FAULTS_TOLD = 3
_MOST_DATES = 50

T = TypeVar("T")
Asked = ParamSpec("Asked")
WireItem = TypeVar("WireItem", bound="BaseModel")


@dataclass(slots=True)
class _ProjectList:
    answer: Answer[Items[wire.Project]]
    projects: Listing[Project]


@dataclass(slots=True)
class _TargetList:
    answer: Answer[Items[wire.Target]]
    bare: Listing[Target]
    targets: Listing[Target]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a failure is about; it stays the same one when what has this id is renamed."""

    what: str
    name: str | None = None
    thing_id: str | None = None

    def __str__(self) -> str:
        return self.what if self.name is None else f"{self.what} {self.name!r}"

    @property
    def key(self) -> tuple[str, str | None]:
        return self.what, self.thing_id


class RigLists:
    """What was read of one rig since the start, list by list."""

    def __init__(self, rig_name: str, failures: FailureLog) -> None:
        self._rig_name = rig_name
        self._failures = failures
        self._dates: list[datetime] = []
        self._recalled_dates: tuple[datetime, ...] = ()
        self._profiles: Answer[Items[wire.Profile]] | None = None
        self._projects: dict[str, _ProjectList] = {}
        self._targets: dict[str, _TargetList] = {}

    @property
    def zone(self) -> tzinfo | None:
        """The rig's time zone, as its dates tell; None for the bridge's own.

        Dates of an earlier run stand in only while lists are unread: where the API left an offset out, theirs was the
        bridge's of then, which must not be kept for ever.
        """
        return rig_zone(self._dates or (() if self._has_read_projects else self._recalled_dates))

    @property
    def _has_read_projects(self) -> bool:
        """Of every profile."""
        return self._profiles is not None and all(
            profile.id in self._projects for profile in self._profiles.items.items
        )

    async def read_profiles(self, client: TargetSchedulerClient) -> Listing[Profile]:
        self._profiles = await client.profiles(self._profiles)
        return self._translated(self._profiles, translation.profile, Subject("profiles"))

    async def read_projects(self, client: TargetSchedulerClient, profile: Profile) -> None:
        known = self._projects.get(profile.id)
        answer = await client.projects(profile.id, known.answer if known else None)
        if known and answer is known.answer:
            return
        for item in answer.items.items:
            self.note_dates(item.create_date, item.active_date, item.inactive_date)
        zone = rig_zone(self._dates)
        what = Subject("projects of profile", profile.name, profile.id)
        projects = self._translated(answer, lambda item: translation.project(item, zone), what)
        self._projects[profile.id] = _ProjectList(answer, projects)

    async def read_targets(self, client: TargetSchedulerClient, project: Project) -> None:
        known = self._targets.get(project.id)
        answer = await client.targets(project.id, known.answer if known else None)
        if known and answer is known.answer:
            return
        what = Subject("targets of project", project.name, project.id)
        targets = self._translated(answer, translation.target, what)
        self._targets[project.id] = _TargetList(answer, targets, targets)

    async def kept(
        self, what: Subject, read: Callable[Asked, Awaitable[None]], *asked: Asked.args, **options: Asked.kwargs
    ) -> None:
        """Reads one list, whose failure stays its own: what was known of it before stands.

        Raises RigGoneError, which is nothing that concerns one list alone.
        """
        subject = f"{self._rig_name}, {what}"
        try:
            await read(*asked, **options)
        except RigGoneError:
            # The PC went away in the middle of a look: that is told of the rig, not of every list.
            raise
        except RigError as error:
            self._failures.failed(subject, f"{error}; what was known of them stays", key=what.key)
        else:
            self._failures.succeeded(subject, key=what.key)

    def note_dates(self, *dates: datetime | None) -> None:
        """Lets dates that the API sent with an offset tell in which time zone the rig stands."""
        self._dates += (date for date in dates if translation.is_dated(date))
        if len(self._dates) > _MOST_DATES:
            self._dates = sorted(self._dates)[-_MOST_DATES:]

    def recall_dates(self, dates: Iterable[datetime]) -> None:
        """Takes dates of projects that an earlier run of the bridge published, aware."""
        self._recalled_dates = tuple(date for date in dates if translation.is_dated(date))

    def assembled(self, profile: Profile, attach: Callable[[Target], Target]) -> Profile:
        """The profile with all that is known below it; `attach` completes a target with its statistics."""
        known = self._projects.get(profile.id)
        if known is None:
            return profile
        projects = tuple(
            replace(project, targets=self._targets_with(attach, self._targets[project.id]))
            if project.id in self._targets
            else project
            for project in known.projects.items
        )
        return replace(profile, projects=replace(known.projects, items=projects))

    def projects_of(self, profile: Profile) -> tuple[Project, ...]:
        known = self._projects.get(profile.id)
        return known.projects.items if known else ()

    def targets(self) -> Iterator[Target]:
        """All targets, without their statistics."""
        return chain.from_iterable(known.bare.items for known in self._targets.values())

    def drop_gone(self, profiles: Listing[Profile]) -> frozenset[str]:
        """Forgets what no longer has a parent, so that years of projects coming and going leave nothing behind.

        Returns the ids of the profiles and projects that are left; of a list that could not be read, all.
        """
        alive = {profile.id for profile in profiles.items} if profiles.complete else self._projects.keys()
        self._projects = {key: known for key, known in self._projects.items() if key in alive}
        if profiles.complete and all(known.projects.complete for known in self._projects.values()):
            named = {project.id for known in self._projects.values() for project in known.projects.items}
            self._targets = {key: known for key, known in self._targets.items() if key in named}
        left = frozenset(chain(alive, (p.id for known in self._projects.values() for p in known.projects.items)))
        self._forget_failures_but_of(left | {target.id for target in self.targets()})
        return left

    def _forget_failures_but_of(self, thing_ids: frozenset[str]) -> None:
        for key in self._failures.failing:
            if isinstance(key, tuple) and key[-1] is not None and key[-1] not in thing_ids:
                self._failures.forget(key)

    def tell_faults(self, items: Items[WireItem], what: Subject) -> None:
        """Says in one line what of an answer could not be read."""
        subject, key = f"{self._rig_name}, reading {what}", ("reading", *what.key)
        if items.faults:
            more = len(items.faults) - _MOST_FAULTS_TOLD
            told = "; ".join(items.faults[:_MOST_FAULTS_TOLD]) + (f" and {more} more" if more > 0 else "")
            self._failures.failed(subject, told, key=key)
        else:
            self._failures.succeeded(subject, key=key)

    def _translated(
        self, answer: Answer[Items[WireItem]], translate: Callable[[WireItem], T], what: Subject
    ) -> Listing[T]:
        items = answer.items
        self.tell_faults(items, what)
        return Listing(tuple(translate(item) for item in items.items), complete=not items.lost)

    def _targets_with(self, attach: Callable[[Target], Target], known: _TargetList) -> Listing[Target]:
        """The very same listing as last time if nothing about it has changed."""
        targets = tuple(attach(target) for target in known.bare.items)
        if targets != known.targets.items:
            known.targets = replace(known.bare, items=targets)
        return known.targets
