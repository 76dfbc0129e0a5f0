from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from tests.support.bridge_zone import bridge_in
from tests.support.plans import BERLIN, at, block, columns, draw, image, plan
from ts2mqtt.observatory.night_report import ImagedStretch
from ts2mqtt.observatory.site import Site
from ts2mqtt.picture.filters import BLUE, GREEN, H_ALPHA, OIII, RED, SII, UNKNOWN
from ts2mqtt.picture.page import IMAGED, MAXIMUM_ROWS

if TYPE_CHECKING:
    from PIL.Image import Image

    from ts2mqtt.observatory.model import NightPlan
    from ts2mqtt.picture.target_row import Coordinates

IN_BERLIN = Site(52.52, 13.405)
M31: dict[str, Coordinates] = {"M 31": (0.7123, 41.27, "J2000")}


def ordinary() -> NightPlan:
    return plan(
        block(None, at(17), at(18)),
        block("M 31", at(18), at(22), ("Red", 120, 30), ("Green", 120, 10)),
        block("M 42", at(22), at(2), ("Ha", 300, 24), ("OIII", 300, 24)),
        block("M 31", at(2), at(4), ("SII", 300, 24)),
    )


def targets(count: int) -> NightPlan:
    start = at(18).astimezone(UTC)
    step = timedelta(minutes=10)
    return plan(*(block(f"NGC {i}", start + i * step, start + (i + 1) * step, ("Blue", 60, 8)) for i in range(count)))


def x_of(moment: datetime, start: datetime, end: datetime) -> float:
    return (14 + (moment - start) / (end - start) * (412 - 28)) * 2


@pytest.mark.parametrize("width", [412, 824, 1200])
def test_is_a_png_of_the_width_asked_for(width: int) -> None:
    png = draw(ordinary(), width=width)
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    picture = image(png)
    assert picture.width == width
    assert 0.5 < picture.height / width < 2


def test_the_same_plan_gives_the_same_bytes() -> None:
    assert draw(ordinary(), site=IN_BERLIN, coordinates=M31) == draw(ordinary(), site=IN_BERLIN, coordinates=M31)


def test_when_a_plan_was_fetched_does_not_show() -> None:
    later = replace(ordinary(), fetched=datetime(2026, 11, 22, 23, tzinfo=UTC))
    assert draw(later) == draw(ordinary())


def test_blocks_stand_where_the_clock_says_in_the_colours_of_their_filters() -> None:
    picture = image(draw(ordinary()))
    start, end = at(17, 40), at(4, 20)
    edges = {
        RED: (at(18), at(21)),
        GREEN: (at(21), at(22)),
        H_ALPHA: (at(22), at(0)),
        OIII: (at(0), at(2)),
        SII: (at(2), at(4)),
    }
    for look, (begins, finishes) in edges.items():
        found = columns(picture, look.colour)
        assert found[0] == pytest.approx(x_of(begins, start, end), abs=2), look
        assert found[-1] + 1 == pytest.approx(x_of(finishes, start, end), abs=2), look


def test_a_block_that_cannot_happen_is_dimmed() -> None:
    planned = block("A", at(20), at(23), ("Ha", 300.0, 36))
    whole, dimmed = (image(draw(plan(replace(planned, dropped=dropped)))) for dropped in (False, True))

    assert columns(whole, H_ALPHA.colour)
    assert not columns(dimmed, H_ALPHA.colour)


def test_what_was_imaged_stands_below_the_blocks_of_its_target() -> None:
    imaged = (
        ImagedStretch(id="M 31", start=at(18, 10), end=at(21, 30)),
        ImagedStretch(id="M 42", start=at(22), end=at(23)),
        ImagedStretch(id="not in the plan", start=at(2), end=at(3)),
    )
    png = draw(ordinary(), imaged=imaged)
    start, end = at(17, 40), at(4, 20)
    # The strip of 3 units is 6 pixels high, and those at its edges are mixed.
    found = [x for x in columns(image(png), IMAGED, 4) if x > x_of(at(18), start, end)]
    assert found[0] == pytest.approx(x_of(at(18, 10), start, end), abs=4)
    assert found[-1] == pytest.approx(x_of(at(23), start, end), abs=4)
    assert not [x for x in found if x_of(at(21, 33), start, end) < x < x_of(at(21, 57), start, end)]
    assert draw(ordinary(), imaged=imaged[:2]) == png
    assert draw(ordinary(), imaged=imaged[2:]) == draw(ordinary())
    of_others = [draw(ordinary(), imaged=(replace(imaged[1], id=target),)) for target in ("M 31", "M 42")]
    assert of_others[0] != of_others[1]


def test_with_a_site_the_axis_runs_from_sunset_to_sunrise() -> None:
    picture = image(draw(plan(block("M 31", at(20), at(22), ("Blue", 120, 60))), site=IN_BERLIN))
    found = columns(picture, BLUE.colour)
    assert found[0] == pytest.approx(x_of(at(20), at(16, 4), at(7, 42)), abs=3)
    assert found[-1] == pytest.approx(x_of(at(22), at(16, 4), at(7, 42)), abs=3)


def test_an_hour_after_the_clocks_go_back_is_an_hour_wide() -> None:
    night = date(2026, 10, 24)
    # From 01:00 CEST to 04:00 CET are four hours, not three.
    start, end = at(1, night=night), at(4, night=night)
    picture = image(draw(plan(block("M 31", start, end, ("Blue", 60, 120), ("Red", 60, 120)), night=night)))
    shown_from, shown_to = (
        start.astimezone(UTC) - timedelta(minutes=20),
        end.astimezone(UTC) + timedelta(minutes=20),
    )
    middle = start.astimezone(UTC) + timedelta(hours=2)
    assert columns(picture, RED.colour)[0] == pytest.approx(x_of(middle, shown_from, shown_to), abs=2)


def test_each_target_is_one_row() -> None:
    heights = [image(draw(targets(count))).height for count in (1, 2, 3)]
    assert heights[1] - heights[0] == heights[2] - heights[1] > 50
    again = plan(*targets(2).blocks, block("NGC 0", at(3), at(4), ("Blue", 60, 8)))
    assert image(draw(again)).height == heights[1]


def test_a_great_many_targets_are_only_counted() -> None:
    assert image(draw(targets(40))).height <= image(draw(targets(MAXIMUM_ROWS))).height + 20
    assert draw(targets(40)) != draw(targets(41))


def bright(picture: Image) -> list[object]:
    """The pixels of lettering."""
    return [pixel for pixel in picture.convert("L").get_flattened_data() if isinstance(pixel, int) and pixel > 150]


def test_an_empty_night_says_so() -> None:
    empty = image(draw(plan()))
    # Words: bright pixels in the middle of a picture that holds no bars.
    middle = empty.crop((150, 180, 674, 280))
    assert len(bright(middle)) > 500
    assert image(draw(ordinary())).height > empty.height


def test_a_night_of_waiting_is_an_empty_one() -> None:
    assert draw(plan(block(None, at(17), at(6)))) == draw(plan())


def test_waits_show() -> None:
    blocks = ordinary().blocks
    later = (blocks[1], block(None, at(22), at(0)), block("M 42", at(0), at(4), ("Ha", 300, 40)))
    assert draw(plan(*later)) != draw(plan(later[0], later[2]))


@pytest.mark.parametrize("site", [IN_BERLIN, Site(-23.2, 16.4), Site(69.65, 18.96), Site(90.0, 0.0)])
def test_a_site_adds_twilight_and_moon_and_curves(site: Site) -> None:
    with_curve = draw(ordinary(), site=site, coordinates=M31)
    without_curve = draw(ordinary(), site=site)
    assert with_curve != without_curve
    assert image(without_curve).height > image(draw(ordinary())).height


def test_an_empty_night_over_a_site() -> None:
    assert image(draw(plan(), site=IN_BERLIN)).height > image(draw(plan())).height
    # In polar day there is no night to show.
    assert draw(plan(night=date(2026, 6, 21)), site=Site(80.0, 0.0)) == draw(plan(night=date(2026, 6, 21)))


@pytest.mark.parametrize("position", [(float("nan"), 0.0), (1.0, 200.0)])
def test_a_place_that_is_none_has_no_curve(position: tuple[float, float]) -> None:
    assert draw(ordinary(), site=IN_BERLIN, coordinates={"M 31": (*position, "J2000")}) == draw(
        ordinary(), site=IN_BERLIN
    )


def test_a_curve_is_of_the_target_s_epoch() -> None:
    # Off by half a century of precession, 0.7°, as the highest altitude would tell.
    night = plan(block("M 31", at(18), at(23), ("Blue", 60, 9)))
    by_epoch = {
        epoch: draw(night, site=IN_BERLIN, coordinates={"M 31": (0.7123, 41.27, epoch)})
        for epoch in ("J2000", "JNOW", "B1950", "J2050", None)
    }
    assert by_epoch[None] == by_epoch["J2000"]
    assert len(set(by_epoch.values())) == 4
    ra_1950, dec_1950 = 0.6672, 40.9953
    same_place = draw(night, site=IN_BERLIN, coordinates={"M 31": (ra_1950, dec_1950, "B1950")})
    assert difference(same_place, by_epoch["J2000"]) < difference(by_epoch["B1950"], by_epoch["J2000"]) / 5


def difference(one: bytes, other: bytes) -> int:
    """How far two pictures are apart, pixel by pixel."""
    levels = (image(png).convert("L").get_flattened_data() for png in (one, other))
    return sum(abs(a - b) for a, b in zip(*levels, strict=True) if isinstance(a, int) and isinstance(b, int))


def test_a_curve_brings_its_scale_with_it() -> None:
    with bridge_in("Europe/Berlin"):
        bare, curved = (image(draw(ordinary(), site=IN_BERLIN, coordinates=coordinates)) for coordinates in ({}, M31))
    # A line of words and the sample of a curve below the hours.
    assert curved.height - bare.height == 40
    assert len(bright(curved.crop((0, bare.height - 20, 412, curved.height)))) > 300


def test_the_zone_of_the_hours_is_named_where_it_is_not_the_bridge_s() -> None:
    with bridge_in("Europe/Berlin"):
        own, of_berlin, in_vienna, in_new_york = (
            draw(ordinary(), zone=zone)
            for zone in (None, BERLIN, ZoneInfo("Europe/Vienna"), ZoneInfo("America/New_York"))
        )
    assert own == of_berlin == in_vienna
    assert image(in_new_york).height - image(own).height == 40
    with bridge_in("America/New_York"):
        assert image(draw(ordinary(), zone=BERLIN)).height == image(in_new_york).height


def test_the_name_of_a_zone_ends_before_the_picture_does() -> None:
    far = ZoneInfo("America/Argentina/ComodRivadavia")
    picture = image(draw(ordinary(), zone=far, site=IN_BERLIN, coordinates=M31))
    assert not bright(picture.crop((800, 0, 824, picture.height)))


def test_the_rigs_clock_is_on_the_axis() -> None:
    in_utc = plan(block("M 31", at(18).astimezone(UTC), at(23).astimezone(UTC), ("Blue", 60, 9)))
    assert draw(in_utc) != draw(in_utc, zone=ZoneInfo("America/New_York"))
    assert draw(in_utc, zone=BERLIN) == draw(plan(block("M 31", at(18), at(23), ("Blue", 60, 9))))
    assert draw(in_utc, zone=None).startswith(b"\x89PNG")


NAMES = [
    "",
    "\x00\x1b[31m\r\n",
    "M 31\x07",
    "\ud800\udfff",
    "<script>&amp;\"'</text>]]>",
    "アンドロメダ銀河" * 12,
    "말머리성운 Łódź",
    "سديم الجبار",
    "W" * 60,
    "i" * 5000,
    "\u202egnorw",
    "e\u0301" * 40,
    "🌌✨",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_can_be_drawn(name: str) -> None:
    nasty = plan(block("t", at(18), at(22), (name, 60, 3), name=name))
    assert image(draw(nasty, rig_name=name)).width == 824


@pytest.mark.parametrize("name", ["アンドロメダ銀河", "말머리성운", "Łódź", "Туманность", "猎户座大星云"])
def test_letters_of_the_world_are_no_empty_boxes(name: str) -> None:
    def title(text: str) -> bytes:
        picture = image(draw(plan(block("t", at(18), at(22), name=text))))
        return picture.crop((30, 124, 824, 166)).tobytes()

    # Were its letters missing, each would be the same box: any order of them would look alike.
    assert title(name) != title(name[::-1])


def test_long_names_end_before_the_picture_does() -> None:
    for name in ("W" * 60, "m" * 60, "天" * 60, "M" * 30 + "天" * 30):
        for count in (1, 8):
            blocks = (
                block(f"t{i}", at(18), at(20), ("L", 60, 40), ("R", 60, 12), ("SII", 60, 4), name=name)
                for i in range(count)
            )
            picture = image(draw(plan(*blocks), rig_name=name))
            assert not bright(picture.crop((800, 0, 824, picture.height))), (name, count)


def test_counts_that_do_not_fit_are_left_out() -> None:
    runs = [(f"Filter {i}", 60.0, 100_000) for i in range(20)]
    picture = image(draw(plan(block("t", at(18), at(22), *runs))))
    # They end at the right, and would begin to the left of the times, where the picture ends.
    assert not bright(picture.crop((175, 222, 355, 256)))
    assert bright(picture.crop((355, 222, 824, 256)))


def test_a_block_of_which_nothing_is_known_is_grey() -> None:
    picture = image(draw(plan(block("t", at(18), at(22)))))
    assert columns(picture, UNKNOWN.colour)


def test_where_a_length_is_unknown_counts_decide() -> None:
    picture = image(draw(plan(block("t", at(18), at(22), ("Red", None, 30), ("Blue", 600, 30)))))
    assert len(columns(picture, RED.colour)) == pytest.approx(len(columns(picture, BLUE.colour)), abs=6)


def _nasty_block(
    chance: Random, number: int
) -> tuple[str | None, datetime, datetime, list[tuple[str | None, float | None, int]]]:
    moments = [
        at(18) + timedelta(minutes=chance.randrange(-3000, 3000)),
        at(22),
        datetime(1, 1, 1, tzinfo=ZoneInfo("Asia/Tokyo")),
        datetime(9999, 12, 31, 23, 59, tzinfo=ZoneInfo("America/New_York")),
        datetime(2026, 11, 22, 21, 0),  # noqa: DTZ001 (a date without an offset is what is tested)
    ]
    runs = [
        (
            chance.choice([None, "", "L", "Ha", "x" * 500, "\x00"]),
            chance.choice([None, 0.0, -1.0, float("nan"), float("inf"), 1e308, 300.0]),
            chance.choice([0, -5, 1, 40, 10**30]),
        )
        for _ in range(chance.randrange(6))
    ]
    return chance.choice([None, f"t{number % 5}", f"t{number}"]), chance.choice(moments), chance.choice(moments), runs


@pytest.mark.parametrize("seed", range(30))
def test_no_plan_is_too_nasty(seed: int) -> None:
    chance = Random(seed)  # noqa: S311 (no secret)
    blocks = []
    for number in range(chance.choice([1, 3, 12, 60])):
        target, start, end, runs = _nasty_block(chance, number)
        blocks.append(block(target, start, end, *runs))
    site = chance.choice([None, IN_BERLIN, Site(-90.0, 180.0)])
    zone = chance.choice([BERLIN, None, ZoneInfo("Asia/Kathmandu")])
    # Small, as the renderer's time grows with the pixels and what it is told does not change with them.
    picture = draw(plan(*blocks), site=site, zone=zone, coordinates={"t1": (1.0, 2.0, None)}, width=206)
    assert image(picture).width == 206
