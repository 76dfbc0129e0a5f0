"""Makes the broker hold what is wanted: publishes the difference, clears what nobody wants any more."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ts2mqtt.logs.tallies import Kind
from ts2mqtt.mqtt.connection import PublishRefusedError, packet_size

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Mapping, Set as AbstractSet

    from ts2mqtt.home_assistant.ids import DiscoveryIds
    from ts2mqtt.logs.failures import FailureLog
    from ts2mqtt.mqtt.connection import Connection
    from ts2mqtt.timing import Clock
    from ts2mqtt.topics.message import Message

_LOG = logging.getLogger(__name__)

_BURST = 200
_HANDFUL = 25
_PER_SECOND = 500.0
"""A subscriber on a Mosquitto with default limits loses messages when a burst is larger and faster than this."""

_REFUSED = Kind("topics that the broker refuses")
_TOO_LARGE = Kind("messages that are too large for the broker")
_NOT_KEPT = Kind("topics on which the broker does not keep what it acknowledges")
_REFUSED_EVENTS = Kind("topics of events that the broker refuses")

_SURELY_SETTLED_S = 60.0
_REFUSED_ADVICE = "check the broker's access rules and limits"


@dataclass(frozen=True, slots=True)
class Stale:
    """A retained topic that nobody wants; cleared `settle_s` after its topic and that of `follows` last changed."""

    topic: str
    settle_s: float = 0.0
    follows: str | None = None


@dataclass(frozen=True, slots=True)
class _Publishing:
    """What a failure is about that outlives a connection: a topic on which something cannot be published."""

    topic: str


@dataclass(frozen=True, slots=True)
class _Keeping:
    """As _Publishing: a topic on which something was acknowledged that is not kept."""

    topic: str


class Publisher:
    """Knows what the broker retains of ours, for the life of one connection.

    A broker may forget at its restart even what it acknowledged, so nothing that was known on one connection
    is believed on the next.
    """

    def __init__(
        self,
        connection: Connection,
        ids: DiscoveryIds,
        failures: FailureLog,
        clock: Clock,
    ) -> None:
        self.retained: dict[str, bytes] = {}
        self._ids = ids
        self._topics_of: defaultdict[str, set[str]] = defaultdict(set)
        self._connection = connection
        self._failures = failures
        self._clock = clock
        self._pace = _Pace(clock)
        self._changed: OrderedDict[str, float] = OrderedDict()
        self._refused: dict[str, bytes] = {}
        self._acknowledged: dict[str, float] = {}

    def take_acknowledged(self) -> dict[str, float]:
        """What was acknowledged since the last call, by topic, and how many seconds that took."""
        acknowledged, self._acknowledged = self._acknowledged, {}
        return acknowledged

    def note_kept(self, topic: str) -> None:
        """What was published there has been read back."""
        self._failures.succeeded(topic, key=_Keeping(topic))

    def note_not_kept(self, topic: str, advice: str) -> None:
        """What was published there was acknowledged, twice, and does not stand there.

        It is published again when it has changed, or on another connection.
        """
        self._refused[topic] = self.retained.get(topic, b"")
        self.note_retained(topic, b"")
        text = f"the broker acknowledged it and does not keep it; {advice}"
        self._failures.failed(topic, text, kind=_NOT_KEPT, key=_Keeping(topic), level=logging.ERROR)

    def note_retained(self, topic: str, payload: bytes) -> None:
        """Takes what the broker said it retains; an empty payload means that it retains nothing."""
        is_new = bool(payload) and topic not in self.retained
        if payload:
            self.retained[topic] = payload
        else:
            self.retained.pop(topic, None)
        if (is_new or not payload) and (part := self._ids.part_of(topic)) is not None:
            self._note(part, topic, is_retained=is_new)

    @property
    def parts(self) -> AbstractSet[str]:
        return self._topics_of.keys()

    def retained_of(self, parts: Iterable[str]) -> dict[str, bytes]:
        """What is retained of these parts, at no cost for the others."""
        topics = (topic for part in parts for topic in self._topics_of.get(part, ()))
        return {topic: self.retained[topic] for topic in topics if topic in self.retained}

    async def publish(self, wanted: Mapping[str, Message], stale: Iterable[Stale]) -> float | None:
        """Publishes what differs and clears what is stale, in the given order; returns when all of it has arrived.

        A message whose topic has not settled yet is left for later; the answer is in how many seconds, or None.
        """
        self._forget_settled()
        self._forget_failures(wanted)
        later: list[float] = []
        under_way: dict[str, asyncio.Future[float]] = {}
        for topic, message in wanted.items():
            if self._stands(topic, message):
                if self.retained.get(topic) == message.payload:
                    # What was read from the broker goes, as the same bytes are kept where they were made.
                    self.retained[topic] = message.payload
                    self._failures.succeeded(topic, key=_Publishing(topic))
                continue
            wait = self.unsettled_s(topic, message.settle_s)
            if wait > 0:
                later.append(wait)
                continue
            if self._is_too_large(topic, message.payload):
                later += (self._connection.sizes.retry_in_s,) if self._connection.sizes.retry_in_s else ()
                continue
            await self._send(under_way, topic, message)
        for old in stale:
            if old.topic not in self.retained:
                continue
            wait = self.unsettled_s(old.topic, old.settle_s)
            if old.follows:
                wait = max(wait, self.unsettled_s(old.follows, old.settle_s))
            if wait > 0 or old.follows in self.retained:
                later.append(max(wait, old.settle_s))
                continue
            under_way[old.topic] = await self._put(old.topic, b"", settles=old.settle_s > 0)
        await self._arrived(under_way)
        return min(later, default=None)

    async def put(self, topic: str, payload: bytes) -> None:
        """Publishes one retained message now and returns when it has arrived; an empty payload clears the topic."""
        if self._connection.sizes.is_too_large(packet_size(topic, payload)):
            # It stands there from before the broker took no more, or is a record that has to be done without.
            _LOG.debug("%s: left out, as the broker takes nothing so large", topic)
            return
        await self._arrived({topic: await self._put(topic, payload, settles=True)})

    async def put_again(self, topics: Iterable[str]) -> None:
        """Publishes once more, unchanged, what is retained on these topics."""
        for topic in sorted(topics):
            if payload := self.retained.get(topic):
                await self.put(topic, payload)

    async def tell(self, topic: str, payload: bytes) -> Awaitable[None]:
        """Hands over something that just happened, which is not retained; what is returned waits for its arrival.

        Raises BrokerUnreachableError when it was not handed over.
        """
        await self._pace.next()
        return self._told(topic, await self._connection.publish(topic, payload, retain=False))

    async def _told(self, topic: str, acknowledged: asyncio.Future[float]) -> None:
        try:
            await acknowledged
        except PublishRefusedError as error:
            advice = f"{error}; {_REFUSED_ADVICE}"
            self._failures.failed(topic, advice, kind=_REFUSED_EVENTS, level=logging.ERROR)
        else:
            self._failures.succeeded(topic)

    def unsettled_s(self, topic: str, settle_s: float) -> float:
        """In how many seconds so much time will have passed since the topic was last published; 0 if it has."""
        changed = self._changed.get(topic)
        return 0.0 if changed is None else max(0.0, changed + settle_s - self._clock.monotonic())

    def _note(self, part: str, topic: str, *, is_retained: bool) -> None:
        if is_retained:
            self._topics_of[part].add(topic)
            return
        self._topics_of[part].discard(topic)
        if not self._topics_of[part]:
            del self._topics_of[part]

    def _stands(self, topic: str, message: Message) -> bool:
        held = self.retained.get(topic)
        if held is not None and message.provisional:
            return True
        return message.payload in (held, self._refused.get(topic))

    def _forget_settled(self) -> None:
        """From the oldest on: with a thousand rigs there are tens of thousands in a minute."""
        long_ago = self._clock.monotonic() - _SURELY_SETTLED_S
        while self._changed and next(iter(self._changed.values())) <= long_ago:
            self._changed.popitem(last=False)

    def _forget_failures(self, wanted: Mapping[str, Message]) -> None:
        """Of what is no longer wanted: told only where all that is wanted of a topic's part was given."""
        unwanted = [
            key
            for key in self._failures.failing
            if isinstance(key, _Publishing | _Keeping) and key.topic not in wanted
        ]
        if not unwanted:
            return
        parts = {self._ids.part_of(topic) for topic in wanted}
        for key in unwanted:
            if self._ids.part_of(key.topic) in parts:
                self._refused.pop(key.topic, None)
                self._failures.forget(key)

    async def _send(self, under_way: dict[str, asyncio.Future[float]], topic: str, message: Message) -> None:
        """Sends one beside the others; alone if the connection could break over it."""
        alone = self._connection.sizes.must_go_alone(packet_size(topic, message.payload))
        if alone:
            await self._arrived(under_way)
            under_way.clear()
        under_way[topic] = await self._put(topic, message.payload, settles=message.settle_s > 0)
        if alone:
            await self._arrived(under_way)
            under_way.clear()

    def _is_too_large(self, topic: str, payload: bytes) -> bool:
        size = packet_size(topic, payload)
        if not self._connection.sizes.is_too_large(size):
            return False
        advice = (
            f"its {size} bytes are more than the broker takes, which closes the connection over them; raise the "
            "broker's limit (message_size_limit or max_packet_size in Mosquitto)"
        )
        self._failures.failed(topic, advice, kind=_TOO_LARGE, key=_Publishing(topic), level=logging.ERROR)
        return True

    async def _put(self, topic: str, payload: bytes, *, settles: bool) -> asyncio.Future[float]:
        await self._pace.next()
        future = await self._connection.publish(topic, payload, retain=True)
        self.note_retained(topic, payload)
        if settles:
            self._changed[topic] = self._clock.monotonic()
            self._changed.move_to_end(topic)
        return future

    async def _arrived(self, under_way: Mapping[str, asyncio.Future[float]]) -> None:
        for topic, future in under_way.items():
            try:
                seconds = await future
            except PublishRefusedError as error:
                self._refused[topic] = self.retained.pop(topic, b"")
                advice = f"{error}; {_REFUSED_ADVICE}"
                self._failures.failed(topic, advice, kind=_REFUSED, key=_Publishing(topic), level=logging.ERROR)
            else:
                self._acknowledged[topic] = seconds
                self._refused.pop(topic, None)
                self._failures.succeeded(topic, key=_Publishing(topic))


class _Pace:
    """A token bucket: so many at once, then so many a second, a handful at a time.

    One by one, each would wake the event loop three times: to be sent, to be written, to be acknowledged.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens = float(_BURST)
        self._filled = 0.0

    async def next(self) -> None:
        now = self._clock.monotonic()
        self._tokens = min(float(_BURST), self._tokens + (now - self._filled) * _PER_SECOND)
        self._filled = now
        if self._tokens < 1.0:
            await asyncio.sleep((_HANDFUL - self._tokens) / _PER_SECOND)
        self._tokens -= 1.0
