"""Simulated nights with the live events of N.I.N.A., and the same nights without: how soon the broker has what."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import live_waits
from benchmarks.requests import FULL_LOOK_S, watched
from benchmarks.tables import table
from tests.support.live_delays import (
    START,
    end_delays,
    exposure_delays,
    played_nights,
    recorded_observatory,
    start_delays,
)
from tests.support.night_delays import WITHOUT_DATABASE, kind_of, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.api_in_memory import RequestInMemory


_HEADS = ("", "number", "delay, s: median", "95 %", "most")


def measure(nights: int) -> str:
    """In simulated time, with a whole bridge, from what the simulator knows to a client of the broker.

    In the end, in real time, for how long N.I.N.A. waits.
    """
    return f"{heard(nights)}\n{polled(nights)}\n{looked_fully(nights)}\n{asyncio.run(live_waits.measure())}"


def heard(nights: int) -> str:
    recorded, site = played_nights(nights)
    starts = start_delays(site)
    rows = (
        _row("a target, after N.I.N.A. has announced it", starts.seconds),
        _row("the end of imaging, after N.I.N.A. has told it", end_delays(site)),
        _row("an exposure, after it is in the database", exposure_delays(recorded, site.events)),
    )
    return (
        f"{nights} nights with live events: {_asked(site.api.requests)}; {starts.not_told} targets announced "
        f"and not told, {starts.untrue} told and not announced\n\n{table(_HEADS, rows)}"
    )


def polled(nights: int) -> str:
    recorded, site = played_nights(nights, hears=False)
    rows = (_row("an exposure, after it is in the database", exposure_delays(recorded, site.events)),)
    return f"{nights} nights without: {_asked(site.api.requests)}\n\n{table(_HEADS, rows)}"


def looked_fully(nights: int) -> str:
    """Under a full look every 30 s, without a broker."""
    rig = watched(recorded_observatory()[0], START + timedelta(days=nights), FULL_LOOK_S)
    return f"{nights} nights with a full look: {_asked(rig.api.requests)}\n"


def _asked(requests: Sequence[RequestInMemory]) -> str:
    to_database = sum(kind_of(request.path) not in WITHOUT_DATABASE for request in requests)
    return f"{len(requests)} requests, {to_database} to the database"


def _row(name: str, delays: Sequence[float]) -> Sequence[object]:
    if not delays:
        return name, 0, "", "", ""
    return name, len(delays), *(f"{value:.1f}" for value in (median(delays), share(delays, 95), max(delays)))
