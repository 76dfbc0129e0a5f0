"""What waits for a session: the latest of each rig, with all that has happened; everything else in its order."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.sample_rig import BACKYARD, SILENT
from ts2mqtt.bridge.inbox import BridgeChanged, CommandCame, Inbox, RigUpdate, Stop, most_events_of_a_rig

if TYPE_CHECKING:
    from tests.support.running import Log


def update(rig_id: str, *events: bytes) -> RigUpdate:
    return RigUpdate(rig=replace(SILENT, id=rig_id), states={}, devices={}, events=events)


def test_everything_is_taken_once() -> None:
    inbox = Inbox()
    inbox.put(update("backyard"))
    inbox.put(Stop())
    assert inbox.take_all() == [Stop(), update("backyard")]
    assert inbox.take_all() == []


def test_of_each_rig_the_latest_update_is_taken_with_the_events_of_all() -> None:
    inbox = Inbox()
    inbox.put(update("backyard", b"1", b"2"))
    inbox.put(update("remote", b"a"))
    latest = replace(update("backyard", b"3"), rig=BACKYARD)
    inbox.put(latest)
    assert inbox.take_all() == [replace(latest, events=(b"1", b"2", b"3")), update("remote", b"a")]


def test_what_is_no_update_goes_first_and_in_its_order() -> None:
    inbox = Inbox()
    commands = [CommandCame("ts2mqtt/command", str(number).encode()) for number in range(3)]
    inbox.put(update("backyard"))
    for command in commands:
        inbox.put(command)
    inbox.put(BridgeChanged())
    assert inbox.take_all() == [*commands, BridgeChanged(), update("backyard")]


def test_what_waits_for_days_does_not_grow_and_is_said_once(log: Log) -> None:
    inbox = Inbox(events_of_a_rig=10)
    for number in range(30):
        inbox.put(update("backyard", str(number).encode()))
    (kept,) = inbox.take_all()
    assert kept == update("backyard", *(str(number).encode() for number in range(20, 30)))
    assert len(log.about("WARNING", "only the latest 10 events are kept")) == 1


@pytest.mark.parametrize(("rigs", "events"), [(1, 1_000), (3, 1_000), (100, 200), (1_000, 20), (100_000, 20)])
def test_of_many_rigs_fewer_events_are_kept(rigs: int, events: int) -> None:
    assert most_events_of_a_rig(rigs) == events


def test_a_flood_of_commands_does_not_grow_and_keeps_nothing_else_out() -> None:
    inbox = Inbox()
    for number in range(5_000):
        inbox.put(CommandCame("ts2mqtt/command", str(number).encode()))
    inbox.put(Stop())
    taken = inbox.take_all()
    assert len(taken) <= 1_001
    assert taken[-1] == Stop()


async def test_who_waits_is_woken_by_what_is_put() -> None:
    inbox = Inbox()
    waiting = asyncio.create_task(inbox.filled())
    await asyncio.sleep(0)
    assert not waiting.done()
    inbox.put(Stop())
    await waiting
    inbox.take_all()
    again = asyncio.create_task(inbox.filled())
    await asyncio.sleep(0)
    assert not again.done()
    again.cancel()
