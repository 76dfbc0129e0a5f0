"""What goes over a connection to the broker, as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Received:
    """A message from the broker; `retain` is true for what it had kept, false for what just happened."""

    topic: str
    payload: bytes
    retain: bool
    size: int | None = None
    """Bytes of a message that was too large; of its payload this is the beginning only."""


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained, when this connection breaks without a goodbye."""

    topic: str
    payload: bytes
