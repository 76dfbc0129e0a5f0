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

_STEADY_PASSES = 3
_LEAST_INTERVAL_S, _SECONDS_A_RIG = 5.0, 0.08
_NEVER_S = 3_600.0
"""The bridge paces what it publishes: no second look shall fall into a cold pass."""

_PATIENCE_S = 900.0


@dataclass(frozen=True, slots=True)
class Cold:
    """The start with a cold pass."""

    cpu_s: float
    wall_s: float
    resident_mb: float


@dataclass(frozen=True, slots=True)
class Cost:
    cold: Cold
    steady_cpu_s: float


async def cost_of_bridge(count: int) -> tuple[Cost, list[Retained]]:
    """And what it published: the floor publishes the same."""
    async with hosting_site(count) as site, watched.bridge(site, _NEVER_S) as program:
        cold = await _cold(program, site)
        messages = [Retained(topic=topic, payload=payload.decode()) for topic, payload in site.observer.held.items()]
    interval_s = _interval_s(count)
    async with hosting_site(count) as site, watched.bridge(site, interval_s) as program:
        return Cost(cold, await _steady(program, site, interval_s)), messages


async def cost_of_floor(count: int, messages: list[Retained]) -> Cost:
    async with hosting_site(count) as site, watched.floor(site, _NEVER_S, messages) as program:
        cold = await _cold(program, site)
    interval_s = _interval_s(count)
    async with hosting_site(count) as site, watched.floor(site, interval_s, messages) as program:
        return Cost(cold, await _steady(program, site, interval_s))


def _interval_s(count: int) -> float:
    return max(_LEAST_INTERVAL_S, count * _SECONDS_A_RIG)


async def _cold(program: Watched, site: HostingSite) -> Cold:
    began = time.monotonic()
    await site.retained(len(site.urls) * MESSAGES + OF_THE_BRIDGE, _PATIENCE_S)
    return Cold(program.cpu_s, time.monotonic() - began, program.resident_mb)


async def _steady(program: Watched, site: HostingSite, interval_s: float) -> float:
    """CPU seconds of a pass, from an interval after everything is retained."""
    await site.retained(len(site.urls) * MESSAGES + OF_THE_BRIDGE, _PATIENCE_S)
    await asyncio.sleep(interval_s)
    await site.forget()
    before = program.cpu_s
    await asyncio.sleep(_STEADY_PASSES * interval_s)
    passes = (await site.counted()).requests / (LIVE_REQUESTS * len(site.urls))
    return (program.cpu_s - before) / passes


async def measure(counts: Sequence[int], rounds: int) -> str:
    """Both interleaved, so that what else the machine does falls on both."""
    alone = await _both(1, rounds)
    rows = [_row(count, alone, await _both(count, rounds)) for count in counts]
    return table(
        (
            *("rigs", "cold, CPU ms a rig: floor", "bridge", "ratio", "wall s: floor", "bridge"),
            *("steady, CPU ms a rig: floor", "bridge", "ratio", "MB: floor", "bridge", "kB a rig", "a target"),
        ),
        rows,
    )


async def _both(count: int, rounds: int) -> list[tuple[Cost, Cost]]:
    """Floor and bridge, so often."""
    both = []
    for _ in range(rounds):
        bridge, messages = await cost_of_bridge(count)
        both.append((await cost_of_floor(count, messages), bridge))
    return both


def _row(count: int, alone: list[tuple[Cost, Cost]], both: list[tuple[Cost, Cost]]) -> tuple[object, ...]:
    """Of a cold pass, what the rigs after the first cost: the start has figures of its own."""
    start_floor, start_bridge = (min(cost.cold.cpu_s for cost in some) for some in zip(*alone, strict=True))
    base_mb = min(bridge.cold.resident_mb for _, bridge in alone)
    cold_floor = [1e3 * (floor.cold.cpu_s - start_floor) / (count - 1) for floor, _ in both]
    cold_bridge = [1e3 * (bridge.cold.cpu_s - start_bridge) / (count - 1) for _, bridge in both]
    steady_floor = [1e3 * floor.steady_cpu_s / count for floor, _ in both]
    steady_bridge = [1e3 * bridge.steady_cpu_s / count for _, bridge in both]
    kb_a_rig = [1e3 * (bridge.cold.resident_mb - base_mb) / (count - 1) for _, bridge in both]
    return (
        count,
        Spread(cold_floor),
        Spread(cold_bridge),
        Spread.ratio(cold_bridge, cold_floor),
        Spread([floor.cold.wall_s for floor, _ in both]),
        Spread([bridge.cold.wall_s for _, bridge in both]),
        Spread(steady_floor),
        Spread(steady_bridge),
        Spread.ratio(steady_bridge, steady_floor),
        Spread([floor.cold.resident_mb for floor, _ in both]),
        Spread([bridge.cold.resident_mb for _, bridge in both]),
        Spread(kb_a_rig),
        Spread([one / TARGETS for one in kb_a_rig]),
    )
