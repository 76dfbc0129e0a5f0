"""Everything on one machine: the embedded broker, a simulated observatory and the bridge between them."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ts2mqtt.bridge import Bridge
from ts2mqtt.config import Config, HomeAssistantConfig, LogConfig, MqttConfig, PollingConfig, RigConfig, SiteConfig
from ts2mqtt.logs import printable
from ts2mqtt.mqtt import connect
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.broker import EmbeddedBroker
from ts2mqtt.simulator.clock import SpeedClock
from ts2mqtt.simulator.lively import lively
from ts2mqtt.simulator.sky import Site, Sky

if TYPE_CHECKING:
    from collections.abc import Callable

_HOST = "127.0.0.1"
_BEFORE_DUSK = timedelta(minutes=30)
_LOOKS_A_MINUTE = 30
_LINE = 160
_LATITUDE_DEG = 47.0
_DEGREES_AN_HOUR = 15.0


async def demo(port: int, speed: float, stopping: asyncio.Event, say: Callable[[str], None]) -> None:
    """Runs until `stopping`; tells every message that is published, one line each."""
    site, evening = _site(), _this_evening(_site())
    clock = SpeedClock(evening, speed)
    async with (
        EmbeddedBroker(port) as broker,
        SimulatedApi(lively(start=evening, site=site, timezone=evening.tzinfo), clock=clock) as api,
    ):
        for line in _welcome(broker.port, api.url, speed):
            say(line)
        bridge = Bridge(_config(broker.port, api.url, site), now=clock, pace=speed)
        running = asyncio.create_task(bridge.run())
        watching = asyncio.create_task(_watch(_mqtt(broker.port), say))
        stopped = asyncio.create_task(stopping.wait())
        done, _ = await asyncio.wait((running, watching, stopped), return_when=asyncio.FIRST_COMPLETED)
        bridge.stop()
        await running
        watching.cancel()
        stopped.cancel()
        await asyncio.gather(watching, stopped, return_exceptions=True)
        if watching in done:
            watching.result()


async def simulate(port: int, speed: float, stopping: asyncio.Event, say: Callable[[str], None]) -> None:
    """Serves a simulated observatory's API until `stopping`."""
    site, evening = _site(), _this_evening(_site())
    clock = SpeedClock(evening, speed)
    observatory = lively(start=evening, site=site, timezone=evening.tzinfo)
    async with SimulatedApi(observatory, port=port, clock=clock) as api:
        say(f"A simulated observatory answers at {api.url}, {speed:g} times as fast as a real one.")
        say(f"Try {api.url}/ts/v0/profiles in a browser, or set it as a rig's url. Ctrl-C ends it.")
        await stopping.wait()


def _site() -> Site:
    """In the middle of this machine's time zone, so that the night there is the night here."""
    offset_hours = (datetime.now().astimezone().utcoffset() or timedelta(0)) / timedelta(hours=1)
    return Site(latitude_deg=_LATITUDE_DEG, longitude_deg=offset_hours * _DEGREES_AN_HOUR)


def _this_evening(site: Site) -> datetime:
    """Half an hour before it is dark: time for a night plan, and not long to wait for the first exposure."""
    noon = datetime.now().astimezone().replace(hour=12, minute=0, second=0, microsecond=0)
    night = Sky(site).night_from(noon)
    return night.dusk.astimezone(noon.tzinfo) - _BEFORE_DUSK if night else noon


def _welcome(port: int, url: str, speed: float) -> tuple[str, ...]:
    return (
        f"MQTT broker for this demo:  {_HOST}:{port}",
        f"Simulated observatory:      {url}, {speed:g} times as fast as a real one",
        f"Watch it from elsewhere:    mosquitto_sub -p {port} -t 'ts2mqtt/#' -t 'homeassistant/#' -v",
        "Ctrl-C ends the demo.",
        "",
    )


async def _watch(mqtt: MqttConfig, say: Callable[[str], None]) -> None:
    async with connect(mqtt, client_id="ts2mqtt-demo-watch") as connection:
        await connection.subscribe(["ts2mqtt/#", "homeassistant/#"])
        async for message in connection.received():
            if message.payload[:8] == b"\x89PNG\r\n\x1a\n":
                say(f"{message.topic}  (a picture, {len(message.payload)} bytes)")
            elif not message.topic.endswith("/heartbeat"):
                text = printable(message.payload.decode(errors="replace"))
                line = f"{message.topic}  {text}"
                say(line if len(line) <= _LINE else f"{line[: _LINE - 1]}…")


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
