"""Everything on one machine: the embedded broker, a simulated observatory and the bridge between them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Protocol

from ts2mqtt.bridge.bridge import Bridge
from ts2mqtt.config import Config, HomeAssistantConfig, LogConfig, MqttConfig, PollingConfig, RigConfig, SiteConfig
from ts2mqtt.demo.screen import Demo
from ts2mqtt.mqtt.connection import connect
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.broker import EmbeddedBroker
from ts2mqtt.simulator.lively import lively
from ts2mqtt.simulator.sky import Site, Sky
from ts2mqtt.timing import PacedClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from ts2mqtt.mqtt.message import Received
    from ts2mqtt.simulator.observatory import SimulatedObservatory

_HOST = "127.0.0.1"
_BEFORE_DUSK = timedelta(minutes=30)
_LOOKS_A_MINUTE = 30
_LATITUDE_DEG = 47.0
_DEGREES_AN_HOUR = 15.0
_SEEDED_SITE = Site(latitude_deg=47.0, longitude_deg=15.0)
_SEEDED_EVENING = datetime(2026, 10, 9, 18, tzinfo=timezone(timedelta(hours=1)))
"""Half an hour before it is dark there: autumn, with long nights and targets of every kind."""


class View(Protocol):
    """Shows the demo until the messages end."""

    async def show(self, demo: Demo, clock: Callable[[], datetime], received: AsyncIterator[Received]) -> None: ...


async def demo(port: int, speed: float, stopping: asyncio.Event, view: View, *, seed: int | None = None) -> None:
    """Runs until `stopping` and shows every message that is published.

    With a seed the same happens in every run, from the same evening on; without one it is tonight, here.
    """
    opening = _opening(seed)
    clock = PacedClock(opening.evening, speed)
    async with (
        EmbeddedBroker(port) as broker,
        SimulatedApi(opening.observatory(), clock=clock.now) as api,
    ):
        facts = Demo(_HOST, broker.port, api.url, speed)
        bridge = Bridge(_config(broker.port, api.url, opening.site), clock=clock)
        running = asyncio.create_task(bridge.run())
        watching = asyncio.create_task(_watch(_mqtt(broker.port), facts, clock.now, view))
        stopped = asyncio.create_task(stopping.wait())
        done, _ = await asyncio.wait((running, watching, stopped), return_when=asyncio.FIRST_COMPLETED)
        bridge.stop()
        await running
        watching.cancel()
        stopped.cancel()
        await asyncio.gather(watching, stopped, return_exceptions=True)
        if watching in done:
            watching.result()


async def simulate(  # noqa: PLR0913 - what the command line says, one by one
    port: int,
    speed: float,
    stopping: asyncio.Event,
    say: Callable[[str], None],
    *,
    seed: int | None = None,
    host: str = _HOST,
) -> None:
    """Serves a simulated observatory's API until `stopping`; `seed` as for demo()."""
    opening = _opening(seed)
    clock = PacedClock(opening.evening, speed)
    async with SimulatedApi(opening.observatory(), host=host, port=port, clock=clock.now) as api:
        say(f"A simulated observatory answers at {api.url}, {speed:g} times as fast as a real one.")
        say(f"Try {api.url}/ts/v0/profiles in a browser, or set it as a rig's url. Ctrl-C ends it.")
        await stopping.wait()


@dataclass(frozen=True, slots=True)
class _Opening:
    """Where and when the simulation begins, and the chance that rules it."""

    seed: int
    site: Site
    evening: datetime

    def observatory(self) -> SimulatedObservatory:
        return lively(seed=self.seed, start=self.evening, site=self.site, timezone=self.evening.tzinfo)


def _opening(seed: int | None) -> _Opening:
    """With a seed neither today's date nor this machine's time zone matters."""
    if seed is None:
        return _Opening(1, _site(), _this_evening(_site()))
    return _Opening(seed, _SEEDED_SITE, _SEEDED_EVENING)


def _site() -> Site:
    """In the middle of this machine's time zone, so that the night there is the night here."""
    offset_hours = (datetime.now().astimezone().utcoffset() or timedelta(0)) / timedelta(hours=1)
    return Site(latitude_deg=_LATITUDE_DEG, longitude_deg=offset_hours * _DEGREES_AN_HOUR)


def _this_evening(site: Site) -> datetime:
    """Half an hour before it is dark: time for a night plan, and not long to wait for the first exposure."""
    noon = datetime.now().astimezone().replace(hour=12, minute=0, second=0, microsecond=0)
    night = Sky(site).night_from(noon)
    return night.dusk.astimezone(noon.tzinfo) - _BEFORE_DUSK if night else noon


async def _watch(mqtt: MqttConfig, facts: Demo, clock: Callable[[], datetime], view: View) -> None:
    async with connect(mqtt, client_id="ts2mqtt-demo-watch") as connection:
        await connection.subscribe(["ts2mqtt/#", "homeassistant/#"])
        await view.show(facts, clock, connection.received())


def _mqtt(port: int) -> MqttConfig:
    return MqttConfig(host=_HOST, port=port)


def _config(port: int, url: str, site: Site) -> Config:
    """As for a real rig, but impatient: the simulated clock passes a minute in a second."""
    polling = PollingConfig().model_copy(
        update={"interval": 60 / _LOOKS_A_MINUTE, "slow_interval": 20.0, "statistics_interval": 60.0}
    )
    place = SiteConfig(latitude=site.latitude_deg, longitude=site.longitude_deg)
    return Config(
        mqtt=_mqtt(port),
        home_assistant=HomeAssistantConfig(),
        rigs=(RigConfig(name="Backyard", url=(url,), site=place),),
        polling=polling,
        log=LogConfig(),
    )
