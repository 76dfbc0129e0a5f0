"""Decides which messages one client of the embedded broker gets, with which QoS, and in which order."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from ts2mqtt.simulator import mqtt_packets as mqtt
from ts2mqtt.simulator.mqtt_packets import Message

_OVERHEAD_BYTES: Final = 200  # roughly the memory of a waiting message besides its topic and payload


class Delivery(NamedTuple):
    """A message for one client; `replayed` means that it was retained before the client subscribed."""

    message: Message
    qos: int
    replayed: bool

    @property
    def waiting_bytes(self) -> int:
        """What the delivery counts towards the limit; a replayed message is in memory anyway, as a retained one."""
        if self.replayed:
            return 0
        return len(self.message.topic) + len(self.message.payload) + _OVERHEAD_BYTES


class Subscriptions:
    """The topic filters of one client and the QoS granted for each."""

    def __init__(self, granted: Iterable[tuple[str, int]] = ()) -> None:
        # Home Assistant subscribes to thousands of topics without wildcards: a look-up is faster than comparing.
        self._topics: dict[str, int] = {}
        self._wildcards: dict[str, int] = {}
        self.add(granted)

    def add(self, granted: Iterable[tuple[str, int]]) -> None:
        for topic_filter, qos in granted:
            self._filters_like(topic_filter)[topic_filter] = qos

    def remove(self, topic_filters: Iterable[str]) -> None:
        for topic_filter in topic_filters:
            self._filters_like(topic_filter).pop(topic_filter, None)

    def deliver(self, message: Message, *, replayed: bool) -> Delivery | None:
        """One delivery with the highest QoS of all matching filters; None if no filter matches."""
        topic = message.topic
        granted = [qos for topic_filter, qos in self._wildcards.items() if mqtt.matches(topic_filter, topic)]
        if (qos_of_topic := self._topics.get(topic)) is not None:
            granted.append(qos_of_topic)
        return Delivery(message, min(max(granted), message.qos), replayed) if granted else None

    def replay(self, retained: Mapping[str, Message]) -> Iterator[Delivery]:
        topics = retained if self._wildcards else [topic for topic in self._topics if topic in retained]
        for topic in topics:
            if delivery := self.deliver(retained[topic], replayed=True):
                yield delivery

    def _filters_like(self, topic_filter: str) -> dict[str, int]:
        return self._wildcards if mqtt.has_wildcard(topic_filter) else self._topics


class Outbox:
    """The messages that one client still has to get, in order.

    Once messages of `limit_bytes` wait because the client reads slowly, later messages are dropped, except the latest
    one of each topic that was published as retained. So the client gets at least the last retained message of each
    topic. Replayed messages do not count towards the limit and are never dropped.

    replays: the number of replayed messages that wait.
    dropped: the number of messages that the client will never get.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._waiting: deque[Delivery] = deque()
        self._waiting_bytes = 0
        self._latest: dict[str, Delivery] = {}
        self.replays = 0
        self.dropped = 0

    def replay(self, deliveries: Iterable[Delivery]) -> None:
        before = len(self._waiting)
        self._waiting.extend(deliveries)
        self.replays += len(self._waiting) - before

    def add(self, delivery: Delivery) -> None:
        # While latest messages are kept apart, a later message must not overtake them.
        if not self._latest and self._waiting_bytes < self._limit_bytes:
            self._append(delivery)
            return
        if delivery.message.retain:
            self.dropped += self._latest.pop(delivery.message.topic, None) is not None
            self._latest[delivery.message.topic] = delivery
        else:
            self.dropped += 1

    def first(self) -> Delivery | None:
        if not self._waiting:
            for delivery in self._latest.values():
                self._append(delivery)
            self._latest.clear()
        return self._waiting[0] if self._waiting else None

    def remove_first(self) -> None:
        delivery = self._waiting.popleft()
        self.replays -= delivery.replayed
        self._waiting_bytes -= delivery.waiting_bytes

    def _append(self, delivery: Delivery) -> None:
        self._waiting.append(delivery)
        self._waiting_bytes += delivery.waiting_bytes
