"""What a target looks like with its statistics, from look to look."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.support.asking import polling
from tests.support.build import exposure_plan, target
from tests.support.clocks import HandClock
from ts2mqtt.observatory.model import Statistics
from ts2mqtt.scheduler.rig_failures import RigFailures
from ts2mqtt.scheduler.statistics import StatisticsReader, exposure_counts

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLAN = exposure_plan(acquired=4)
_TARGET = target(_PLAN)
_SHARP = Statistics(hfr_mean=2.5)


def reader(by_plan: Mapping[str, Statistics]) -> StatisticsReader:
    """Knows these of the target's exposure plans."""
    clock = HandClock()
    statistics = StatisticsReader(RigFailures("Rig", clock), polling(), clock, random.Random(1))  # noqa: S311 - spreads
    statistics.recall({_TARGET.id: (exposure_counts(_TARGET), by_plan)})
    return statistics


def test_a_target_that_has_not_changed_is_the_very_same() -> None:
    statistics = reader({_PLAN.key: _SHARP})
    completed = statistics.attach(_TARGET)
    assert completed.exposure_plans[0].statistics == _SHARP
    assert statistics.attach(_TARGET) is completed


def test_a_target_that_has_changed_is_not() -> None:
    statistics = reader({_PLAN.key: _SHARP})
    statistics.attach(_TARGET)
    renamed = replace(_TARGET, name="Andromeda")
    assert statistics.attach(renamed).name == "Andromeda"
    assert statistics.attach(renamed).exposure_plans[0].statistics == _SHARP


def test_a_target_without_any_stays_as_it_is() -> None:
    assert reader({}).attach(_TARGET) is _TARGET


def test_a_target_that_was_reset_has_none() -> None:
    statistics = reader({_PLAN.key: _SHARP})
    statistics.attach(_TARGET)
    reset = replace(_TARGET, exposure_plans=(replace(_PLAN, acquired=0),))
    statistics.note_counts(reset)
    assert statistics.attach(reset) is reset
