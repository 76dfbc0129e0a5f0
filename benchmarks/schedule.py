"""Whether many rigs are all looked at when it is time, at the default interval, on the cores of this machine.

The rigs' server, the broker and a subscriber that sees everything share them.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from benchmarks import watched
from benchmarks.floor import Retained
from benchmarks.hosting_site import hosting_site
from benchmarks.passes import OF_THE_BRIDGE
from benchmarks.rig_server import LIVE_REQUESTS, MESSAGES, STATE_TOPICS
from benchmarks.tables import Spread, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.hosting_site import HostingSite
    from benchmarks.watched import Watched

_INTERVAL_S = 30.0
_STATES_OF_THE_BRIDGE = OF_THE_BRIDGE - 1
_WATCHED_S = 4 * _INTERVAL_S
_PATIENCE_S, _PATIENCE_S_A_RIG = 600.0, 2.0
"""A rig's devices take up to 1.7 s, as the bridge waits for the broker and its subscribers."""

_MOST_FOR_THE_FLOOR = 1_000
"""It gets the messages in a file, and those of more rigs take gigabytes."""


async def measure(counts: Sequence[int], *, for_home_assistant: bool) -> str:
    """Without devices for Home Assistant all is published at once, where thousands of rigs take an hour with them."""
    rows = []
    for count in counts:
        async with (
            hosting_site(count) as site,
            watched.bridge(site, _INTERVAL_S, for_home_assistant=for_home_assistant) as program,
        ):
            rows.append((count, "bridge", *await _kept(site, program, for_home_assistant=for_home_assistant)))
            if count > _MOST_FOR_THE_FLOOR:
                continue
            held = site.observer.held
            messages = [Retained(topic=topic, payload=payload.decode()) for topic, payload in held.items()]
        async with hosting_site(count) as site, watched.floor(site, _INTERVAL_S, messages) as program:
            rows.append((count, "floor", *await _kept(site, program, for_home_assistant=for_home_assistant)))
    heads = (
        "all retained after s",
        "longest time between looks, s",
        "a look, CPU ms a rig",
        "percent of a core",
        "MB",
    )
    return table(("rigs", "program", *heads), rows)


async def _kept(site: HostingSite, program: Watched, *, for_home_assistant: bool) -> tuple[Spread, ...]:
    began, rigs = time.monotonic(), len(site.urls)
    topics = rigs * MESSAGES + OF_THE_BRIDGE if for_home_assistant else rigs * STATE_TOPICS + _STATES_OF_THE_BRIDGE
    await site.retained(topics, _PATIENCE_S + rigs * _PATIENCE_S_A_RIG)
    cold_s = time.monotonic() - began
    await asyncio.sleep(_INTERVAL_S)
    await site.forget()
    before, began = program.cpu_s, time.monotonic()
    await asyncio.sleep(_WATCHED_S)
    counted = await site.counted()
    cpu_s, wall_s = program.cpu_s - before, time.monotonic() - began
    looks = counted.requests / LIVE_REQUESTS
    figures = (cold_s, counted.longest_gap_s, 1e3 * cpu_s / looks, 100 * cpu_s / wall_s, program.resident_mb)
    return tuple(Spread([figure]) for figure in figures)
