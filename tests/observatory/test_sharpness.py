"""Medians of half-flux radii: exact while few values differ, near in little room after thousands of images."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING

import pytest

from tests.support.build import exposure_plan, profile, project, rig, target
from ts2mqtt.observatory.live import LightFrame
from ts2mqtt.observatory.model import Listing
from ts2mqtt.observatory.sharpness import MOST_VALUES, HfrCount, Sharpness, hfr_median, measured
from ts2mqtt.simulator.random_numbers import random_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable

PLANS = (
    exposure_plan(100, key="lum_60", filter="L", exposure_s=60.0),
    exposure_plan(100, key="lum_300", filter="L", exposure_s=300.0),
    exposure_plan(100, key="ha_300", filter="Ha", exposure_s=300.0),
    exposure_plan(100, key="ha_300_2", filter="Ha", exposure_s=300.0),
)
RIG = rig(Listing((profile(projects=Listing((project(targets=Listing((target(*PLANS, identity="m31"),))),))),)))
FRAME = LightFrame(
    time=datetime(2026, 1, 10, 23, tzinfo=UTC),
    target_id="m31",
    filter="L",
    exposure_s=60.0,
    hfr=2.0,
    stars=40,
    guide_rms_arcsec=None,
)


def after(*frames: LightFrame) -> tuple[Sharpness, ...]:
    known: tuple[Sharpness, ...] = ()
    for frame in frames:
        known = measured(known, frame, RIG)
    return known


def of(values: Iterable[float]) -> tuple[Sharpness, ...]:
    return after(*(replace(FRAME, hfr=value) for value in values))


@pytest.mark.parametrize(
    ("frame", "key"),
    [
        (FRAME, "lum_60"),
        (replace(FRAME, exposure_s=300.0), "lum_300"),
        # Of no plan of the target, of one of two plans that are alike, and of a target that is gone meanwhile.
        (replace(FRAME, filter="R"), None),
        (replace(FRAME, exposure_s=None), None),
        (replace(FRAME, filter="Ha", exposure_s=300.0), None),
        (replace(FRAME, target_id="gone"), None),
    ],
)
def test_an_image_counts_for_the_plan_that_alone_fits_and_always_for_its_target(
    frame: LightFrame, key: str | None
) -> None:
    assert after(frame) == (Sharpness(target_id=frame.target_id or "", key=key, counts=(HfrCount(2.0, 1),)),)


def test_without_a_target_or_a_star_nothing_is_measured() -> None:
    known = after(FRAME)

    assert measured(known, replace(FRAME, target_id=None), RIG) is known
    assert measured(known, replace(FRAME, hfr=None), RIG) is known
    assert hfr_median(()) is None


@pytest.mark.parametrize(
    "values", [[1.44], [1.5, 2.5], [2.0, 2.0, 9.0], [3.1, 1.2, 1.2, 3.2, 2.0, 2.1], [1 + n / 100 for n in range(40)]]
)
def test_the_median_of_few_values_is_exact(values: list[float]) -> None:
    assert hfr_median(of(values)) == pytest.approx(median(values))


def test_a_target_has_the_median_of_all_its_images() -> None:
    frames = [replace(FRAME, hfr=hfr) for hfr in (1.0, 1.1, 1.2)]
    frames += [replace(FRAME, exposure_s=300.0, hfr=hfr) for hfr in (2.0, 2.1)]

    assert hfr_median(after(*frames)) == 1.2


@pytest.mark.parametrize("drift", [0.0, 1.5, -0.9])
@pytest.mark.parametrize("spoilt", [0.0, 0.1])
def test_thousands_of_images_take_little_room_and_their_median_is_near(drift: float, spoilt: float) -> None:
    numbers = random_numbers(1)
    sharp = [numbers.gauss(2.2 + drift * n / 2_000, 0.25) for n in range(2_000)]
    values = [numbers.uniform(5, 50) if numbers.random() < spoilt else max(0.8, value) for value in sharp]

    known = of(values)

    (one,) = known
    assert len(one.counts) == MOST_VALUES
    assert sum(count.count for count in one.counts) == len(values)
    assert hfr_median(known) == pytest.approx(median(values), abs=0.04)
