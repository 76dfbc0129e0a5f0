"""A main loop that goes on, has nothing to do, has no broker, or hangs."""

from __future__ import annotations

import pytest

from tests.support.clocks import HandClock
from ts2mqtt.bridge.inbox import BridgeChanged, Inbox
from ts2mqtt.bridge.main_loop_watch import LONGEST_TURN_S, MainLoopWatch


class Watched:
    def __init__(self) -> None:
        self.clock = HandClock()
        self.inbox = Inbox()
        self.watch = MainLoopWatch(self.inbox, self.clock)

    def goes_on(self, *, is_publishing: bool = True, takes: bool = False) -> bool:
        """A look each minute for two hours."""
        looks = []
        for _ in range(round(2 * LONGEST_TURN_S / 60)):
            self.clock.advance(60)
            if takes:
                self.inbox.take_all()
                self.inbox.put(BridgeChanged())
            looks.append(self.watch.look(is_publishing=is_publishing))
        return all(looks)


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_an_empty_inbox_is_nothing_to_worry_about(watched: Watched) -> None:
    assert watched.goes_on()


def test_an_inbox_that_is_filled_and_emptied_all_the_time_is_good(watched: Watched) -> None:
    assert watched.goes_on(takes=True)


def test_without_a_broker_the_inbox_fills(watched: Watched) -> None:
    watched.inbox.put(BridgeChanged())
    assert watched.goes_on(is_publishing=False)


def test_what_nobody_takes_for_an_hour_means_that_the_main_loop_hangs(watched: Watched) -> None:
    watched.inbox.put(BridgeChanged())
    watched.watch.look(is_publishing=True)
    watched.clock.advance(LONGEST_TURN_S - 1)
    assert watched.watch.look(is_publishing=True)
    watched.clock.advance(1)
    assert not watched.watch.look(is_publishing=True)
    watched.inbox.take_all()
    assert watched.watch.look(is_publishing=True)
