"""How sharp the images of a night were: half-flux radii, counted in little room, and their medians."""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING

from ts2mqtt.observatory.tree import find_target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ts2mqtt.observatory.live import LightFrame
    from ts2mqtt.observatory.model import Rig

MOST_VALUES = 40
"""So many different values are kept of one exposure plan; of more, two that are near become one."""

_DECIMALS = 2


@dataclass(frozen=True, slots=True)
class HfrCount:
    """How many images had this half-flux radius, in pixels."""

    hfr: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharpness:
    """The half-flux radii of the images of one exposure plan, from small to large.

    `key` is the exposure plan's, None for images that fit none of the target's plans or several.
    """

    target_id: str
    key: str | None
    counts: tuple[HfrCount, ...] = ()


def measured(known: tuple[Sharpness, ...], frame: LightFrame, rig: Rig) -> tuple[Sharpness, ...]:
    """What is known with one more image; the very same without a target or a star."""
    if frame.target_id is None or frame.hfr is None:
        return known
    of_plan = {(one.target_id, one.key): one for one in known}
    place = (frame.target_id, _plan_key(frame, rig))
    one = of_plan.get(place) or Sharpness(target_id=place[0], key=place[1])
    of_plan[place] = replace(one, counts=_with(one.counts, round(frame.hfr, _DECIMALS)))
    return tuple(of_plan.values())


def hfr_median(known: Iterable[Sharpness]) -> float | None:
    """The median in pixels of all these images together; None without one."""
    counts = sorted((count for one in known for count in one.counts), key=attrgetter("hfr"))
    total = sum(one.count for one in counts)
    if not total:
        return None
    return round((_at(counts, (total - 1) // 2) + _at(counts, total // 2)) / 2, _DECIMALS + 1)


def _plan_key(frame: LightFrame, rig: Rig) -> str | None:
    place = find_target(rig, frame.target_id) if frame.target_id else None
    plans = place.target.exposure_plans if place else ()
    keys = [plan.key for plan in plans if (plan.filter, plan.exposure_s) == (frame.filter, frame.exposure_s)]
    return keys[0] if len(keys) == 1 else None


def _with(counts: tuple[HfrCount, ...], hfr: float) -> tuple[HfrCount, ...]:
    of_value = {one.hfr: one.count for one in counts}
    of_value[hfr] = of_value.get(hfr, 0) + 1
    ordered = [HfrCount(value, of_value[value]) for value in sorted(of_value)]
    if len(ordered) > MOST_VALUES:
        at = min(range(len(ordered) - 1), key=lambda index: _shift(ordered[index], ordered[index + 1]))
        ordered[at : at + 2] = [_together(ordered[at], ordered[at + 1])]
    return tuple(ordered)


def _shift(one: HfrCount, other: HfrCount) -> float:
    """How far, and how many, images move when the two become one."""
    return (other.hfr - one.hfr) * (one.count + other.count)


def _together(one: HfrCount, other: HfrCount) -> HfrCount:
    count = one.count + other.count
    return HfrCount(round((one.hfr * one.count + other.hfr * other.count) / count, _DECIMALS), count)


def _at(counts: Iterable[HfrCount], index: int) -> float:
    """The value of the image that has so many before it."""
    for one in counts:
        index -= one.count
        if index < 0:
            return one.hfr
    raise IndexError(index)
