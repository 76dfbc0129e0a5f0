"""A home: a rig whose night passes 30 times as fast, a broker and a real Home Assistant, and what each has borne."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from benchmarks import state_reports
from benchmarks.watched import Watched
from tests.home_assistant.hass import HomeAssistant
from tests.home_assistant.releases import NEWEST
from tests.support.mosquitto import Mosquitto
from tests.support.observer import observing
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.busy_observatory import busy_observatory
from ts2mqtt.simulator.observatory import RequestKind
from ts2mqtt.timing import PacedClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.support.observer import Observer
    from ts2mqtt.simulator.http1 import Answer, Request
    from ts2mqtt.simulator.http_connection import HttpConnection
    from ts2mqtt.simulator.observatory import SimulatedObservatory

PACE = 30.0
"""An interval of 30 s becomes a second; Home Assistant keeps no shorter one."""

KINDS: tuple[RequestKind, ...] = get_args(RequestKind)
_NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
_CLEAR = 4
"""The seed of a night without clouds, as in night.py."""


class CountingApi(SimulatedApi):
    """Bytes are those of the JSON: how well a client would have it compressed is another matter."""

    bytes_sent = 0

    async def answer(self, connection: HttpConnection, request: Request) -> Answer | None:
        answer = await super().answer(connection, request)
        self.bytes_sent += len(answer.body) if answer else 0
        return answer


@dataclass(frozen=True, slots=True)
class Home:
    """Made by home()."""

    api: CountingApi
    observer: Observer
    hass: HomeAssistant
    broker_port: int
    clock: PacedClock

    async def until(self, moment: datetime) -> None:
        left = (moment - self.clock.now()) / timedelta(seconds=PACE)
        assert left > 0, f"this machine is too slow: {moment} has gone by"
        await asyncio.sleep(left)

    async def borne(self) -> dict[str, float]:
        """So far: requests by kind, and the rest by its name."""
        observatory = self.api.observatory
        return {
            **{kind: observatory.counters.requests[kind] for kind in KINDS},
            "MB read": self.api.bytes_sent / 1e6,
            "exposures": sum(plan.acquired for target in observatory.targets() for plan in target.exposure_plans),
            "MQTT messages": len(self.observer.since(0)),
            "states changed": sum(event["event_type"] == "state_changed" for event in self.hass.events),
            "states reported": await state_reports.count(self.hass),
            "CPU s": Watched(self.hass.pid).cpu_s,
        }


@asynccontextmanager
async def home(start: datetime, configuration: Callable[[CountingApi], str] = lambda _: "") -> AsyncIterator[Home]:
    """From when on Home Assistant has started; until then the rig's clock stands still.

    `configuration` is YAML that is added to Home Assistant's own.
    """
    with tempfile.TemporaryDirectory(prefix="ts2mqtt-bench-") as name:
        folder = Path(name)
        state_reports.install(folder / "config")
        async with (
            CountingApi(_rig(start), gzip=False) as api,
            # By default it drops what the observer has not read yet, and the observer counts.
            Mosquitto(folder / "broker", options=["max_queued_messages 0"]) as broker,
            observing(broker.port) as observer,
            HomeAssistant(
                NEWEST,
                folder / "config",
                broker.port,
                configuration=state_reports.CONFIGURATION + configuration(api),
            ) as hass,
        ):
            clock = PacedClock(start, PACE)
            api.clock = clock.now
            yield Home(api, observer, hass, broker.port, clock)


def _rig(now: datetime) -> SimulatedObservatory:
    observatory = busy_observatory(seed=_CLEAR, start=_NOON)
    observatory.advance(now)
    return observatory
