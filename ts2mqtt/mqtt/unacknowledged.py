"""The publishes that the broker has not acknowledged yet, of which there may be so many at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ts2mqtt.errors import PublishRefusedError

if TYPE_CHECKING:
    from ts2mqtt.errors import BrokerError
    from ts2mqtt.timing import Clock

_MOST_AT_ONCE = 200
"""paho itself becomes slow with thousands."""


@dataclass(frozen=True, slots=True)
class _Publish:
    acknowledged: asyncio.Future[float]
    size: int
    sent: float
    """On the monotonic clock."""


class UnacknowledgedPublishes:
    """By packet id, oldest first; each takes one of a limited number of places until it is acknowledged."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._places = asyncio.Semaphore(_MOST_AT_ONCE)
        self._publishes: dict[int, _Publish] = {}

    async def wait_for_place(self) -> None:
        """Takes a place; add() fills it, and release_place() gives it back unused."""
        await self._places.acquire()

    def release_place(self) -> None:
        self._places.release()

    def add(self, packet_id: int, size: int) -> asyncio.Future[float]:
        """The future will hold the seconds until the acknowledgement, or an error."""
        acknowledged: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._publishes[packet_id] = _Publish(acknowledged, size, self._clock.monotonic())
        return acknowledged

    def acknowledge(self, packet_id: int, refusal: str | None = None) -> int | None:
        """The size of the message that the broker has taken, or refused for this reason; None for an unknown id."""
        publish = self._publishes.pop(packet_id, None)
        if publish is None:
            return None
        self._places.release()
        if refusal is not None:
            fail_quietly(publish.acknowledged, PublishRefusedError(f"the broker does not keep it: {refusal}"))
        elif not publish.acknowledged.done():
            publish.acknowledged.set_result(self._clock.monotonic() - publish.sent)
        return publish.size

    def fail_all(self, error: BrokerError) -> None:
        """For a connection that is over: nothing will be acknowledged any more."""
        for publish in self._publishes.values():
            fail_quietly(publish.acknowledged, error)
            self._places.release()
        self._publishes.clear()

    def awaited(self) -> list[asyncio.Future[float]]:
        """Those that somebody still waits for."""
        return [one.acknowledged for one in self._publishes.values() if not one.acknowledged.done()]

    def oldest_age_s(self) -> float:
        """Seconds since the oldest was sent; 0 if there is none."""
        oldest = next(iter(self._publishes.values()), None)
        return self._clock.monotonic() - oldest.sent if oldest else 0.0

    def sizes_sent_within(self, seconds: float) -> list[int]:
        """Of those that were sent so short a time ago."""
        since = self._clock.monotonic() - seconds
        return [one.size for one in self._publishes.values() if one.sent > since]


def fail_quietly(future: asyncio.Future[Any], error: BrokerError) -> None:
    """Nothing is logged when nobody waits for this future any more."""
    if not future.done():
        future.set_exception(error)
        # asyncio complains about an exception that was never retrieved.
        future.exception()
