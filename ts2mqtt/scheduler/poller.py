"""Decides what to ask one rig and when, gently, and keeps what it answered as the observatory's Rig and NightPlan."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from ts2mqtt.errors import RigError, RigGoneError, RigUnreachableError
from ts2mqtt.logs.failures import FailureLog
from ts2mqtt.observatory.exposures import LastExposure, last_exposure
from ts2mqtt.observatory.model import ACTIVE, Listing, NightPlan, PlanBlock, Profile, Rig
from ts2mqtt.observatory.night import night_of, planning_inputs
from ts2mqtt.observatory.tree import all_targets
from ts2mqtt.scheduler import translate as translation
from ts2mqtt.scheduler.client import TargetSchedulerClient, public_url, tls_context
from ts2mqtt.scheduler.lists import RigLists, Subject
from ts2mqtt.scheduler.plan_policy import PlanRequest, Situation, plan_request
from ts2mqtt.scheduler.statistics import Counts, StatisticsReader

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Coroutine, Iterable, Mapping
    from datetime import date

    from ts2mqtt.config import PollingConfig, RigConfig
    from ts2mqtt.logs.failures import Failure
    from ts2mqtt.observatory.model import Statistics

_LOG = logging.getLogger(__name__)

_FIRST_RETRY_S = 2.0
_LONGEST_RETRY_S = 60.0
_LEAST_GAP_S = 2.0
_LEAST_PLAN_GAP_S = 60.0
_CLOCK_SLACK = timedelta(minutes=1)
# So long the broker may take to tell the plan that is there already, before a new one is asked for.
_MEMORY_S = 60.0


class RigPoller:
    """Keeps `rig`, `plan` and `last` true and calls `on_change` whenever one of them has changed.

    What is live, the Active projects of the active profile, is asked for at every interval; everything else
    at the slow one; statistics when a target's counts moved; the night plan as night_plan.py decides. Once a rig
    is silent it is tried again after 2 s, then ever later, up to a minute.
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
            exposure_throttle_percent=config.exposure_throttle,
        )
        self.plan: NightPlan | None = None
        self.last: LastExposure | None = None
        self._config = config
        self._polling = polling
        self._on_change = on_change
        self._tls = tls
        self._now = now
        self._rng = rng or random.Random()  # noqa: S311 - spreads requests, guards nothing
        self._failures = FailureLog(_LOG, on_change=on_change)
        self._reader = RigLists(config.name, self._failures)
        self._statistics = StatisticsReader(self._reader, polling, self._rng)
        self._clients: dict[str, TargetSchedulerClient] = {}
        self._urls = list(config.urls)
        self._version: str | None = None
        self._wake = asyncio.Event()
        self._failed_looks = 0
        self._due: dict[str, float] = {}
        self._everything_due = False
        self._looked = asyncio.Event()
        self._plan_requested = False
        self._plan_asked: datetime | None = None
        self._next_plan = 0.0
        self._latest: datetime | None = None
        self._watched_since: datetime | None = None
        self._memory_by = time.monotonic() + _MEMORY_S

    @property
    def zone(self) -> tzinfo | None:
        """The rig's time zone; None for the bridge's own."""
        return self._reader.zone

    @property
    def problem(self) -> Failure | None:
        """What goes wrong with this rig now."""
        return self._failures.latest

    async def run(self) -> None:
        """Polls for ever; a failure of the rig is logged and waited out."""
        async with AsyncExitStack() as stack:
            tls = self._tls or tls_context(self._config)
            for url in self._urls:
                client = TargetSchedulerClient(self._config, url, self._polling, tls)
                self._clients[url] = await stack.enter_async_context(client)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._poll())
                tasks.create_task(self._read_plans())

    def use(self, polling: PollingConfig) -> None:
        """From now on; a shorter interval begins with a look."""
        shorter = polling.interval < self._polling.interval
        self._polling = polling
        for client in self._clients.values():
            client.use(polling)
        self._statistics.use(polling)
        soon = time.monotonic() + polling.slow_interval
        self._due = {what: min(due, soon) for what, due in self._due.items()}
        if shorter:
            self._wake.set()
        self._looked.set()

    def refresh(self) -> None:
        """Asks for everything but statistics and the plan, now."""
        self._everything_due = True
        self._wake.set()

    def refresh_plan(self) -> None:
        """Asks for the night plan as soon as the rig answers, whatever it is doing."""
        if self._polling.plan == "off":
            _LOG.warning("%s: no plan is read, because polling.plan is off", self.rig.name)
            return
        if self._plan_requested:
            return
        _LOG.warning(
            "%s: reading the night plan on request; while the rig images this can upset its dithering, and it "
            "writes the filter cadence of projects that switch filters",
            self.rig.name,
        )
        self._plan_requested = True
        self._looked.set()

    def recall(
        self,
        plan: NightPlan | None,
        statistics: Mapping[str, tuple[Counts, Mapping[str, Statistics]]],
        dates: Iterable[datetime],
    ) -> None:
        """Takes back what an earlier run of the bridge paid for, unless it was read anew since.

        `dates` are those of projects, aware.
        """
        self._memory_by = time.monotonic()
        self._statistics.recall(statistics)
        self._reader.recall_dates(dates)
        if self.plan is None and plan is not None:
            self.plan = plan
            self._reader.note_dates(*(block.start for block in plan.blocks))
            self._on_change()
        self._tell()
        self._looked.set()

    async def _poll(self) -> None:
        while True:
            started = time.monotonic()
            self._wake.clear()
            self._mind_the_clock()
            try:
                await self._look()
            except RigError as error:
                delay = self._silent(error)
            else:
                self._answering()
                delay = max(0.0, started + self._polling.interval - time.monotonic())
            await _first_of(self._wake.wait(), asyncio.sleep(delay))
            # However often somebody asks for a refresh, the rig is left in peace for this long.
            gap = min(_LEAST_GAP_S, self._polling.interval)
            await asyncio.sleep(max(0.0, started + gap - time.monotonic()))

    def _mind_the_clock(self) -> None:
        """Forgets what seems to lie ahead, once this machine's clock was set back, as after a start without network.

        An exposure, a plan or a watch that began in the future would count until then, for hours or months.
        """
        now = self._now()
        if self._latest is not None and now < self._latest - _CLOCK_SLACK:
            _LOG.warning("%s: the clock of this machine was set back by %s", self.rig.name, self._latest - now)
            self.last = self._plan_asked = self._watched_since = None
            if self.plan is not None and self.plan.fetched > now:
                self.plan = None
            self._on_change()
        self._latest = now

    async def _look(self) -> None:
        client, profiles = await self._find_api()
        if self._failed_looks:
            self._spread_what_is_due()
        everything, self._everything_due = self._everything_due, False
        read = self._reader
        for profile in profiles.items:
            if profile.active or everything or self._slowly_due(f"projects of {profile.id}"):
                what = Subject("projects of profile", profile.name, profile.id)
                await read.kept(what, read.read_projects, client, profile)
        await _all(
            read.kept(Subject("targets of project", project.name, project.id), read.read_targets, client, project)
            for profile in profiles.items
            for project in read.projects_of(profile)
            if everything
            or (profile.active and project.state == ACTIVE)
            or self._slowly_due(f"targets of {project.id}")
        )
        self._drop_gone(profiles)
        await self._statistics.read_due(client, tuple(read.targets()))
        self._tell(online=True, profiles=profiles, url=client.url)

    async def _find_api(self) -> tuple[TargetSchedulerClient, Listing[Profile]]:
        """The first URL that answers like the API, beginning with the one that did last time."""
        faults: list[str] = []
        for url in tuple(self._urls):
            client = self._clients[url]
            try:
                due = self._slowly_due("version")
                if self._version is None or not self.rig.online or url != self._urls[0]:
                    # It tells the API from another program on this port.
                    await self._read_version(client)
                elif due:
                    await self._reader.kept(Subject("the plugin's version"), self._read_version, client)
                profiles = await self._reader.read_profiles(client)
            except RigError as error:
                faults.append(str(error))
                continue
            self._urls.remove(url)
            self._urls.insert(0, url)
            return client, profiles
        raise RigUnreachableError("; ".join(faults))

    async def _read_version(self, client: TargetSchedulerClient) -> None:
        self._version = await client.version()

    def _tell(
        self, *, online: bool | None = None, profiles: Listing[Profile] | None = None, url: str | None = None
    ) -> None:
        profiles = profiles or self.rig.profiles
        attach = self._statistics.attach
        rig = replace(
            self.rig,
            online=self.rig.online if online is None else online,
            url=url or self.rig.url,
            plugin_version=self._version,
            profiles=profiles
            and replace(profiles, items=tuple(self._reader.assembled(p, attach) for p in profiles.items)),
        )
        if rig == self.rig:
            return
        if self.rig.online:
            # What was taken while nobody looked says nothing about now.
            self.last = last_exposure(self.rig, rig, self._now()) or self.last
        if _active_id(rig) != _active_id(self.rig):
            # Of what the rig does with this profile nothing has been seen yet.
            self._watched_since = None
        self.rig = rig
        self._on_change()

    def _drop_gone(self, profiles: Listing[Profile]) -> None:
        alive = self._reader.drop_gone(profiles)
        named = {f"{what} of {thing_id}" for thing_id in alive for what in ("projects", "targets")} | {"version"}
        self._due = {what: due for what, due in self._due.items() if what in named}
        self._statistics.drop_all_but(frozenset(target.id for target in self._reader.targets()))

    def _slowly_due(self, what: str) -> bool:
        """Whether something slow is due; the first time is now, later ones spread over the slow interval."""
        now = time.monotonic()
        if now < self._due.get(what, now):
            return False
        self._due[what] = now + self._polling.slow_interval * self._rng.uniform(0.8, 1.0)
        return True

    def _spread_what_is_due(self) -> None:
        """After an outage: what has become due meanwhile is not asked for all at once."""
        now, soon = time.monotonic(), self._polling.slow_interval
        self._due = {what: due if due > now else now + soon * self._rng.random() for what, due in self._due.items()}
        self._statistics.spread_again()

    def _silent(self, error: RigError) -> float:
        """Notes a failed look and tells after how many seconds to try again.

        A single failure of a rig that was there is not told: a busy PC misses one look now and then.
        """
        self._failed_looks += 1
        if self._failed_looks > 1 or not self.rig.online:
            self._failures.failed(self.rig.name, f"the API does not answer: {error}")
            self._watched_since = None
            self._tell(online=False)
        delay = min(_LONGEST_RETRY_S, _FIRST_RETRY_S * 2.0 ** min(self._failed_looks - 1, 10))
        return delay * self._rng.uniform(0.5, 1.0)

    def _answering(self) -> None:
        self._failed_looks = 0
        self._failures.succeeded(self.rig.name)
        self._watched_since = self._watched_since or self._now()
        self._looked.set()

    async def _read_plans(self) -> None:
        """Beside the looks, so that a preview that takes minutes delays nothing else."""
        while True:
            await self._looked.wait()
            self._looked.clear()
            request = self._plan_request()
            if request is not None:
                self._plan_requested = False
                self._plan_asked = self._now()
                self._next_plan = time.monotonic() + _LEAST_PLAN_GAP_S
                # A rig that has gone meanwhile is told by the next look.
                with suppress(RigGoneError):
                    await self._reader.kept(Subject("night plan"), self._read_plan, request)

    def _plan_request(self) -> PlanRequest | None:
        by_itself = self._polling.plan == "auto" and time.monotonic() >= self._memory_by
        if self._watched_since is None or not (by_itself or self._plan_requested):
            return None
        if self._plan_requested and time.monotonic() < self._next_plan:
            # Asked for by anybody, as often as they like: the next look sees to it when its time has come.
            return None
        situation = Situation(
            rig=self.rig,
            plan=self.plan,
            last=self.last,
            asked=self._plan_asked,
            watched_since=self._watched_since,
            now=self._now(),
            zone=self.zone,
            plan_interval=timedelta(seconds=self._polling.plan_interval),
        )
        return plan_request(situation, requested=self._plan_requested)

    async def _read_plan(self, request: PlanRequest) -> None:
        asked = self._now()
        profile = self.rig.active_profile
        inputs = planning_inputs(profile) if profile else None
        answer = await self._clients[self._urls[0]].preview(request.profile_id, request.night_start)
        self._reader.tell_faults(answer, Subject("the night plan"))
        self._reader.note_dates(*(item.start_time for item in answer.items))
        blocks = self._own_blocks(translation.plan_block(item, self.zone) for item in answer.items)
        self.plan = NightPlan(
            profile_id=request.profile_id,
            night=_night_of(blocks, asked, self.zone),
            fetched=asked,
            blocks=blocks,
            inputs=inputs,
        )
        self._on_change()

    def _own_blocks(self, blocks: Iterable[PlanBlock]) -> tuple[PlanBlock, ...]:
        """Without blocks of targets that the active profile does not have: the API plans some of another's."""
        own = {place.target.id for place in all_targets(self.rig) if place.profile.active}
        kept: list[PlanBlock] = []
        foreign: list[PlanBlock] = []
        for block in blocks:
            (kept if block.is_wait or block.target_id in own else foreign).append(block)
        if foreign:
            _LOG.warning(
                "%s: the night plan names %d blocks of targets that this rig does not have, among them %r; "
                "they are left out",
                self.rig.name,
                len(foreign),
                foreign[0].name,
            )
        return tuple(kept)


def _night_of(blocks: Iterable[PlanBlock], asked: datetime, zone: tzinfo | None) -> date:
    """That of the first target: asked for in the morning, when nothing of a night is left, it is the coming one."""
    return night_of(next((block.start for block in blocks if not block.is_wait), asked), zone)


def _active_id(rig: Rig) -> str | None:
    return rig.active_profile.id if rig.active_profile else None


async def _all(works: Iterable[Coroutine[None, None, None]]) -> None:
    """Waits for all of them, and then raises what the first that failed has raised."""
    for failure in await asyncio.gather(*works, return_exceptions=True):
        if failure is not None:
            raise failure


async def _first_of(*waiting: Coroutine[None, None, object]) -> None:
    tasks = [asyncio.ensure_future(one) for one in waiting]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
