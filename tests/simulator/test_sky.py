"""The sky over a site against known positions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import astronomy
import pytest

from ts2mqtt.simulator.catalogue import CATALOGUE, targets_in_season
from ts2mqtt.simulator.sky import Site, Sky

MUNICH = Site(latitude_deg=48.14, longitude_deg=11.58)
SYDNEY = Site(latitude_deg=-33.87, longitude_deg=151.21)


@pytest.mark.parametrize("site", [MUNICH, SYDNEY])
@pytest.mark.parametrize("entry", CATALOGUE[::7], ids=lambda entry: entry.name)
def test_altitudes_agree_with_the_full_computation(site: Site, entry: object) -> None:
    target = next(one for one in CATALOGUE if one == entry)
    at = datetime(2026, 3, 1, 22, 17, tzinfo=UTC)
    time = astronomy.Time.Make(2026, 3, 1, 22, 17, 0)
    observer = astronomy.Observer(site.latitude_deg, site.longitude_deg, 0)
    astronomy.DefineStar(astronomy.Body.Star1, target.ra_hours, target.dec_deg, 1000)
    star = astronomy.Equator(astronomy.Body.Star1, time, observer, True, True)
    exact = astronomy.Horizon(time, observer, star.ra, star.dec, astronomy.Refraction.Airless).altitude

    # What is left is 26 years of precession.
    assert Sky(site).altitude(target.ra_hours, target.dec_deg, at) == pytest.approx(exact, abs=0.4)


def test_a_night_lasts_from_nautical_dusk_to_dawn() -> None:
    night = Sky(MUNICH).night_from(datetime(2026, 3, 20, 12, tzinfo=UTC))

    assert night is not None
    # Sunset in Munich on that day is at 17:26 UTC.
    assert datetime(2026, 3, 20, 18, 20, tzinfo=UTC) < night.dusk < datetime(2026, 3, 20, 18, 50, tzinfo=UTC)
    assert Sky(MUNICH).sun_altitude(night.dawn) == pytest.approx(-12, abs=0.01)
    middle = night.dusk + (night.dawn - night.dusk) / 2
    rest = Sky(MUNICH).night_from(middle)
    assert rest is not None
    assert rest.dusk == middle
    assert abs(rest.dawn - night.dawn) < timedelta(seconds=1)


def test_a_polar_summer_has_no_night() -> None:
    assert Sky(Site(latitude_deg=75, longitude_deg=0)).night_from(datetime(2026, 6, 20, tzinfo=UTC)) is None


@pytest.mark.parametrize("site", [MUNICH, SYDNEY])
@pytest.mark.parametrize("month", range(1, 13))
def test_every_season_has_targets_of_every_kind(site: Site, month: int) -> None:
    sky = Sky(site)
    night = sky.night_from(datetime(2026, month, 15, 12, tzinfo=UTC))
    assert night is not None
    middle = night.dusk + timedelta(hours=1)

    for kind in ("broadband", "narrowband"):
        best = targets_in_season(kind, sky, night)[:3]
        assert all(entry.kind == kind for entry in best)
        heights = [
            max(sky.altitude(entry.ra_hours, entry.dec_deg, middle + step * timedelta(hours=1)) for step in range(7))
            for entry in best
        ]
        assert min(heights) > 30
