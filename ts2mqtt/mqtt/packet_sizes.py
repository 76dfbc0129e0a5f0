"""Learns which messages are too large for a broker, which often says so only by closing the connection over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ts2mqtt.timing import Clock

_BESIDE_TOPIC_AND_PAYLOAD = 12
"""Bytes of a PUBLISH packet, at most."""

_LEAST = 1_000
"""Bytes; no broker in use has a lower limit, and over a smaller message a connection breaks for another reason."""

_ENOUGH_STRIKES = 2
_FIRST_RETRY_S = 600.0
_LONGEST_RETRY_S = 86_400.0


def packet_size(topic: str, payload: bytes) -> int:
    """What a broker's limit counts, or a few bytes more."""
    return len(topic.encode()) + len(payload) + _BESIDE_TOPIC_AND_PAYLOAD


class PacketSizes:
    """What one broker takes, over all connections to it.

    After a connection broke with messages under way, any that is larger than what was taken since has to go alone:
    if the connection breaks over it again, and once more, it is too large. That is believed for ten minutes and is
    then tried again, and believed for twice as long each time that proves to be true.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.declared: int | None = None
        """What the broker itself said at the login, as it can in MQTT 5."""
        self._broke = False
        self._taken = 0
        self._strikes = 0
        self._too_large: int | None = None
        self._retry_s = _FIRST_RETRY_S
        self._retry_at = 0.0

    def is_too_large(self, size: int) -> bool:
        if self.declared is not None and size > self.declared:
            return True
        return self._too_large is not None and size >= self._too_large and self._clock.monotonic() < self._retry_at

    def must_go_alone(self, size: int) -> bool:
        return self._broke and size > self._taken

    @property
    def retry_in_s(self) -> float | None:
        """In how many seconds what is too large will be tried again; None for not at all."""
        left = self._retry_at - self._clock.monotonic()
        return left if self._too_large is not None and left > 0 else None

    def took(self, size: int) -> None:
        self._taken = max(self._taken, size)
        if self._too_large is not None and size >= self._too_large:
            self._too_large, self._retry_s = None, _FIRST_RETRY_S
        if size >= _LEAST:
            self._strikes = 0

    def broke_over(self, sizes: Sequence[int]) -> None:
        """A connection broke, and these had been sent just before and not been acknowledged."""
        if not sizes:
            return
        was_alone = len(sizes) == 1 and sizes[0] >= _LEAST and self.must_go_alone(sizes[0])
        self._broke, self._taken = True, 0
        if not was_alone:
            return
        self._strikes += 1
        if self._strikes >= _ENOUGH_STRIKES:
            if self._too_large is not None and sizes[0] >= self._too_large:
                self._retry_s = min(2 * self._retry_s, _LONGEST_RETRY_S)
            self._too_large = min(sizes[0], self._too_large or sizes[0])
            self._retry_at = self._clock.monotonic() + self._retry_s
