"""What a night has brought: exposures and integration time, by target and filter, from local noon to noon."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import fsum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from ts2mqtt.observatory.exposures import Gain


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterTally:
    """Numbers of exposures through one filter, and seconds of acquired integration."""

    filter: str | None
    acquired: int = 0
    accepted: int = 0
    integration_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetTally:
    id: str
    name: str
    filters: tuple[FilterTally, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Everything since the noon before the night that began on `night`."""

    night: date
    targets: tuple[TargetTally, ...] = ()

    @property
    def exposures_acquired(self) -> int:
        return sum(row.acquired for target in self.targets for row in target.filters)

    @property
    def exposures_accepted(self) -> int:
        return sum(row.accepted for target in self.targets for row in target.filters)

    @property
    def integration_s(self) -> float:
        return fsum(row.integration_s for target in self.targets for row in target.filters)


def add(tally: Tally, gains: Iterable[Gain]) -> Tally:
    """The tally with these gains in it; targets and filters in the order of their first gain."""
    for gain in gains:
        if gain.acquired or gain.accepted:
            tally = _add_one(tally, gain)
    return tally


def _add_one(tally: Tally, gain: Gain) -> Tally:
    target = gain.step.place.target
    rows = {row.id: row for row in tally.targets}
    row = rows.get(target.id) or TargetTally(id=target.id, name=target.name)
    filters = {entry.filter: entry for entry in row.filters}
    plan = gain.step.after
    entry = filters.get(plan.filter) or FilterTally(filter=plan.filter)
    filters[plan.filter] = replace(
        entry,
        acquired=entry.acquired + gain.acquired,
        accepted=entry.accepted + gain.accepted,
        integration_s=entry.integration_s + gain.acquired * (plan.exposure_s or 0.0),
    )
    rows[target.id] = replace(row, name=target.name, filters=tuple(filters.values()))
    return replace(tally, targets=tuple(rows.values()))
