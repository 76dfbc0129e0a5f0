"""Signs of life: counted, read back, and told from everything else that may stand on their topic."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from tests.support.clocks import HandClock
from ts2mqtt.bridge import heartbeat
from ts2mqtt.bridge.heartbeat import Pulse, instance_in, is_healthy, is_question, new_instance, read
from ts2mqtt.topics.payloads import Heartbeat


def beat_of(payload: bytes) -> Heartbeat:
    beat = read(payload)
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
    "payload",
    [
        b"",
        b"online",
        b"{}",
        b"[1]",
        b"\xff\xfe",
        heartbeat.ASK,
        b'{"instance": "a", "number": "many", "returned": 0, "working": true}',
        b'{"instance": "a", "number": 1, "returned": 0}',
    ],
)
def test_what_is_no_heartbeat_is_not_read(payload: bytes) -> None:
    assert read(payload) is None


def test_a_question_is_told_from_a_heartbeat() -> None:
    assert is_question(heartbeat.ASK)
    assert json.loads(heartbeat.ASK) == {"ask": True}
    assert not is_question(b'{"ask": false}')
    assert not is_question(Pulse("me").next(working=True))
    assert not is_question(b"")


@pytest.mark.parametrize(
    ("number", "returned", "working", "healthy"),
    [(4, 1, True, True), (5, 1, True, False), (1, 1, False, False), (1, 0, True, True), (100, 99, True, True)],
)
def test_a_bridge_is_healthy_that_works_and_hears_itself(
    number: int, returned: int, working: bool, healthy: bool
) -> None:
    assert is_healthy(Heartbeat(instance="me", number=number, returned=returned, working=working)) is healthy


def test_a_bridges_word_about_itself_names_its_instance() -> None:
    assert instance_in(b'{"version": "1", "instance": "me", "rigs": []}') == "me"


@pytest.mark.parametrize("payload", [b"", b"{}", b"[]", b'{"instance": null}', b"\xff"])
def test_anything_else_names_no_instance(payload: bytes) -> None:
    assert instance_in(payload) is None
