"""How near `nights_left` comes: simulated seasons of changing weather, told noon by noon, against what came."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from benchmarks.tables import table
from tests.support.night_delays import share
from tests.support.season import season
from ts2mqtt.topics.names import PROJECT, TARGET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.season import Forecast

_NIGHTS = 120
_SPANS = (("1 to 3 nights to go", range(1, 4)), ("4 or more", range(4, 1_000)))


def measure(nights: int | None = None, seeds: Sequence[int] = (1, 2, 3)) -> str:
    nights = nights or _NIGHTS
    rows = []
    for kind in (TARGET, PROJECT):
        forecasts = [one for seed in seeds for one in season(seed, nights)[kind]]
        rows += [_row(f"{kind}s", forecasts)]
        rows += [_row(f"{kind}s, {few}", [one for one in forecasts if one.came in span]) for few, span in _SPANS]
    heads = ("", "forecasts", "median error", "95 % within", "median of forecast less truth", "completed in range")
    return f"{len(seeds)} seasons of {nights} nights\n\n{table(heads, rows)}"


def _row(name: str, forecasts: Sequence[Forecast]) -> Sequence[object]:
    if not forecasts:
        return (name, 0, "", "", "", "")
    errors = [abs(one.error) for one in forecasts]
    return (
        name,
        len(forecasts),
        f"{median(errors):g}",
        f"{share(errors, 95):g}",
        f"{median(one.error for one in forecasts):+g}",
        f"{sum(one.is_in_range for one in forecasts) / len(forecasts):.0%}",
    )
