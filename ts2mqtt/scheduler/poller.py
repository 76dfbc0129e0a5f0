"""Looks at one rig again and again, gently, and reports what it answers as the observatory's Rig and NightPlan."""

from __future__ import annotations

import asyncio
import random
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ts2mqtt.errors import RigError, RigGoneError
from ts2mqtt.logs.tallies import Kind
from ts2mqtt.observatory.evidence import UNKNOWN_EXPOSURE_S
from ts2mqtt.observatory.exposures import progress
from ts2mqtt.observatory.model import Rig
from ts2mqtt.observatory.oddities import in_two_places, things_without_id
from ts2mqtt.observatory.tree import ProjectPlace, TargetPlace, counting_projects, counting_targets
from ts2mqtt.scheduler.client import HttpOptions, public_url
from ts2mqtt.scheduler.endpoint import Endpoint
from ts2mqtt.scheduler.lists import RigLists
from ts2mqtt.scheduler.look_policy import (
    PluginVersion,
    ProjectsOf,
    Resting,
    TargetsOf,
    live_lists,
    project_lists,
    target_lists,
)
from ts2mqtt.scheduler.look_schedule import LookSchedule, Wish
from ts2mqtt.scheduler.oddity_texts import two_places_text, without_id_text
from ts2mqtt.scheduler.plan_policy import Rise
from ts2mqtt.scheduler.plan_reader import PlanReader
from ts2mqtt.scheduler.read_times import ReadTimes
from ts2mqtt.scheduler.report import RigReport
from ts2mqtt.scheduler.rig_failures import RigFailures, Subject
from ts2mqtt.scheduler.slow_things import SlowThings
from ts2mqtt.scheduler.statistics import StatisticsReader
from ts2mqtt.timing import RigTimings, SystemClock

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from ts2mqtt.config import PollingConfig, RigConfig
    from ts2mqtt.logs.tallies import Tallies
    from ts2mqtt.network.http_requests import Transport
    from ts2mqtt.observatory.model import Listing, NightPlan, Profile, Project, Statistics
    from ts2mqtt.observatory.site import Site
    from ts2mqtt.scheduler.client import TargetSchedulerClient
    from ts2mqtt.scheduler.look_policy import ListToRead, LiveList
    from ts2mqtt.scheduler.look_schedule import Noticed
    from ts2mqtt.scheduler.report import ReportQueue
    from ts2mqtt.scheduler.statistics import Counts
    from ts2mqtt.timing import Clock

_CLOCKS_SET_BACK = Kind("times at which the clock was set back")

_CLOCK_SLACK = timedelta(minutes=1)
_MOST_DOUBLINGS = 10


@dataclass(frozen=True, slots=True)
class _Reading:
    """One look: whom it asks, what it has found so far, when it began, and the lists that it has read."""

    client: TargetSchedulerClient
    profiles: Listing[Profile]
    just_left: str | None
    started: float
    is_refresh: bool
    read: set[LiveList] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class PollerOptions:
    """What a poller works with: `transport` answers in place of the network, `rng` spreads requests over time.

    `site` is where the rig stands, None where that is not known.
    """

    clock: Clock = SystemClock()
    timings: RigTimings = RigTimings()
    tls: ssl.SSLContext | None = None
    transport: Transport | None = None
    rng: random.Random | None = None
    tallies: Tallies | None = None
    site: Site | None = None


class RigPoller:
    """Puts a new report into `reports`, an unbounded queue, whenever what it would say has changed.

    What is live, the Active projects of the active profile, is asked for as look_policy.py decides; everything else
    at the slow interval; statistics when a target's counts moved; the night plan as plan_policy.py decides. Once a
    rig is silent it is tried again after 2 s, then ever later, up to a minute.
    """

    def __init__(
        self,
        config: RigConfig,
        polling: PollingConfig,
        reports: ReportQueue,
        options: PollerOptions = PollerOptions(),
    ) -> None:
        clock, timings = options.clock, options.timings
        self._reports = reports
        self._clock = clock
        self._timings = timings
        self._rng = options.rng or random.Random()  # noqa: S311 - guards nothing
        self._rig = Rig(
            id=config.id,
            name=config.name,
            api_version=config.api_version,
            url=public_url(config.urls[0]),
            exposure_throttle_percent=config.exposure_throttle,
        )
        self._last_rise: Rise | None = None
        self._read_times = ReadTimes()
        self._read_before: Mapping[str, datetime] = {}
        self._failures = RigFailures(config.name, clock, options.tallies)
        http = HttpOptions(tls=options.tls, transport=options.transport, connect_timeout_s=timings.connect_timeout_s)
        self._endpoint = Endpoint(config, polling, self._failures, http)
        self._lists = RigLists(self._failures, clock, config.zone)
        self._schedule = LookSchedule(polling, clock, timings.least_gap_s, options.site)
        self._slow_things = SlowThings(polling.slow_interval, clock, self._rng)
        self._statistics = StatisticsReader(self._failures, polling, clock, self._rng)
        self._plan_reader = PlanReader(self._rig, polling, self._lists, clock=clock, timings=timings)
        self._wake = asyncio.Event()
        self._failed_looks = 0
        self._profiles_read: datetime | None = None
        self._latest_time: datetime | None = None
        self._report = self._new_report()

    @property
    def report(self) -> RigReport:
        """The latest one; before the first look it says what the configuration tells."""
        return self._report

    async def run(self) -> None:
        """Polls for ever; a failure of the rig is logged and waited out."""
        async with self._endpoint.open(), asyncio.TaskGroup() as tasks:
            tasks.create_task(self._look_for_ever())
            tasks.create_task(self._read_plans_for_ever())

    def use(self, polling: PollingConfig) -> None:
        """From now on; a shorter interval begins with a look."""
        self._endpoint.use(polling)
        self._statistics.use(polling)
        self._slow_things.use(polling.slow_interval)
        self._schedule.use(polling)
        self._plan_reader.use(polling)
        self._wake.set()

    def refresh(self) -> None:
        """Asks for everything but statistics and the plan, now."""
        self._ask(Wish(everything=True))

    def hasten(self, project_id: str | None = None) -> None:
        """Asks for the targets of this project, or for all that is live, as soon as the rig may be asked again."""
        self._ask(Wish(projects=frozenset({project_id})) if project_id is not None else Wish(all_live=True))

    def notice(self, noticed: Noticed) -> None:
        """Takes what was made of the latest report: it tells when there is something to ask for again."""
        if noticed.is_edited or noticed != self._schedule.noticed:
            self._schedule.notice(noticed, self._rig)
            self._wake.set()

    def note_sequence(self, *, may_run: bool) -> None:
        """Takes whether the sequence of N.I.N.A. may be running: then no plan is read unless somebody asks for it."""
        self._plan_reader.note_sequence(may_run=may_run)

    def refresh_plan(self) -> None:
        """Asks for the night plan as soon as the rig answers, whatever it is doing."""
        self._plan_reader.request()

    def recall(
        self,
        plan: NightPlan | None,
        statistics: Mapping[str, tuple[Counts, Mapping[str, Statistics]]],
        dates: Iterable[datetime],
        rig: Rig | None = None,
    ) -> None:
        """Takes back what an earlier run of the bridge paid for, unless it was read anew since.

        `dates` are those of projects, aware; `rig` is what it knew last.
        """
        self._lists.recall_rig(rig)
        self._statistics.recall(statistics)
        self._lists.recall_dates(dates)
        self._plan_reader.recall(plan)
        self._take_up(self._rig)
        self._report_changes()

    def _ask(self, wish: Wish) -> None:
        self._schedule.ask(wish)
        self._wake.set()

    async def _look_for_ever(self) -> None:
        due = self._clock.monotonic()
        while True:
            started = self._clock.monotonic()
            self._mind_the_clock()
            wish, retry = self._schedule.take_wish(), None
            try:
                await self._look(wish, started, max(started, due))
            except RigError as error:
                self._note_failed_look(error)
                self._schedule.owe(wish)
                retry = self._clock.monotonic() + self._retry_delay()
            else:
                if wish:
                    # Whoever asked waits for the answer, also if it says that nothing has changed.
                    self._put(self._new_report())
            self._report_changes()
            await asyncio.sleep(max(0.0, started + self._schedule.gap_s - self._clock.monotonic()))
            due = await self._until_due(retry)

    async def _until_due(self, retry: float | None) -> float:
        """Waits for the next look: until a silent rig is tried again, or something is due, or somebody asks for one.

        Returns when that was to be.
        """
        while not self._schedule.wish:
            due = self._next_due() if retry is None else retry
            self._wake.clear()
            try:
                async with asyncio.timeout(max(0.0, due - self._clock.monotonic())):
                    await self._wake.wait()
            except TimeoutError:
                return due
        return self._clock.monotonic()

    def _next_due(self) -> float:
        self._decide()
        profiles = self._rig.known_profiles
        projects = [(profile, project) for profile in profiles for project in self._lists.projects_of(profile)]
        return self._schedule.next_due(live_lists(profiles, projects))

    def _decide(self) -> None:
        plan_reader = self._plan_reader
        self._schedule.decide(self._rig, plan_reader.plan, plan_reader.watched_since, self._lists.zone)

    async def _look(self, wish: Wish, started: float, moment: float) -> None:
        """Reads what is due at this moment, one list after the other and targets a few at once, as the client allows.

        Targets that are awaited are read alone where nothing else is due.
        """
        self._decide()
        is_whole = wish.everything or wish.all_live or self._failed_looks or self._schedule.are_profiles_due(moment)
        profiles = await self._find_api(started) if is_whole else self._lists.profiles
        client = self._endpoint.client
        if self._failed_looks:
            self._slow_things.spread_again()
            self._statistics.spread_again()
        # Of a profile that has just been left the last exposures may not have been seen yet.
        just_left = self._rig.active_profile.id if self._rig.active_profile else None
        is_switched = any(profile.active and profile.id != just_left for profile in profiles.items)
        all_live = wish.everything or wish.all_live or self._failed_looks or is_switched
        reading = _Reading(client, profiles, just_left, started, is_refresh=wish.everything)
        live = frozenset() if all_live else self._schedule.resting(moment)
        slow = frozenset() if wish.everything else self._slow_things.resting() if is_whole else None
        asked_for = frozenset(map(TargetsOf, wish.projects))
        await self._read_lists(reading, Resting(live=live, slow=slow, asked_for=asked_for))
        if self._lists.take_is_edited():
            self._schedule.watch_everything()
            # What an edit has moved from one list to another is seen in both.
            await self._read_lists(reading, Resting(live=frozenset(reading.read), slow=None))
            self._lists.take_is_edited()
        self._forget_gone(profiles)
        self._failures.note_mixed_up(self._lists.mixed_up)
        await self._read_statistics(client, self._known_projects(profiles))
        if is_whole:
            self._failed_looks = 0
            self._failures.answered()
        before = self._rig
        self._take_up(replace(self._rig, online=True, url=client.url, profiles=profiles))
        if self._rig is not before:
            self._note_oddities()
        self._plan_reader.looked(self._rig, self._last_rise)

    async def _read_lists(self, reading: _Reading, resting: Resting) -> None:
        profiles, just_left = reading.profiles, reading.just_left
        for projects in project_lists(profiles.items, resting, just_left=just_left):
            await self._read_projects(reading, projects)
        lists = target_lists(self._known_projects(profiles), resting, just_left=just_left)
        # Waits for all of them, and then raises what the first that failed has raised.
        reads = [self._read_targets(reading, targets) for targets in lists]
        for failure in await asyncio.gather(*reads, return_exceptions=True):
            if failure is not None:
                raise failure

    def _known_projects(self, profiles: Listing[Profile]) -> list[tuple[Profile, Project]]:
        """Each project once, in the place that counts."""
        places = counting_projects(
            ProjectPlace(profile, project)
            for profile in profiles.items
            for project in self._lists.projects_of(profile)
        )
        return [(place.profile, place.project) for place in places]

    def _note_oddities(self) -> None:
        self._failures.note_oddity("without id", without_id_text(things_without_id(self._rig)))
        self._failures.note_oddity("two places", two_places_text(in_two_places(self._rig)), is_harmless=True)

    async def _find_api(self, started: float) -> Listing[Profile]:
        is_due = self._slow_things.is_due(PluginVersion())
        if is_due:
            self._slow_things.put_off(PluginVersion())
        is_known = self._rig.online is True
        now = self._clock.now()
        profiles = await self._endpoint.find(self._lists, is_known=is_known, version_is_due=is_due)
        self._schedule.note_profiles(started)
        self._profiles_read = now
        return profiles

    async def _read_projects(self, reading: _Reading, projects: ListToRead[Profile]) -> None:
        profile, thing = projects.parent, ProjectsOf(projects.parent.id)
        with self._reading(reading, thing, Subject.projects_of(profile), is_slow=projects.is_slow):
            await self._lists.read_projects(reading.client, profile)

    async def _read_targets(self, reading: _Reading, targets: ListToRead[Project]) -> None:
        project, thing = targets.parent, TargetsOf(targets.parent.id)
        with self._reading(reading, thing, Subject.targets_of(project), is_slow=targets.is_slow):
            await self._lists.read_targets(reading.client, project)
            self._read_times.note(project.id, self._clock.now(), reading.client.rig_time)

    @contextmanager
    def _reading(self, reading: _Reading, thing: LiveList, subject: Subject, *, is_slow: bool) -> Iterator[None]:
        """Notes that a list is read in the block; one that fails, or is not believed at once, is due again soon."""
        reading.read.add(thing)
        if is_slow and not reading.is_refresh:
            self._slow_things.put_off(thing)
        self._schedule.note_failure(thing, reading.started)
        with self._failures.reading(subject):
            yield
            self._schedule.note_read(thing, reading.started)
        if self._lists.is_doubted(thing):
            self._slow_things.make_due(thing)
            self._schedule.note_failure(thing, reading.started)
        self._report_problem()

    async def _read_statistics(
        self, client: TargetSchedulerClient, projects: Iterable[tuple[Profile, Project]]
    ) -> None:
        places = counting_targets(
            TargetPlace(profile, project, target)
            for profile, project in projects
            for target in self._lists.targets_of(project)
        )
        for target in (place.target for place in places):
            self._statistics.note_counts(target)
            if self._statistics.is_due(target):
                await self._statistics.read(client, target)
                self._report_problem()

    def _forget_gone(self, profiles: Listing[Profile]) -> None:
        left = self._lists.forget_gone(profiles)
        self._schedule.forget_all_but(left)
        self._slow_things.forget_all_but(left | {PluginVersion()})
        self._read_times.forget_all_but({one.project_id for one in left if isinstance(one, TargetsOf)})
        self._statistics.forget_all_but(frozenset(target.id for target in self._lists.targets()))

    def _take_up(self, rig: Rig) -> None:
        """Takes this for the rig, completed with all that was read below its profiles."""
        profiles = rig.profiles
        if profiles is not None:
            attach = self._statistics.attach
            items = tuple(self._lists.assembled(profile, attach) for profile in profiles.items)
            profiles = replace(profiles, items=items)
        rig = replace(rig, plugin_version=self._endpoint.version, profiles=profiles)
        if rig != self._rig:
            self._last_rise = self._rise(rig) or self._last_rise
            self._rig, self._read_before = rig, self._read_times.before()
        if self._read_times.is_rig_faster:
            self._schedule.watch_everything()
        self._read_times.tell()

    def _rise(self, rig: Rig) -> Rise | None:
        """None if nothing has risen, or the rig was not looked at meanwhile: that says nothing about now."""
        steps = progress(self._rig, rig) if self._rig.online else ()
        lengths = [
            step.after.exposure_s or UNKNOWN_EXPOSURE_S
            for step in steps
            if step.acquired and step.place.profile.active
        ]
        return Rise(self._clock.now(), max(lengths)) if lengths else None

    def _note_failed_look(self, error: RigError) -> None:
        """A single failure of a rig that was there is not told: a busy PC misses one look now and then."""
        self._failed_looks += 1
        if self._failed_looks > 1 or not self._rig.online:
            self._failures.no_answer(error)
            self._plan_reader.lost_sight()
            self._take_up(replace(self._rig, online=False))

    def _retry_delay(self) -> float:
        """How long to wait before a silent rig is tried again, in seconds; rigs do not come back in step."""
        doublings = min(self._failed_looks - 1, _MOST_DOUBLINGS)
        delay = min(self._timings.longest_retry_s, self._timings.first_retry_s * 2.0**doublings)
        return delay * self._rng.uniform(0.5, 1.0)

    def _mind_the_clock(self) -> None:
        """Forgets what seems to lie ahead, once this machine's clock was set back, as after a start without network.

        An exposure, a plan or a watch that began in the future would count until then, for hours or months.
        """
        now = self._clock.now()
        if self._latest_time is not None and now < self._latest_time - _CLOCK_SLACK:
            self._failures.note(
                _CLOCKS_SET_BACK, f"the clock of this machine was set back by {self._latest_time - now}"
            )
            self._last_rise = None
            self._plan_reader.clock_was_set_back()
            # Put even if it says what the one before said: what a plan says of now is another thing now.
            self._put(self._new_report())
        self._latest_time = now

    async def _read_plans_for_ever(self) -> None:
        """Beside the looks, so that a preview that takes minutes delays nothing else."""
        while True:
            request = await self._plan_reader.next_request()
            # A rig that has gone meanwhile is told by the next look.
            with suppress(RigGoneError), self._failures.reading(Subject("night plan")):
                await self._plan_reader.read(self._endpoint.client, request)
            self._report_changes()

    def _report_changes(self) -> None:
        report = self._new_report()
        if report != self._report:
            self._put(report)

    def _report_problem(self) -> None:
        """In the middle of a look, of which nothing else is told before its end."""
        problem = self._failures.latest
        if problem != self._report.problem:
            self._put(replace(self._report, problem=problem))

    def _put(self, report: RigReport) -> None:
        self._report = report
        self._reports.put_nowait(report)

    def _new_report(self) -> RigReport:
        return RigReport(
            rig=self._rig,
            plan=self._plan_reader.plan,
            zone=self._lists.zone,
            problem=self._failures.latest,
            read_before=self._read_before,
            profiles_read=self._profiles_read,
        )
