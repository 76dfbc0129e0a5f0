"""What is said about commands that nobody can carry out, and which of them have Home Assistant told again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.support import topics_of_example as of
from tests.support.clocks import HandClock
from ts2mqtt.bridge.commands import Commands

if TYPE_CHECKING:
    from tests.support.running import Log


def test_commands_to_ever_other_rigs_do_not_flood_the_log(log: Log) -> None:
    commands = Commands(of.NAMES.topics, {}, HandClock())
    for number in range(500):
        commands.carry_out(f"ts2mqtt/rig{number}/command", b"refresh")
    assert 1 <= len(log.about("is not understood")) <= 11
    assert len(log.problems) <= 12


@pytest.mark.parametrize(
    ("topic", "payload", "told_again"),
    [
        ("ts2mqtt/command", b"rediscover", True),
        ("ts2mqtt/command", b" rediscover\n", True),
        ("ts2mqtt/command", b"rediscover now", False),
        ("ts2mqtt/command", b"log_level debug", False),
        ("ts2mqtt/backyard/command", b"rediscover", False),
    ],
)
def test_rediscover_alone_has_everything_told_again(topic: str, payload: bytes, told_again: bool) -> None:
    assert Commands(of.NAMES.topics, {}, HandClock()).carry_out(topic, payload) is told_again


async def test_reload_is_an_order_to_somebody_else() -> None:
    ordered = asyncio.Event()
    commands = Commands(of.NAMES.topics, {}, HandClock(), reload_ordered=ordered)
    commands.carry_out("ts2mqtt/backyard/command", b"reload")
    commands.carry_out("ts2mqtt/command", b"reload everything")
    assert not ordered.is_set()
    commands.carry_out("ts2mqtt/command", b"reload")
    assert ordered.is_set()


def test_what_comes_too_often_is_not_carried_out() -> None:
    clock = HandClock()
    commands = Commands(of.NAMES.topics, {}, clock)
    carried_out = [commands.carry_out("ts2mqtt/command", b"rediscover") for _ in range(100)]
    assert sum(carried_out) == 10
    clock.advance(3.0)
    assert commands.carry_out("ts2mqtt/command", b"rediscover")
