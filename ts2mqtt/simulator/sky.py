"""Where the sun and a target stand over a site, and when it is dark.

sky = Sky(Site(latitude_deg=40.0, longitude_deg=-75.0))
sky.altitude(ra_hours=0.712, dec_deg=41.27, at=datetime.now(UTC))
sky.night_from(datetime.now(UTC))
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import astronomy

DARK_DEG = -12.0
"""The simulated rig images while the sun is below this altitude (nautical twilight)."""

_J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place on Earth, in degrees; north and east are positive."""

    latitude_deg: float
    longitude_deg: float


@dataclass(frozen=True, slots=True)
class Night:
    """From dusk to dawn, in UTC."""

    dusk: datetime
    dawn: datetime


class Sky:
    """The sky over one site."""

    def __init__(self, site: Site) -> None:
        self._longitude_hours = site.longitude_deg / 15
        self._sin_latitude = math.sin(math.radians(site.latitude_deg))
        self._cos_latitude = math.cos(math.radians(site.latitude_deg))
        self._observer = astronomy.Observer(site.latitude_deg, site.longitude_deg, 0)

    def altitude(self, ra_hours: float, dec_deg: float, at: datetime) -> float:
        """Degrees above the horizon, without refraction and precession, which both are far below a degree."""
        sidereal_hours: float = astronomy.SiderealTime(_astronomical(at))
        hour_angle = math.radians((sidereal_hours + self._longitude_hours - ra_hours) * 15)
        declination = math.radians(dec_deg)
        sine = self._sin_latitude * math.sin(declination) + self._cos_latitude * math.cos(declination) * math.cos(
            hour_angle
        )
        return math.degrees(math.asin(max(-1.0, min(1.0, sine))))

    def hour_angle(self, ra_hours: float, at: datetime) -> float:
        """Hours since the meridian, from -12 to 12: below 0 the target stands in the east."""
        sidereal_hours: float = astronomy.SiderealTime(_astronomical(at))
        return (sidereal_hours + self._longitude_hours - ra_hours + 12) % 24 - 12

    def sun_altitude(self, at: datetime) -> float:
        """Degrees above the horizon, without refraction."""
        time = _astronomical(at)
        sun = astronomy.Equator(astronomy.Body.Sun, time, self._observer, True, True)
        altitude: float = astronomy.Horizon(
            time, self._observer, sun.ra, sun.dec, astronomy.Refraction.Airless
        ).altitude
        return altitude

    def night_from(self, at: datetime) -> Night | None:
        """The rest of the night at this time, or by day the next night; None if the next 24 hours have no night."""
        if self.sun_altitude(at) < DARK_DEG:
            dusk = at.astimezone(UTC)
        else:
            next_dusk = self._sun_crosses(astronomy.Direction.Set, at)
            if next_dusk is None:
                return None
            dusk = next_dusk
        return Night(dusk, self._sun_crosses(astronomy.Direction.Rise, dusk) or dusk + timedelta(days=1))

    def _sun_crosses(self, direction: astronomy.Direction, after: datetime) -> datetime | None:
        time = astronomy.SearchAltitude(
            astronomy.Body.Sun, self._observer, direction, _astronomical(after), 1.0, DARK_DEG
        )
        return None if time is None else _J2000 + timedelta(days=time.ut)


def _astronomical(at: datetime) -> astronomy.Time:
    return astronomy.Time((at - _J2000) / timedelta(days=1))
