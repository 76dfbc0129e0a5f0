"""The sums of a night."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from tests.support.build import exposure_plan, profile, project, target
from ts2mqtt.observatory.exposures import Gain, Progress
from ts2mqtt.observatory.tally import FilterTally, Tally, TargetTally, add
from ts2mqtt.observatory.tree import TargetPlace

if TYPE_CHECKING:
    from ts2mqtt.observatory.model import ExposurePlan

NOW = datetime(2026, 1, 10, 23, tzinfo=UTC)
NIGHT = Tally(night=date(2026, 1, 10))
LUM = replace(exposure_plan(100, exposure_s=60.0), filter="L")
LONG_LUM = replace(LUM, key="lum_300", exposure_s=300.0)
HYDROGEN = replace(LUM, key="ha_300", filter="Ha", exposure_s=300.0)


def gain(name: str, plan: ExposurePlan, acquired: int, accepted: int = 0, *, shown_as: str | None = None) -> Gain:
    place = TargetPlace(profile(), project(), replace(target(identity=name), name=shown_as or name))
    step = Progress(place, place, plan, plan)
    return Gain(step=step, acquired=acquired, accepted=accepted, earliest=NOW, latest=NOW)


def test_an_empty_night() -> None:
    assert (NIGHT.exposures_acquired, NIGHT.exposures_accepted, NIGHT.integration_s) == (0, 0, 0.0)
    assert add(NIGHT, []) == add(NIGHT, [gain("M 31", LUM, 0)]) == NIGHT


def test_gains_add_up_by_target_and_filter() -> None:
    tally = add(NIGHT, [gain("M 31", LUM, 2, 1), gain("M 33", HYDROGEN, 1), gain("M 31", HYDROGEN, 1)])
    tally = add(tally, [gain("M 31", LUM, 1), gain("M 31", LONG_LUM, 1, 1)])

    assert tally.targets == (
        TargetTally(
            id="M 31",
            name="M 31",
            filters=(
                FilterTally(filter="L", acquired=4, accepted=2, integration_s=480.0),
                FilterTally(filter="Ha", acquired=1, accepted=0, integration_s=300.0),
            ),
        ),
        TargetTally(
            id="M 33",
            name="M 33",
            filters=(FilterTally(filter="Ha", acquired=1, accepted=0, integration_s=300.0),),
        ),
    )
    assert (tally.exposures_acquired, tally.exposures_accepted, tally.integration_s) == (6, 2, 1080.0)
    assert tally.night == NIGHT.night


def test_what_is_only_accepted_adds_no_integration() -> None:
    tally = add(NIGHT, [gain("M 31", LUM, 0, 7)])

    assert (tally.exposures_acquired, tally.exposures_accepted, tally.integration_s) == (0, 7, 0.0)


def test_a_renamed_target_keeps_its_sums_under_its_new_name() -> None:
    tally = add(add(NIGHT, [gain("id", LUM, 1, shown_as="M 31")]), [gain("id", LUM, 1, shown_as="Andromeda")])

    (row,) = tally.targets
    assert (row.id, row.name, tally.exposures_acquired) == ("id", "Andromeda", 2)


def test_unknown_filters_and_exposures_are_counted_too() -> None:
    unknown = replace(LUM, filter=None, exposure_s=None)

    tally = add(NIGHT, [gain("M 31", unknown, 3)])

    assert tally.targets[0].filters == (FilterTally(filter=None, acquired=3),)
