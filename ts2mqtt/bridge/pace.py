"""How fast is published, so that no subscriber loses what comes faster than it reads."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ts2mqtt.timing import Clock, PaceTimings


class Pace:
    """A token bucket for all messages: so many at once, then so many a second, a handful at a time.

    One by one, each would wake the event loop three times: to be sent, to be written, to be acknowledged.
    """

    def __init__(self, clock: Clock, timings: PaceTimings) -> None:
        self._clock = clock
        self._timings = timings
        self._tokens = float(timings.burst)
        self._filled = 0.0

    async def next(self) -> None:
        """Returns when one more message may be sent."""
        now, per_second = self._clock.monotonic(), self._timings.per_second
        self._tokens = min(float(self._timings.burst), self._tokens + (now - self._filled) * per_second)
        self._filled = now
        if self._tokens < 1.0:
            await asyncio.sleep((self._timings.handful - self._tokens) / per_second)
        self._tokens -= 1.0


class DevicePace:
    """A second token bucket, for devices: Home Assistant works on one for as long as it reads hundreds of messages.

    As many at once as a broker queues messages for a subscriber, fewer where many are expected; then so many a
    second. The rate grows while the broker says that it drops nothing, and is halved when it drops something. Nobody
    waits here: what may not be told yet is left for later.
    """

    def __init__(self, clock: Clock, timings: PaceTimings) -> None:
        self._clock = clock
        self._timings = timings
        self._per_second = timings.devices_per_second
        self._at_once = self._tokens = float(timings.many)
        self._filled = clock.monotonic()
        self._has_held_back = False

    def expect_many(self) -> None:
        """From now on fewer at once."""
        self._at_once = float(self._timings.devices_at_once)
        self._tokens = min(self._at_once, self._tokens)

    @property
    def has_room(self) -> bool:
        self._fill()
        return self._tokens >= 1.0

    def try_take(self, devices: float = 1.0) -> bool:
        """Whether so much may be told now, in devices; if so, that counts."""
        if not self.has_room:
            self.note_held_back()
            return False
        self._tokens -= devices
        return True

    def note_held_back(self) -> None:
        """There was something to tell for which there was no room: a higher rate would have told it by now."""
        self._has_held_back = True

    def take(self) -> None:
        """Counts a device that does not wait; those after it wait for longer."""
        self._fill()
        self._tokens -= 1.0

    def room_in_s(self) -> float:
        """In how many seconds there is room for a handful of devices."""
        self._fill()
        return max(0.0, (self._timings.handful - self._tokens) / self._per_second)

    def speed_up(self) -> None:
        """After the broker has dropped nothing for a while; not where the rate has held nothing back."""
        if self._has_held_back:
            self._fill()
            self._per_second = min(self._timings.most_devices_per_second, self._per_second * self._timings.growth)
            self._has_held_back = False

    def slow_down(self) -> None:
        """After the broker has dropped something: what it queues for some subscriber is as much as it may be."""
        self._per_second = max(self._timings.least_devices_per_second, self._per_second / 2)
        self._tokens = min(0.0, self._tokens)
        self._filled = self._clock.monotonic()

    def _fill(self) -> None:
        now = self._clock.monotonic()
        self._tokens = min(self._at_once, self._tokens + (now - self._filled) * self._per_second)
        self._filled = now
