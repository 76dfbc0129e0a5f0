"""The weather of a simulated night: how steady the air is, and when clouds come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ts2mqtt.simulator.chance import chance

if TYPE_CHECKING:
    from datetime import datetime

    from ts2mqtt.simulator.sky import Night

_CLOUDED_OUT = 0.2
_PARTLY_CLOUDED = 0.5


@dataclass(frozen=True, slots=True)
class Weather:
    """Seeing in arc seconds, and clouds from one time to another (never, if the two are the same)."""

    seeing_arcsec: float
    clouds_from: datetime
    clouds_until: datetime

    def cloudy(self, at: datetime) -> bool:
        return self.clouds_from <= at < self.clouds_until


def weather_of(seed: int, night: Night) -> Weather:
    """One night in five is lost, three in ten lose a part."""
    numbers = chance(seed, "weather", night.dusk.date())
    seeing = numbers.uniform(1.6, 3.0)
    fortune = numbers.random()
    if fortune < _CLOUDED_OUT:
        return Weather(seeing, night.dusk, night.dawn)
    if fortune < _PARTLY_CLOUDED:
        length = night.dawn - night.dusk
        begin = night.dusk + length * numbers.uniform(0.0, 0.8)
        return Weather(seeing, begin, min(begin + length * numbers.uniform(0.1, 0.6), night.dawn))
    return Weather(seeing, night.dusk, night.dusk)
