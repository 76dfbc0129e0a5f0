"""Devices go as fast as the broker shows that they arrive, and nobody waits for them."""

from __future__ import annotations

import pytest

from tests.support.clocks import HandClock
from ts2mqtt.bridge.pace import DevicePace
from ts2mqtt.timing import PaceTimings

_TIMINGS = PaceTimings(
    many=100,
    devices_at_once=40,
    handful=10,
    devices_per_second=20.0,
    least_devices_per_second=6.0,
    most_devices_per_second=50.0,
    growth=1.5,
)


def told(pace: DevicePace, at_most: int = 1_000) -> int:
    """How many devices may be told now."""
    return next(number for number in range(at_most) if not pace.try_take())


def told_in_a_second(pace: DevicePace, clock: HandClock) -> int:
    """Once what may be told at once is used up."""
    told(pace)
    clock.advance(1.0)
    return told(pace)


def test_as_many_as_the_broker_queues_are_told_at_once_and_then_so_many_a_second() -> None:
    clock = HandClock()
    pace = DevicePace(clock, _TIMINGS)
    assert told(pace) == 100
    assert pace.room_in_s() == pytest.approx(0.5)
    clock.advance(0.5)
    assert pace.has_room
    assert told(pace) == 10
    clock.advance(3_600.0)
    assert told(pace) == 100


def test_fewer_are_told_at_once_where_many_are_expected() -> None:
    clock = HandClock()
    pace = DevicePace(clock, _TIMINGS)
    pace.expect_many()
    assert told(pace) == 40
    clock.advance(3_600.0)
    assert told(pace) == 40


def test_states_take_less_room_than_devices() -> None:
    pace = DevicePace(HandClock(), _TIMINGS)
    assert all(pace.try_take(0.25) for _ in range(360))
    assert told(pace) == 10


def test_a_device_that_does_not_wait_keeps_those_after_it_waiting() -> None:
    clock = HandClock()
    pace = DevicePace(clock, _TIMINGS)
    for _ in range(110):
        pace.take()
    assert not pace.has_room
    assert pace.room_in_s() == pytest.approx(1.0)


def test_a_good_reading_makes_it_faster_only_where_it_has_held_something_back() -> None:
    clock = HandClock()
    pace = DevicePace(clock, _TIMINGS)
    pace.speed_up()
    assert told_in_a_second(pace, clock) == 20
    pace.speed_up()
    assert told_in_a_second(pace, clock) == 30
    for _ in range(20):
        pace.speed_up()
        told(pace)
    assert told_in_a_second(pace, clock) == 50


def test_a_bad_reading_halves_it_and_uses_up_what_may_be_told_at_once() -> None:
    clock = HandClock()
    pace = DevicePace(clock, _TIMINGS)
    pace.slow_down()
    assert told(pace) == 0
    assert told_in_a_second(pace, clock) == 10
    for _ in range(5):
        pace.slow_down()
    assert told_in_a_second(pace, clock) == 6
