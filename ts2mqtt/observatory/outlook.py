"""How many clear nights a target or project still takes, judged by the nights of late in which it was imaged."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from statistics import median
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import date

    from ts2mqtt.observatory.night_report import NightReport

MOST_NIGHTS = 30
"""So many nights of a target are remembered."""

_JUDGED, _FEWEST = 10, 3


@dataclass(frozen=True, slots=True)
class NightGained:
    """A night in which a target was imaged, and the seconds of integration that it got."""

    night: date
    integration_s: float


History: TypeAlias = "Mapping[str, tuple[NightGained, ...]]"
"""By target id, the latest last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """`nights_left` like those of late; completed between `earliest` and `latest`, None where nothing is left."""

    nights_left: int
    earliest: date | None = None
    latest: date | None = None


def recorded(history: History, report: NightReport, known: Collection[str]) -> History:
    """The history of the targets that are `known`, with a night that is over instead of what was told of it."""
    kept = {target_id: nights for target_id, nights in history.items() if target_id in known}
    for target in report.targets:
        earlier = [one for one in kept.get(target.id, ()) if one.night != report.night]
        nights = sorted((*earlier, NightGained(report.night, target.integration_s)), key=lambda one: one.night)
        kept[target.id] = tuple(nights[-MOST_NIGHTS:])
    return kept


def together(histories: Iterable[tuple[NightGained, ...]]) -> tuple[NightGained, ...]:
    """What several targets gained, night by night."""
    sums: defaultdict[date, float] = defaultdict(float)
    for history in histories:
        for one in history:
            sums[one.night] += one.integration_s
    return tuple(NightGained(night, sums[night]) for night in sorted(sums))


def outlook(nights: tuple[NightGained, ...], to_image_s: float, tonight: date) -> Outlook | None:
    """None with fewer than three nights to judge by; `to_image_s` is the integration that is still to be imaged.

    A night gives the median of the last ten. The earliest end uses every night from tonight on, the latest as few of
    them as in the time of those ten.
    """
    if to_image_s <= 0:
        return Outlook(nights_left=0)
    judged = [one for one in nights if one.integration_s > 0][-_JUDGED:]
    if len(judged) < _FEWEST:
        return None
    nights_left = ceil(to_image_s / median(one.integration_s for one in judged))
    days = max(len(judged), (tonight - judged[0].night).days)
    return Outlook(
        nights_left=nights_left,
        earliest=_after(tonight, nights_left - 1),
        latest=_after(tonight, ceil(nights_left * days / len(judged)) - 1),
    )


def _after(night: date, days: int) -> date | None:
    try:
        return night + timedelta(days=days)
    except OverflowError:
        return None
