"""The picture of a night that is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING

import pytest

from tests.support.bridge_zone import bridge_in
from tests.support.nights_done import DUSK, EMPTY, plan_done, planned, target_done
from tests.support.plans import image
from ts2mqtt.observatory.sky import Site
from ts2mqtt.picture import last_night_picture

if TYPE_CHECKING:
    from ts2mqtt.observatory.night_report import NightReport

PLANNED, DONE = (0x5B, 0x6B, 0x8C), (0x57, 0xC9, 0x8A)
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
    """The x of all pixels of this colour above the legend."""
    picture = image(draw(report))
    legend = picture.height - 40
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
