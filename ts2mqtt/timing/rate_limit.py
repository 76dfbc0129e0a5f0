"""How often something may be done on another's word: a few times at once, and from then on every so often."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ts2mqtt.timing.clock import Clock


class RateLimit:
    """A token bucket: `at_once` uses, and one more each `every_s` seconds."""

    def __init__(self, at_once: int, every_s: float, clock: Clock) -> None:
        self._at_once = float(at_once)
        self._every_s = every_s
        self._clock = clock
        self._left = float(at_once)
        self._counted = clock.monotonic()

    def try_take(self) -> bool:
        """Whether it may be done now; if so, that counts."""
        if not self.has_left():
            return False
        self._left -= 1.0
        return True

    def has_left(self) -> bool:
        """Whether it may be done now."""
        now = self._clock.monotonic()
        self._left = min(self._at_once, self._left + (now - self._counted) / self._every_s)
        self._counted = now
        return self._left >= 1.0
