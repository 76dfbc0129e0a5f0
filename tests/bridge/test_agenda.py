"""Tasks come up when they are due, in their order."""

from __future__ import annotations

from tests.support.clocks import HandClock
from ts2mqtt.bridge.agenda import Agenda, BeginWelcome, LookAgain, TellStatesAgain


def test_tasks_come_up_when_they_are_due() -> None:
    clock = HandClock()
    agenda = Agenda(clock)
    first, second, third = LookAgain("a"), TellStatesAgain(frozenset("b")), BeginWelcome()
    agenda.add(2.0, third)
    agenda.add(1.0, first)
    agenda.add(1.0, second)
    assert agenda.take_due() == []
    assert agenda.next_due_in_s() == 1.0
    clock.advance(1.0)
    assert agenda.take_due() == [first, second]
    clock.advance(5.0)
    assert agenda.next_due_in_s() == 0.0
    assert agenda.take_due() == [third]
    assert agenda.next_due_in_s() is None


def test_of_equal_tasks_the_earliest_stands() -> None:
    clock = HandClock()
    agenda = Agenda(clock)
    for in_s in (5.0, 2.0, 9.0):
        agenda.add(in_s, LookAgain("backyard"))
    agenda.add(3.0, LookAgain("remote"))
    clock.advance(2.0)
    assert agenda.take_due() == [LookAgain("backyard")]
    clock.advance(100.0)
    assert agenda.take_due() == [LookAgain("remote")]
