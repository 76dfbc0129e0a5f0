"""Fewer questions, quicker answers: simulated nights under the look policy, and under a full look every 30 s.

A table says for each kind of night how many requests open a database context at the rig, and how long it takes from
a saved exposure to the report of it. The simulator alone knows when an exposure was saved: it plays each night once
more, and nobody asks it anything. With `--picture FILE` the first night is drawn for docs/kind-to-the-rig.md.
"""

from __future__ import annotations

import statistics
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from benchmarks.request_curves import curves
from benchmarks.tables import table
from tests.support.night_delays import WITHOUT_DATABASE, database_requests, delays, images_saved, kind_of, share
from tests.support.simulated_night import play, rig_under
from ts2mqtt.config import PollingConfig
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
FULL_LOOK_S = 30.0
DELAY_HEADS = ("delay, s: median", "95 %", "most")
_HEADS = ("a day and night", "exposures", "bridge", "requests", "to the database", "ratio", *DELAY_HEADS)
_REASON_HEADS = (
    "a day and night",
    "what a user edits",
    "exposures, while it images",
    "exposures, in pauses",
    "other lists",
    "statistics and plan",
    "sum",
)
_PAUSE = timedelta(minutes=10)
"""So long before and after an exposure a rig is taken to image."""


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
    reasons: list[Sequence[object]] = []
    for kind in kinds:
        before, after = watched(kind.observatory(), kind.end, FULL_LOOK_S), watched(kind.observatory(), kind.end)
        at_site = watched(kind.observatory(), kind.end, knows_site=True)
        if picture is not None and kind is _KINDS[0]:
            picture.write_bytes(curves(kind.start, before.api.requests, after.api.requests))
        saved = images_saved(kind.observatory(), kind.end - timedelta(minutes=5))
        full = database_requests(before)
        for name, rig in (("full look", before), ("ts2mqtt", after), ("ts2mqtt with site", at_site)):
            asked = database_requests(rig)
            late = told_delays(delays(saved, rig))
            rows.append((kind.name, len(saved), name, len(rig.api.requests), asked, f"{asked / full:.2f}", *late))
        reasons.append((kind.name, *_by_reason(after, [image.time for image in saved])))
    return f"{table(_HEADS, rows)}\nts2mqtt's requests to the database\n\n{table(_REASON_HEADS, reasons)}"


def watched(
    observatory: SimulatedObservatory, end: datetime, full_look_s: float | None = None, *, knows_site: bool = False
) -> WatchedRig:
    """The observatory up to `end`, under the look policy or under a full look every so many seconds."""

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(end)

    return play(observatory, script, full_look_s=full_look_s, knows_site=knows_site)


def told_delays(late: Sequence[float]) -> tuple[str, str, str]:
    """Median, 95 % and the latest; empty where nothing was to be told."""
    if not late:
        return "", "", ""
    return f"{statistics.median(late):.0f}", f"{share(late, 95):.0f}", f"{max(late):.0f}"


def _by_reason(rig: WatchedRig, saved: Sequence[datetime]) -> Sequence[int]:
    """A list that is read again before the edit interval is over is read for an exposure."""
    edits = timedelta(seconds=PollingConfig().edit_interval - 1)
    live = _live_paths(rig)
    read: dict[str, datetime] = {}
    reasons: Counter[str] = Counter()
    for request in rig.api.requests:
        kind, before = kind_of(request.path), read.get(request.path)
        read[request.path] = request.time
        if kind in WITHOUT_DATABASE:
            continue
        if kind not in ("projects", "targets"):
            reasons["statistics and plan"] += 1
        elif request.path not in live:
            reasons["other lists"] += 1
        elif before is None or request.time - before >= edits:
            reasons["what a user edits"] += 1
        else:
            at = bisect_left(saved, request.time)
            near = saved[max(0, at - 1) : at + 1]
            images = any(abs(request.time - time) < _PAUSE for time in near)
            reasons["exposures, while it images" if images else "exposures, in pauses"] += 1
    return [*(reasons[head] for head in _REASON_HEADS[1:-1]), reasons.total()]


def _live_paths(rig: WatchedRig) -> set[str]:
    """Of the lists of the active profile, and of its projects that are Active in the end."""
    observatory = rig.observatory
    profile = observatory.active_profile
    projects = {project.id for project in profile.projects if project.state == "Active"}
    return {f"/profiles/{profile.id}/projects", *(f"/projects/{project_id}/targets" for project_id in projects)}
