"""Signs of life: counted, and what they say of the bridge that sent them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.support.clocks import HandClock
from ts2mqtt.bridge.heartbeat import Pulse, is_healthy, new_instance
from ts2mqtt.topics.decode import heartbeat_in
from ts2mqtt.topics.payloads import Heartbeat


def beat_of(payload: bytes) -> Heartbeat:
    beat = heartbeat_in(payload)
    assert beat is not None
    return beat


def test_an_instance_that_started_later_sorts_later() -> None:
    started = (
        datetime.fromtimestamp(seconds, UTC) for seconds in (0, 1, 1_772_000_000, 1_772_000_001, 9_999_999_999)
    )
    names = [new_instance(HandClock(moment)) for moment in started]
    assert names == sorted(names)
    assert len({len(name) for name in names}) == 1


def test_instances_that_start_in_the_same_moment_differ() -> None:
    clock = HandClock()
    assert new_instance(clock) != new_instance(clock)


def test_a_pulse_numbers_its_heartbeats() -> None:
    pulse = Pulse("me")
    first, second = beat_of(pulse.next(working=False)), beat_of(pulse.next(working=True))
    assert (first.instance, first.number, first.returned, first.working) == ("me", 1, 0, False)
    assert (second.instance, second.number, second.returned, second.working) == ("me", 2, 0, True)


def test_a_heartbeat_tells_which_one_came_back_last() -> None:
    pulse = Pulse("me")
    pulse.next(working=True)
    pulse.returned = 1
    assert beat_of(pulse.next(working=True)).returned == 1


@pytest.mark.parametrize(
    ("number", "returned", "working", "healthy"),
    [(4, 1, True, True), (5, 1, True, False), (1, 1, False, False), (1, 0, True, True), (100, 99, True, True)],
)
def test_a_bridge_is_healthy_that_works_and_hears_itself(
    number: int, returned: int, working: bool, healthy: bool
) -> None:
    assert is_healthy(Heartbeat(instance="me", number=number, returned=returned, working=working)) is healthy
