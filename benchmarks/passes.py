"""Cold and steady pass, and how the costs of a rig grow with the number of rigs.

A cold pass ends when all is retained of R rigs of which nothing was known; in a steady one nothing has changed.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import watched
from benchmarks.floor import Retained
from benchmarks.hosting_site import HostingSite, hosting_site
from benchmarks.rig_server import LIVE_REQUESTS, MESSAGES, TARGETS
from benchmarks.tables import Spread, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.watched import Watched

OF_THE_BRIDGE = 3
"""Retained topics of the bridge itself: what it is, its status, its device."""

_STEADY_PASSES = 4
_LEAST_INTERVAL_S, _SECONDS_A_RIG = 5.0, 0.08
_PATIENCE_S = 900.0


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds of the start with a cold pass, its wall seconds, and CPU seconds of a steady pass."""

    cold_s: float
    cold_wall_s: float
    steady_s: float
    resident_mb: float
    longest_gap_s: float


async def cost_of_bridge(count: int, interval_s: float) -> tuple[Cost, list[Retained]]:
    """And what it published: the floor publishes the same."""
    async with hosting_site(count) as site, watched.bridge(site, interval_s) as program:
        cost = await _cost(program, site, interval_s)
        held = site.observer.held
        return cost, [Retained(topic=topic, payload=payload.decode()) for topic, payload in held.items()]


async def cost_of_floor(count: int, interval_s: float, messages: list[Retained]) -> Cost:
    async with hosting_site(count) as site, watched.floor(site, interval_s, messages) as program:
        return await _cost(program, site, interval_s)


async def _cost(program: Watched, site: HostingSite, interval_s: float) -> Cost:
    began, rigs = time.monotonic(), len(site.urls)
    await site.retained(rigs * MESSAGES + OF_THE_BRIDGE, _PATIENCE_S)
    cold_s, cold_wall_s = program.cpu_s, time.monotonic() - began
    # The interval in which the cold pass ended is left out: it may hold a part of it.
    await asyncio.sleep(interval_s)
    await site.forget()
    before = program.cpu_s
    await asyncio.sleep(_STEADY_PASSES * interval_s)
    counted = await site.counted()
    passes = counted.requests / (LIVE_REQUESTS * rigs)
    steady_s = (program.cpu_s - before) / passes
    return Cost(cold_s, cold_wall_s, steady_s, program.resident_mb, counted.longest_gap_s)


async def measure(counts: Sequence[int], rounds: int) -> str:
    """Both interleaved, so that what else the machine does falls on both."""
    alone: list[tuple[Cost, Cost]] = []
    rows = []
    for _ in range(rounds):
        bridge, messages = await cost_of_bridge(1, _LEAST_INTERVAL_S)
        alone.append((await cost_of_floor(1, _LEAST_INTERVAL_S, messages), bridge))
    for count in counts:
        interval_s = max(_LEAST_INTERVAL_S, count * _SECONDS_A_RIG)
        both: list[tuple[Cost, Cost]] = []
        for _ in range(rounds):
            bridge, messages = await cost_of_bridge(count, interval_s)
            both.append((await cost_of_floor(count, interval_s, messages), bridge))
        rows.append(_row(count, alone, both))
    return table(
        (
            *("rigs", "cold, CPU ms a rig: floor", "bridge", "ratio", "wall s: floor", "bridge"),
            *("steady, CPU ms a rig: floor", "bridge", "ratio", "MB: floor", "bridge", "kB a rig", "a target"),
        ),
        rows,
    )


def _row(count: int, alone: list[tuple[Cost, Cost]], both: list[tuple[Cost, Cost]]) -> tuple[object, ...]:
    """Of a cold pass, what the rigs after the first cost: the start has figures of its own."""
    start_floor, start_bridge = (min(cost.cold_s for cost in some) for some in zip(*alone, strict=True))
    base_mb = min(bridge.resident_mb for _, bridge in alone)
    cold_floor = [1e3 * (floor.cold_s - start_floor) / (count - 1) for floor, _ in both]
    cold_bridge = [1e3 * (bridge.cold_s - start_bridge) / (count - 1) for _, bridge in both]
    steady_floor = [1e3 * floor.steady_s / count for floor, _ in both]
    steady_bridge = [1e3 * bridge.steady_s / count for _, bridge in both]
    kb_a_rig = [1e3 * (bridge.resident_mb - base_mb) / (count - 1) for _, bridge in both]
    return (
        count,
        Spread(cold_floor),
        Spread(cold_bridge),
        Spread.ratio(cold_bridge, cold_floor),
        Spread([floor.cold_wall_s for floor, _ in both]),
        Spread([bridge.cold_wall_s for _, bridge in both]),
        Spread(steady_floor),
        Spread(steady_bridge),
        Spread.ratio(steady_bridge, steady_floor),
        Spread([floor.resident_mb for floor, _ in both]),
        Spread([bridge.resident_mb for _, bridge in both]),
        Spread(kb_a_rig),
        Spread([one / TARGETS for one in kb_a_rig]),
    )
