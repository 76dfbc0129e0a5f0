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


async def cold_of_bridge(count: int) -> tuple[Cold, list[Retained]]:
    """And what it published: the floor publishes the same."""
    async with hosting_site(count) as site, watched.bridge(site, _NEVER_S) as program:
        cold = await _cold(program, site)
        held = site.observer.held
        return cold, [Retained(topic=topic, payload=payload.decode()) for topic, payload in held.items()]


async def cold_of_floor(count: int, messages: list[Retained]) -> Cold:
    async with hosting_site(count) as site, watched.floor(site, _NEVER_S, messages) as program:
        return await _cold(program, site)


async def steady_of_bridge(count: int) -> float:
    interval_s = _interval_s(count)
    async with hosting_site(count) as site, watched.bridge(site, interval_s) as program:
        return await _steady(program, site, interval_s)


async def steady_of_floor(count: int, messages: list[Retained]) -> float:
    interval_s = _interval_s(count)
    async with hosting_site(count) as site, watched.floor(site, interval_s, messages) as program:
        return await _steady(program, site, interval_s)


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


@dataclass(frozen=True, slots=True)
class _Round:
    """Floor and bridge, measured one after the other: what else the machine does falls on both."""

    cold: tuple[Cold, Cold]
    steady_cpu_s: tuple[float, float]


async def measure(counts: Sequence[int], rounds: int) -> str:
    """The first row, of one rig, is with the start of the process; the others are without."""
    starts = [await _round(1) for _ in range(rounds)]
    rows = [_row(1, _Start(), starts)]
    rows += [
        _row(count, _start(starts), [await _round(count) for _ in range(rounds)]) for count in counts if count > 1
    ]
    return table(
        (
            *("rigs", "cold, CPU ms a rig: floor", "bridge", "ratio", "wall s: floor", "bridge"),
            *("steady, CPU ms a rig: floor", "bridge", "ratio", "MB: floor", "bridge", "kB a rig", "a target"),
        ),
        rows,
    )


async def _round(count: int) -> _Round:
    bridge, messages = await cold_of_bridge(count)
    cold = await cold_of_floor(count, messages), bridge
    of_bridge = await steady_of_bridge(count)
    return _Round(cold, (await steady_of_floor(count, messages), of_bridge))


@dataclass(frozen=True, slots=True)
class _Start:
    """What the first rig costs with the start of the process, for the others to be told without."""

    rigs: int = 0
    cpu_s: tuple[float, float] = (0.0, 0.0)
    resident_mb: float = 0.0


def _start(starts: Sequence[_Round]) -> _Start:
    floor_s, bridge_s = (min(one.cold[which].cpu_s for one in starts) for which in range(2))
    return _Start(1, (floor_s, bridge_s), min(one.cold[1].resident_mb for one in starts))


def _row(count: int, start: _Start, measured: Sequence[_Round]) -> tuple[object, ...]:
    cold_floor, cold_bridge = (
        [(one.cold[which].cpu_s - start.cpu_s[which]) / (count - start.rigs) for one in measured]
        for which in range(2)
    )
    steady_floor, steady_bridge = ([one.steady_cpu_s[which] / count for one in measured] for which in range(2))
    kb_a_rig = [1e3 * (one.cold[1].resident_mb - start.resident_mb) / (count - start.rigs) for one in measured]
    return (
        count,
        *Spread.beside(cold_floor, cold_bridge, 1e3),
        *(Spread([one.cold[which].wall_s for one in measured]) for which in range(2)),
        *Spread.beside(steady_floor, steady_bridge, 1e3),
        *(Spread([one.cold[which].resident_mb for one in measured]) for which in range(2)),
        Spread(kb_a_rig),
        Spread([one / TARGETS for one in kb_a_rig]),
    )
