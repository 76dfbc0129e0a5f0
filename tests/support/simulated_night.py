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
import json
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

from tests.support.simulated_time import SimulatedTimeLoop
from ts2mqtt.config.models import PollingConfig, RigConfig
from ts2mqtt.errors import NotFoundError, RigUnreachableError
from ts2mqtt.observatory.changes import Watch, observe
from ts2mqtt.observatory.night import next_noon
from ts2mqtt.observatory.present import live, next_edge
from ts2mqtt.scheduler import client, poller, statistics
from ts2mqtt.simulator.automation import ObservatoryAutomation
from ts2mqtt.simulator.observatory import SimulatedObservatory
from ts2mqtt.simulator.random_numbers import random_numbers
from ts2mqtt.simulator.rig import Rig
from ts2mqtt.simulator.sky import Site, Sky
from ts2mqtt.simulator.weather import night_weather
from ts2mqtt.topics import decode as memory
from ts2mqtt.topics.encode import RigView, rig_messages
from ts2mqtt.topics.names import TopicNames

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Literal

    from ts2mqtt.observatory.events import Event
    from ts2mqtt.observatory.model import NightPlan
    from ts2mqtt.observatory.present import Live
    from ts2mqtt.observatory.tally import Tally

    Sort = Literal["clear", "cloudy"]

BERLIN = Site(latitude_deg=52.5, longitude_deg=13.4)
NAMES = TopicNames("ts2mqtt")
RIG_ID = "backyard"


@dataclass(frozen=True, slots=True)
class Look:
    """What stood on the broker from this moment on."""

    time: datetime
    live: Live
    tally: Tally
    plan: NightPlan | None


@dataclass(frozen=True, slots=True)
class AskedPreview:
    """A preview that was asked for: `start` as it stood in the request."""

    time: datetime
    start: str | None


class WatchedRig:
    """A rig and the bridge that looks at it, as `ts2mqtt.bridge.bridge.Bridge` does; the rig's PC can be off."""

    def __init__(self, observatory: SimulatedObservatory, polling: PollingConfig) -> None:
        self.observatory = observatory
        self.api_is_on = True
        self.looks: list[Look] = []
        self.views: list[RigView] = []
        self.events: list[Event] = []
        self.previews: list[AskedPreview] = []
        self.retained: dict[str, bytes] = {}
        self._began = observatory.now.astimezone(UTC)
        self._config = RigConfig(name="Backyard", id=RIG_ID, url=("http://rig",))
        self._polling = polling
        self._bridge: _Bridge | None = None
        self._starts = 0

    @property
    def now(self) -> datetime:
        """In the bridge's time zone, as the bridge tells the time."""
        return (self._began + timedelta(seconds=asyncio.get_running_loop().time())).astimezone()

    def start_bridge(self) -> None:
        self._starts += 1
        self._bridge = _Bridge(self, self._config, self._polling, random_numbers(1, "bridge", self._starts))

    async def stop_bridge(self) -> None:
        if self._bridge is not None:
            await self._bridge.stop()
            self._bridge = None

    def look_every(self, seconds: float) -> None:
        """From the next look on; nothing happens by day that would have to be seen at once."""
        assert self._bridge is not None
        self._bridge.poller._polling = self._polling.model_copy(update={"interval": seconds})

    def refresh_plan(self) -> None:
        assert self._bridge is not None
        self._bridge.poller.refresh_plan()

    async def until(self, moment: datetime) -> None:
        """Lets time pass; what goes wrong in the bridge meanwhile is raised."""
        await asyncio.sleep((moment - self.now).total_seconds())
        if self._bridge is not None:
            self._bridge.raise_fault()
        self.observatory.advance(self.now)

    async def answer(self, path: str) -> bytes:
        """What the API answers; the observatory has lived until now."""
        if not self.api_is_on:
            raise RigUnreachableError("the PC is off")
        self.observatory.advance(self.now)
        route = urlsplit(path)
        match route.path.split("/")[1:]:
            case ["version"]:
                value = self.observatory.version_answer()
            case ["profiles"]:
                value = self.observatory.profiles_answer()
            case ["profiles", profile_id, "projects"]:
                value = self.observatory.projects_answer(profile_id)
            case ["projects", project_id, "targets"]:
                value = self.observatory.targets_answer(project_id)
            case ["targets", target_id, "statistics"]:
                value = self.observatory.statistics_answer(target_id)
            case ["profiles", profile_id, "preview"]:
                start = next(iter(parse_qs(route.query).get("startTime", [])), None)
                self.previews.append(AskedPreview(self.now, start))
                value = self.observatory.preview_answer(profile_id, datetime.fromisoformat(start) if start else None)
            case _:
                raise NotFoundError(path)
        return b"" if value is None else json.dumps(value).encode()

    def of_type(self, *event_types: str) -> list[Event]:
        return [event for event in self.events if event.event_type in event_types]

    def at(self, moment: datetime) -> Look:
        """What stood on the broker at a moment."""
        return [look for look in self.looks if look.time <= moment][-1]


class _Bridge:
    """One run of the bridge's part for one rig."""

    def __init__(self, rig: WatchedRig, config: RigConfig, polling: PollingConfig, rng: random.Random) -> None:
        self._rig = rig
        self._view: RigView | None = None
        self._edge: asyncio.TimerHandle | None = None
        self._marked = False
        self.poller = poller.RigPoller(config, polling, self._mark, tls=_TLS, now=lambda: rig.now, rng=rng)
        remembered = memory.recall(NAMES, rig.retained).get(RIG_ID, memory.Memory(Watch()))
        self.poller.recall(remembered.watch.plan, remembered.statistics, remembered.dates)
        self._watch = remembered.watch
        self._mark()
        self._task = asyncio.create_task(self.poller.run())

    async def stop(self) -> None:
        if self._edge is not None:
            self._edge.cancel()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self._view is not None:
            self._rig.retained = _published(self._rig.retained, self._view)

    def raise_fault(self) -> None:
        if self._task.done():
            self._task.result()

    def _mark(self) -> None:
        # Not at once: the poller is in the middle of its work.
        if not self._marked:
            self._marked = True
            asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        self._marked = False
        now, zone = self._rig.now, self.poller.zone
        rig, plan, last = self.poller.rig, self.poller.plan, self.poller.last
        doing = live(rig, plan, last, now)
        self._watch, happened = observe(self._watch, rig, plan, doing, now, zone)
        assert self._watch.tally is not None
        self._rig.looks.append(Look(now, doing, self._watch.tally, plan))
        self._rig.events += happened
        self._view = RigView(rig, plan, doing, self._watch)
        self._rig.views.append(self._view)
        noon = next_noon(now, zone)
        edge = min(next_edge(rig, plan, last, now) or noon, noon)
        if self._edge is not None:
            self._edge.cancel()
        seconds = (edge - now).total_seconds()
        self._edge = asyncio.get_running_loop().call_later(seconds, self._mark)


class _ClientWithoutHttp(client.TargetSchedulerClient):
    """Asks the simulated observatory directly."""

    rig: WatchedRig

    async def _get(self, path: str, *, timeout: float | None = None, repeat: bool = True) -> bytes:  # noqa: ARG002, ASYNC109 - as the real one
        # The other tasks get their turn, as they do while a real request travels.
        await asyncio.sleep(0)
        return await self.rig.answer(path)


_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def play(
    observatory: SimulatedObservatory,
    script: Callable[[WatchedRig], Awaitable[None]],
    polling: PollingConfig | None = None,
) -> WatchedRig:
    """Plays the script from the observatory's now on, in simulated time; the bridge is stopped at its end."""
    rig = WatchedRig(observatory, polling or PollingConfig())

    async def played() -> None:
        await script(rig)
        await rig.stop_bridge()

    with asyncio.Runner(loop_factory=SimulatedTimeLoop) as runner:
        clock = SimpleNamespace(monotonic=runner.get_loop().time)
        with (
            patch.object(poller, "time", clock),
            patch.object(statistics, "time", clock),
            patch.object(poller, "TargetSchedulerClient", _ClientWithoutHttp),
            patch.object(_ClientWithoutHttp, "rig", rig, create=True),
        ):
            runner.run(played())
    return rig


def rig_under(sort: Sort, noon: datetime, *, site: Site = BERLIN) -> SimulatedObservatory:
    """An observatory without projects, at noon before a night that is clear or cloudy all through; no user comes."""
    night = Sky(site).night_from(noon)
    assert night is not None
    for seed in range(1_000):
        weather = night_weather(seed, night)
        clouds = weather.clouds_until - weather.clouds_from
        if clouds == (timedelta() if sort == "clear" else night.dawn - night.dusk):
            break
    observatory = SimulatedObservatory(seed=seed, site=site, timezone=noon.tzinfo, now=noon)
    observatory.automation = ObservatoryAutomation(Rig(observatory, noon.astimezone(UTC)))
    return observatory


def _published(retained: Mapping[str, bytes], view: RigView) -> dict[str, bytes]:
    wanted = rig_messages(NAMES, view)
    return dict(retained) | {
        topic: message.payload for topic, message in wanted.items() if not (message.provisional and topic in retained)
    }
