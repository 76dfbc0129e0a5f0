"""The simulated rig: by night it slews, focuses and exposes what the planner chooses, under a sky with clouds."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ts2mqtt.simulator.chance import chance
from ts2mqtt.simulator.planner import Choice, Planner, wanted_now
from ts2mqtt.simulator.sky import Night, Sky
from ts2mqtt.simulator.weather import Weather, weather_of

if TYPE_CHECKING:
    from random import Random

    from ts2mqtt.simulator.entities import ImageFields, SimulatedTarget
    from ts2mqtt.simulator.observatory import SimulatedObservatory

_NOTHING_TO_DO = timedelta(minutes=5)
_AFTER_DAWN = timedelta(hours=1)
_FOCUS_EVERY = timedelta(hours=1)
_NO_NIGHT = timedelta(days=1)
_SPOILED_SHARE = 0.04
_PIXEL_SCALE_ARCSEC = 1.4
_WORST_AIRMASS_FACTOR = 1.7


class Rig:
    """One telescope at work from dusk to dawn."""

    def __init__(self, observatory: SimulatedObservatory, start: datetime) -> None:
        self.wakes = start
        self._observatory = observatory
        self._session: _Session | None = None

    @property
    def is_imaging(self) -> bool:
        return self._session is not None and self._session.pointed_at is not None

    def act(self) -> None:
        at = self.wakes
        if self._session is not None and at >= self._session.night.dawn:
            self._session.finish_exposure(at)
            self._session = None
            # Past the dusk search's own uncertainty, or the same night would begin again.
            at += _AFTER_DAWN
        if self._session is not None:
            self.wakes = self._session.act(at)
            return
        sky = Sky(self._observatory.active_profile.site or self._observatory.site)
        night = sky.night_from(at)
        if night is None:
            self.wakes = at + _NO_NIGHT
            return
        self._session = _Session(self._observatory, sky, night)
        self.wakes = night.dusk


class _Session:
    """One night of the rig."""

    def __init__(self, observatory: SimulatedObservatory, sky: Sky, night: Night) -> None:
        self.night = night
        self.pointed_at: SimulatedTarget | None = None
        self._observatory = observatory
        self._sky = sky
        self._planner = Planner(sky, wanted_now)
        self._numbers = chance(observatory.seed, "night", night.dusk.date())
        self._weather = weather_of(observatory.seed, night)
        self._focused = night.dusk - _FOCUS_EVERY
        self._exposing: Choice | None = None
        self._exposures = 0

    def act(self, at: datetime) -> datetime:
        """Do what is due; when there is something to do again."""
        if self._exposing is not None:
            return self.finish_exposure(at)
        if self._weather.cloudy(at):
            self.pointed_at = None
            return self._weather.clouds_until
        choice = self._planner.choose(self._observatory.active_profile, at)
        if choice is None:
            self.pointed_at = None
            return min(at + _NOTHING_TO_DO, self.night.dawn)
        return self._work_on(choice, at)

    def _work_on(self, choice: Choice, at: datetime) -> datetime:
        """Point, focus, expose: the first of these that is due."""
        if choice.target is not self.pointed_at:
            self.pointed_at = choice.target
            return at + self._seconds(60, 140)
        if at - self._focused >= _FOCUS_EVERY:
            self._focused = at
            return at + self._seconds(90, 150)
        end = at + choice.duration
        if end > self.night.dawn:
            self.pointed_at = None
            return self.night.dawn
        self._exposing = choice
        return end

    def finish_exposure(self, at: datetime) -> datetime:
        """Save the image of the exposure that ends now; when the camera is ready for the next."""
        choice, self._exposing = self._exposing, None
        if choice is None:
            return at
        measured = _measured(self._numbers, self._weather, self._altitude(choice.target, at))
        if self._known(choice):
            self._observatory.acquire(choice.target, choice.plan_index, **measured)
            self._planner.took(choice)
        self._exposures += 1
        dither = choice.project.dither_every
        settling = self._seconds(10, 20) if dither and self._exposures % dither == 0 else timedelta()
        return at + self._seconds(2, 5) + settling

    def _known(self, choice: Choice) -> bool:
        """Whether somebody has deleted the target or the exposure plan during the exposure."""
        return choice.target in self._observatory.targets() and choice.plan_index < len(choice.target.exposure_plans)

    def _altitude(self, target: SimulatedTarget, at: datetime) -> float:
        return self._sky.altitude(target.ra_hours, target.dec_deg, at)

    def _seconds(self, least: float, most: float) -> timedelta:
        return timedelta(seconds=round(self._numbers.uniform(least, most), 1))


def _measured(numbers: Random, weather: Weather, altitude_deg: float) -> ImageFields:
    """What an image looks like: softer through more air, and now and then spoiled by wind."""
    airmass = 1 / math.sin(math.radians(max(altitude_deg, 10.0)))
    softness: float = airmass**0.6 * numbers.gauss(1.0, 0.06)
    spoiled = numbers.random() < _SPOILED_SHARE
    fwhm = weather.seeing_arcsec * softness * (1.4 if spoiled else 1.0)
    eccentricity = 0.36 + 0.06 * (airmass - 1) + numbers.gauss(0.0, 0.03) + (0.25 if spoiled else 0.0)
    return {
        "hfr": round(fwhm / _PIXEL_SCALE_ARCSEC, 3),
        "fwhm": round(fwhm, 3),
        "eccentricity": round(min(max(eccentricity, 0.05), 0.95), 3),
        "good": not spoiled and softness < _WORST_AIRMASS_FACTOR,
    }
