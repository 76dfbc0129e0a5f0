"""Where targets, sun and moon stand over a site, and when it is dark there.

Angles are in degrees; moments carry an offset and come back in UTC. Altitudes are without refraction, which lifts
what one images (20° and higher) by less than 0.05°.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import IntEnum
from itertools import pairwise
from typing import TYPE_CHECKING

import astronomy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from ts2mqtt.observatory.site import Site

_J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)
_EQUINOXES = {"B1950": datetime(1949, 12, 31, 22, 9, tzinfo=UTC), "J2050": datetime(2050, 1, 1, tzinfo=UTC)}
_OF_DATE = "JNOW"
_SIDEREAL_DAY = timedelta(hours=23, minutes=56, seconds=4.0905)
_BETWEEN_CROSSINGS = timedelta(minutes=1)


class Darkness(IntEnum):
    """How dark the sun leaves the sky; a higher number is darker."""

    DAY = 0
    CIVIL_TWILIGHT = 1
    NAUTICAL_TWILIGHT = 2
    ASTRONOMICAL_TWILIGHT = 3
    NIGHT = 4


# The upper limb touches the refracted horizon at sunrise and sunset: 34' of refraction and 16' of radius.
_SUN_BELOW = {
    -50 / 60: Darkness.CIVIL_TWILIGHT,
    -6.0: Darkness.NAUTICAL_TWILIGHT,
    -12.0: Darkness.ASTRONOMICAL_TWILIGHT,
    -18.0: Darkness.NIGHT,
}
DARK_ENOUGH = Darkness.ASTRONOMICAL_TWILIGHT
"""From here on (sun below -12°) deep-sky imaging makes sense, at least through narrow filters."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time of one darkness."""

    darkness: Darkness
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Moon:
    """The moon over a site; `illuminated` runs from 0 (new) to 1 (full)."""

    altitude_deg: float
    illuminated: float
    waxing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NightSky:
    """One target in one night.

    `altitude_max_deg` is the highest while it is dark (sun below -12°), or in the whole night where it never is.
    `transit` is the culmination nearest to local midnight, to the second, with the rig's offset;
    `moon_separation_deg` is taken in the middle of the night.
    """

    altitude_max_deg: float
    transit: datetime
    moon_separation_deg: float


def altitude_deg(site: Site, ra_hours: float, dec_deg: float, epoch: str | None, moment: datetime) -> float:
    """Degrees above the horizon; `epoch` is J2000, JNOW, B1950 or J2050, anything else counts as J2000."""
    return _altitude(site, _of_date(ra_hours, dec_deg, epoch, moment), moment)


def altitude_curve(  # noqa: PLR0913 (a position, a place and a span are what a curve is of)
    site: Site,
    ra_hours: float,
    dec_deg: float,
    start: datetime,
    end: datetime,
    *,
    step: timedelta,
    epoch: str | None = None,
) -> tuple[tuple[datetime, float], ...]:
    """Moments from `start` to `end`, both included, with the target's altitude in degrees."""
    position = _of_date(ra_hours, dec_deg, epoch, start)
    return tuple((moment, _altitude(site, position, moment)) for moment in _moments(start, end, step))


def twilight(site: Site, start: datetime, end: datetime) -> tuple[Stretch, ...]:
    """What `start` to `end` consists of, without gaps; in polar night or day that may be a single stretch."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    crossings = sorted({moment for limit in _SUN_BELOW for moment in _sun_crossings(site, limit, start, end)})
    edges = [start, *crossings, end]
    stretches: list[Stretch] = []
    for begin, finish in pairwise(edges):
        darkness = _darkness(site, begin + (finish - begin) / 2)
        if stretches and stretches[-1].darkness is darkness:
            stretches[-1] = Stretch(darkness, stretches[-1].start, finish)
        else:
            stretches.append(Stretch(darkness, begin, finish))
    return tuple(stretches)


def sunset_to_sunrise(site: Site, noon: datetime) -> tuple[datetime, datetime] | None:
    """The night after `noon`, which is brought to the sun's nearest culmination.

    Where the sun does not rise that day it is the time from civil dusk to civil dawn, or of the next darker twilight
    there is; None in polar day.
    """
    begin = _sun_culmination(site, noon.astimezone(UTC) - timedelta(hours=12))
    stretches = twilight(site, begin, _sun_culmination(site, begin + timedelta(hours=12)))
    for limit in sorted(Darkness):
        darker = [stretch for stretch in stretches if stretch.darkness > limit]
        if darker and len(darker) < len(stretches):
            return darker[0].start, darker[-1].end
    return None


def is_sun_up(site: Site, moment: datetime) -> bool:
    """Whether the sun's centre is above the horizon."""
    return _body_altitude(site, astronomy.Body.Sun, moment) > 0.0


def moon(site: Site, moment: datetime) -> Moon:
    at = _astronomical(moment)
    return Moon(
        moon_altitude_deg(site, moment),
        float(astronomy.Illumination(astronomy.Body.Moon, at).phase_fraction),
        bool(astronomy.MoonPhase(at) < 180.0),  # noqa: PLR2004 (ecliptic degrees from the sun)
    )


def moon_altitude_deg(site: Site, moment: datetime) -> float:
    """Degrees of the moon's centre above the horizon, as seen from the site."""
    return _body_altitude(site, astronomy.Body.Moon, moment)


def moon_altitude_curve(
    site: Site, start: datetime, end: datetime, step: timedelta
) -> tuple[tuple[datetime, float], ...]:
    """As `altitude_curve`, of the moon."""
    return tuple((moment, moon_altitude_deg(site, moment)) for moment in _moments(start, end, step))


def night_sky(  # noqa: PLR0913 (a position, a place and a span are what it is about)
    site: Site,
    ra_hours: float,
    dec_deg: float,
    *,
    epoch: str | None,
    start: datetime,
    end: datetime,
    zone: tzinfo | None,
) -> NightSky:
    """The target in the night from `start` to `end`; `zone` is the rig's, None means the bridge's own."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    middle = start + (end - start) / 2
    position = _of_date(ra_hours, dec_deg, epoch, middle)
    transit = _culmination_near(site, position, _midnight_near(middle, zone))
    dark = [stretch for stretch in twilight(site, start, end) if stretch.darkness >= DARK_ENOUGH]
    spans = [(stretch.start, stretch.end) for stretch in dark] or [(start, end)]
    # Between two culminations a target only rises or only sinks: the highest is at one of them or at an edge.
    peaks = [transit - _SIDEREAL_DAY, transit, transit + _SIDEREAL_DAY]
    moments = [edge for span in spans for edge in span]
    moments += [peak for peak in peaks if any(begin <= peak <= finish for begin, finish in spans)]
    return NightSky(
        altitude_max_deg=max(_altitude(site, position, moment) for moment in moments),
        transit=_to_the_second(transit).astimezone(zone),
        moon_separation_deg=_moon_separation(site, position, middle),
    )


@dataclass(frozen=True, slots=True)
class _Position:
    """Right ascension and declination of the equator and equinox of the date."""

    ra_hours: float
    dec_deg: float


def _of_date(ra_hours: float, dec_deg: float, epoch: str | None, moment: datetime) -> _Position:
    if epoch == _OF_DATE:
        return _Position(ra_hours % 24.0, dec_deg)
    at = _astronomical(moment)
    vector = astronomy.VectorFromSphere(astronomy.Spherical(dec_deg, ra_hours % 24.0 * 15.0, 1.0), at)
    if equinox := _EQUINOXES.get(epoch or ""):
        vector = astronomy.RotateVector(astronomy.Rotation_EQD_EQJ(_astronomical(equinox)), vector)
    turned = astronomy.EquatorFromVector(astronomy.RotateVector(astronomy.Rotation_EQJ_EQD(at), vector))
    return _Position(turned.ra, turned.dec)


def _altitude(site: Site, position: _Position, moment: datetime) -> float:
    return float(
        astronomy.Horizon(
            _astronomical(moment),
            _observer(site),
            position.ra_hours,
            position.dec_deg,
            astronomy.Refraction.Airless,
        ).altitude
    )


def _body_altitude(site: Site, body: astronomy.Body, moment: datetime) -> float:
    seen = astronomy.Equator(body, _astronomical(moment), _observer(site), True, True)
    return _altitude(site, _Position(seen.ra, seen.dec), moment)


def _moon_separation(site: Site, position: _Position, moment: datetime) -> float:
    at = _astronomical(moment)
    seen = astronomy.Equator(astronomy.Body.Moon, at, _observer(site), True, True)
    target = astronomy.VectorFromSphere(astronomy.Spherical(position.dec_deg, position.ra_hours * 15.0, 1.0), at)
    return float(astronomy.AngleBetween(seen.vec, target))


def _darkness(site: Site, moment: datetime) -> Darkness:
    sun = _body_altitude(site, astronomy.Body.Sun, moment)
    return max((darkness for limit, darkness in _SUN_BELOW.items() if sun < limit), default=Darkness.DAY)


def _sun_crossings(site: Site, limit: float, start: datetime, end: datetime) -> Iterator[datetime]:
    for direction in (astronomy.Direction.Rise, astronomy.Direction.Set):
        begin = start
        while begin < end:
            found = astronomy.SearchAltitude(
                astronomy.Body.Sun,
                _observer(site),
                direction,
                _astronomical(begin),
                (end - begin) / timedelta(days=1),
                limit,
            )
            if found is None:
                break
            crossing = _moment(found)
            yield min(max(crossing, start), end)
            begin = crossing + _BETWEEN_CROSSINGS


def _sun_culmination(site: Site, after: datetime) -> datetime:
    return _moment(astronomy.SearchHourAngle(astronomy.Body.Sun, _observer(site), 0.0, _astronomical(after)).time)


def _culmination_near(site: Site, position: _Position, moment: datetime) -> datetime:
    sidereal = float(astronomy.SiderealTime(_astronomical(moment))) + site.longitude_deg / 15.0
    hour_angle = (sidereal - position.ra_hours + 12.0) % 24.0 - 12.0
    return moment - hour_angle / 24.0 * _SIDEREAL_DAY


def _midnight_near(moment: datetime, zone: tzinfo | None) -> datetime:
    day = (moment.astimezone(zone).replace(tzinfo=None) + timedelta(hours=12)).date()
    midnight = datetime.combine(day, time.min)
    return (midnight.astimezone() if zone is None else midnight.replace(tzinfo=zone)).astimezone(UTC)


def _moments(start: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    # In one zone Python counts by the clock on the wall, which jumps when daylight-saving time begins or ends.
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    count = max(1, round((end - start) / step))
    return (start + (end - start) * number / count for number in range(count + 1))


def _to_the_second(moment: datetime) -> datetime:
    return (moment + timedelta(milliseconds=500)).replace(microsecond=0)


def _observer(site: Site) -> astronomy.Observer:
    return astronomy.Observer(site.latitude_deg, site.longitude_deg, 0.0)


def _astronomical(moment: datetime) -> astronomy.Time:
    return astronomy.Time((moment - _J2000) / timedelta(days=1))


def _moment(time_found: astronomy.Time) -> datetime:
    return _J2000 + timedelta(days=float(time_found.ut))
