"""The picture of a night that is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.support.bridge_zone import bridge_in
from tests.support.nights_done import DUSK, EMPTY, plan_done, planned, target_done
from tests.support.plans import image
from ts2mqtt.observatory.site import Site
from ts2mqtt.picture import last_night_picture

if TYPE_CHECKING:
    from ts2mqtt.observatory.night_report import NightReport

PLANNED, DONE = (0x5B, 0x6B, 0x8C), (0x57, 0xC9, 0x8A)
PANEL = (0x15, 0x1A, 0x26)
ORDINARY = replace(
    EMPTY,
    plan_fetched=DUSK,
    planned=(planned("M 31", 0, 4), planned("M 42", 4, 5), planned("NGC 2244", 9, 2)),
    targets=(
        target_done("M 31", 0.2, 3.7, plan_done("L", 20), plan_done("Ha", 18, rejected=4), completed=True),
        target_done("M 42", 4.2, 2, plan_done("OIII", 20, pending=20)),
    ),
)


def draw(report: NightReport, *, width: int = 412, site: Site | None = None) -> bytes:
    return last_night_picture(report, zone=UTC, site=site, rig_name="Backyard", width=width)


def columns_of(report: NightReport, colour: tuple[int, int, int]) -> list[int]:
    """The x of all pixels of this colour above the legend of the times."""
    picture = image(draw(report))
    legend = next(y for y in range(picture.height) if picture.getpixel((2, y)) == PANEL) - 30
    return sorted({x for x in range(picture.width) for y in range(legend) if picture.getpixel((x, y)) == colour})


def test_equal_reports_give_equal_pictures_of_the_wanted_width() -> None:
    with bridge_in("UTC"):
        assert draw(ORDINARY) == draw(ORDINARY) != draw(EMPTY)
        assert image(draw(ORDINARY, width=824)).width == 824


def test_what_was_done_is_drawn_at_the_time_when_it_was() -> None:
    with bridge_in("UTC"):
        planned_at, done_at = columns_of(ORDINARY, PLANNED), columns_of(ORDINARY, DONE)

    # The last target was planned and not imaged.
    assert abs(planned_at[0] - done_at[0]) < 15
    assert planned_at[-1] - done_at[-1] > 100


def test_the_bars_of_the_filters_stand_below_the_times_on_a_scale_of_their_own() -> None:
    blue, red = (0x4B, 0x8D, 0xFF), (0xFF, 0x5F, 0x57)
    done = target_done("M 31", 9, 1, plan_done("B", 24, exposure_s=300.0), plan_done("R", 12, exposure_s=300.0))
    with bridge_in("UTC"):
        picture = image(draw(replace(ORDINARY, targets=(done,))))

    def rows_and_columns(colour: tuple[int, int, int]) -> tuple[list[int], list[int]]:
        found = [
            (y, x)
            for y in range(picture.height)
            for x in range(60, picture.width)
            if picture.getpixel((x, y)) == colour
        ]
        return sorted({y for y, _ in found}), sorted({x for _, x in found})

    done_rows, _ = rows_and_columns(DONE)
    blue_rows, blue_columns = rows_and_columns(blue)
    _, red_columns = rows_and_columns(red)
    # The legend of the times stands between.
    assert done_rows[-1] < blue_rows[0]
    assert blue_columns[0] == red_columns[0]
    assert len(blue_columns) == pytest.approx(2 * len(red_columns), abs=3)


@pytest.mark.parametrize(("acquired", "lines"), [(70, 1), (1_000_070, 2)])
def test_totals_that_do_not_fit_into_a_line_go_on_in_the_next(acquired: int, lines: int) -> None:
    plans = (plan_done("L", acquired, rejected=acquired // 3, pending=acquired // 3),)

    def text_rows(report: NightReport) -> int:
        picture = image(draw(report)).convert("L")
        brightness, width = picture.tobytes(), picture.width
        is_text = [max(brightness[y * width + 14 : (y + 1) * width]) > 0xC0 for y in range(54, 100)]
        return sum(after and not before for before, after in pairwise([False, *is_text]))

    with bridge_in("UTC"):
        one = target_done("", 0, 1, *plans)
        # The target's own name is the last line.
        assert text_rows(replace(EMPTY, targets=(one,))) == lines + 1


@pytest.mark.parametrize(
    "report",
    [
        EMPTY,
        replace(EMPTY, plan_fetched=DUSK),
        replace(EMPTY, complete=False),
        replace(EMPTY, plan_fetched=DUSK, planned=ORDINARY.planned),
        replace(ORDINARY, unplaced=3, targets=tuple(replace(one, stretches=()) for one in ORDINARY.targets)),
        replace(ORDINARY, targets=(target_done("x" * 500, 0, 1, plan_done("L", rejected=None)),)),
        replace(ORDINARY, targets=tuple(target_done(f"IC {n}", n / 4, 0.2, plan_done("L")) for n in range(40))),
        replace(ORDINARY, targets=(target_done("", 0, 900, plan_done("", exposure_s=0.0)),)),
    ],
    ids=["away", "nothing planned", "unknown", "not done", "unplaced", "long name", "forty targets", "odd"],
)
@pytest.mark.parametrize(
    "site", [None, Site(latitude_deg=52.5, longitude_deg=13.4), Site(latitude_deg=89.0, longitude_deg=0)]
)
def test_any_night_can_be_drawn(report: NightReport, site: Site | None) -> None:
    picture = image(draw(report, site=site))

    assert picture.width == 412
    assert 100 < picture.height < 1500
