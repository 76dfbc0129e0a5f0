"""Sexagesimal text: what it shows, what it never shows, and how near it stays to the number."""

from __future__ import annotations

import random
import re

import pytest

from ts2mqtt.observatory.coordinates import dec_text, ra_degrees, ra_text

RA = re.compile(r"(\d\d)h(\d\d)m(\d\d\.\d)s")
DEC = re.compile(r"([+-])(\d\d)°(\d\d)'(\d\d)\"")


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        (0.7123138886666667, "00h42m44.3s"),
        (0.0, "00h00m00.0s"),
        (12.5, "12h30m00.0s"),
        (23.999_999, "00h00m00.0s"),  # 23h59m59.9964s rounds up to the next round
        (23.999_98, "23h59m59.9s"),
        (24.0, "00h00m00.0s"),
        (-1.0, "23h00m00.0s"),
        (5 + 59 / 60 + 59.96 / 3600, "06h00m00.0s"),
        (5 + 59.96 / 3600, "05h01m00.0s"),
        (5 + 59.94 / 3600, "05h00m59.9s"),
    ],
)
def test_right_ascension(hours: float, text: str) -> None:
    assert ra_text(hours) == text


@pytest.mark.parametrize(
    ("degrees", "text"),
    [
        (41.26875, "+41°16'08\""),
        (0.0, "+00°00'00\""),
        (-0.0, "+00°00'00\""),
        (-0.000_1, "+00°00'00\""),  # no negative zero
        (-0.000_2, "-00°00'01\""),
        (-5.39, "-05°23'24\""),
        (90.0, "+90°00'00\""),
        (-90.0, "-90°00'00\""),
        (89.999_9, "+90°00'00\""),
        (10 + 59.6 / 3600, "+10°01'00\""),
        (-(10 + 59 / 60 + 59.6 / 3600), "-11°00'00\""),
        (-(10 + 59 / 60 + 59.4 / 3600), "-10°59'59\""),
    ],
)
def test_declination(degrees: float, text: str) -> None:
    assert dec_text(degrees) == text


def _sweep(lowest: float, highest: float) -> list[float]:
    """Numbers everywhere in a range, and close about every whole minute, where 60 seconds would be printed."""
    chance = random.Random(1)  # noqa: S311 - the same numbers at every run
    anywhere = [chance.uniform(lowest, highest) for _ in range(5_000)]
    minutes = (chance.randrange(int(lowest * 60), int(highest * 60)) / 60 for _ in range(5_000))
    return anywhere + [minute + chance.choice((-1, 1)) * 10 ** chance.uniform(-12, -3) for minute in minutes]


def test_no_right_ascension_shows_60_seconds_or_24_hours_or_lies() -> None:
    for hours in _sweep(0, 24):
        found = RA.fullmatch(ra_text(hours))
        assert found, ra_text(hours)
        hour, minute, second = float(found[1]), float(found[2]), float(found[3])
        assert hour < 24, hours
        assert minute < 60, hours
        assert second < 60, hours
        off = abs(hour + minute / 60 + second / 3600 - hours)
        assert min(off, 24 - off) * 3600 < 0.0501, hours


def test_no_declination_shows_60_seconds_or_lies() -> None:
    for degrees in _sweep(-90, 90):
        found = DEC.fullmatch(dec_text(degrees))
        assert found, dec_text(degrees)
        degree, minute, second = int(found[2]), int(found[3]), int(found[4])
        assert minute < 60, degrees
        assert second < 60, degrees
        value = (degree + minute / 60 + second / 3600) * (-1 if found[1] == "-" else 1)
        assert abs(value - degrees) * 3600 < 0.501, degrees


def test_right_ascension_in_degrees() -> None:
    assert ra_degrees(0.7123138886666667) == 10.68470833
    assert ra_degrees(24.0) == 360.0
