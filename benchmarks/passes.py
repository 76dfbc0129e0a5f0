"""Cold and steady pass: CPU of the bridge beside the floor's, for R rigs of 10 projects, 20 targets, 80 plans."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from benchmarks.floor import Errand, Retained
from benchmarks.hosting_site import LIVE_REQUESTS, MESSAGES_A_RIG, HostedRig, hosting
from benchmarks.watched import Watched, running
from tests.mosquitto import Mosquitto
from tests.observer import Observer, observing

if TYPE_CHECKING:
    from collections.abc import Sequence

ROUNDS = 2
_STEADY_PASSES = 4
_PATIENCE_S = 600.0


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds of one cold pass and of one steady pass, and the wall seconds of the cold one."""

    cold_s: float
    cold_wall_s: float
    steady_s: float
    resident_mb: float


async def measure_bridge(count: int, interval_s: float) -> tuple[Cost, list[Retained]]:
    async with hosting(count) as rigs, broker() as mosquitto, observing(mosquitto.port) as observer:
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder) / "config.yaml"
            config.write_text(yaml.safe_dump(bridge_config(mosquitto.port, rigs, interval_s)))
            async with running("ts2mqtt", "run", "-c", str(config)) as bridge:
                cost = await _measure(bridge, observer, rigs, interval_s)
        messages = [Retained(topic=t, payload=p.decode()) for t, p in observer.held.items() if "plan/image" not in t]
        return cost, messages


async def measure_floor(count: int, interval_s: float, messages: Sequence[Retained]) -> Cost:
    async with hosting(count) as rigs, broker() as mosquitto, observing(mosquitto.port) as observer:
        with tempfile.TemporaryDirectory() as folder:
            errand = Errand(
                broker_port=mosquitto.port,
                urls=[rig.url for rig in rigs],
                messages=list(messages),
                interval_s=interval_s,
            )
            path = Path(folder) / "errand.json"
            path.write_text(errand.model_dump_json())
            async with running("benchmarks.floor", str(path)) as floor:
                return await _measure(floor, observer, rigs, interval_s)


def bridge_config(port: int, rigs: Sequence[HostedRig], interval_s: float) -> dict[str, object]:
    return {
        "mqtt": {"host": "127.0.0.1", "port": port},
        "rigs": [{"name": f"Rig {number}", "url": rig.url} for number, rig in enumerate(rigs)],
        # The night's previews and the statistics that are read once in six hours have figures of their own.
        "polling": {"interval": f"{interval_s}s", "plan": "off"},
        "log": {"level": "warning"},
    }


def broker() -> Mosquitto:
    folder = Path(tempfile.mkdtemp(prefix="ts2mqtt-bench-"))
    return Mosquitto(folder, options=["max_queued_messages 0"])


async def _measure(program: Watched, observer: Observer, rigs: Sequence[HostedRig], interval_s: float) -> Cost:
    began = time.monotonic()
    expected = len(rigs) * MESSAGES_A_RIG
    async with asyncio.timeout(_PATIENCE_S):
        while len(_of_rigs(observer)) < expected:
            await asyncio.sleep(0.02)
    cold_s, cold_wall_s = program.cpu_s, time.monotonic() - began
    # The interval in which the cold pass ended is left out: it may hold a part of it.
    await asyncio.sleep(interval_s)
    before, asked = program.cpu_s, _asked(rigs)
    await asyncio.sleep(_STEADY_PASSES * interval_s)
    passes = (_asked(rigs) - asked) / (LIVE_REQUESTS * len(rigs))
    return Cost(cold_s, cold_wall_s, (program.cpu_s - before) / passes, program.resident_mb)


def _of_rigs(observer: Observer) -> list[str]:
    return [topic for topic in observer.held if topic.startswith(("ts2mqtt/rig_", "homeassistant/device/"))]


def _asked(rigs: Sequence[HostedRig]) -> int:
    return sum(rig.requests.total() for rig in rigs)


async def run(counts: Sequence[int]) -> None:
    alone, messages = await measure_bridge(1, 5.0)
    floor_alone = await measure_floor(1, 5.0, messages)
    print("| rigs | cold: floor, CPU ms a rig | bridge | ratio | steady: floor, CPU ms a rig | bridge | ratio | MB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for count in counts:
        interval_s = max(5.0, count * 0.08)
        cold, steady = [], []
        for _ in range(ROUNDS):
            bridge, messages = await measure_bridge(count, interval_s)
            floor = await measure_floor(count, interval_s, messages)
            cold.append(((floor.cold_s - floor_alone.cold_s) / (count - 1), (bridge.cold_s - alone.cold_s) / (count - 1)))
            steady.append((floor.steady_s / count, bridge.steady_s / count))
        print(json.dumps([count, cold, steady, bridge.resident_mb, floor.resident_mb, bridge.cold_wall_s]), flush=True)


if __name__ == "__main__":
    import sys

    asyncio.run(run([int(word) for word in sys.argv[1:]]))
