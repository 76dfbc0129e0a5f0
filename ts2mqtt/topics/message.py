"""A retained message as somebody wants it to stand on the broker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import SupportsBytes


@dataclass(frozen=True, slots=True)
class Message:
    """A payload and how it is to be treated.

    `written`: the payload, or what writes it whenever it is needed, as a site's devices are many megabytes.
    `provisional`: true for all we know, but only worth publishing where the broker holds nothing better.
    `settle_s`: seconds that have to pass between two versions on the same topic.
    """

    written: SupportsBytes
    provisional: bool = False
    settle_s: float = 0.0

    @property
    def payload(self) -> bytes:
        return bytes(self.written)
