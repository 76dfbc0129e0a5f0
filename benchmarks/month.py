"""A month of changing weather under the look policy, and under a full look every 30 s: by kind of night.

Each night counts from noon to noon. The weather is the simulator's; a night without an exposure in a clear sky is one
for which nothing was planned.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from benchmarks.requests import DELAY_HEADS, FULL_LOOK_S, told_delays, watched
from benchmarks.tables import table
from tests.support.night_delays import database_times, delays_by_image, images_saved
from ts2mqtt.simulator.busy_observatory import busy_observatory
from ts2mqtt.simulator.sky import Sky
from ts2mqtt.simulator.weather import night_weather

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.support.night_delays import Saved
    from tests.support.simulated_night import WatchedRig
    from ts2mqtt.simulator.observatory import SimulatedObservatory

_NOON = datetime(2026, 1, 10, 17, tzinfo=UTC)
_SEED = 7
_DAYS = 30
_EVERY_NIGHT = "all"
_HEADS = ("nights", "number", "exposures", "bridge", "to the database", "ratio", *DELAY_HEADS)


def measure(days: int | None = None) -> str:
    days = days or _DAYS
    end = _NOON + timedelta(days=days)
    saved = images_saved(_observatory(), end - timedelta(minutes=5))
    kinds = _kinds_of_nights(days, Counter(_night(image.time) for image in saved))
    bridges = {
        name: _Watched(watched(_observatory(), end, full_look_s), saved)
        for name, full_look_s in (("full look", FULL_LOOK_S), ("ts2mqtt", None))
    }
    rows: list[Sequence[object]] = []
    for kind in (*dict.fromkeys(kinds.values()), _EVERY_NIGHT):
        nights = [night for night, its_kind in kinds.items() if kind in (its_kind, _EVERY_NIGHT)]
        full = bridges["full look"].asked_in(nights)
        for name, bridge in bridges.items():
            late, asked = bridge.late_in(nights), bridge.asked_in(nights)
            rows.append((kind, len(nights), len(late), name, asked, f"{asked / full:.2f}", *told_delays(late)))
    return table(_HEADS, rows)


class _Watched:
    """What a bridge asked for in each night, and how late its exposures were told."""

    def __init__(self, rig: WatchedRig, saved: Iterable[Saved]) -> None:
        self._asked = Counter(map(_night, database_times(rig)))
        self._late: defaultdict[int, list[float]] = defaultdict(list)
        for image, late in delays_by_image(saved, rig):
            self._late[_night(image.time)].append(late)

    def asked_in(self, nights: Iterable[int]) -> int:
        return sum(self._asked[night] for night in nights)

    def late_in(self, nights: Iterable[int]) -> list[float]:
        return [late for night in nights for late in self._late[night]]


def _observatory() -> SimulatedObservatory:
    return busy_observatory(seed=_SEED, start=_NOON)


def _kinds_of_nights(days: int, exposures: Mapping[int, int]) -> dict[int, str]:
    sky = Sky(_observatory().site)
    kinds = {}
    for number in range(days):
        night = sky.night_from(_NOON + timedelta(days=number))
        assert night is not None
        weather = night_weather(_SEED, night)
        clouds = (weather.clouds_until - weather.clouds_from) / (night.dawn - night.dusk)
        if clouds:
            kinds[number] = "clouds all night" if clouds == 1 else "clouds for some hours"
        else:
            kinds[number] = "clear" if exposures.get(number) else "nothing planned"
    return kinds


def _night(time: datetime) -> int:
    return (time - _NOON) // timedelta(days=1)
