"""Decides what to ask one rig and when, gently, and keeps what it answered as the observatory's Rig."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from ts2mqtt.errors import RigError, RigUnreachableError
from ts2mqtt.failures import FailureLog
from ts2mqtt.observatory.model import ACTIVE, Listing, NightPlan, Profile, Project, Rig, Statistics, Target
from ts2mqtt.scheduler import translation
from ts2mqtt.scheduler.client import Answer, TargetSchedulerClient, public_url, tls_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Coroutine, Iterable, Mapping

    from pydantic import BaseModel

    from ts2mqtt.config import PollingConfig, RigConfig
    from ts2mqtt.scheduler import wire
    from ts2mqtt.scheduler.reading import Items

_LOG = logging.getLogger(__name__)

_FIRST_RETRY_S = 2.0
_LONGEST_RETRY_S = 60.0
_LEAST_GAP_S = 2.0
_MOST_FAULTS_TOLD = 3
# A request that takes the rig 3 s to answer is made at most once in a minute: 5 % of its time.
_STATISTICS_SHARE = 0.05

T = TypeVar("T")
WireItem = TypeVar("WireItem", bound="BaseModel")
Counts = tuple[tuple[str, int, int], ...]
"""Exposure plan key, acquired and accepted of each plan: while these stand still, so do the statistics."""


@dataclass(slots=True)
class _ProjectList:
    answer: Answer[Items[wire.Project]]
    projects: Listing[Project]


@dataclass(slots=True)
class _TargetList:
    answer: Answer[Items[wire.Target]]
    bare: Listing[Target]
    targets: Listing[Target]


@dataclass(slots=True)
class _KnownStatistics:
    by_plan: Mapping[str, Statistics] = field(default_factory=dict)
    counts: Counts | None = None
    due: float = 0.0
    not_before: float = 0.0


class RigPoller:
    """Keeps `rig` and `plan` true and calls `on_change` whenever one of them has changed.

    What is live, the Active projects of the active profile, is asked for at every interval; everything else
    at the slow one; statistics when a target's counts moved. Once a rig is silent it is tried again after
    2 s, then ever later, up to a minute.
    """

    def __init__(  # noqa: PLR0913 - a rig's poller has this much to know; all but the first three are for tests
        self,
        config: RigConfig,
        polling: PollingConfig,
        on_change: Callable[[], None],
        *,
        tls: ssl.SSLContext | None = None,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
        rng: random.Random | None = None,
    ) -> None:
        self.rig = Rig(
            id=config.id,
            name=config.name,
            api_version=config.api_version,
            url=public_url(config.urls[0]),
        )
        self.plan: NightPlan | None = None
        self._config = config
        self._polling = polling
        self._on_change = on_change
        self._tls = tls
        self._now = now
        self._rng = rng or random.Random()  # noqa: S311 - spreads requests, guards nothing
        self._failures = FailureLog(_LOG)
        self._clients: dict[str, TargetSchedulerClient] = {}
        self._urls = list(config.urls)
        self._wake = asyncio.Event()
        self._plan_wanted = asyncio.Event()
        self._online = asyncio.Event()
        self._failed_looks = 0
        self._due: dict[str, float] = {}
        self._everything_due = False
        self._zone: tzinfo | None = None
        self._version: str | None = None
        self._profiles: Answer[Items[wire.Profile]] | None = None
        self._projects: dict[str, _ProjectList] = {}
        self._targets: dict[str, _TargetList] = {}
        self._statistics: dict[str, _KnownStatistics] = {}

    @property
    def answered(self) -> bool:
        """Whether the rig has been read at least once since the start."""
        return self.rig.profiles is not None

    async def run(self) -> None:
        """Polls for ever; a failure of the rig is logged and waited out."""
        if self._polling.plan == "auto":
            self._plan_wanted.set()
        async with AsyncExitStack() as stack:
            tls = self._tls or tls_context(self._config)
            for url in self._urls:
                client = TargetSchedulerClient(self._config, url, self._polling, tls)
                self._clients[url] = await stack.enter_async_context(client)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._poll())
                tasks.create_task(self._read_plans())

    def refresh(self) -> None:
        """Asks for everything but statistics and the plan, now."""
        self._everything_due = True
        self._wake.set()

    def refresh_plan(self) -> None:
        """Asks for the night plan as soon as the rig answers."""
        if self._polling.plan == "off":
            _LOG.warning("%s: no plan is read, because polling.plan is off", self.rig.name)
            return
        _LOG.warning(
            "%s: reading the night plan on request; while the rig images this can upset its dithering", self.rig.name
        )
        self._plan_wanted.set()

    def recall_statistics(self, remembered: Mapping[str, tuple[Counts, Mapping[str, Statistics]]]) -> None:
        """Takes what was published before a restart, by target id, unless a target's were read since."""
        for target_id, (counts, by_plan) in remembered.items():
            known = self._statistics.get(target_id)
            if known is None or known.counts is None:
                due = _clock() + self._spread(self._polling.statistics_interval)
                self._statistics[target_id] = _KnownStatistics(by_plan, counts, due)
        self._attach_statistics()
        self._tell()

    async def _poll(self) -> None:
        while True:
            started = _clock()
            self._wake.clear()
            try:
                await self._look()
            except RigError as error:
                delay = self._silent(error)
            else:
                self._answering()
                delay = max(0.0, started + self._polling.interval - _clock())
            await _first_of(self._wake.wait(), asyncio.sleep(delay))
            # However often somebody asks for a refresh, the rig is left in peace for this long.
            await asyncio.sleep(
                min(_LEAST_GAP_S, self._polling.interval, max(0.0, started + _LEAST_GAP_S - _clock()))
            )

    async def _look(self) -> None:
        client, profiles = await self._find_api()
        everything, self._everything_due = self._everything_due, False
        for profile in profiles.items:
            if profile.active or everything or self._slowly_due(f"projects of {profile.id}"):
                await self._listing(self._read_projects(client, profile), f"projects of profile {profile.name!r}")
        self._drop_gone(profiles)
        await self._gather(
            self._listing(self._read_targets(client, project), f"targets of project {project.name!r}")
            for profile in profiles.items
            for project in self._projects_of(profile)
            if everything
            or (profile.active and project.state == ACTIVE)
            or self._slowly_due(f"targets of {project.id}")
        )
        await self._read_statistics(client)
        self._attach_statistics()
        self._tell(online=True, profiles=profiles, url=client.url)

    async def _find_api(self) -> tuple[TargetSchedulerClient, Listing[Profile]]:
        """The first URL that answers like the API, beginning with the one that did last time."""
        faults: list[str] = []
        for url in tuple(self._urls):
            client = self._clients[url]
            try:
                if self._version is None or not self.rig.online or self._slowly_due("version"):
                    self._version = await client.version()
                self._profiles = await client.profiles(self._profiles)
            except RigError as error:
                faults.append(str(error))
                continue
            self._urls.remove(url)
            self._urls.insert(0, url)
            return client, self._translated(self._profiles, translation.profile, "profiles")
        raise RigUnreachableError("; ".join(faults))

    async def _read_projects(self, client: TargetSchedulerClient, profile: Profile) -> None:
        known = self._projects.get(profile.id)
        answer = await client.projects(profile.id, known.answer if known else None)
        if known and answer is known.answer:
            return
        for item in answer.items.items:
            dated = next((d for d in (item.create_date, item.active_date) if d and d.tzinfo), None)
            self._zone = dated.tzinfo if dated else self._zone
        projects = self._translated(
            answer, lambda item: translation.project(item, self._zone), f"projects of profile {profile.name!r}"
        )
        self._projects[profile.id] = _ProjectList(answer, projects)

    async def _read_targets(self, client: TargetSchedulerClient, project: Project) -> None:
        known = self._targets.get(project.id)
        answer = await client.targets(project.id, known.answer if known else None)
        if known and answer is known.answer:
            return
        targets = self._translated(answer, translation.target, f"targets of project {project.name!r}")
        self._targets[project.id] = _TargetList(answer, targets, targets)

    async def _read_statistics(self, client: TargetSchedulerClient) -> None:
        """One target after the other, so that no more than one such request is ever under way."""
        for target in self._all_targets():
            known = self._statistics.get(target.id)
            if known is None:
                known = _KnownStatistics(due=_clock() + self._spread(self._polling.slow_interval))
                self._statistics[target.id] = known
            counts = exposure_counts(target)
            if not any(acquired for _, acquired, _ in counts):
                known.by_plan, known.counts = {}, counts
                continue
            moved = known.counts is not None and known.counts != counts
            if _clock() >= (known.not_before if moved else max(known.due, known.not_before)):
                await self._listing(
                    self._read_statistics_of(client, target, known), f"statistics of target {target.name!r}"
                )

    async def _read_statistics_of(
        self, client: TargetSchedulerClient, target: Target, known: _KnownStatistics
    ) -> None:
        started = _clock()
        try:
            answer = await client.statistics(target.id)
        except RigError:
            known.due = known.not_before = _clock() + self._polling.slow_interval
            raise
        known.not_before = _clock() + (_clock() - started) / _STATISTICS_SHARE
        self._tell_faults(answer, f"statistics of target {target.name!r}")
        known.by_plan = translation.statistics_by_plan(target.exposure_plans, answer.items)
        known.counts = exposure_counts(target)
        known.due = _clock() + self._polling.statistics_interval * self._rng.uniform(0.9, 1.1)

    async def _listing(self, reading: Coroutine[None, None, None], what: str) -> None:
        """One list's failure stays its own: what was known of it before stands."""
        subject = f"{self.rig.name}, {what}"
        try:
            await reading
        except RigError as error:
            self._failures.failed(subject, f"{error}; what was known of them stays")
        else:
            self._failures.succeeded(subject)

    async def _gather(self, readings: Iterable[Coroutine[None, None, None]]) -> None:
        await asyncio.gather(*readings)

    def _translated(
        self, answer: Answer[Items[WireItem]], translate: Callable[[WireItem], T], what: str
    ) -> Listing[T]:
        items = answer.items
        self._tell_faults(items, what)
        return Listing(tuple(translate(item) for item in items.items), complete=not items.lost)

    def _tell_faults(self, items: Items[WireItem], what: str) -> None:
        subject = f"{self.rig.name}, reading {what}"
        if items.faults:
            more = len(items.faults) - _MOST_FAULTS_TOLD
            told = "; ".join(items.faults[:_MOST_FAULTS_TOLD]) + (f" and {more} more" if more > 0 else "")
            self._failures.failed(subject, told)
        else:
            self._failures.succeeded(subject)

    def _attach_statistics(self) -> None:
        for known in self._targets.values():
            targets = tuple(self._with_statistics(target) for target in known.bare.items)
            if targets != known.targets.items:
                known.targets = replace(known.bare, items=targets)

    def _with_statistics(self, target: Target) -> Target:
        known = self._statistics.get(target.id)
        if known is None or not known.by_plan:
            return target
        plans = tuple(replace(plan, statistics=known.by_plan.get(plan.key)) for plan in target.exposure_plans)
        return replace(target, exposure_plans=plans)

    def _tell(
        self, *, online: bool | None = None, profiles: Listing[Profile] | None = None, url: str | None = None
    ) -> None:
        profiles = profiles or self.rig.profiles
        rig = replace(
            self.rig,
            online=self.rig.online if online is None else online,
            url=url or self.rig.url,
            plugin_version=self._version,
            profiles=profiles and replace(profiles, items=tuple(self._assembled(p) for p in profiles.items)),
        )
        if rig != self.rig:
            self.rig = rig
            self._on_change()

    def _assembled(self, profile: Profile) -> Profile:
        known = self._projects.get(profile.id)
        if known is None:
            return profile
        projects = tuple(
            replace(project, targets=self._targets[project.id].targets) if project.id in self._targets else project
            for project in known.projects.items
        )
        return replace(profile, projects=replace(known.projects, items=projects))

    def _projects_of(self, profile: Profile) -> tuple[Project, ...]:
        known = self._projects.get(profile.id)
        return known.projects.items if known else ()

    def _all_targets(self) -> Iterable[Target]:
        return chain.from_iterable(known.bare.items for known in self._targets.values())

    def _drop_gone(self, profiles: Listing[Profile]) -> None:
        """Forgets what no longer has a parent, so that years of projects coming and going leave nothing behind."""
        if not profiles.complete:
            return
        alive = {profile.id for profile in profiles.items}
        self._projects = {key: known for key, known in self._projects.items() if key in alive}
        if not all(known.projects.complete for known in self._projects.values()):
            return
        projects = {project.id for known in self._projects.values() for project in known.projects.items}
        self._targets = {key: known for key, known in self._targets.items() if key in projects}
        targets = {target.id for target in self._all_targets()}
        if len(self._projects) == len(alive) and len(self._targets) == len(projects):
            self._statistics = {key: known for key, known in self._statistics.items() if key in targets}
        named = {f"projects of {key}" for key in alive} | {f"targets of {key}" for key in projects} | {"version"}
        self._due = {key: due for key, due in self._due.items() if key in named}

    def _slowly_due(self, what: str) -> bool:
        """Whether something slow is due; the first time is now, later ones spread over the slow interval."""
        now = _clock()
        if now < self._due.get(what, now):
            return False
        self._due[what] = now + self._polling.slow_interval * self._rng.uniform(0.8, 1.0)
        return True

    def _spread(self, interval: float) -> float:
        return interval * self._rng.random()

    def _silent(self, error: RigError) -> float:
        """Notes a failed look and tells after how many seconds to try again.

        A single failure of a rig that was there is not told: a busy PC misses one look now and then.
        """
        self._failed_looks += 1
        if self._failed_looks > 1 or not self.rig.online:
            self._failures.failed(self.rig.name, f"the API does not answer: {error}")
            self._online.clear()
            self._tell(online=False)
        delay = min(_LONGEST_RETRY_S, _FIRST_RETRY_S * 2.0 ** min(self._failed_looks - 1, 10))
        return delay * self._rng.uniform(0.5, 1.0)

    def _answering(self) -> None:
        if self._failed_looks:
            self._failed_looks = 0
            now = _clock()
            for what, due in self._due.items():
                self._due[what] = max(due, now + self._spread(self._polling.slow_interval))
            for known in self._statistics.values():
                known.due = max(known.due, now + self._spread(self._polling.slow_interval))
        self._failures.succeeded(self.rig.name)
        self._online.set()

    async def _read_plans(self) -> None:
        while True:
            await self._plan_wanted.wait()
            await self._online.wait()
            profile = self.rig.active_profile
            if profile is None:
                await asyncio.sleep(self._polling.interval)
                continue
            self._plan_wanted.clear()
            await self._listing(self._read_plan(profile), "night plan")

    async def _read_plan(self, profile: Profile) -> None:
        answer = await self._clients[self._urls[0]].preview(profile.id)
        blocks = tuple(translation.plan_block(item, self._zone) for item in answer.items)
        now = self._now()
        night = (blocks[0].start if blocks else now).date()
        self.plan = NightPlan(profile_id=profile.id, night=night, fetched=now, blocks=blocks)
        self._on_change()


def exposure_counts(target: Target) -> Counts:
    return tuple((plan.key, plan.acquired, plan.accepted) for plan in target.exposure_plans)


def _clock() -> float:
    """Seconds on the clock of the event loop, which no change of the system's time moves."""
    return time.monotonic()


async def _first_of(*waiting: Coroutine[None, None, object]) -> None:
    tasks = [asyncio.ensure_future(one) for one in waiting]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
