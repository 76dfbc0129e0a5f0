"""Starts the parts of `ts2mqtt demo` (broker, simulated observatory, bridge, view) and of `ts2mqtt simulate`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
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
from ts2mqtt.simulator.weather import Clouds
from ts2mqtt.timing import PacedClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from ts2mqtt.mqtt.message import Received
    from ts2mqtt.simulator.observatory import SimulatedObservatory

_HOST = "127.0.0.1"
_REAL_SECONDS_BEFORE_DUSK = 30.0
_LEAST_BEFORE_DUSK, _MOST_BEFORE_DUSK = timedelta(minutes=30), timedelta(hours=2)
_EVENING = timedelta(minutes=5)
"""The simulated user starts the sequence so late that the bridge has read the night plan before: after 15 minutes."""
_BEFORE_DUSK_IN_REAL_TIME = timedelta(minutes=22)
_FIRST_NIGHTS = (Clouds.NONE, Clouds.PASSING)
_POLLING_INTERVAL_S = 2.0
_ANNOUNCEMENTS_KEPT = 1_000
"""Nobody reads the truth of these runs, which may last for weeks."""
_LATITUDE_DEG = 47.0
_DEGREES_PER_HOUR = 15.0
_SEEDED_SITE = Site(latitude_deg=47.0, longitude_deg=15.0)
_SEEDED_NOON = datetime(2026, 10, 9, 12, tzinfo=timezone(timedelta(hours=1)))
"""A day in autumn at that site: the nights are long, and targets of every kind are in season."""
_REAL_TIME = 1.0


class View(Protocol):
    """Shows the demo to the user."""

    async def show(self, setup: DemoSetup, clock: Callable[[], datetime], received: AsyncIterator[Received]) -> None:
        """Show the messages until they end."""


async def demo(port: int, speed: float, stopping: asyncio.Event, view: View, *, seed: int | None = None) -> None:
    """Run until `stopping` is set, and give every published message to the view.

    With a seed every run is the same and begins on the same evening. Without one it begins this evening.
    """
    start = simulation_start(seed, speed)
    clock = PacedClock(start.begins, speed)
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
    start = simulation_start(seed, speed)
    clock = PacedClock(start.begins, speed)
    observatory = start.observatory()
    async with (
        SimulatedApi(observatory, host=host, port=port, clock=clock.now) as api,
        NinaServer(observatory, host=host, port=nina_port, clock=clock, kept=_ANNOUNCEMENTS_KEPT) as nina,
    ):
        api_url, socket_url = url_to_ask_at(api.url, host), url_to_ask_at(nina.socket_url, host)
        say(f"A simulated observatory answers at {api_url}, {_pace(speed)}.")
        say(f"Try {api_url}/ts/v0/profiles in a browser, or set it as a rig's url. Ctrl-C ends it.")
        say(f"Its N.I.N.A. tells what it does at {socket_url}.")
        for line in _what_time_it_is(start, speed):
            say(line)
        if ip_address(host).is_unspecified:
            say("Other computers write the address of this one in place of 127.0.0.1.")
        await stopping.wait()


def _pace(speed: float) -> str:
    return "as fast as a real one" if speed == _REAL_TIME else f"{speed:g} times as fast as a real one"


def _what_time_it_is(start: SimulationStart, speed: float) -> tuple[str, ...]:
    night = Sky(start.site).night_from(start.begins)
    if night is None:
        return ()
    if start.begins != start.created or speed != _REAL_TIME:
        return (
            f"Its clock begins at {start.begins:%d %b %Y %H:%M} and is not the clock of this machine.",
            "`ts2mqtt run` goes by the clock of this machine: for it, start this with --speed 1 and without --seed.",
        )
    dusk = night.dusk.astimezone()
    return (f"It stands where it is evening now. By the clock of this machine it begins to image at {dusk:%H:%M}.",)


def url_to_ask_at(url: str, host: str) -> str:
    """A server listens everywhere at 0.0.0.0 or ::, and can be asked at none of the two."""
    if not ip_address(host).is_unspecified:
        return url
    return url.replace(f"[{host}]" if ":" in host else host, _HOST, 1)


@dataclass(frozen=True, slots=True)
class SimulationStart:
    """Where the simulation takes place, the seed of its random numbers, and its first moments.

    The history of the observatory ends at `created`; the clock starts at `begins`, a little before dusk.
    """

    seed: int
    site: Site
    created: datetime
    begins: datetime

    def observatory(self) -> SimulatedObservatory:
        return busy_observatory(
            seed=self.seed,
            start=self.created,
            site=self.site,
            timezone=self.created.tzinfo,
            first_nights=_FIRST_NIGHTS,
            evening=_EVENING,
        )


def simulation_start(seed: int | None, speed: float) -> SimulationStart:
    """With a seed the same on every day and in every time zone.

    Without one the simulation begins this evening, in this machine's time zone. In real time it begins now: then its
    clock is this machine's, and the observatory stands where it is evening now.
    """
    if seed is not None:
        return SimulationStart(seed, _SEEDED_SITE, _SEEDED_NOON, _before_dusk(_SEEDED_SITE, _SEEDED_NOON, speed))
    now = datetime.now().astimezone()
    if speed == _REAL_TIME:
        site = site_at_dusk(now + _BEFORE_DUSK_IN_REAL_TIME)
        zone = timezone(timedelta(hours=round(site.longitude_deg / _DEGREES_PER_HOUR)))
        return SimulationStart(1, site, now.astimezone(zone), now.astimezone(zone))
    site = Site(latitude_deg=_LATITUDE_DEG, longitude_deg=_hours_from_utc(now) * _DEGREES_PER_HOUR)
    begins = _before_dusk(site, now.replace(hour=12, minute=0, second=0, microsecond=0), speed)
    return SimulationStart(1, site, begins, begins)


def _hours_from_utc(now: datetime) -> float:
    return (now.utcoffset() or timedelta(0)) / timedelta(hours=1)


def _before_dusk(site: Site, noon: datetime, speed: float) -> datetime:
    """So early that the night plan is read first, and so late that the first exposure comes soon."""
    night = Sky(site).night_from(noon)
    ahead = timedelta(seconds=_REAL_SECONDS_BEFORE_DUSK * speed)
    ahead = min(max(ahead, _LEAST_BEFORE_DUSK), _MOST_BEFORE_DUSK)
    return night.dusk.astimezone(noon.tzinfo) - ahead if night else noon


def site_at_dusk(moment: datetime) -> Site:
    """A site where it gets dark at this moment."""
    at_noon = (12 - _hours_of_day(moment)) * _DEGREES_PER_HOUR
    site = Site(latitude_deg=_LATITUDE_DEG, longitude_deg=_normalized(at_noon))
    # Farther east it gets dark earlier. The second step corrects what the first one did not know: the season.
    for _ in range(2):
        night = Sky(site).night_from(moment - timedelta(hours=1))
        if night is None:
            break
        hours_east = (night.dusk - moment) / timedelta(hours=1)
        longitude_deg = _normalized(site.longitude_deg + hours_east * _DEGREES_PER_HOUR)
        site = Site(latitude_deg=_LATITUDE_DEG, longitude_deg=longitude_deg)
    return site


def _hours_of_day(moment: datetime) -> float:
    at = moment.astimezone(UTC)
    return at.hour + at.minute / 60


def _normalized(longitude_deg: float) -> float:
    return (longitude_deg + 180) % 360 - 180


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
