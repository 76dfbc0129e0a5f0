"""Plays nights of a simulated observatory in front of a rig's poller and watch, without HTTP, broker or waiting.

async def script(rig: WatchedRig) -> None:
    rig.start_bridge()
    await rig.until(datetime(2026, 1, 11, 12, tzinfo=UTC))

rig = play(observatory, script)
rig.events, rig.looks, rig.previews

The event loop's clock is the simulated one and jumps from one timer to the next.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.support.api_in_memory import ApiInMemory, answering_every_client
from tests.support.clocks import LoopClock, MovedClock
from tests.support.simulated_time import run_in_simulated_time
from ts2mqtt.config.models import PollingConfig, RigConfig
from ts2mqtt.observatory import site as observatory_site
from ts2mqtt.observatory.changes import Watch, observe
from ts2mqtt.observatory.look import Look
from ts2mqtt.observatory.night import next_noon
from ts2mqtt.scheduler.look_schedule import Noticed
from ts2mqtt.scheduler.poller import PollerOptions, RigPoller
from ts2mqtt.simulator.automation import ObservatoryAutomation
from ts2mqtt.simulator.observatory import SimulatedObservatory
from ts2mqtt.simulator.random_numbers import random_numbers
from ts2mqtt.simulator.rig import Rig
from ts2mqtt.simulator.sky import Site, Sky
from ts2mqtt.simulator.weather import night_weather
from ts2mqtt.topics.decode import Recalled, recall
from ts2mqtt.topics.encode import RigView, rig_messages
from ts2mqtt.topics.names import TopicNames

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Literal

    from ts2mqtt.observatory.events import Event
    from ts2mqtt.observatory.exposures import Progress
    from ts2mqtt.observatory.model import NightPlan
    from ts2mqtt.observatory.present import Present
    from ts2mqtt.observatory.tally import Tally
    from ts2mqtt.scheduler.report import RigReport
    from ts2mqtt.simulator.sky import Night
    from ts2mqtt.simulator.weather import Weather

    Sort = Literal["clear", "cloudy", "rain at midnight"]

BERLIN = Site(latitude_deg=52.5, longitude_deg=13.4)
NAMES = TopicNames("ts2mqtt")
RIG_ID = "backyard"
_NEVER_S = 1e9


@dataclass(frozen=True, slots=True)
class Shown:
    """What stood on the broker from this moment on."""

    time: datetime
    present: Present
    tally: Tally
    plan: NightPlan | None


@dataclass(frozen=True, slots=True)
class AskedPreview:
    """A preview that was asked for: `start` as it stood in the request."""

    time: datetime
    start: str | None


class WatchedRig:
    """A rig and the bridge that looks at it, as `ts2mqtt.bridge.bridge.Bridge` does; its API can be off."""

    def __init__(
        self,
        observatory: SimulatedObservatory,
        polling: PollingConfig,
        full_look_s: float | None = None,
        site: observatory_site.Site | None = None,
    ) -> None:
        """With `full_look_s` the bridge decides nothing: every so many seconds it reads all that is live.

        `site` is what the bridge knows of where the rig stands.
        """
        self.site = site
        self.full_look_s = full_look_s
        self.observatory = observatory
        self.clock = LoopClock(observatory.now)
        self.bridge_clock = MovedClock(self.clock)
        self.api = ApiInMemory(observatory, self.clock)
        self.looks: list[Shown] = []
        self.views: list[RigView] = []
        self.events: list[Event] = []
        self.starts_and_stops: list[datetime] = []
        """Of the bridge, one after the other."""
        self.told_at: list[datetime] = []
        """When each event was told, by the true clock."""
        self.edited: list[Progress] = []
        self.retained: dict[str, bytes] = {}
        self._config = RigConfig(name="Backyard", id=RIG_ID, url=("http://rig",))
        self._polling = polling
        self._bridge: _Bridge | None = None
        self._starts = 0

    @property
    def now(self) -> datetime:
        """In the bridge's time zone, as the bridge tells the time."""
        return self.clock.now()

    @property
    def api_is_on(self) -> bool:
        return self.api.on

    @api_is_on.setter
    def api_is_on(self, on: bool) -> None:
        self.api.on = on

    @property
    def previews(self) -> list[AskedPreview]:
        return [AskedPreview(request.time, request.start) for request in self.api.requests_to("/preview")]

    def start_bridge(self) -> None:
        self._starts += 1
        self.starts_and_stops.append(self.now)
        self._bridge = _Bridge(self, self._config, self._polling, random_numbers(1, "bridge", self._starts))

    async def stop_bridge(self) -> None:
        if self._bridge is not None:
            await self._bridge.stop()
            self._bridge = None
            self.starts_and_stops.append(self.now)

    def look_every(self, seconds: float) -> None:
        """From now on; a shorter interval begins with a look."""
        assert self._bridge is not None
        self._bridge.poller.use(self._polling.model_copy(update={"interval": seconds, "edit_interval": seconds}))

    def refresh_plan(self) -> None:
        assert self._bridge is not None
        self._bridge.poller.refresh_plan()

    async def until(self, moment: datetime) -> None:
        """Lets time pass; what goes wrong in the bridge meanwhile is raised."""
        await asyncio.sleep(self.clock.seconds_until(moment))
        if self._bridge is not None:
            self._bridge.raise_fault()
        self.observatory.advance(self.now)

    def of_type(self, *event_types: str) -> list[Event]:
        return [event for event in self.events if event.event_type in event_types]

    def at(self, moment: datetime) -> Shown:
        """What stood on the broker at a moment."""
        return [look for look in self.looks if look.time <= moment][-1]


class _Bridge:
    """One run of the bridge's part for one rig."""

    def __init__(self, rig: WatchedRig, config: RigConfig, polling: PollingConfig, rng: random.Random) -> None:
        self._rig = rig
        self._view: RigView | None = None
        self._edge: asyncio.TimerHandle | None = None
        self._reports: asyncio.Queue[RigReport] = asyncio.Queue()
        options = PollerOptions(clock=rig.bridge_clock, tls=_TLS, transport=rig.api, rng=rng, site=rig.site)
        self.poller = RigPoller(config, polling, self._reports, options)
        remembered = recall(NAMES, rig.retained).get(RIG_ID, Recalled(Watch()))
        self.poller.recall(remembered.watch.plan, remembered.statistics, remembered.dates)
        self._watch = remembered.watch
        self._take_in(self.poller.report)
        self._tasks = (
            asyncio.create_task(self.poller.run()),
            asyncio.create_task(self._take_reports()),
            asyncio.create_task(self._look_fully()),
        )

    async def stop(self) -> None:
        if self._edge is not None:
            self._edge.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._view is not None:
            self._rig.retained = _published(self._rig.retained, self._view)

    def raise_fault(self) -> None:
        for task in self._tasks:
            if task.done():
                task.result()

    async def _take_reports(self) -> None:
        while True:
            self._take_in(await self._reports.get())

    async def _look_fully(self) -> None:
        while self._rig.full_look_s is not None:
            await asyncio.sleep(self._rig.full_look_s)
            self.poller.hasten()

    def _take_in(self, report: RigReport) -> None:
        """At once when there is a report, and again when what it says of now becomes another thing."""
        now = self._rig.bridge_clock.now()
        look = Look(rig=report.rig, plan=report.plan, now=now, zone=report.zone, read_before=report.read_before)
        observation = observe(self._watch, look)
        self._watch, plan = observation.watch, observation.plan
        assert self._watch.tally is not None
        self._rig.looks.append(Shown(self._rig.now, observation.present, self._watch.tally, plan))
        self._rig.events += observation.events
        self._rig.told_at += [self._rig.now] * len(observation.events)
        self._rig.edited += observation.edited
        if self._rig.full_look_s is None:
            self.poller.notice(
                Noticed(
                    evidence=self._watch.evidence,
                    last_exposure=observation.present.last_exposure,
                    is_edited=bool(observation.edited),
                )
            )
        self._view = RigView(report.rig, plan, observation.present, self._watch)
        self._rig.views.append(self._view)
        noon = next_noon(now, look.zone)
        edge = min(self._watch.next_edge(replace(look, plan=plan)) or noon, noon)
        if self._edge is not None:
            self._edge.cancel()
        seconds = self._rig.bridge_clock.seconds_until(edge)
        self._edge = asyncio.get_running_loop().call_later(seconds, self._take_in, report)


_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def play(
    observatory: SimulatedObservatory,
    script: Callable[[WatchedRig], Awaitable[None]],
    polling: PollingConfig | None = None,
    *,
    full_look_s: float | None = None,
    knows_site: bool = False,
) -> WatchedRig:
    """Plays the script from the observatory's now on, in simulated time; the bridge is stopped at its end.

    With `full_look_s` the bridge reads all that is live every so many seconds, as one that decides nothing would.
    """
    polling = polling or PollingConfig()
    if full_look_s is not None:
        # All its looks are asked for from outside.
        polling = polling.model_copy(update={"interval": _NEVER_S, "edit_interval": _NEVER_S})
    at = observatory.site
    site = observatory_site.Site(at.latitude_deg, at.longitude_deg) if knows_site else None
    rig = WatchedRig(observatory, polling, full_look_s, site)

    async def played() -> None:
        await script(rig)
        await rig.stop_bridge()

    with answering_every_client(rig.api):
        run_in_simulated_time(played)
    return rig


def rig_under(sort: Sort, noon: datetime, *, site: Site = BERLIN) -> SimulatedObservatory:
    """An observatory without projects, at noon before a night with this weather; no user comes.

    Rain at midnight leaves two hours at each end of the night.
    """
    night = Sky(site).night_from(noon)
    assert night is not None
    for seed in range(1_000):
        if _is_of(sort, night_weather(seed, night), night):
            break
    observatory = SimulatedObservatory(seed=seed, site=site, timezone=noon.tzinfo, now=noon)
    observatory.automation = ObservatoryAutomation(Rig(observatory, noon.astimezone(UTC)))
    return observatory


def _is_of(sort: Sort, weather: Weather, night: Night) -> bool:
    clouds, an_hour = weather.clouds_until - weather.clouds_from, timedelta(hours=1)
    match sort:
        case "clear":
            return not clouds
        case "cloudy":
            return clouds == night.dawn - night.dusk
        case _:
            left = min(weather.clouds_from - night.dusk, night.dawn - weather.clouds_until)
            return clouds > an_hour and left > 2 * an_hour


def _published(retained: Mapping[str, bytes], view: RigView) -> dict[str, bytes]:
    wanted = rig_messages(NAMES, view)
    return dict(retained) | {
        topic: message.payload for topic, message in wanted.items() if not (message.provisional and topic in retained)
    }
