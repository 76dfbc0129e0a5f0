"""The weather of a simulated night: the seeing, and the time of clouds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from ts2mqtt.simulator.random_numbers import random_numbers

if TYPE_CHECKING:
    from datetime import datetime

    from ts2mqtt.simulator.sky import Night

# Upper bounds of one random number: one night in five is cloudy, three in ten are partly cloudy.
_CLOUDY_BELOW, _PARTLY_CLOUDY_BELOW = 0.2, 0.5
# Of a night with passing clouds that is shown on purpose: after an hour or two of imaging, and not until dawn.
_SHOWN_FROM, _SHOWN_FOR = 0.25, 0.2


class Clouds(Enum):
    """Whether a night has clouds: by chance, none, or some that pass."""

    BY_CHANCE = auto()
    NONE = auto()
    PASSING = auto()


@dataclass(frozen=True, slots=True)
class Weather:
    """Seeing in arc seconds, and the time of clouds; `clouds_from` equals `clouds_until` on a clear night."""

    seeing_arcsec: float
    clouds_from: datetime
    clouds_until: datetime

    def is_cloudy(self, at: datetime) -> bool:
        return self.clouds_from <= at < self.clouds_until


def night_weather(seed: int, night: Night, clouds: Clouds = Clouds.BY_CHANCE) -> Weather:
    """The weather of this night; the same for the same arguments."""
    numbers = random_numbers(seed, "weather", night.dusk.date())
    seeing = numbers.uniform(1.6, 3.0)
    number = numbers.random()
    length = night.dawn - night.dusk
    if clouds is Clouds.PASSING:
        begin = night.dusk + length * _SHOWN_FROM
        return Weather(seeing, begin, begin + length * _SHOWN_FOR)
    if clouds is Clouds.BY_CHANCE and number < _CLOUDY_BELOW:
        return Weather(seeing, night.dusk, night.dawn)
    if clouds is Clouds.BY_CHANCE and number < _PARTLY_CLOUDY_BELOW:
        begin = night.dusk + length * numbers.uniform(0.0, 0.8)
        return Weather(seeing, begin, min(begin + length * numbers.uniform(0.1, 0.6), night.dawn))
    return Weather(seeing, night.dusk, night.dusk)
