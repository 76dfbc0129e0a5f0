"""Starts the parts of `ts2mqtt demo` (broker, simulated observatory, bridge, view) and of `ts2mqtt simulate`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from typing import TYPE_CHECKING, Protocol

from ts2mqtt.bridge.bridge import Bridge
from ts2mqtt.config import Config, HomeAssistantConfig, LogConfig, MqttConfig, PollingConfig, RigConfig, SiteConfig
from ts2mqtt.demo.screen import DemoSetup
from ts2mqtt.mqtt.connection import connect
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.broker import EmbeddedBroker
from ts2mqtt.simulator.busy_observatory import busy_observatory
from ts2mqtt.simulator.nina.server import NinaServer
from ts2mqtt.simulator.sky import Site, Sky
from ts2mqtt.timing import PacedClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from ts2mqtt.mqtt.message import Received
    from ts2mqtt.simulator.observatory import SimulatedObservatory

_HOST = "127.0.0.1"
_START_BEFORE_DUSK = timedelta(minutes=30)
_POLLING_INTERVAL_S = 2.0
_ANNOUNCEMENTS_KEPT = 1_000
"""Nobody reads the truth of these runs, which may last for weeks."""
_LATITUDE_DEG = 47.0
_DEGREES_PER_HOUR = 15.0
_SEEDED_SITE = Site(latitude_deg=47.0, longitude_deg=15.0)
_SEEDED_EVENING = datetime(2026, 10, 9, 18, tzinfo=timezone(timedelta(hours=1)))
"""Half an hour before dusk at that site, in autumn: the nights are long, and targets of every kind are in season."""


class View(Protocol):
    """Shows the demo to the user."""

    async def show(self, setup: DemoSetup, clock: Callable[[], datetime], received: AsyncIterator[Received]) -> None:
        """Show the messages until they end."""


async def demo(port: int, speed: float, stopping: asyncio.Event, view: View, *, seed: int | None = None) -> None:
    """Run until `stopping` is set, and give every published message to the view.

    With a seed every run is the same and begins on the same evening. Without one it begins this evening.
    """
    start = simulation_start(seed)
    clock = PacedClock(start.evening, speed)
    observatory = start.observatory()
    async with (
        EmbeddedBroker(port) as broker,
        SimulatedApi(observatory, clock=clock.now) as api,
        NinaServer(observatory, clock=clock, kept=_ANNOUNCEMENTS_KEPT) as nina,
    ):
        setup = DemoSetup(_HOST, broker.port, api.url, nina.socket_url, speed)
        bridge = Bridge(_config(broker.port, api.url, nina.url, start.site), clock=clock)
        running = asyncio.create_task(bridge.run())
        watching = asyncio.create_task(_watch(_mqtt(broker.port), setup, clock.now, view))
        stopped = asyncio.create_task(stopping.wait())
        done, _ = await asyncio.wait((running, watching, stopped), return_when=asyncio.FIRST_COMPLETED)
        bridge.stop()
        await running
        watching.cancel()
        stopped.cancel()
        await asyncio.gather(watching, stopped, return_exceptions=True)
        if watching in done:
            watching.result()


async def simulate(  # noqa: PLR0913 - one argument for each option of the command
    port: int,
    speed: float,
    stopping: asyncio.Event,
    say: Callable[[str], None],
    *,
    seed: int | None = None,
    host: str = _HOST,
    nina_port: int = 0,
) -> None:
    """Serve a simulated observatory's API and its N.I.N.A. until `stopping` is set; `seed` as for demo()."""
    start = simulation_start(seed)
    clock = PacedClock(start.evening, speed)
    observatory = start.observatory()
    async with (
        SimulatedApi(observatory, host=host, port=port, clock=clock.now) as api,
        NinaServer(observatory, host=host, port=nina_port, clock=clock, kept=_ANNOUNCEMENTS_KEPT) as nina,
    ):
        api_url, socket_url = url_to_ask_at(api.url, host), url_to_ask_at(nina.socket_url, host)
        say(f"A simulated observatory answers at {api_url}, {speed:g} times as fast as a real one.")
        say(f"Try {api_url}/ts/v0/profiles in a browser, or set it as a rig's url. Ctrl-C ends it.")
        say(f"Its N.I.N.A. tells what it does at {socket_url}.")
        if ip_address(host).is_unspecified:
            say("Other computers write the address of this one in place of 127.0.0.1.")
        await stopping.wait()


def url_to_ask_at(url: str, host: str) -> str:
    """A server listens everywhere at 0.0.0.0 or ::, and can be asked at none of the two."""
    if not ip_address(host).is_unspecified:
        return url
    return url.replace(f"[{host}]" if ":" in host else host, _HOST, 1)


@dataclass(frozen=True, slots=True)
class SimulationStart:
    """Where and when the simulation begins, and the seed of its random numbers."""

    seed: int
    site: Site
    evening: datetime

    def observatory(self) -> SimulatedObservatory:
        return busy_observatory(seed=self.seed, start=self.evening, site=self.site, timezone=self.evening.tzinfo)


def simulation_start(seed: int | None) -> SimulationStart:
    """With a seed the same on every day and in every time zone; without one this evening, in this machine's zone."""
    if seed is None:
        return SimulationStart(1, _site(), _this_evening(_site()))
    return SimulationStart(seed, _SEEDED_SITE, _SEEDED_EVENING)


def _site() -> Site:
    """A site in the middle of this machine's time zone, so that its night is at this machine's night."""
    offset_hours = (datetime.now().astimezone().utcoffset() or timedelta(0)) / timedelta(hours=1)
    return Site(latitude_deg=_LATITUDE_DEG, longitude_deg=offset_hours * _DEGREES_PER_HOUR)


def _this_evening(site: Site) -> datetime:
    """Half an hour before dusk: the night plan is read first, and the first exposure comes soon."""
    noon = datetime.now().astimezone().replace(hour=12, minute=0, second=0, microsecond=0)
    night = Sky(site).night_from(noon)
    return night.dusk.astimezone(noon.tzinfo) - _START_BEFORE_DUSK if night else noon


async def _watch(mqtt: MqttConfig, setup: DemoSetup, clock: Callable[[], datetime], view: View) -> None:
    async with connect(mqtt, client_id="ts2mqtt-demo-watch") as connection:
        await connection.subscribe(["ts2mqtt/#", "homeassistant/#"])
        await view.show(setup, clock, connection.received())


def _mqtt(port: int) -> MqttConfig:
    return MqttConfig(host=_HOST, port=port)


def _config(port: int, url: str, nina_url: str, site: Site) -> Config:
    """As for a real rig, but with short intervals: the simulated clock passes a minute in a second."""
    polling = PollingConfig().model_copy(
        update={
            "interval": _POLLING_INTERVAL_S,
            "edit_interval": _POLLING_INTERVAL_S,
            "slow_interval": 20.0,
            "statistics_interval": 60.0,
        }
    )
    site_config = SiteConfig(latitude=site.latitude_deg, longitude=site.longitude_deg)
    return Config(
        mqtt=_mqtt(port),
        home_assistant=HomeAssistantConfig(),
        rigs=(RigConfig(name="Backyard", url=(url,), nina_url=(nina_url,), site=site_config),),
        polling=polling,
        log=LogConfig(),
    )
