"""Kindness and quiet with a real Home Assistant: its own `rest` sensors, ts2mqtt, and a ts2mqtt that repeats itself.

The rig is night.py's, imaging under a clear sky. Each way has a home of its own and sees the same hours, at the
default intervals. A client that listens to all events, as a page of Home Assistant's frontend does, is part of each.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from unittest.mock import patch

from benchmarks import rest_sensors
from benchmarks.home import KINDS, PACE, home
from benchmarks.tables import table
from tests.home_assistant.expected import differences
from tests.home_assistant.prepare import is_ready, why_not
from tests.home_assistant.releases import NEWEST
from tests.support.running import bridge_config, mqtt_config, running_bridge
from ts2mqtt.config import PollingConfig
from ts2mqtt.mqtt.connection import Connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from benchmarks.home import CountingApi, Home

_FROM = datetime(2026, 1, 10, 23, tzinfo=UTC)
"""It has been dark for two minutes."""

_HOURS, _HOURS_ALONE = 1.5, 0.25
_SETTLING = timedelta(minutes=10)
_SHOWING = timedelta(minutes=25)
"""So long before ts2mqtt is started, by the rig's clock: it asks for no night plan while the rig images."""

_USUAL = PollingConfig()
_INTERVALS = ("interval", "edit_interval", "slow_interval", "statistics_interval", "plan_interval")
_INTERVAL_S = _USUAL.interval / PACE
_BASE = "ts2mqtt"
_Retained = tuple[Connection, bytes]
_TOLD = ("exposures", "entities", "MQTT messages", "states changed", "states reported")


async def measure() -> str:
    """The first row of the second table is what Home Assistant does with nothing to show of a rig."""
    if not is_ready(NEWEST):
        return f"Home Assistant {NEWEST.version} is not prepared: {why_not(NEWEST)}\n"
    alone = await _alone()
    ways = {
        "Home Assistant's `rest` sensors": await _rest(),
        "ts2mqtt": await _ts2mqtt(),
        "every look publishes all states": await _without_change_detection(),
    }
    kindness = ((name, *_asked(borne)) for name, borne in ways.items())
    quiet = ((name, *_told(borne)) for name, borne in {"Home Assistant alone": alone, **ways}.items())
    return (
        table(("one hour of the night", "requests", *KINDS, "MB read"), kindness)
        + "\n"
        + table(("one hour of the night", *_TOLD, "CPU s"), quiet)
    )


def _asked(borne: Mapping[str, float]) -> tuple[str, ...]:
    kinds = [borne[kind] for kind in KINDS]
    return (*(f"{count:,.0f}" for count in (sum(kinds), *kinds)), f"{borne['MB read']:.2f}")


def _told(borne: Mapping[str, float]) -> tuple[str, ...]:
    return (*(f"{borne[key]:,.0f}" for key in _TOLD), f"{borne['CPU s']:.2f}")


async def _alone() -> dict[str, float]:
    async with home(_FROM - _SETTLING) as alone:
        return await _an_hour(alone, hours=_HOURS_ALONE)


async def _rest() -> dict[str, float]:
    def configuration(api: CountingApi) -> str:
        return rest_sensors.configuration(api.observatory, api.url, _INTERVAL_S)

    async with home(_FROM - _SETTLING, configuration) as with_sensors:
        return await _an_hour(with_sensors)


async def _ts2mqtt() -> dict[str, float]:
    async with home(_FROM - _SHOWING) as with_bridge, _bridge(with_bridge):
        return await _an_hour(with_bridge)


async def _without_change_detection() -> dict[str, float]:
    """All states are published again every interval, beside the looks."""
    with _noted() as retained:
        async with home(_FROM - _SHOWING) as with_bridge, _bridge(with_bridge), _repeating(retained):
            return await _an_hour(with_bridge)


async def _an_hour(at: Home, hours: float = _HOURS) -> dict[str, float]:
    """What an hour costs, as the mean of so many; `entities` is how many there are at their end."""
    await at.until(_FROM)
    began, log = await at.borne(), at.hass.mark()
    await at.until(_FROM + timedelta(hours=hours))
    ended = await at.borne()
    assert not at.hass.problems(log), at.hass.problems(log)
    return {key: (ended[key] - began[key]) / hours for key in ended} | {"entities": len(at.hass.states)}


@asynccontextmanager
async def _bridge(at: Home) -> AsyncIterator[None]:
    """From when on Home Assistant shows all of it."""
    paced = _USUAL.model_copy(update={name: getattr(_USUAL, name) / PACE for name in _INTERVALS})
    config = bridge_config(mqtt_config(at.broker_port, base_topic=_BASE), at.api, looks=paced)
    async with running_bridge(config, at.clock):
        held = at.observer.held
        await at.observer.wait_until(lambda: f"{_BASE}/backyard/plan/image" in held, "the night plan")
        await at.hass.wait_until(
            lambda: not differences(at.hass, held, _BASE), lambda: differences(at.hass, held, _BASE)[:20]
        )
        yield


@contextmanager
def _noted() -> Iterator[dict[str, _Retained]]:
    """What bridges in this process retain below their base topic."""
    publish, retained = Connection.publish, dict[str, _Retained]()

    async def noted(connection: Connection, topic: str, payload: bytes, *, retain: bool) -> asyncio.Future[float]:
        if retain and topic.startswith(f"{_BASE}/"):
            retained[topic] = connection, payload
        return await publish(connection, topic, payload, retain=retain)

    with patch.object(Connection, "publish", noted):
        yield retained


@asynccontextmanager
async def _repeating(retained: dict[str, _Retained]) -> AsyncIterator[None]:
    """On the bridge's own connection: on another one an old state could overtake a new one."""

    async def repeat() -> None:
        while True:
            await asyncio.sleep(_INTERVAL_S)
            for topic in tuple(retained):
                connection, payload = retained[topic]
                await connection.publish(topic, payload, retain=True)

    repeating = asyncio.create_task(repeat())
    yield
    assert not repeating.done()
    repeating.cancel()
