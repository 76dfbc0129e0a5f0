"""The work of one rig: has it polled, and puts what should stand on the broker into the inbox."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ts2mqtt.bridge.inbox import RigUpdate
from ts2mqtt.bridge.night_work import Night, night_inputs
from ts2mqtt.bridge.rig_summary import rig_summary
from ts2mqtt.home_assistant.devices import RigDevices
from ts2mqtt.logs.failures import FailureLog
from ts2mqtt.logs.tallies import Kind
from ts2mqtt.observatory.changes import Watch, observe
from ts2mqtt.observatory.live_events import LiveEvent
from ts2mqtt.observatory.look import Look
from ts2mqtt.observatory.night import next_noon
from ts2mqtt.observatory.site import Site
from ts2mqtt.scheduler.look_schedule import Noticed
from ts2mqtt.scheduler.poller import PollerOptions, RigPoller
from ts2mqtt.scheduler.report import RigReport
from ts2mqtt.topics.decode import Recalled
from ts2mqtt.topics.encode import RigStates, RigView, event_payload

if TYPE_CHECKING:
    import random
    import ssl
    from collections.abc import Mapping

    from ts2mqtt.bridge.inbox import Inbox
    from ts2mqtt.bridge.live_work import LiveWork
    from ts2mqtt.bridge.night_work import NightInputs
    from ts2mqtt.config import PollingConfig, RigConfig
    from ts2mqtt.home_assistant.devices import DeviceWriter
    from ts2mqtt.home_assistant.ids import DiscoveryIds
    from ts2mqtt.logs.tallies import Tallies
    from ts2mqtt.observatory.changes import Observation
    from ts2mqtt.observatory.model import NightPlan, Rig
    from ts2mqtt.timing import Clock, Timings
    from ts2mqtt.topics.message import Message

_LOG = logging.getLogger(__name__)

_FAULTS = Kind("faults in ts2mqtt", has_traceback=True)
_FIRST_ANSWERS = Kind("rigs that answer for the first time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the work of every rig has in common.

    `writer` writes devices for Home Assistant, None where it is not told. `tls` and `rng` are for tests.
    """

    ids: DiscoveryIds
    writer: DeviceWriter | None
    clock: Clock
    timings: Timings
    tls: ssl.SSLContext | None = None
    rng: random.Random | None = None
    tallies: Tallies | None = None


@dataclass(frozen=True, slots=True)
class _Show:
    project_states: frozenset[str]


_Happened = RigReport | Night | Recalled | _Show | LiveEvent


class RigWorker:
    """Its poller reports what was read; this makes a RigUpdate of every report, and of what time alone changes."""

    def __init__(
        self,
        config: RigConfig,
        polling: PollingConfig,
        project_states: frozenset[str],
        surroundings: Surroundings,
        inbox: Inbox,
    ) -> None:
        self._name = config.name
        self._site = _site(config)
        self._project_states = project_states
        self._states = RigStates(surroundings.ids.topics)
        writer = surroundings.writer
        self._devices = (
            RigDevices(writer, has_site=self._site is not None, has_nina=bool(config.nina_urls)) if writer else None
        )
        self._clock = surroundings.clock
        self._after_a_bug_s = surroundings.timings.rig.after_a_bug_s
        self._inbox = inbox
        self._failures = FailureLog(_LOG, surroundings.clock, surroundings.tallies)
        self._happened: asyncio.Queue[_Happened] = asyncio.Queue()
        options = PollerOptions(
            clock=surroundings.clock,
            timings=surroundings.timings.rig,
            tls=surroundings.tls,
            rng=surroundings.rng,
            tallies=surroundings.tallies,
            site=self._site,
        )
        self._poller = RigPoller(config, polling, self._happened, options)
        self._report = self._poller.report
        self._live = self._live_work(config, surroundings) if config.nina_urls else None
        self._watch = Watch()
        self._plan: NightPlan | None = None
        self._is_recalled = False
        self._is_summed_up = False
        self._last: RigUpdate | None = None
        self._view: RigView | None = None
        self._night = Night()
        self._night_begun: NightInputs | None = None

    async def run(self, after_s: float = 0.0) -> None:
        """Works for ever, polls from `after_s` seconds on; a fault of ours about this rig ends none of the others."""
        while True:
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._poll(after_s))
                    tasks.create_task(self._deal_with_what_happens(tasks))
                    if self._live is not None:
                        tasks.create_task(self._live.listen())
            except* Exception as error:  # noqa: BLE001 - whatever it is, all the other rigs rely on this process
                self._note_fault("this rig is tried again in a minute", error)
            self._night_begun = None
            await asyncio.sleep(self._after_a_bug_s)

    def recall(self, recalled: Recalled) -> None:
        """Takes up where an earlier run of the bridge left off; what this run has seen itself counts more.

        Before this was called nothing is looked at: what has happened is told by comparing with that run.
        """
        self._happened.put_nowait(recalled)

    def show(self, project_states: frozenset[str]) -> None:
        """Has devices for projects in these states only."""
        self._happened.put_nowait(_Show(project_states))

    def use(self, polling: PollingConfig) -> None:
        """Polls so from now on."""
        self._poller.use(polling)

    def refresh(self) -> None:
        """Asks for everything but statistics and the plan, now."""
        self._poller.refresh()

    def refresh_plan(self) -> None:
        """Asks for the night plan as soon as the rig answers, whatever it is doing."""
        self._poller.refresh_plan()

    def _live_work(self, config: RigConfig, surroundings: Surroundings) -> LiveWork:
        from ts2mqtt.bridge.live_work import LiveWork  # noqa: PLC0415 - loads what only live events need, 2 MB

        return LiveWork(
            config,
            self._poller,
            self._happened,
            clock=surroundings.clock,
            timings=surroundings.timings.nina,
            rng=surroundings.rng,
            tallies=surroundings.tallies,
        )

    async def _poll(self, after_s: float) -> None:
        await asyncio.sleep(after_s)
        await self._poller.run()

    async def _deal_with_what_happens(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            if self._is_recalled:
                self._look()
                if self._live is not None:
                    self._live.hasten_what_is_due()
                self._begin_night_work(tasks)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._seconds_to_next_edge()):
                    self._take(await self._happened.get())

    def _take(self, happened: _Happened) -> None:
        match happened:
            case RigReport():
                self._report = happened
                if self._live is not None:
                    self._live.note_rig(happened.rig)
            case Night():
                self._night, self._night_begun = happened, None
            case _Show():
                self._project_states, self._last = happened.project_states, None
            case Recalled():
                self._recall(happened)
            case _:
                if self._live is not None:
                    self._live.take(happened, self._report.rig)

    def _recall(self, recalled: Recalled) -> None:
        self._is_recalled = True
        if self._watch.rig is None:
            self._watch = recalled.watch
        if self._live is not None and recalled.last_image is not None:
            self._live.recall(recalled.last_image)
        self._poller.recall(recalled.watch.plan, recalled.statistics, recalled.dates, recalled.watch.rig)
        self._report = self._poller.report

    def _look(self) -> None:
        """Puts an update into the inbox if what should stand on the broker has changed, or something has happened."""
        report, last, live = self._report, self._last, self._live
        observation = observe(self._watch, self._look_of(report))
        events = (*(live.events if live else ()), *observation.events)
        view = self._view_of(report, observation)
        update = RigUpdate(
            rig=report.rig,
            states=last.states if last and view == self._view else self._states.messages(view),
            devices=last.devices if last and last.rig is report.rig else self._device_messages(report.rig),
            events=tuple(event_payload(report.rig, event) for event in events),
            problem=live.latest_problem(report.problem) if live else report.problem,
        )
        is_news = last is None or view != self._view or bool(update.events) or last.problem != update.problem
        # Only now: what could not be said because of a fault of ours is said at the next look.
        self._watch, self._plan, self._view, self._last = observation.watch, observation.plan, view, update
        if live is not None:
            live.note_told(observation.watch.heard, report.zone)
        self._poller.notice(
            Noticed(
                evidence=observation.watch.evidence,
                last_exposure=observation.present.last_exposure,
                is_edited=bool(observation.edited),
                announced=live.announced(observation.watch.heard, report.rig, report.zone) if live else None,
            )
        )
        for edit in observation.edited:
            _LOG.debug("%s: %s, more than can have been taken since: edited by hand", self._name, edit)
        if is_news:
            self._sum_up(report.rig)
            self._inbox.put(update)

    def _view_of(self, report: RigReport, observation: Observation) -> RigView:
        return RigView(
            report.rig,
            observation.plan,
            observation.present,
            observation.watch,
            self._night.picture,
            self._night.skies,
            last_picture=self._night.last_picture,
            has_unknown_skies=self._site is not None and self._night.inputs is None,
            live=self._live.state.facts if self._live else None,
        )

    def _device_messages(self, rig: Rig) -> Mapping[str, Message]:
        return self._devices.messages(rig, self._project_states) if self._devices else {}

    def _sum_up(self, rig: Rig) -> None:
        """Says once what was found at a rig that answers for the first time."""
        if rig.online and not self._is_summed_up:
            self._is_summed_up = True
            summary = rig_summary(rig, self._devices.announced if self._devices else None)
            self._failures.noted(_FIRST_ANSWERS, rig.name, f"{rig.name}: {summary}", level=logging.INFO)

    def _note_fault(self, consequence: str, error: Exception) -> None:
        text = f"{self._name}: a fault in ts2mqtt; {consequence}, please report it"
        self._failures.noted(_FAULTS, self._name, text, level=logging.ERROR, error=error)

    def _seconds_to_next_edge(self) -> float:
        """Activity and targets change when a block of the plan begins or ends, whether or not a rig is asked then."""
        look = self._look_of(self._report)
        noon = next_noon(look.now, look.zone)
        look = replace(look, plan=self._plan)
        edges = (
            noon,
            look.dawn if look.dawn and look.dawn > look.now else None,
            self._watch.next_edge(look),
            self._live.next_hastening if self._live else None,
        )
        return self._clock.seconds_until(min(edge for edge in edges if edge is not None))

    def _look_of(self, report: RigReport) -> Look:
        return Look(
            rig=report.rig,
            plan=report.plan,
            now=self._clock.now(),
            zone=report.zone,
            profiles_read=report.profiles_read,
            read_before=report.read_before,
            live=self._live.state if self._live else None,
            dawn=self._night.dawn,
        )

    def _begin_night_work(self, tasks: asyncio.TaskGroup) -> None:
        look = replace(self._look_of(self._report), plan=self._plan)
        inputs = night_inputs(look, self._site, self._watch, self._night.inputs)
        if self._night_begun is None and inputs.is_work and inputs != self._night.inputs:
            self._night_begun = inputs
            tasks.create_task(self._work_out(inputs))

    async def _work_out(self, inputs: NightInputs) -> None:
        """A fault of ours in drawing costs the picture, and nothing else."""
        try:
            night = await asyncio.to_thread(_worked_out, inputs)
        except Exception as error:  # noqa: BLE001 - a picture is not worth a rig
            self._note_fault("the night has no picture", error)
            night = replace(self._night, inputs=inputs)
        self._happened.put_nowait(night)


def _worked_out(inputs: NightInputs) -> Night:
    from ts2mqtt.bridge.night_results import work_out  # noqa: PLC0415 - loads 3 MB that not every bridge needs

    return work_out(inputs)


def _site(config: RigConfig) -> Site | None:
    site = config.site
    return Site(latitude_deg=site.latitude, longitude_deg=site.longitude) if site else None
