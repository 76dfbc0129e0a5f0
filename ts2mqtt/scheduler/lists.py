"""Reads one rig's lists and puts them together as the observatory's Rig; what could not be read stays as it was."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from ts2mqtt.errors import ApiFailureError
from ts2mqtt.observatory.edits import are_projects_edited, are_targets_edited
from ts2mqtt.observatory.model import Listing, Profile, Project, Target
from ts2mqtt.observatory.tree import all_projects
from ts2mqtt.scheduler import translate
from ts2mqtt.scheduler.decode import Items
from ts2mqtt.scheduler.look_policy import ProjectsOf, TargetsOf
from ts2mqtt.scheduler.rig_dates import RigDates
from ts2mqtt.scheduler.rig_failures import Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Set as AbstractSet
    from datetime import datetime, tzinfo

    from ts2mqtt.observatory.model import PlanBlock, Rig
    from ts2mqtt.scheduler import wire
    from ts2mqtt.scheduler.client import Answer, TargetSchedulerClient
    from ts2mqtt.scheduler.plan_policy import PlanRequest
    from ts2mqtt.scheduler.rig_failures import RigFailures
    from ts2mqtt.timing import Clock

Thing = TypeVar("Thing", Profile, Project, Target)
WireItem = TypeVar("WireItem", bound="wire.Answer")


@dataclass(slots=True)
class _ProjectList:
    """`answer`: the latest, without its items. `assembled`: the projects with what was known below them last."""

    answer: Answer[Items[wire.Project]]
    projects: Listing[Project]
    assembled: Listing[Project]


@dataclass(slots=True)
class _TargetList:
    """`answer`: the latest, without its items. `targets`: with their statistics, which `bare` is without."""

    answer: Answer[Items[wire.Target]]
    bare: Listing[Target]
    targets: Listing[Target]


class RigLists:
    """What was read of one rig since the start, list by list.

    What an answer names but does not tell, or tells of something else than was asked for, stays as it was. Nor is a
    list believed at once that is empty and would take away more than half of what the rig had: the next look has to
    say the same.
    """

    def __init__(self, failures: RigFailures, clock: Clock, zone: tzinfo | None = None) -> None:
        """`zone`: the rig's, where its user has told it."""
        self.failures = failures
        self._clock = clock
        self._configured_zone = zone
        self._dates = RigDates()
        self._recalled_dates = RigDates()
        self._profiles: Answer[Items[wire.Profile]] | None = None
        self._known_profiles: Listing[Profile] | None = None
        self._projects: dict[str, _ProjectList] = {}
        self._targets: dict[str, _TargetList] = {}
        self._recalled: Rig | None = None
        self._doubted: set[ProjectsOf | TargetsOf] = set()
        self._has_doubted_profiles = False
        self._mixed_up: dict[Subject, str] = {}
        self._is_edited = False

    @property
    def profiles(self) -> Listing[Profile]:
        """As they were read last, without what stands below them."""
        return self._known_profiles or Listing(())

    def take_is_edited(self) -> bool:
        """Whether a list told anything new since this was asked last, but for counts."""
        is_edited, self._is_edited = self._is_edited, False
        return is_edited

    @property
    def mixed_up(self) -> str | None:
        """Which list was answered with rows of another parent than was asked for, if any was."""
        return next(iter(self._mixed_up.values()), None)

    def is_doubted(self, thing: ProjectsOf | TargetsOf) -> bool:
        """Whether the list was empty, and has to be read again before that is believed."""
        return thing in self._doubted

    @property
    def zone(self) -> tzinfo | None:
        """The rig's time zone, as its user or its dates tell; None for the bridge's own.

        Dates of an earlier run stand in only while lists are unread: where the API left an offset out, theirs was the
        bridge's of then, which must not be kept for ever.
        """
        dates = self._dates if self._dates or self._has_read_projects else self._recalled_dates
        return self._configured_zone or dates.zone(self._clock.now())

    @property
    def _has_read_projects(self) -> bool:
        """Of every profile."""
        return self._profiles is not None and all(
            profile.id in self._projects for profile in self._profiles.items.items
        )

    async def read_profiles(self, client: TargetSchedulerClient) -> Listing[Profile]:
        answer = await client.profiles(self._profiles)
        if not answer.items.items and not answer.items.lost and not self._has_doubted_profiles:
            # N.I.N.A. always has one; while it starts, the API may not know it yet.
            self._has_doubted_profiles = True
            raise ApiFailureError("names no N.I.N.A. profile; it is asked again before that is believed")
        self._has_doubted_profiles = not answer.items.items
        before = self._known_profiles
        self._profiles = answer
        read = {item.id for item in answer.items.items}
        listing = self._translated(answer, translate.profile, Subject("profiles"), before)
        self._known_profiles = replace(listing, items=_one_active(listing.items, read))
        return self._known_profiles

    async def read_projects(self, client: TargetSchedulerClient, profile: Profile) -> None:
        known, thing = self._projects.get(profile.id), ProjectsOf(profile.id)
        answer = await client.projects(profile.id, known.answer if known and not self.is_doubted(thing) else None)
        if known and answer is known.answer:
            return
        for item in answer.items.items:
            self.note_dates(item.create_date, item.active_date, item.inactive_date)
        zone = self._configured_zone or self._dates.zone(self._clock.now())
        subject = Subject.projects_of(profile)
        before = known.projects if known else None
        projects = self._translated(
            answer, lambda item: translate.project(item, zone), subject, before, parent_id=profile.id
        )
        if self._must_look_again(thing, projects, self._things_below(profile.id)):
            if known:
                known.projects = replace(known.projects, complete=False)
                return
            projects = replace(projects, complete=False)
        self._is_edited |= before is not None and are_projects_edited(before, projects)
        self._projects[profile.id] = _ProjectList(_without_items(answer), projects, projects)

    async def read_targets(self, client: TargetSchedulerClient, project: Project) -> None:
        known, thing = self._targets.get(project.id), TargetsOf(project.id)
        answer = await client.targets(project.id, known.answer if known and not self.is_doubted(thing) else None)
        if known and answer is known.answer:
            return
        before = known.bare if known else None
        earlier = {target.id: target for target in self._known_targets(project.id)}
        targets = self._translated(
            answer,
            lambda item: translate.target(item, earlier.get(item.id)),
            Subject.targets_of(project),
            before,
            parent_id=project.id,
        )
        if self._must_look_again(thing, targets, len(self._known_targets(project.id))):
            if known:
                known.bare = replace(known.bare, complete=False)
                known.targets = replace(known.targets, complete=False)
                return
            targets = replace(targets, complete=False)
        self._is_edited |= before is not None and are_targets_edited(before, targets)
        self._targets[project.id] = _TargetList(_without_items(answer), targets, targets)

    async def read_plan(self, client: TargetSchedulerClient, request: PlanRequest) -> tuple[PlanBlock, ...]:
        """The blocks of a night plan; nothing of it is kept but what its dates tell of the rig's time zone."""
        items = await client.preview(request.profile_id, request.night_start)
        self.failures.note_answer(Subject("the night plan"), items.faults)
        self.note_dates(*(item.start_time for item in items.items))
        zone = self.zone
        return tuple(translate.plan_block(item, zone) for item in items.items)

    def note_dates(self, *dates: datetime | None) -> None:
        """Lets dates that the API sent with an offset tell in which time zone the rig stands."""
        self._dates.note(dates)

    def recall_rig(self, rig: Rig | None) -> None:
        """Takes what an earlier run of the bridge knew, for lists that were not read yet."""
        self._recalled = rig

    def recall_dates(self, dates: Iterable[datetime]) -> None:
        """Takes dates of projects that an earlier run of the bridge published, aware."""
        self._recalled_dates = RigDates()
        self._recalled_dates.note(dates)

    def assembled(self, profile: Profile, attach: Callable[[Target], Target]) -> Profile:
        """The profile with all that is known below it; `attach` completes a target with its statistics."""
        known = self._projects.get(profile.id)
        if known is None:
            return profile
        items = tuple(
            self._assembled(project, before, attach)
            for project, before in zip(known.projects.items, known.assembled.items, strict=True)
        )
        projects = replace(known.projects, items=items)
        if projects != known.assembled:
            known.assembled = projects
        return replace(profile, projects=known.assembled)

    def projects_of(self, profile: Profile) -> tuple[Project, ...]:
        known = self._projects.get(profile.id)
        return known.projects.items if known else ()

    def targets_of(self, project: Project) -> tuple[Target, ...]:
        """Without their statistics."""
        known = self._targets.get(project.id)
        return known.bare.items if known else ()

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
        self.failures.forget_all_but(profile_ids | project_ids | target_ids)
        self._mixed_up = {
            subject: which
            for subject, which in self._mixed_up.items()
            if subject.thing_id in profile_ids | project_ids
        }
        return frozenset(map(ProjectsOf, profile_ids)) | frozenset(map(TargetsOf, project_ids))

    def _translated(
        self,
        answer: Answer[Items[WireItem]],
        translated: Callable[[WireItem], Thing],
        subject: Subject,
        before: Listing[Thing] | None,
        parent_id: str | None = None,
    ) -> Listing[Thing]:
        """The listing; what the answer does not tell of it is as it was before."""
        items: Items[WireItem] = answer.items
        own = [item for item in items.items if _belongs_to(item, parent_id)]
        things = tuple(translated(item) for item in own)
        read = {thing.id for thing in things}
        missing: list[Thing] = [thing for thing in before.items if thing.id not in read] if before else []
        # What had an id, and seems to have lost it, is not gone.
        lost_ids: list[str] = [thing.name for thing in missing if thing.name in items.without_id]
        faults = (*items.faults, *(f"Id: found none, where {name!r} had one" for name in lost_ids))
        self.failures.note_answer(subject, faults)
        complete = not items.lost and not lost_ids and len(own) == len(items.items)
        self._mixed_up.pop(subject, None)
        if len(own) < len(items.items):
            self._mixed_up[subject] = str(subject)
        if not complete:
            things += tuple(missing)
        return Listing(things, complete, tuple(name for name in items.without_id if name not in lost_ids))

    def _must_look_again(
        self, thing: ProjectsOf | TargetsOf, listing: Listing[Project] | Listing[Target], lost: int
    ) -> bool:
        """Whether this empty listing would clear more than half of what the rig had, and is the first to say so."""
        is_empty = not listing.items and listing.complete
        if is_empty and thing not in self._doubted and 2 * lost > self._number_of_things():
            self._doubted.add(thing)
            return True
        self._doubted.discard(thing)
        return False

    def _number_of_things(self) -> int:
        recalled = {profile.id for profile in self._recalled.known_profiles} if self._recalled else set()
        return sum(map(self._things_below, recalled | self._projects.keys()))

    def _things_below(self, profile_id: str) -> int:
        """How many projects and targets the profile has, as far as this or an earlier run of the bridge has read."""
        known = self._projects.get(profile_id)
        projects = known.projects.items if known else self._recalled_projects(profile_id)
        return len(projects) + sum(len(self._known_targets(project.id)) for project in projects)

    def _known_targets(self, project_id: str) -> tuple[Target, ...]:
        """Those of an earlier run of the bridge while they were not read in this one."""
        known = self._targets.get(project_id)
        if known:
            return known.bare.items
        places = all_projects(self._recalled) if self._recalled else ()
        listing = next((place.project.targets for place in places if place.project.id == project_id), None)
        return listing.items if listing else ()

    def _recalled_projects(self, profile_id: str) -> tuple[Project, ...]:
        profiles = self._recalled.known_profiles if self._recalled else ()
        listing = next((profile.projects for profile in profiles if profile.id == profile_id), None)
        return listing.items if listing else ()

    def _assembled(self, project: Project, before: Project, attach: Callable[[Target], Target]) -> Project:
        """The project with its targets; the very same as `before`, last time, if they have not changed."""
        if project.id not in self._targets:
            return project
        targets = self._targets_with(attach, self._targets[project.id])
        return before if before.targets is targets else replace(project, targets=targets)

    def _targets_with(self, attach: Callable[[Target], Target], known: _TargetList) -> Listing[Target]:
        """The very same listing as last time if nothing about it has changed."""
        targets = tuple(attach(target) for target in known.bare.items)
        if targets != known.targets.items:
            known.targets = replace(known.bare, items=targets)
        return known.targets


def _without_items(answer: Answer[Items[WireItem]]) -> Answer[Items[WireItem]]:
    """Enough to know the same bytes again; what they said has been translated, and took four times as much memory."""
    return replace(answer, items=Items(()))


def _belongs_to(item: wire.Answer, parent_id: str | None) -> bool:
    """Whether it is an answer to what was asked; a row that names no parent is."""
    return parent_id is None or item.parent_id is None or item.parent_id.lower() == parent_id.lower()


def _one_active(profiles: tuple[Profile, ...], read: AbstractSet[str]) -> tuple[Profile, ...]:
    """Of the profiles that were read the active one counts, if there is one; what is kept from before is not."""
    if not any(profile.active and profile.id in read for profile in profiles):
        return profiles
    return tuple(
        profile if profile.id in read or not profile.active else replace(profile, active=False)
        for profile in profiles
    )
