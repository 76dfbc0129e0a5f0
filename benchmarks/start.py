"""How long it takes to start, and what one rig costs at rest."""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from benchmarks import watched
from benchmarks.floor import Retained
from benchmarks.hosting_site import HostingSite, hosting_site
from benchmarks.passes import OF_THE_BRIDGE
from benchmarks.rig_server import MESSAGES
from benchmarks.tables import Spread, table

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from benchmarks.watched import Watched

_INTERVAL_S = 30.0
_RESTING_S = 4 * _INTERVAL_S
_PATIENCE_S = 120.0
_STATUS = "ts2mqtt/status"


async def measure(rounds: int) -> str:
    """The floor of `--version` is an interpreter that does nothing."""
    floor_version, bridge_version = [], []
    for _ in range(rounds * 3):
        floor_version.append(_ended("-c", "pass"))
        bridge_version.append(_ended("-m", "ts2mqtt", "--version"))
    floors, bridges = [], []
    for _ in range(rounds):
        async with hosting_site(1) as site:
            bridges.append(await _online(site, watched.bridge(site, _INTERVAL_S)))
        async with hosting_site(1) as site:
            online = [Retained(topic=_STATUS, payload="online")]
            floors.append(await _online(site, watched.floor(site, _INTERVAL_S, online)))
    return table(
        ("start", "floor", "bridge", "ratio"),
        (
            ("`--version`, CPU ms", *_beside(floor_version, bridge_version, 0)),
            ("`--version`, wall ms", *_beside(floor_version, bridge_version, 1)),
            ("to `online`, CPU ms", *_beside(floors, bridges, 0)),
            ("to `online`, wall ms", *_beside(floors, bridges, 1)),
        ),
    ) + await _rest(rounds)


def _beside(
    floors: list[tuple[float, float]], bridges: list[tuple[float, float]], index: int, unit: float = 1e3
) -> tuple[Spread, Spread, Spread]:
    return Spread.beside([pair[index] for pair in floors], [pair[index] for pair in bridges], unit)


def _ended(*arguments: str) -> tuple[float, float]:
    """CPU and wall seconds of an interpreter's whole life."""
    before, began = _children_cpu_s(), time.perf_counter()
    subprocess.run((sys.executable, *arguments), check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
    return _children_cpu_s() - before, time.perf_counter() - began


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


async def _online(site: HostingSite, program: AbstractAsyncContextManager[Watched]) -> tuple[float, float]:
    """CPU and wall seconds from the start of the process to its `online`."""
    began = time.perf_counter()
    async with program as running:
        await site.observer.wait_until(lambda: site.observer.held.get(_STATUS) == b"online", patience_s=_PATIENCE_S)
        return running.cpu_s, time.perf_counter() - began


async def _rest(rounds: int) -> str:
    """With one rig of the usual size, at the default interval."""
    bridges, floors = [], []
    for _ in range(rounds):
        async with hosting_site(1) as site, watched.bridge(site, _INTERVAL_S) as program:
            bridges.append(await _resting(site, program))
            held = site.observer.held
            messages = [Retained(topic=topic, payload=payload.decode()) for topic, payload in held.items()]
        async with hosting_site(1) as site, watched.floor(site, _INTERVAL_S, messages) as program:
            floors.append(await _resting(site, program))
    rows = (
        (name, *_beside(floors, bridges, index, unit=1.0))
        for index, name in enumerate(("CPU, percent of a core", "MB resident"))
    )
    return "\n" + table(("at rest with one rig, every 30 s", "floor", "bridge", "ratio"), rows)


async def _resting(site: HostingSite, program: Watched) -> tuple[float, float]:
    await site.retained(MESSAGES + OF_THE_BRIDGE, _PATIENCE_S)
    await asyncio.sleep(_INTERVAL_S)
    before = program.cpu_s
    await asyncio.sleep(_RESTING_S)
    return 100 * (program.cpu_s - before) / _RESTING_S, program.resident_mb
