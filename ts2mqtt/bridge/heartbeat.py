"""Signs of life that go through the broker and come back: proof of the whole path, and of other bridges."""

from __future__ import annotations

import secrets
import time

from ts2mqtt.topics import decode
from ts2mqtt.topics.payloads import Heartbeat, Question

INTERVAL_S = 10.0
ASK = Question(ask=True).to_bytes()
"""Published on the heartbeat topic, it makes a running bridge answer with a heartbeat at once."""

MOST_UNRETURNED = 3
"""Of one bridge's heartbeats; and so many intervals without any may pass before its connection counts as lost."""


def new_instance() -> str:
    """Names one running bridge; the name of one that started earlier sorts first."""
    return f"{time.time_ns() // 1_000_000:013x}-{secrets.token_hex(4)}"


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


def read(payload: bytes) -> Heartbeat | None:
    """None for what is no heartbeat."""
    return decode.heartbeat_in(payload)


def is_question(payload: bytes) -> bool:
    return decode.is_question(payload)


def instance_in(payload: bytes) -> str | None:
    """Which running bridge has written this about itself; None if that cannot be read."""
    return decode.instance_in(payload)


def is_healthy(heartbeat: Heartbeat) -> bool:
    """Whether the bridge that sent this is at work and hears itself through the broker."""
    return heartbeat.working and heartbeat.number - heartbeat.returned <= MOST_UNRETURNED
