"""The publishes that the broker has not acknowledged yet, of which there may be so many at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ts2mqtt.errors import PublishRefusedError

if TYPE_CHECKING:
    from ts2mqtt.errors import BrokerError
    from ts2mqtt.mqtt.byte_window import ByteWindow
    from ts2mqtt.timing import Clock

MOST_AT_ONCE = 200
"""paho itself becomes slow with thousands."""


@dataclass(frozen=True, slots=True)
class _Publish:
    acknowledged: asyncio.Future[float]
    size: int
    sent: float
    """On the monotonic clock."""


class UnacknowledgedPublishes:
    """By packet id, oldest first; each takes one of a limited number of places until it is acknowledged."""

    def __init__(self, clock: Clock, window: ByteWindow, most_at_once: int = MOST_AT_ONCE) -> None:
        self._clock = clock
        self._places = asyncio.Semaphore(min(MOST_AT_ONCE, most_at_once))
        self._window = window
        self._publishes: dict[int, _Publish] = {}
        self._oldest_since = 0.0

    async def wait_for_place(self, size: int) -> None:
        """Takes a place for so many bytes; add() fills it, and release_place() gives it back unused."""
        await self._places.acquire()
        try:
            await self._window.take(size)
        except BaseException:
            self._places.release()
            raise

    def release_place(self, size: int) -> None:
        self._places.release()
        self._window.give_back(size)

    def add(self, packet_id: int, size: int) -> asyncio.Future[float]:
        """The future will hold the seconds until the acknowledgement, or an error."""
        acknowledged: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        now = self._clock.monotonic()
        if not self._publishes:
            self._oldest_since = now
        self._publishes[packet_id] = _Publish(acknowledged, size, now)
        return acknowledged

    def acknowledge(self, packet_id: int, refusal: str | None = None) -> int | None:
        """The size of the message that the broker has taken, or refused for this reason; None for an unknown id."""
        is_oldest = next(iter(self._publishes), None) == packet_id
        publish = self._publishes.pop(packet_id, None)
        if publish is None:
            return None
        now = self._clock.monotonic()
        if is_oldest:
            self._oldest_since = now
        self.release_place(publish.size)
        self._window.adapt(publish.size, now - publish.sent)
        if refusal is not None:
            fail_quietly(publish.acknowledged, PublishRefusedError(f"the broker does not keep it: {refusal}"))
        elif not publish.acknowledged.done():
            publish.acknowledged.set_result(now - publish.sent)
        return publish.size

    def fail_all(self, error: BrokerError) -> None:
        """For a connection that is over: nothing will be acknowledged any more."""
        for publish in self._publishes.values():
            fail_quietly(publish.acknowledged, error)
            self.release_place(publish.size)
        self._publishes.clear()

    def awaited(self) -> list[asyncio.Future[float]]:
        """Those that somebody still waits for."""
        return [one.acknowledged for one in self._publishes.values() if not one.acknowledged.done()]

    def stalled_s(self) -> float:
        """Seconds since the oldest became the oldest, or was sent; 0 if there is none.

        A broker acknowledges in the order in which it was sent to (MQTT 3.1.1, 4.6): over a slow way one after the
        other becomes the oldest, and one that was forgotten stays it.
        """
        oldest = next(iter(self._publishes.values()), None)
        return self._clock.monotonic() - max(self._oldest_since, oldest.sent) if oldest else 0.0

    def sizes_sent_within(self, seconds: float) -> list[int]:
        """Of those that were sent so short a time ago."""
        since = self._clock.monotonic() - seconds
        return [one.size for one in self._publishes.values() if one.sent > since]


def fail_quietly(future: asyncio.Future[Any], error: BrokerError) -> None:
    """Nothing is logged when nobody waits for this future any more.

    Each gets an error of its own: what is raised holds the frames that it went through.
    """
    if not future.done():
        future.set_exception(type(error)(*error.args))
        # asyncio complains about an exception that was never retrieved.
        future.exception()
