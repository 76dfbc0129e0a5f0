"""Makes the broker hold what is wanted: publishes the difference, clears what nobody wants any more."""

from __future__ import annotations

import logging
from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ts2mqtt.bridge.deliveries import Reading
from ts2mqtt.bridge.pace import DevicePace, Pace
from ts2mqtt.bridge.retained_messages import RetainedMessages
from ts2mqtt.logs.tallies import Kind
from ts2mqtt.mqtt.connection import PublishRefusedError, packet_size

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Iterable, Mapping, Set as AbstractSet

    from ts2mqtt.bridge.carried_over import CarriedOver
    from ts2mqtt.home_assistant.ids import DiscoveryIds
    from ts2mqtt.mqtt.connection import Connection
    from ts2mqtt.timing import Clock, Timings
    from ts2mqtt.topics.message import Message

_LOG = logging.getLogger(__name__)

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
        carried: CarriedOver,
        clock: Clock,
        timings: Timings,
    ) -> None:
        self.retained = RetainedMessages()
        self._ids = ids
        self._topics_of: defaultdict[str, set[str]] = defaultdict(set)
        self._connection = connection
        self._failures = carried.failures
        self._clock = clock
        self._state_cost = 1.0 / timings.pace.states_a_device
        self._pace = Pace(clock, timings.pace)
        self._device_pace = DevicePace(clock, timings.pace)
        self._deliveries = carried.deliveries
        self._changed: OrderedDict[str, float] = OrderedDict()
        self._refused: dict[str, bytes] = {}
        self._acknowledged: dict[str, float] = {}
        self._without_room: set[str] = set()

    def take_acknowledged(self) -> dict[str, float]:
        """What was acknowledged since the last call, by topic, and how many seconds that took."""
        acknowledged, self._acknowledged = self._acknowledged, {}
        return acknowledged

    def take_without_room(self) -> frozenset[str]:
        """The parts of which publish() has left a device for later since the last call, as it is one of too many."""
        without_room = frozenset(self._without_room)
        self._without_room.clear()
        return without_room

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
            self.retained.put(topic, payload)
        else:
            self.retained.remove(topic)
        if (is_new or not payload) and (part := self._ids.part_of(topic)) is not None:
            self._note(part, topic, is_retained=is_new)

    @property
    def parts(self) -> AbstractSet[str]:
        return self._topics_of.keys()

    def retained_of(self, parts: Iterable[str]) -> RetainedMessages:
        """What is retained of these parts, at no cost for the others."""
        return self.retained.of(topic for part in parts for topic in self._topics_of.get(part, ()))

    async def publish(self, wanted: Mapping[str, Message], stale: Iterable[Stale]) -> float | None:
        """Publishes what differs and clears what is stale, in the given order; returns when all of it has arrived.

        A message whose topic has not settled yet is left for later; the answer is in how many seconds, or None. So
        is a device of too many, which waits for room: take_without_room().
        """
        self._forget_settled()
        self._forget_failures(wanted)
        under_way: dict[str, asyncio.Future[float]] = {}
        later = await self._publish_wanted(under_way, wanted) + await self._clear_stale(under_way, stale)
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

    @property
    def has_room(self) -> bool:
        """Whether try_repeat() would publish something now."""
        return self._device_pace.has_room

    def room_in_s(self) -> float:
        """In how many seconds there is room for a handful of devices."""
        return self._device_pace.room_in_s()

    async def try_repeat(self, topic: str) -> bool:
        """Publishes once more what was published on a topic, with an empty payload if it has gone; False for later.

        At the pace of devices: Home Assistant is told much at a time when it has much to do.
        """
        is_device = self._ids.object_id_of(topic) is not None
        if not self._device_pace.try_take(1.0 if is_device else self._state_cost):
            return False
        payload = self.retained.get(topic, b"")
        if payload or topic not in self._refused:
            await self.put(topic, payload)
        return True

    def expect_many(self) -> None:
        """There are so many topics that a subscriber may lose some: devices are told a few at once from now on."""
        self._device_pace.expect_many()

    def note_drops(self, reading: Reading) -> None:
        """Devices follow each other faster after a good reading, more slowly after a bad one."""
        match reading:
            case Reading.GOOD:
                self._device_pace.speed_up()
            case Reading.BAD:
                self._device_pace.slow_down()

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

    async def _publish_wanted(
        self, under_way: dict[str, asyncio.Future[float]], wanted: Mapping[str, Message]
    ) -> list[float]:
        """In how many seconds to come back for what is left for later."""
        later: list[float] = []
        for topic, message in wanted.items():
            if self._stands(topic, message):
                if self.retained.holds(topic, message):
                    # What was read from the broker goes, as the same is kept where it was made.
                    self.retained.put(topic, message.written)
                    self._failures.succeeded(topic, key=_Publishing(topic))
                continue
            wait = self.unsettled_s(topic, message.settle_s)
            if wait > 0:
                later.append(wait)
                continue
            if self._has_to_wait(topic):
                continue
            payload = message.payload
            if self._is_too_large(topic, payload):
                later += (self._connection.sizes.retry_in_s,) if self._connection.sizes.retry_in_s else ()
            elif self._take_room_for(topic):
                await self._send(under_way, topic, payload, settles=message.settle_s > 0)
                if topic in self.retained:
                    self.retained.put(topic, message.written)
        return later

    async def _clear_stale(self, under_way: dict[str, asyncio.Future[float]], stale: Iterable[Stale]) -> list[float]:
        """In how many seconds to come back for what is left for later."""
        later: list[float] = []
        for old in stale:
            if old.topic not in self.retained:
                continue
            wait = self.unsettled_s(old.topic, old.settle_s)
            if old.follows:
                wait = max(wait, self.unsettled_s(old.follows, old.settle_s))
            if wait > 0 or old.follows in self.retained:
                later.append(max(wait, old.settle_s))
            elif self._take_room_for(old.topic):
                under_way[old.topic] = await self._put(old.topic, b"", settles=old.settle_s > 0)
        return later

    def _has_to_wait(self, topic: str) -> bool:
        """True for a device while there is room for none: it is not even written then."""
        if self._device_pace.has_room:
            return False
        subject = self._ids.subject(topic)
        if subject is None or subject.kind is None:
            return False
        self._device_pace.note_held_back()
        self._without_room.add(subject.rig_id)
        return True

    def _take_room_for(self, topic: str) -> bool:
        """Rigs do not wait: their events are told after their devices. What is no device costs little."""
        subject = self._ids.subject(topic)
        if subject is None:
            return True
        if subject.kind is None:
            self._device_pace.take()
            return True
        has_room = self._device_pace.try_take()
        if not has_room:
            self._without_room.add(subject.rig_id)
        return has_room

    def _stands(self, topic: str, message: Message) -> bool:
        if topic in self.retained and message.provisional:
            return True
        return self.retained.holds(topic, message) or (
            topic in self._refused and self._refused[topic] == message.payload
        )

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

    async def _send(
        self, under_way: dict[str, asyncio.Future[float]], topic: str, payload: bytes, *, settles: bool
    ) -> None:
        """Sends one beside the others; alone if the connection could break over it."""
        alone = self._connection.sizes.must_go_alone(packet_size(topic, payload))
        if alone:
            await self._arrived(under_way)
            under_way.clear()
        under_way[topic] = await self._put(topic, payload, settles=settles)
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
        self._deliveries.sent(topic)
        if settles:
            self._changed[topic] = self._clock.monotonic()
            self._changed.move_to_end(topic)
        return future

    async def _arrived(self, under_way: Mapping[str, asyncio.Future[float]]) -> None:
        for topic, future in under_way.items():
            try:
                seconds = await future
            except PublishRefusedError as error:
                self._refused[topic] = self.retained.get(topic, b"")
                self.retained.remove(topic)
                advice = f"{error}; {_REFUSED_ADVICE}"
                self._failures.failed(topic, advice, kind=_REFUSED, key=_Publishing(topic), level=logging.ERROR)
            else:
                self._acknowledged[topic] = seconds
                self._refused.pop(topic, None)
                self._failures.succeeded(topic, key=_Publishing(topic))
