"""Lets a bridge live through simulated months in one process, and compares the end with the first month.

python -m tests.soak --days 365 --picture docs/soak.png

Nights, rigs that are switched off by day, a broker that restarts with and without its memory, Home Assistant that
restarts, and projects that come, are imaged, closed and deleted. Time is simulated, sockets are real.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.gate import Gate
from tests.soak.curves import curves
from tests.support.clocks import LoopClock
from tests.support.simulated_time import run_in_simulated_time
from ts2mqtt.bridge.bridge import Bridge
from ts2mqtt.config import Config, HomeAssistantConfig, LogConfig, MqttConfig, PollingConfig, RigConfig
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.broker import EmbeddedBroker
from ts2mqtt.simulator.busy_observatory import busy_observatory
from ts2mqtt.simulator.mqtt_packets import Message
from ts2mqtt.simulator.random_numbers import random_numbers
from ts2mqtt.timing import BrokerTimings, RigTimings, Timings

if TYPE_CHECKING:
    from collections.abc import Sequence

_START = datetime(2026, 1, 1, 12, tzinfo=UTC)
_POLLING = PollingConfig(interval=1_800.0, slow_interval=7_200.0)
_KEEPALIVE_S = 300.0
# Signs of life every ten seconds, and knocking at a silent rig every minute, would be most of the work, and are no
# different on any other day.
_TIMINGS = Timings(
    rig=RigTimings(longest_retry_s=1_800.0), broker=BrokerTimings(heartbeat_s=600.0, housekeeping_s=60.0)
)
_OFF, _ON = timedelta(hours=20), timedelta(hours=4)
"""After noon: at eight in the morning the rigs are switched off, at four in the afternoon on again."""

_MONTH = 30
_MOST_PROJECTS = 14
_NEW_PROJECTS_A_WEEK = 3
_ALLOWED = 0.1
"""What may differ between the first month and the end for other reasons than a leak."""


@dataclass(frozen=True, slots=True)
class Measured:
    """At noon of one day; `objects` are those of ts2mqtt itself, without the simulator's."""

    day: int
    resident_mb: float
    objects: int
    descriptors: int
    tasks: int
    threads: int
    retained: int


class _Months:
    def __init__(self, rigs: int, days: int) -> None:
        self._days = days
        self._chance = random_numbers(1, "soak")
        self._observatories = [busy_observatory(seed=seed, start=_START) for seed in range(rigs)]
        self._apis = [SimulatedApi(observatory, clock=self.now) for observatory in self._observatories]
        self._broker = EmbeddedBroker()
        self.measured: list[Measured] = []
        self.projects_deleted = 0

    def now(self) -> datetime:
        return _START + timedelta(seconds=asyncio.get_running_loop().time())

    async def live(self) -> None:
        await self._broker.start()
        gate = Gate(self._broker.port)
        await gate.open()
        for api in self._apis:
            await api.start()
        bridge = Bridge(self._config(gate.port), clock=LoopClock(_START), timings=_TIMINGS)
        running = asyncio.create_task(bridge.run())
        try:
            for day in range(1, self._days + 1):
                await self._one_day(day, gate)
                assert not running.done(), running
        finally:
            running.cancel()
            await asyncio.wait((running,))
            gate.closed()
            for api in self._apis:
                await api.stop()
            await self._broker.stop()

    async def _one_day(self, day: int, gate: Gate) -> None:
        noon = _START + timedelta(days=day - 1)
        await self._until(noon + _ON)
        for api in self._apis:
            if not api.is_listening:
                await api.start()
        await self._until(noon + timedelta(hours=self._chance.uniform(5, 19)))
        await self._something_fails(gate)
        # Each day has a reconnection, whatever else fails.
        gate.cut()
        await self._until(noon + _OFF)
        for api in self._apis:
            await api.stop()
            # What the simulator notes for tests is no memory of the bridge.
            api.requests.clear()
            api.answered.clear()
        if day % 7 == 0:
            self._tidy_up()
        await self._until(noon + timedelta(days=1))
        self._measure(day)

    async def _something_fails(self, gate: Gate) -> None:
        match self._chance.choice(("nothing", "broker", "forgetful broker", "network", "Home Assistant")):
            case "broker" | "forgetful broker" as kind:
                await self._broker.stop()
                await asyncio.sleep(600.0)
                await self._broker.start(keep_retained=kind == "broker")
            case "network":
                gate.swallow()
                await asyncio.sleep(600.0)
                await gate.open()
            case "Home Assistant":
                self._broker._exchange.publish(Message("homeassistant/status", b"offline", 0, retain=False))
                await asyncio.sleep(600.0)
                self._broker._exchange.publish(Message("homeassistant/status", b"online", 0, retain=False))
            case _:
                pass

    def _tidy_up(self) -> None:
        """The user deletes old projects, and thinks of new ones."""
        for observatory in self._observatories:
            projects = sorted(observatory.projects(), key=lambda project: project.create_date or _START)
            for old in projects[: max(0, len(projects) + _NEW_PROJECTS_A_WEEK - _MOST_PROJECTS)]:
                observatory.remove_project(old)
                self.projects_deleted += 1
            for number in range(_NEW_PROJECTS_A_WEEK):
                project = observatory.add_project(observatory.active_profile, f"{self.now():%d %B} {number}")
                target = observatory.add_target(project, "M 31", ra_hours=0.7, dec_deg=41.3)
                observatory.add_exposure_plan(target, "Lum", desired=self._chance.randint(5, 50))

    def _measure(self, day: int) -> None:
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        own = [one for one in gc.get_objects() if _is_own(str(type(one).__module__))]
        self.measured.append(
            Measured(
                day=day,
                resident_mb=pages * os.sysconf("SC_PAGE_SIZE") / 1_048_576,
                objects=len(own),
                descriptors=sum(1 for _ in Path("/proc/self/fd").iterdir()),
                tasks=len(asyncio.all_tasks()),
                threads=threading.active_count(),
                retained=len(self._broker.retained),
            )
        )
        _say(f"{self.measured[-1]}")

    async def _until(self, moment: datetime) -> None:
        await asyncio.sleep(max(0.0, (moment - self.now()).total_seconds()))

    def _config(self, port: int) -> Config:
        return Config(
            mqtt=MqttConfig(host="127.0.0.1", port=port, keepalive=_KEEPALIVE_S),
            home_assistant=HomeAssistantConfig(),
            rigs=tuple(RigConfig(name=f"Rig {number}", url=(api.url,)) for number, api in enumerate(self._apis)),
            polling=_POLLING,
            log=LogConfig(),
        )


def _is_own(module: str) -> bool:
    return module.startswith("ts2mqtt.") and not module.startswith("ts2mqtt.simulator")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _compare(measured: Sequence[Measured]) -> bool:
    """Means of the month after the first week, and of the last month."""
    first, last = measured[7:_MONTH], measured[-_MONTH:]
    grew = False
    for name in ("resident_mb", "objects", "descriptors", "tasks", "threads", "retained"):
        before, after = (sum(getattr(one, name) for one in some) / len(some) for some in (first, last))
        change = after / before - 1
        grew |= change > _ALLOWED
        _say(f"{name:12} {before:10.1f} {after:10.1f} {change:+8.1%}")
    return grew


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--rigs", type=int, default=3)
    parser.add_argument("--picture", type=Path, help="where to draw the curves, as PNG")
    wanted = parser.parse_args()
    if wanted.days < 2 * _MONTH:
        parser.error(f"at least {2 * _MONTH} days, or there is nothing to compare")
    logging.getLogger("ts2mqtt").setLevel(logging.CRITICAL)
    started = time.perf_counter()
    months: list[_Months] = []

    async def lived() -> None:
        months.append(_Months(wanted.rigs, wanted.days))
        await months[0].live()

    run_in_simulated_time(lived)
    measured, deleted = months[0].measured, months[0].projects_deleted
    _say(f"{wanted.days} days, {wanted.rigs} rigs, {deleted} projects deleted: {time.perf_counter() - started:.0f} s")
    if wanted.picture:
        wanted.picture.write_bytes(curves(measured))
    return 1 if _compare(measured) else 0


if __name__ == "__main__":
    sys.exit(main())
