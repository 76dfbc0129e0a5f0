"""A retained message as somebody wants it to stand on the broker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """A payload and how it is to be treated.

    `provisional`: true for all we know, but only worth publishing where the broker holds nothing better.
    `settle_s`: seconds that have to pass between two versions on the same topic.
    """

    payload: bytes
    provisional: bool = False
    settle_s: float = 0.0
