"""Simulated nights with the live events of N.I.N.A., and the same nights without: how soon the broker has what."""

from __future__ import annotations

import asyncio
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import live_waits
from benchmarks.tables import table
from tests.support.live_delays import end_delays, exposure_delays, played_nights, start_delays
from tests.support.night_delays import share

if TYPE_CHECKING:
    from collections.abc import Sequence


_HEADS = ("", "number", "delay, s: median", "95 %", "most")


def measure(nights: int) -> str:
    """In simulated time, with a whole bridge, from what the simulator knows to a client of the broker.

    In the end, in real time, for how long N.I.N.A. waits.
    """
    return f"{heard(nights)}\n{polled(nights)}\n{asyncio.run(live_waits.measure())}"


def heard(nights: int) -> str:
    recorded, site = played_nights(nights)
    starts = start_delays(site)
    rows = (
        _row("a target, after N.I.N.A. has announced it", starts.seconds),
        _row("the end of imaging, after N.I.N.A. has told it", end_delays(site)),
        _row("an exposure, after it is in the database", exposure_delays(recorded, site.events)),
    )
    return (
        f"{nights} nights with live events: {len(site.api.requests)} requests; {starts.not_told} targets announced "
        f"and not told, {starts.untrue} told and not announced\n\n{table(_HEADS, rows)}"
    )


def polled(nights: int) -> str:
    recorded, site = played_nights(nights, hears=False)
    rows = (_row("an exposure, after it is in the database", exposure_delays(recorded, site.events)),)
    return f"{nights} nights without: {len(site.api.requests)} requests\n\n{table(_HEADS, rows)}"


def _row(name: str, delays: Sequence[float]) -> Sequence[object]:
    if not delays:
        return name, 0, "", "", ""
    return name, len(delays), *(f"{value:.1f}" for value in (median(delays), share(delays, 95), max(delays)))
