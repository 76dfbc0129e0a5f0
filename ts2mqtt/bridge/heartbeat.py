"""Signs of life that go through the broker and come back: proof of the whole path, and of other bridges."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from ts2mqtt.topics.payloads import Heartbeat, Question

if TYPE_CHECKING:
    from ts2mqtt.timing import Clock

ASK = Question(ask=True).to_bytes()
"""Published on the heartbeat topic, it makes a running bridge answer with a heartbeat at once."""

MOST_UNRETURNED = 3
"""Of one bridge's heartbeats; and so many intervals without any may pass before its connection counts as lost."""


def new_instance(clock: Clock) -> str:
    """Names one running bridge; the name of one that started earlier sorts first."""
    return f"{int(clock.now().timestamp() * 1_000):013x}-{secrets.token_hex(4)}"


class Pulse:
    """Counts the heartbeats of one connection, sent and returned."""

    def __init__(self, instance: str) -> None:
        self.instance = instance
        self.sent = 0
        self.returned = 0

    def next(self, *, working: bool) -> bytes:
        self.sent += 1
        beat = Heartbeat(instance=self.instance, number=self.sent, returned=self.returned, working=working)
        return beat.to_bytes()


def is_healthy(heartbeat: Heartbeat) -> bool:
    """Whether the bridge that sent this is at work and hears itself through the broker."""
    return heartbeat.working and heartbeat.number - heartbeat.returned <= MOST_UNRETURNED
