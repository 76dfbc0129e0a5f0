"""The parts of the picture that can be looked at without drawing it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest

from tests.support.bridge_zone import bridge_in
from tests.support.plans import BERLIN, at, block, plan
from ts2mqtt.picture.axis import TimeAxis
from ts2mqtt.picture.filters import (
    BLUE,
    DUAL_BAND,
    GREEN,
    H_ALPHA,
    LUMINANCE,
    OIII,
    RED,
    SII,
    UNKNOWN,
    FilterLook,
    filter_look,
)
from ts2mqtt.picture.lettering import clean, runs_by_script, shorten, text_width
from ts2mqtt.picture.rows import night_of_plan


@pytest.mark.parametrize(
    ("names", "look"),
    [
        (["L", "Lum", "Luminance", "l", "L-Pro", "UV/IR Cut", "Clear"], LUMINANCE),
        (["R", "Red", "RED"], RED),
        (["G", "Green"], GREEN),
        (["B", "Blue", " blue "], BLUE),
        (["H", "Ha", "Hα", "H-alpha", "H_Alpha", "H Alpha", "Ha 3nm", "HA7"], H_ALPHA),
        (["O", "OIII", "O3", "Oiii", "O-III", "OIII 6nm", "O3 3.5nm"], OIII),
        (["S", "SII", "S2", "Sii", "SII_3nm", "Sulfur II", "Sulphur2"], SII),
        (
            ["L-eXtreme", "L-Ultimate", "L-eNhance", "ALP-T", "Duo", "Dual Band", "HaOIII", "Ha/OIII", "NBZ"],
            DUAL_BAND,
        ),
        ([None, "", "\x00"], UNKNOWN),
    ],
)
def test_spellings(names: list[str | None], look: FilterLook) -> None:
    assert {name: filter_look(name) for name in names} == dict.fromkeys(names, look)


def test_a_filter_that_nobody_knows_keeps_its_colour() -> None:
    known = {LUMINANCE, RED, GREEN, BLUE, H_ALPHA, OIII, SII, DUAL_BAND, UNKNOWN}
    look = filter_look("Baader UHC-S")
    assert look == filter_look("Baader UHC-S") == FilterLook("Baader…", "#e06fd8")
    assert look.colour not in {other.colour for other in known}
    assert filter_look("IR742").label == "IR742"


def test_names_are_cleaned() -> None:
    assert clean(" M\x00 31\r\n\x1b[0m \ud800\u202eNebula ") == "M 31 [0m Nebula"
    assert clean("e\u0301") == "é"
    assert len(clean("x" * 10_000)) == 300


def test_names_are_shortened_to_their_place() -> None:
    name = "The Great Andromeda Galaxy with its companions M 32 and M 110"
    short = shorten(name, 16, 200)
    assert short.endswith("…")
    assert name.startswith(short[:-1])
    assert text_width(short, 16) <= 200 < text_width(name, 16)
    assert shorten("M 31", 16, 200) == "M 31"
    assert shorten("M 31", 16, 0) == "…"


def test_widths() -> None:
    assert text_width("i" * 10, 10) < text_width("W" * 10, 10) < text_width("天" * 10, 10) == pytest.approx(100)
    assert text_width("M天", 10) > text_width("M", 10) + text_width("天", 10)
    assert text_width("x\u0323", 10) == text_width("x", 10)


def test_runs_join_to_the_text() -> None:
    text = "M 31 アンドロメダ سديم 말 é"
    runs = list(runs_by_script(text))
    assert "".join(run for _, run in runs) == text
    assert [script.value for script, _ in runs] == [
        "european",
        "wide",
        "european",
        "other",
        "european",
        "wide",
        "european",
    ]


def test_rows_come_in_the_order_of_their_first_block() -> None:
    night = night_of_plan(
        plan(
            block("b", at(22), at(23), ("L", 60, 10)),
            block("a", at(19), at(20), ("R", 120, 5), ("R", 120, 5), ("B", 60, 20)),
            block(None, at(20), at(22)),
            block("b", at(1), at(1), ("L", 60, 1), ("Ha", None, 3), ("G", 60, -4)),
        ),
        BERLIN,
    )
    first, second = night.rows
    assert (first.name, second.name) == ("a", "b")
    assert first.exposures == ((RED, 10), (BLUE, 20))
    assert second.exposures == ((LUMINANCE, 11), (H_ALPHA, 3))
    assert [(stripe.look, stripe.share) for stripe in first.bars[0].stripes] == [(RED, 0.5), (BLUE, 0.5)]
    assert night.waits == ((at(20).astimezone(UTC), at(22).astimezone(UTC)),)
    assert night.exposures == 44
    assert night.integration_s == 1200 + 1200 + 660


def test_a_block_that_cannot_happen_is_drawn_and_not_counted() -> None:
    gone = replace(block("A", at(20), at(21), ("L", 60.0, 60)), dropped=True)

    night = night_of_plan(plan(gone, block("B", at(21), at(22), ("L", 60.0, 50))), BERLIN)

    assert [(row.target_id, [bar.is_dropped for bar in row.bars]) for row in night.rows] == [
        ("A", [True]),
        ("B", [False]),
    ]
    assert (night.rows[0].exposures, night.exposures, night.integration_s) == ((), 50, 3000.0)


def test_waits_are_joined() -> None:
    waits = (block(None, at(start), at(end)) for start, end in ((23, 2), (18, 20), (19, 19), (19, 21), (21, 22)))
    joined = night_of_plan(plan(*waits), BERLIN).waits
    assert joined == ((at(18), at(22)), (at(23), at(2)))


def test_what_lies_far_from_the_night_is_left_out() -> None:
    night = night_of_plan(plan(block("a", at(19) - timedelta(days=9), at(20) - timedelta(days=9))), BERLIN)
    assert night.rows == ()


def axis(start: datetime, end: datetime) -> TimeAxis:
    return TimeAxis(start, end, 0.0, 100.0)


def test_positions_are_proportional_and_end_at_the_edges() -> None:
    shown = axis(at(18), at(22))
    assert [shown.x(moment) for moment in (at(17), at(18), at(19), at(22), at(3))] == [0, 0, 25, 100, 100]


@pytest.mark.parametrize(("hours", "every"), [(6, 1), (8, 1), (12, 2), (20, 3), (30, 6)])
def test_the_longer_the_night_the_fewer_labels(hours: int, every: int) -> None:
    start = at(18).astimezone(UTC)
    labels = [local.hour for _, local in axis(start, start + timedelta(hours=hours)).hours(BERLIN)]
    assert {hour % every for hour in labels} == {0}
    assert len(labels) == pytest.approx(hours / every, abs=1)


def test_labels_in_the_night_that_repeats_an_hour() -> None:
    start = datetime(2026, 10, 24, 22, tzinfo=UTC)
    labels = [(x, local.hour) for x, local in axis(start, start + timedelta(hours=5)).hours(BERLIN)]
    assert labels == [(0, 0), (20, 1), (40, 2), (60, 2), (80, 3), (100, 4)]


def test_labels_in_the_night_that_skips_an_hour() -> None:
    start = datetime(2026, 3, 28, 23, tzinfo=UTC)
    labels = [local.hour for _, local in axis(start, start + timedelta(hours=3)).hours(BERLIN)]
    assert labels == [0, 1, 3, 4]


def test_full_hours_of_a_zone_with_a_quarter() -> None:
    start = datetime(2026, 11, 22, 12, 10, tzinfo=UTC)
    labels = [
        f"{local:%H:%M}" for _, local in axis(start, start + timedelta(hours=3)).hours(ZoneInfo("Asia/Kathmandu"))
    ]
    assert labels == ["18:00", "19:00", "20:00"]


@pytest.mark.parametrize(
    ("zone", "names"),
    [
        (None, ()),
        (BERLIN, ()),
        (ZoneInfo("Europe/Vienna"), ()),
        (timezone(timedelta(hours=1)), ()),
        (UTC, ("UTC+00:00",)),
        (ZoneInfo("America/New_York"), ("America/New_York", "UTC\N{MINUS SIGN}05:00")),
        (timezone(timedelta(hours=5, minutes=30)), ("UTC+05:30",)),
        (timezone(-timedelta(hours=9, minutes=30)), ("UTC\N{MINUS SIGN}09:30",)),
    ],
)
def test_a_zone_that_is_not_the_bridge_s_has_names(zone: tzinfo | None, names: tuple[str, ...]) -> None:
    with bridge_in("Europe/Berlin"):
        assert TimeAxis(at(18), at(6), 0, 100).zone_names(zone) == names


def test_a_zone_that_differs_after_a_change_of_season_has_names() -> None:
    night = date(2026, 10, 24)
    axis = TimeAxis(at(20, night=night), at(6, night=night), 0, 100)
    with bridge_in("Europe/Berlin"):
        assert axis.zone_names(timezone(timedelta(hours=2))) == ("UTC+02:00",)
