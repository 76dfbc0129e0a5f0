"""Sees whether the main loop of a session goes on: it waits for much, and each wait has an end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ts2mqtt.bridge.inbox import Inbox
    from ts2mqtt.timing import Clock

LONGEST_TURN_S = 3_600.0
"""So long the main loop may take for what it has begun: a slow link to the broker takes an hour for 100 MB."""


class MainLoopWatch:
    """A main loop that goes on takes what happens out of the inbox."""

    def __init__(self, inbox: Inbox, clock: Clock) -> None:
        self._inbox = inbox
        self._clock = clock
        self._turns = inbox.turns
        self._turned = clock.monotonic()

    def look(self, *, is_publishing: bool) -> bool:
        """Whether it goes on; while it is not publishing nobody takes anything, as there is no broker."""
        if not is_publishing or self._inbox.is_empty or self._inbox.turns != self._turns:
            self._turns, self._turned = self._inbox.turns, self._clock.monotonic()
        return self._clock.monotonic() - self._turned < LONGEST_TURN_S
