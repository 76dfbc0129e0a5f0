"""The simulated rig: at night it slews, focuses and exposes as the planner decides, and clouds interrupt it."""

from __future__ import annotations

import math
from collections import deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ts2mqtt.simulator.planner import NextExposure, Planner, remaining_exposures
from ts2mqtt.simulator.random_numbers import random_numbers
from ts2mqtt.simulator.rig_steps import CloudedOver, Counted, Evening, Exposing, NightOver, Preparing, Waiting
from ts2mqtt.simulator.sky import Night, Sky
from ts2mqtt.simulator.weather import Clouds, Weather, night_weather

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

    from ts2mqtt.simulator.observatory import SimulatedObservatory
    from ts2mqtt.simulator.rows import ImageFields, SimulatedTarget

_RETRY_AFTER = timedelta(minutes=5)
_AFTER_DAWN = timedelta(hours=1)
EVENING = timedelta(minutes=25)
"""So long before dusk somebody comes and starts the sequence."""
_FOCUS_INTERVAL = timedelta(hours=1)
_DAY = timedelta(days=1)
_BAD_IMAGE_SHARE = 0.04
_PIXEL_SCALE_ARCSEC = 1.4
_MAXIMUM_SOFTNESS = 1.7


class Rig:
    """One telescope, which images from dusk to dawn; an actor of the automation.

    `first_nights` are the clouds of the first nights, one after the other; those of later nights come by chance.
    """

    def __init__(
        self,
        observatory: SimulatedObservatory,
        start: datetime,
        *,
        first_nights: Iterable[Clouds] = (),
        evening: timedelta = EVENING,
    ) -> None:
        self.acts_at = start
        self._observatory = observatory
        self._coming_nights = deque(first_nights)
        self._evening = evening
        self._imaging_night: _ImagingNight | None = None

    @property
    def is_imaging(self) -> bool:
        return self._imaging_night is not None and self._imaging_night.target is not None

    def act(self) -> None:
        at = self.acts_at
        if self._imaging_night is not None and at >= self._imaging_night.night.dawn:
            self._imaging_night.finish_exposure(at)
            self._imaging_night = None
            self._observatory.note_step(NightOver(at=at))
            # The search for dusk is not exact: closer to dawn it would find the same night again.
            at += _AFTER_DAWN
        if self._imaging_night is not None:
            self.acts_at = self._imaging_night.act(at)
            return
        sky = Sky(self._observatory.active_profile.site or self._observatory.site)
        night = sky.night_from(at)
        if night is None:
            self.acts_at = at + _DAY
            return
        clouds = self._coming_nights.popleft() if self._coming_nights else Clouds.BY_CHANCE
        weather = night_weather(self._observatory.seed, night, clouds)
        self._imaging_night = _ImagingNight(self._observatory, sky, night, weather)
        self.acts_at = max(at, night.dusk - self._evening)


class _ImagingNight:
    """One night of the rig; `target` is the target that it slewed to, or None while nothing can be imaged."""

    def __init__(self, observatory: SimulatedObservatory, sky: Sky, night: Night, weather: Weather) -> None:
        self.night = night
        self.target: SimulatedTarget | None = None
        self._observatory = observatory
        self._sky = sky
        self._planner = Planner(sky, remaining_exposures)
        self._numbers = random_numbers(observatory.seed, "night", night.dusk.date())
        self._weather = weather
        self._last_focus = night.dusk - _FOCUS_INTERVAL
        self._current: Exposing | None = None
        self._exposure_count = 0
        self._is_prepared_for = False
        self._ready_at: datetime | None = None

    def act(self, at: datetime) -> datetime:
        """Do what is due at this time; returns the time of the next act."""
        if not self._is_prepared_for:
            self._is_prepared_for = True
            self._note_evening(at)
            if at < self.night.dusk:
                return self.night.dusk
        if self._current is not None:
            return self.finish_exposure(at)
        if self._weather.is_cloudy(at):
            self.target = self._ready_at = None
            until = self._weather.clouds_until
            self._observatory.note_step(CloudedOver(at=at, until=until, before_dawn=until < self.night.dawn))
            return until
        exposure = self._planner.next_exposure(self._observatory.active_profile, at)
        if exposure is None:
            self.target = None
            until = min(at + _RETRY_AFTER, self.night.dawn)
            self._note_waiting(at, until)
            return until
        self._ready_at = None
        return self._prepare_or_expose(exposure, at)

    def _prepare_or_expose(self, exposure: NextExposure, at: datetime) -> datetime:
        """Slew, focus or start the exposure, whichever is due first; returns the time when it is done."""
        if exposure.target is not self.target:
            self.target = exposure.target
            until = at + self._random_seconds(60, 140)
            self._observatory.note_step(Preparing(at=at, until=until, exposure=exposure, slews=True))
            return until
        if at - self._last_focus >= _FOCUS_INTERVAL:
            self._last_focus = at
            until = at + self._random_seconds(90, 150)
            self._observatory.note_step(Preparing(at=at, until=until, exposure=exposure, slews=False))
            return until
        end = at + exposure.duration
        if end > self.night.dawn:
            self.target = None
            self._observatory.note_step(Waiting(at=at, until=self.night.dawn, ready_at=None))
            return self.night.dawn
        measurements = _measurements(self._numbers, self._weather, self._altitude(exposure.target, end))
        self._current = Exposing(at=at, until=end, exposure=exposure, measurements=measurements)
        self._observatory.note_step(self._current)
        return end

    def finish_exposure(self, at: datetime) -> datetime:
        """Save the image of the exposure that ends now; returns the time when the next exposure can start."""
        exposing, self._current = self._current, None
        if exposing is None:
            return at
        exposure = exposing.exposure
        if self._still_exists(exposure):
            self._observatory.acquire(exposure.target, exposure.plan_index, **exposing.measurements)
            self._planner.count_exposure(exposure)
        self._exposure_count += 1
        dither = exposure.project.dither_every
        dithers = bool(dither) and self._exposure_count % dither == 0
        settling = self._random_seconds(10, 20) if dithers else timedelta()
        until = at + self._random_seconds(2, 5) + settling
        if self._observatory.notes_steps:
            following = self._following(until)
            counted = Counted(at=at, until=until, exposure=exposure, dithers=dithers, following=following)
            self._observatory.note_step(counted)
        return until

    def _following(self, at: datetime) -> NextExposure | None:
        """What is planned for this time, if nobody changes anything until then; the plan knows of no clouds."""
        if at >= self.night.dawn:
            return None
        exposure = self._planner.look_ahead(self._observatory.active_profile, at)
        return exposure if exposure is not None and at + exposure.duration <= self.night.dawn else None

    def _note_evening(self, at: datetime) -> None:
        if self._observatory.notes_steps:
            ready_at = self._first_chance(max(at, self.night.dusk))
            is_cloudy = self._weather.is_cloudy(self.night.dusk)
            step = Evening(at=at, night=self.night, ready_at=ready_at, is_cloudy=is_cloudy)
            self._observatory.note_step(step)

    def _note_waiting(self, at: datetime, until: datetime) -> None:
        if self._observatory.notes_steps:
            if self._ready_at is None or self._ready_at <= at:
                self._ready_at = self._first_chance(at) or self.night.dawn
            ready_at = self._ready_at if self._ready_at < self.night.dawn else None
            self._observatory.note_step(Waiting(at=at, until=until, ready_at=ready_at))

    def _first_chance(self, at: datetime) -> datetime | None:
        """When a target can be imaged, from this time on; None if none can tonight."""
        planner = Planner(self._sky, remaining_exposures)
        while at < self.night.dawn:
            if planner.next_exposure(self._observatory.active_profile, at) is not None:
                return at
            at += _RETRY_AFTER
        return None

    def _still_exists(self, exposure: NextExposure) -> bool:
        """False if a user deleted the target or the exposure plan during the exposure."""
        target = exposure.target
        return target in self._observatory.targets() and exposure.plan_index < len(target.exposure_plans)

    def _altitude(self, target: SimulatedTarget, at: datetime) -> float:
        return self._sky.altitude(target.ra_hours, target.dec_deg, at)

    def _random_seconds(self, least: float, most: float) -> timedelta:
        return timedelta(seconds=round(self._numbers.uniform(least, most), 1))


def _measurements(numbers: Random, weather: Weather, altitude_deg: float) -> ImageFields:
    """The measurements of an image: it is softer at low altitude, and wind spoils a few images."""
    airmass = 1 / math.sin(math.radians(max(altitude_deg, 10.0)))
    softness: float = airmass**0.6 * numbers.gauss(1.0, 0.06)
    is_bad = numbers.random() < _BAD_IMAGE_SHARE
    fwhm = weather.seeing_arcsec * softness * (1.4 if is_bad else 1.0)
    eccentricity = 0.36 + 0.06 * (airmass - 1) + numbers.gauss(0.0, 0.03) + (0.25 if is_bad else 0.0)
    return {
        "hfr": round(fwhm / _PIXEL_SCALE_ARCSEC, 3),
        "fwhm": round(fwhm, 3),
        "eccentricity": round(min(max(eccentricity, 0.05), 0.95), 3),
        "good": not is_bad and softness < _MAXIMUM_SOFTNESS,
    }
