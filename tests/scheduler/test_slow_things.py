"""What is asked for at the slow interval."""

from __future__ import annotations

import random

import pytest

from tests.support.clocks import HandClock
from ts2mqtt.scheduler.look_policy import PluginVersion, ProjectsOf, TargetsOf
from ts2mqtt.scheduler.slow_things import SlowThings

SLOW_S = 600.0
VERSION = PluginVersion()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def things(clock: HandClock) -> SlowThings:
    return SlowThings(SLOW_S, clock, random.Random(1))  # noqa: S311 - repeatable


def test_a_thing_is_due_at_first_and_again_in_the_last_fifth_of_the_interval(
    things: SlowThings, clock: HandClock
) -> None:
    assert things.is_due(VERSION)
    things.put_off(VERSION)
    assert things.resting() == {VERSION}
    clock.advance(0.8 * SLOW_S - 1)
    assert not things.is_due(VERSION)
    clock.advance(0.2 * SLOW_S + 1)
    assert things.is_due(VERSION)
    assert things.resting() == frozenset()


def test_a_shorter_interval_holds_for_what_rests_already(things: SlowThings, clock: HandClock) -> None:
    things.put_off(VERSION)
    things.use(60.0)
    clock.advance(60.0)
    assert things.is_due(VERSION)


def test_after_an_outage_what_has_become_due_is_spread_and_the_rest_stays(
    things: SlowThings, clock: HandClock
) -> None:
    due = [TargetsOf(str(number)) for number in range(20)]
    not_due = [ProjectsOf(str(number)) for number in range(20)]
    for target_list in due:
        things.put_off(target_list)
    clock.advance(SLOW_S)
    for project_list in not_due:
        things.put_off(project_list)
    things.spread_again()
    assert things.resting() == {*due, *not_due}
    clock.advance(0.5 * SLOW_S)
    assert 0 < sum(things.is_due(thing) for thing in due) < 20
    assert not any(things.is_due(thing) for thing in not_due)


def test_what_is_gone_is_forgotten(things: SlowThings) -> None:
    things.put_off(VERSION)
    things.put_off(TargetsOf("a"))
    things.put_off(ProjectsOf("a"))
    things.forget_all_but({VERSION, ProjectsOf("a")})
    assert things.resting() == {VERSION, ProjectsOf("a")}
