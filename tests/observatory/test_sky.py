"""Against almanacs and plain geometry, not against the library itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from ts2mqtt.observatory.site import Site, is_position
from ts2mqtt.observatory.sky import (
    Darkness,
    NightSky,
    altitude_curve,
    altitude_deg,
    is_sun_up,
    moon,
    moon_altitude_curve,
    night_sky,
    sunset_to_sunrise,
    twilight,
)

BERLIN = ZoneInfo("Europe/Berlin")
IN_BERLIN = Site(52.52, 13.405)
IN_TROMSO = Site(69.65, 18.96)
ON_THE_FARM = Site(-23.24, 16.36)
M31 = (0.7123, 41.269)


def noon(year: int, month: int, day: int, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime(year, month, day, 12, tzinfo=zone)


@pytest.mark.parametrize("hour", range(0, 24, 5))
def test_polaris_stands_at_the_latitude_all_day(hour: int) -> None:
    altitude = altitude_deg(IN_BERLIN, 2.5303, 89.2641, "J2000", datetime(2026, 11, 22, hour, tzinfo=UTC))
    assert altitude == pytest.approx(IN_BERLIN.latitude_deg, abs=0.75)


def test_a_target_culminates_at_90_degrees_less_latitude_plus_declination() -> None:
    start = datetime(2026, 11, 22, 12, tzinfo=UTC)
    curve = altitude_curve(IN_BERLIN, *M31, start, start + timedelta(days=1), step=timedelta(minutes=5))
    # Precession has carried M 31 0.147 degrees north since 2000.
    assert max(altitude for _, altitude in curve) == pytest.approx(
        90 - IN_BERLIN.latitude_deg + 41.269 + 0.147, abs=0.02
    )
    assert (curve[0][0], curve[-1][0], len(curve)) == (start, start + timedelta(days=1), 289)


def test_coordinates_of_the_date_are_not_precessed_again() -> None:
    moment = datetime(2026, 11, 22, 21, tzinfo=UTC)
    of_date = altitude_deg(IN_BERLIN, 0.7371, 41.416, "JNOW", moment)
    assert of_date == pytest.approx(altitude_deg(IN_BERLIN, *M31, "J2000", moment), abs=0.02)
    assert of_date != pytest.approx(altitude_deg(IN_BERLIN, 0.7371, 41.416, None, moment), abs=0.02)


def test_coordinates_of_1950_and_2050() -> None:
    moment = datetime(2026, 11, 22, 23, tzinfo=UTC)
    expected = altitude_deg(IN_BERLIN, *M31, None, moment)
    # M 31 in the catalogues: 00h40m00s +40 59' 42" (B1950).
    assert altitude_deg(IN_BERLIN, 0.6667, 40.995, "B1950", moment) == pytest.approx(expected, abs=0.02)
    assert altitude_deg(IN_BERLIN, 0.7579, 41.543, "J2050", moment) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    ("site", "zone", "day", "sunset", "sunrise"),
    [
        (IN_BERLIN, "Europe/Berlin", (2026, 11, 22), "16:04", "07:42"),
        (IN_BERLIN, "Europe/Berlin", (2026, 6, 21), "21:33", "04:43"),
        (Site(40.7128, -74.006), "America/New_York", (2026, 12, 21), "16:32", "07:17"),
        (Site(-33.8688, 151.2093), "Australia/Sydney", (2026, 12, 21), "20:05", "05:41"),
    ],
)
def test_sunset_and_sunrise_as_in_the_almanac(
    site: Site, zone: str, day: tuple[int, int, int], sunset: str, sunrise: str
) -> None:
    found = sunset_to_sunrise(site, noon(*day, ZoneInfo(zone)))
    assert found
    for moment, clock in zip(found, (sunset, sunrise), strict=True):
        local = moment.astimezone(ZoneInfo(zone))
        expected = local.replace(hour=int(clock[:2]), minute=int(clock[3:]), second=0)
        assert abs(local - expected) < timedelta(minutes=2.5)


def test_a_night_in_november_gets_dark_in_four_steps() -> None:
    stretches = twilight(IN_BERLIN, noon(2026, 11, 22), noon(2026, 11, 23))
    assert [stretch.darkness for stretch in stretches] == [0, 1, 2, 3, 4, 3, 2, 1, 0]
    assert all(before.end == after.start for before, after in pairwise(stretches))
    assert (stretches[0].start, stretches[-1].end) == (noon(2026, 11, 22), noon(2026, 11, 23))
    # Astronomical dusk in Berlin that day: 18:06.
    assert abs(stretches[4].start - datetime(2026, 11, 22, 18, 6, tzinfo=BERLIN)) < timedelta(minutes=2)


def test_midsummer_in_berlin_has_no_astronomical_night() -> None:
    darkest = max(stretch.darkness for stretch in twilight(IN_BERLIN, noon(2026, 6, 21), noon(2026, 6, 22)))
    assert darkest is Darkness.ASTRONOMICAL_TWILIGHT


def test_polar_day_is_one_stretch_without_a_night() -> None:
    stretches = twilight(IN_TROMSO, noon(2026, 6, 21), noon(2026, 6, 22))
    assert [stretch.darkness for stretch in stretches] == [Darkness.DAY]
    assert sunset_to_sunrise(IN_TROMSO, noon(2026, 6, 21)) is None


def test_in_polar_night_the_night_lasts_from_civil_dusk_to_dawn() -> None:
    stretches = twilight(IN_TROMSO, noon(2026, 12, 21), noon(2026, 12, 22))
    assert Darkness.DAY not in {stretch.darkness for stretch in stretches}
    found = sunset_to_sunrise(IN_TROMSO, noon(2026, 12, 21))
    assert found
    assert timedelta(hours=17) < found[1] - found[0] < timedelta(hours=21)


def test_at_the_pole_it_is_dark_without_an_end() -> None:
    pole = Site(90.0, 0.0)
    stretches = twilight(pole, noon(2026, 12, 21), noon(2026, 12, 22))
    assert [stretch.darkness for stretch in stretches] == [Darkness.NIGHT]
    assert sunset_to_sunrise(pole, noon(2026, 12, 21)) is None


@pytest.mark.parametrize(
    ("moment", "illuminated"),
    [
        (datetime(2026, 1, 3, 10, 3, tzinfo=UTC), 1.0),  # full
        (datetime(2026, 11, 24, 14, 53, tzinfo=UTC), 1.0),  # full
        (datetime(2026, 8, 12, 17, 37, tzinfo=UTC), 0.0),  # new, with a total eclipse
        (datetime(2026, 11, 17, 11, 48, tzinfo=UTC), 0.5),  # first quarter
    ],
)
def test_the_phases_of_2026(moment: datetime, illuminated: float) -> None:
    assert moon(IN_BERLIN, moment).illuminated == pytest.approx(illuminated, abs=0.01)


def test_the_moon_waxes_before_it_is_full_and_wanes_after() -> None:
    full = datetime(2026, 11, 24, 14, 53, tzinfo=UTC)
    assert moon(IN_BERLIN, full - timedelta(days=2)).waxing
    assert not moon(IN_BERLIN, full + timedelta(days=2)).waxing


def test_at_midnight_the_full_moon_stands_opposite_the_sun() -> None:
    start = datetime(2026, 11, 24, 12, tzinfo=UTC)
    curve = moon_altitude_curve(IN_BERLIN, start, start + timedelta(days=1), timedelta(minutes=30))
    highest = max(curve, key=lambda point: point[1])[0]
    assert abs(highest - datetime(2026, 11, 24, 23, 6, tzinfo=UTC)) < timedelta(hours=1)


def _night_of_m31(zone: ZoneInfo | None = BERLIN) -> NightSky:
    start = datetime(2026, 11, 22, 17, tzinfo=BERLIN)
    return night_sky(IN_BERLIN, *M31, epoch="J2000", start=start, end=start + timedelta(hours=13), zone=zone)


def test_m31_in_a_november_night() -> None:
    sky = _night_of_m31()
    assert sky.altitude_max_deg == pytest.approx(78.9, abs=0.05)
    # Local sidereal time in Berlin equals M 31's right ascension at 20:43 that evening.
    assert abs(sky.transit - datetime(2026, 11, 22, 20, 43, 20, tzinfo=BERLIN)) < timedelta(minutes=1)
    assert sky.transit.utcoffset() == timedelta(hours=1)
    assert sky.transit.microsecond == 0


def test_the_highest_counts_only_while_it_is_dark() -> None:
    # In July M 31 culminates after sunrise: in the dark it only climbs.
    start = datetime(2026, 7, 10, 21, 30, tzinfo=BERLIN)
    sky = night_sky(IN_BERLIN, *M31, epoch=None, start=start, end=start + timedelta(hours=8), zone=BERLIN)
    dark = [
        stretch
        for stretch in twilight(IN_BERLIN, start, start + timedelta(hours=8))
        if stretch.darkness >= Darkness.ASTRONOMICAL_TWILIGHT
    ]
    assert sky.altitude_max_deg == pytest.approx(altitude_deg(IN_BERLIN, *M31, None, dark[-1].end), abs=0.01)
    assert sky.altitude_max_deg < 70


def test_where_it_never_gets_dark_the_whole_night_counts() -> None:
    start = datetime(2026, 6, 21, 12, tzinfo=BERLIN)
    sky = night_sky(IN_TROMSO, *M31, epoch=None, start=start, end=start + timedelta(days=1), zone=BERLIN)
    assert sky.altitude_max_deg == pytest.approx(90 - 69.65 + 41.42, abs=0.05)


def test_the_transit_nearest_to_local_midnight_may_lie_before_the_night() -> None:
    sky = night_sky(
        ON_THE_FARM,
        18.0,
        -24.0,
        epoch=None,
        start=datetime(2026, 9, 22, 18, tzinfo=UTC),
        end=datetime(2026, 9, 23, 3, tzinfo=UTC),
        zone=ZoneInfo("Africa/Windhoek"),
    )
    assert sky.transit.isoformat()[:13] == "2026-09-22T18"
    assert sky.transit.utcoffset() == timedelta(hours=2)
    assert sky.altitude_max_deg < 89


def test_without_a_zone_the_bridges_own_counts() -> None:
    assert abs(_night_of_m31(None).transit - _night_of_m31().transit) < timedelta(seconds=2)


def test_the_moon_beside_and_across_the_sky() -> None:
    # On 2026-11-24 the full moon stands in Taurus, near the Pleiades.
    start = datetime(2026, 11, 24, 17, tzinfo=BERLIN)
    near = night_sky(IN_BERLIN, 3.79, 24.1, epoch=None, start=start, end=start + timedelta(hours=12), zone=BERLIN)
    far = night_sky(IN_BERLIN, 15.79, -24.1, epoch=None, start=start, end=start + timedelta(hours=12), zone=BERLIN)
    assert near.moon_separation_deg < 12
    assert far.moon_separation_deg == pytest.approx(180 - near.moon_separation_deg, abs=0.01)


def test_steps_are_even_in_the_night_that_changes_the_clocks() -> None:
    start = datetime(2026, 10, 24, 20, tzinfo=BERLIN)
    end = datetime(2026, 10, 25, 6, tzinfo=BERLIN)
    moments = [at for at, _ in altitude_curve(IN_BERLIN, *M31, start, end, step=timedelta(hours=1))]
    assert len(moments) == 12
    assert {after - before for before, after in pairwise(moments)} == {timedelta(hours=1)}


@pytest.mark.parametrize(
    ("ra", "dec", "valid"),
    [
        (0.0, 90.0, True),
        (24.5, -90.0, True),
        (None, 1.0, False),
        (1.0, None, False),
        (float("nan"), 1.0, False),
        (1.0, float("nan"), False),
        (1.0, 91.0, False),
        (float("inf"), 0.0, False),
    ],
)
def test_what_is_a_position(ra: float | None, dec: float | None, *, valid: bool) -> None:
    assert is_position(ra, dec) is valid


def test_the_sun_is_up_from_its_rise_to_its_set() -> None:
    # The almanac: sunrise at 7:46, sunset at 15:57, of the upper limb through the air.
    day = datetime(2026, 11, 28, tzinfo=BERLIN)

    def is_up(hour: int, minute: int) -> bool:
        return is_sun_up(IN_BERLIN, day.replace(hour=hour, minute=minute).astimezone(UTC))

    assert [is_up(7, 40), is_up(8, 0), is_up(15, 40), is_up(16, 0)] == [False, True, True, False]
    assert not is_sun_up(IN_TROMSO, noon(2026, 12, 21))
