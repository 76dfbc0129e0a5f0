"""Reads one rig's lists and puts them together as the observatory's Rig; what could not be read stays as it was."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from ts2mqtt.observatory.model import Listing, Profile, Project, Target
from ts2mqtt.observatory.night import rig_zone
from ts2mqtt.scheduler import translate
from ts2mqtt.scheduler.look_policy import ProjectsOf, TargetsOf
from ts2mqtt.scheduler.rig_failures import Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime, tzinfo

    from pydantic import BaseModel

    from ts2mqtt.observatory.model import PlanBlock
    from ts2mqtt.scheduler import wire
    from ts2mqtt.scheduler.client import Answer, TargetSchedulerClient
    from ts2mqtt.scheduler.decode import Items
    from ts2mqtt.scheduler.plan_policy import PlanRequest
    from ts2mqtt.scheduler.rig_failures import RigFailures

_MOST_DATES = 50

T = TypeVar("T")
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


class RigLists:
    """What was read of one rig since the start, list by list."""

    def __init__(self, failures: RigFailures) -> None:
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
        return self._translated(self._profiles, translate.profile, Subject("profiles"))

    async def read_projects(self, client: TargetSchedulerClient, profile: Profile) -> None:
        known = self._projects.get(profile.id)
        answer = await client.projects(profile.id, known.answer if known else None)
        if known and answer is known.answer:
            return
        for item in answer.items.items:
            self.note_dates(item.create_date, item.active_date, item.inactive_date)
        zone = rig_zone(self._dates)
        subject = Subject.projects_of(profile)
        projects = self._translated(answer, lambda item: translate.project(item, zone), subject)
        self._projects[profile.id] = _ProjectList(answer, projects)

    async def read_targets(self, client: TargetSchedulerClient, project: Project) -> None:
        known = self._targets.get(project.id)
        answer = await client.targets(project.id, known.answer if known else None)
        if known and answer is known.answer:
            return
        targets = self._translated(answer, translate.target, Subject.targets_of(project))
        self._targets[project.id] = _TargetList(answer, targets, targets)

    async def read_plan(self, client: TargetSchedulerClient, request: PlanRequest) -> tuple[PlanBlock, ...]:
        """The blocks of a night plan; nothing of it is kept but what its dates tell of the rig's time zone."""
        items = await client.preview(request.profile_id, request.night_start)
        self._failures.note_answer(Subject("the night plan"), items.faults)
        self.note_dates(*(item.start_time for item in items.items))
        zone = self.zone
        return tuple(translate.plan_block(item, zone) for item in items.items)

    def note_dates(self, *dates: datetime | None) -> None:
        """Lets dates that the API sent with an offset tell in which time zone the rig stands."""
        self._dates += (date for date in dates if translate.is_dated(date))
        if len(self._dates) > _MOST_DATES:
            self._dates = sorted(self._dates)[-_MOST_DATES:]

    def recall_dates(self, dates: Iterable[datetime]) -> None:
        """Takes dates of projects that an earlier run of the bridge published, aware."""
        self._recalled_dates = tuple(date for date in dates if translate.is_dated(date))

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

    def forget_gone(self, profiles: Listing[Profile]) -> frozenset[ProjectsOf | TargetsOf]:
        """Forgets what no longer has a parent, so that years of projects coming and going leave nothing behind.

        Returns the lists of the profiles and projects that are left; of a list that could not be read, all.
        """
        profile_ids = {profile.id for profile in profiles.items} if profiles.complete else set(self._projects)
        self._projects = {key: known for key, known in self._projects.items() if key in profile_ids}
        project_ids = {project.id for known in self._projects.values() for project in known.projects.items}
        if profiles.complete and all(known.projects.complete for known in self._projects.values()):
            self._targets = {key: known for key, known in self._targets.items() if key in project_ids}
        target_ids = {target.id for target in self.targets()}
        self._failures.forget_all_but(profile_ids | project_ids | target_ids)
        return frozenset(map(ProjectsOf, profile_ids)) | frozenset(map(TargetsOf, project_ids))

    def _translated(
        self, answer: Answer[Items[WireItem]], translated: Callable[[WireItem], T], subject: Subject
    ) -> Listing[T]:
        items = answer.items
        self._failures.note_answer(subject, items.faults)
        return Listing(tuple(translated(item) for item in items.items), complete=not items.lost)

    def _targets_with(self, attach: Callable[[Target], Target], known: _TargetList) -> Listing[Target]:
        """The very same listing as last time if nothing about it has changed."""
        targets = tuple(attach(target) for target in known.bare.items)
        if targets != known.targets.items:
            known.targets = replace(known.bare, items=targets)
        return known.targets
