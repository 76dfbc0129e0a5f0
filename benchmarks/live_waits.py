"""For how long N.I.N.A. waits for the bridge: ten rigs in one process of it, with a broker that answers, then hangs.

In real time. The simulated N.I.N.A. sends to its clients one after another and waits for each, as the real one does;
the system holds back little for a client. Ten of them say more than real ones do in their busiest minutes. The time
for which the server could go on while other programs had the processors is not counted: the kernel tells it.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from benchmarks import watched
from benchmarks.tables import table
from tests.faults.gate import Gate
from tests.support.night_delays import share
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.broker import EmbeddedBroker
from ts2mqtt.simulator.nina import images
from ts2mqtt.simulator.nina.announcement import IMAGE_SAVE, TARGET_START
from ts2mqtt.simulator.nina.server import NinaServer
from ts2mqtt.simulator.observatory import SimulatedObservatory
from ts2mqtt.simulator.random_numbers import random_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

RIGS = 10
_ROUNDS = 120
_BETWEEN_S = 0.25
_CONNECTED_WITHIN_S = 120.0
_SCHEDULED = Path("/proc/self/schedstat")
_TARGETS = ("M 31", "M 33")


@dataclass(frozen=True, slots=True)
class _Rig:
    api: SimulatedApi
    nina: NinaServer


async def measure() -> str:
    rows: list[Sequence[object]] = []
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(EmbeddedBroker())
        gate = Gate(broker.port)
        await gate.open()
        stack.callback(gate.closed)
        rigs = [await _listening_rig(stack, seed) for seed in range(RIGS)]
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ts2mqtt-bench-")))
        config = _config(folder, gate.port, rigs)
        bridge = await stack.enter_async_context(watched.running("ts2mqtt", "run", "-c", str(config)))
        async with asyncio.timeout(_CONNECTED_WITHIN_S):
            for rig in rigs:
                await rig.nina.wait_for_clients(1)
        for name, hangs in (("answers", False), ("hangs", True)):
            if hangs:
                gate.stall()
            rows.append((name, *await _waits(rigs, bridge)))
    heads = ("the broker", "pairs of messages", "wait, ms: median", "99.9 %", "most", "CPU of the bridge, ms a pair")
    return f"{RIGS} rigs in one process\n\n{table(heads, rows)}"


async def _listening_rig(stack: AsyncExitStack, seed: int) -> _Rig:
    observatory = SimulatedObservatory(seed=seed, timezone=UTC, now=datetime.now(UTC))
    project = observatory.add_project(observatory.add_profile("Refractor"), "Autumn")
    for number, name in enumerate(_TARGETS):
        target = observatory.add_target(project, name, ra_hours=0.7 + number, dec_deg=41.0 - 10 * number)
        observatory.add_exposure_plan(target, "Ha", exposure_s=300, desired=500)
    api = await stack.enter_async_context(SimulatedApi(observatory))
    return _Rig(api, await stack.enter_async_context(NinaServer(observatory, kept=1)))


def _config(folder: Path, port: int, rigs: Sequence[_Rig]) -> Path:
    config = folder / "config.yaml"
    wanted = {
        "mqtt": {"host": "127.0.0.1", "port": port},
        "rigs": [
            {"name": f"Rig {number}", "url": rig.api.url, "nina_url": rig.nina.url} for number, rig in enumerate(rigs)
        ],
        "log": {"level": "error"},
    }
    config.write_text(yaml.safe_dump(wanted), encoding="utf-8")
    return config


async def _waits(rigs: Sequence[_Rig], bridge: watched.Watched) -> tuple[object, ...]:
    """Every rig saves an image and announces the next exposure, four times a second."""
    numbers = random_numbers(1, "waits")
    waits: list[float] = []
    before = bridge.cpu_s
    for number in range(_ROUNDS):
        name = _TARGETS[number // 10 % len(_TARGETS)]
        for rig in rigs:
            light = images.light(name, "Ha", 300.0, {"hfr": 2.0}, numbers)
            dated = images.dated(light, datetime.now(UTC), number % 10, UTC)
            rig.nina.nina.announce(IMAGE_SAVE, ImageStatistics=dated)
            rig.nina.nina.announce(TARGET_START, TargetName=name, ProjectName="Autumn")
            began, delayed = time.monotonic(), _delayed_s()
            await rig.nina.send_due()
            waits.append(1e3 * (time.monotonic() - began - (_delayed_s() - delayed)))
        await asyncio.sleep(_BETWEEN_S)
    cpu_s = bridge.cpu_s - before
    figures = (share(waits, 50), share(waits, 99.9), max(waits), 1e3 * cpu_s / len(waits))
    return len(waits), *(f"{figure:.2f}" for figure in figures)


def _delayed_s() -> float:
    """For how long this process waited for a processor."""
    return int(_SCHEDULED.read_text(encoding="ascii").split()[1]) / 1e9
