"""Simulated nights with the live events of N.I.N.A., and the same nights without: how soon things are told."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from tests.support.live_delays import end_delays, exposure_delays, played_nights, start_delays
from tests.support.night_delays import share

if TYPE_CHECKING:
    from collections.abc import Sequence


def measure(nights: int) -> str:
    """In simulated time up to the bridge's inbox; what the broker takes is another benchmark."""
    recorded, rig = played_nights(nights)
    polled_recorded, polled = played_nights(nights, hears=False)
    rows = (
        ("target told after its announcement", start_delays(rig)),
        ("end of imaging told after N.I.N.A. tells it", end_delays(rig)),
        ("exposure told after it is counted", exposure_delays(recorded, rig)),
        ("the same when polled", exposure_delays(polled_recorded, polled)),
    )
    lines = [f"{nights} nights; {len(rig.api.requests)} requests, {len(polled.api.requests)} when polled", ""]
    lines += ["| | number | median s | 95 % s | longest s |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *(_row(name, delays) for name, delays in rows)]) + "\n"


def _row(name: str, delays: Sequence[float]) -> str:
    if not delays:
        return f"| {name} | 0 | | | |"
    return f"| {name} | {len(delays)} | {median(delays):.2f} | {share(delays, 95):.2f} | {max(delays):.2f} |"
