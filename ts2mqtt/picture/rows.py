"""Turns a night plan into what the picture shows: a row for each target, the waits and the totals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from math import fsum
from typing import TYPE_CHECKING

from ts2mqtt.picture.filters import UNKNOWN, FilterLook, filter_look
from ts2mqtt.picture.lettering import clean

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from ts2mqtt.observatory.model import NightPlan, PlanBlock, PlannedExposures

# Times of an API that are far from the night (the year 1, the year 9999) are not drawn.
_DRAWN_BEFORE_NOON = timedelta(hours=12)
_DRAWN_AFTER_NOON = timedelta(hours=36)
_MAXIMUM_EXPOSURES = 1_000_000
_MAXIMUM_EXPOSURE_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Stripe:
    """A part of a block with one filter; `share` is its share of the block's time, 0 to 1."""

    look: FilterLook
    share: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A block of the plan in the row of its target; one that `is_dropped` cannot happen any more."""

    start: datetime
    end: datetime
    stripes: tuple[Stripe, ...]
    is_dropped: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A target with its blocks in the order of the plan, and its number of exposures by filter.

    A block that cannot happen any more is drawn, so that a gap in the night has a reason. It is not counted.
    """

    target_id: str
    name: str
    bars: tuple[Bar, ...]
    exposures: tuple[tuple[FilterLook, int], ...]


@dataclass(frozen=True, slots=True)
class Night:
    """A night plan as it is drawn; `waits` are the start and end of each time without a target."""

    rows: tuple[Row, ...]
    waits: tuple[tuple[datetime, datetime], ...]
    exposures: int
    integration_s: float


def night_of_plan(plan: NightPlan, zone: tzinfo | None) -> Night:
    """The plan as rows in the order in which their targets begin; all times in UTC."""
    noon = noon_of(plan, zone)
    blocks = [
        (block, max(start, noon - _DRAWN_BEFORE_NOON), min(max(start, end), noon + _DRAWN_AFTER_NOON))
        for block in plan.blocks
        for start, end in [(_in_utc(block.start, zone), _in_utc(block.end, zone))]
        if noon - _DRAWN_BEFORE_NOON <= max(start, end) and start <= noon + _DRAWN_AFTER_NOON
    ]
    blocks.sort(key=lambda placed: placed[1])
    by_target: dict[str, list[tuple[PlanBlock, datetime, datetime]]] = {}
    for block, start, end in blocks:
        if block.target_id is not None:
            by_target.setdefault(block.target_id, []).append((block, start, end))
    standing = [block for placed in by_target.values() for block, _, _ in placed if not block.dropped]
    runs = [run for block in standing for run in block.exposures]
    return Night(
        rows=tuple(_row(target_id, placed) for target_id, placed in by_target.items()),
        waits=_joined((start, end) for block, start, end in blocks if block.is_wait and start < end),
        exposures=sum(_count(run) for run in runs),
        integration_s=fsum(_count(run) * (_seconds(run) or 0.0) for run in runs),
    )


def noon_of(plan: NightPlan, zone: tzinfo | None) -> datetime:
    """Noon of the day on which the night begins, in UTC; `zone` None means the bridge's time zone."""
    return _in_utc(datetime.combine(plan.night, time(12)), zone)


def _joined(waits: Iterable[tuple[datetime, datetime]]) -> tuple[tuple[datetime, datetime], ...]:
    """Join waits that overlap or touch; they come sorted by their start."""
    joined: list[tuple[datetime, datetime]] = []
    for start, end in waits:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(joined)


def _row(target_id: str, placed: list[tuple[PlanBlock, datetime, datetime]]) -> Row:
    name = next((name for block, _, _ in placed if (name := clean(block.name or ""))), "Unnamed target")
    counts: dict[FilterLook, int] = {}
    for block, _, _ in placed:
        for run in block.exposures if not block.dropped else ():
            look = filter_look(run.filter)
            counts[look] = counts.get(look, 0) + _count(run)
    return Row(
        target_id,
        name,
        tuple(Bar(start, end, _stripes(block), block.dropped) for block, start, end in placed),
        tuple((look, count) for look, count in counts.items() if count),
    )


def _stripes(block: PlanBlock) -> tuple[Stripe, ...]:
    """A stripe for each run of exposures; runs with the same filter beside each other share a stripe.

    If the length of an exposure is unknown, all exposures count the same.
    """
    runs = [run for run in block.exposures if _count(run)]
    seconds = [_seconds(run) for run in runs]
    weights = [
        _count(run) * (each or 1.0) if all(seconds) else float(_count(run))
        for run, each in zip(runs, seconds, strict=True)
    ]
    total = fsum(weights)
    if not total:
        return (Stripe(UNKNOWN, 1.0),)
    stripes: list[Stripe] = []
    for run, weight in zip(runs, weights, strict=True):
        look = filter_look(run.filter)
        if stripes and stripes[-1].look == look:
            stripes[-1] = Stripe(look, stripes[-1].share + weight / total)
        else:
            stripes.append(Stripe(look, weight / total))
    return tuple(stripes)


def _count(run: PlannedExposures) -> int:
    return min(max(0, run.count), _MAXIMUM_EXPOSURES)


def _seconds(run: PlannedExposures) -> float | None:
    """The length of one exposure; None if it is unknown or impossible."""
    seconds = run.exposure_s
    return seconds if seconds is not None and 0 < seconds <= _MAXIMUM_EXPOSURE_S else None


def _in_utc(moment: datetime, zone: tzinfo | None) -> datetime:
    """The moment in UTC; without an offset it is local time of the zone."""
    try:
        return (moment if moment.tzinfo or not zone else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:  # the year 1 or 9999 is outside of Python's calendar in some zones
        return moment.replace(tzinfo=UTC)
