"""Fewer questions, quicker answers: simulated nights under the look policy, and under a full look every 30 s.

A table says for each kind of night how many requests open a database context at the rig, and how long it takes from
a saved exposure to the report of it. The simulator alone knows when an exposure was saved: it plays each night once
more, and nobody asks it anything. With `--picture FILE` the first night is drawn for docs/kind-to-the-rig.md.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from benchmarks.request_curves import curves
from benchmarks.tables import table
from tests.support.night_delays import database_requests, delays, images_saved, share
from tests.support.simulated_night import play, rig_under
from ts2mqtt.simulator.busy_observatory import busy_observatory
from ts2mqtt.simulator.sky import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.support.simulated_night import WatchedRig
    from ts2mqtt.simulator.observatory import SimulatedObservatory

_NOON = datetime(2026, 1, 10, 17, tzinfo=UTC)
"""Local noon at the demo's observatory."""

_MIDSUMMER = datetime(2026, 6, 20, 11, tzinfo=UTC)
_FAR_NORTH = Site(latitude_deg=65.0, longitude_deg=25.0)
_FULL_LOOK_S = 30.0
_HEADS = (
    "a day and night",
    "exposures",
    "bridge",
    "requests",
    "to the database",
    "ratio",
    "delay, s: median",
    "95 %",
    "most",
)


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    start: datetime
    observatory: Callable[[], SimulatedObservatory]
    days: int = 1

    @property
    def end(self) -> datetime:
        return self.start + timedelta(days=self.days)


def _busy(seed: int) -> Callable[[], SimulatedObservatory]:
    return lambda: busy_observatory(seed=seed, start=_NOON)


def _switching() -> SimulatedObservatory:
    """A clear night with eight targets, each complete after ten exposures."""
    start = _NOON.replace(hour=11)
    observatory = rig_under("clear", start)
    profile = observatory.add_profile("Refractor")
    for number in range(8):
        project = observatory.add_project(profile, f"Target {number}")
        target = observatory.add_target(project, f"Target {number}", ra_hours=(4.0 + number) % 24, dec_deg=35.0)
        observatory.add_exposure_plan(target, "Ha", exposure_s=300, desired=6)
        observatory.add_exposure_plan(target, "Lum", exposure_s=120, desired=10)
    return observatory


_KINDS = (
    _Kind("clear", _NOON, _busy(4)),
    _Kind("six hours of clouds", _NOON, _busy(8)),
    _Kind("clouds all night", _NOON, _busy(3)),
    _Kind("nothing planned", _MIDSUMMER, lambda: busy_observatory(seed=4, start=_MIDSUMMER, site=_FAR_NORTH)),
    _Kind("eight targets, one after the other", _NOON.replace(hour=11), _switching),
)


def measure(days: int | None, picture: Path | None) -> str:
    """`days`: of a series of days and nights that follows the table's nights."""
    kinds = list(_KINDS)
    if days:
        kinds.append(_Kind(f"{days} days and nights", _NOON, _busy(7), days))
    rows: list[Sequence[object]] = []
    for kind in kinds:
        before, after = _watched(kind, _FULL_LOOK_S), _watched(kind)
        if picture is not None and kind is _KINDS[0]:
            picture.write_bytes(curves(kind.start, before.api.requests, after.api.requests))
        saved = images_saved(kind.observatory(), kind.end - timedelta(minutes=5))
        full = database_requests(before)
        for name, watched in (("full look", before), ("ts2mqtt", after)):
            asked = database_requests(watched)
            late = delays(saved, watched)
            told = (
                (f"{statistics.median(late):.0f}", f"{share(late, 95):.0f}", f"{max(late):.0f}")
                if late
                else ("", "", "")
            )
            rows.append((kind.name, len(saved), name, len(watched.api.requests), asked, f"{asked / full:.2f}", *told))
    return table(_HEADS, rows)


def _watched(kind: _Kind, full_look_s: float | None = None) -> WatchedRig:
    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(kind.end)

    return play(kind.observatory(), script, full_look_s=full_look_s)
