"""Which messages one client of the embedded broker gets, with which QoS, and in which order."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from ts2mqtt.simulator import mqtt_packets as mqtt
from ts2mqtt.simulator.mqtt_packets import Message

_OVERHEAD_BYTES: Final = 200  # about what a waiting message takes beside its topic and its payload


class Delivery(NamedTuple):
    """A message on its way to one client; `replayed` if it was retained before the client subscribed to it."""

    message: Message
    qos: int
    replayed: bool

    @property
    def waiting_bytes(self) -> int:
        """What it counts while it waits; a replay shares its message with the memory of retained ones."""
        if self.replayed:
            return 0
        return len(self.message.topic) + len(self.message.payload) + _OVERHEAD_BYTES


class Subscriptions:
    """The topic filters of one client and the QoS granted for each."""

    def __init__(self, granted: Iterable[tuple[str, int]] = ()) -> None:
        # Home Assistant subscribes to thousands of topics by their names: those are looked up, not compared.
        self._topics: dict[str, int] = {}
        self._wildcards: dict[str, int] = {}
        self.add(granted)

    def add(self, granted: Iterable[tuple[str, int]]) -> None:
        for topic_filter, qos in granted:
            self._kind_of(topic_filter)[topic_filter] = qos

    def remove(self, topic_filters: Iterable[str]) -> None:
        for topic_filter in topic_filters:
            self._kind_of(topic_filter).pop(topic_filter, None)

    def deliver(self, message: Message, *, replayed: bool) -> Delivery | None:
        """One delivery with the highest QoS of all filters that match; None if none does."""
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

    def _kind_of(self, topic_filter: str) -> dict[str, int]:
        return self._wildcards if mqtt.has_wildcard(topic_filter) else self._topics


class Outbox:
    """What one client has still to get, in order.

    When messages of `limit_bytes` wait because the client reads slowly, only the latest message of each topic is
    kept if it was published as retained, and the others are dropped. So what is retained arrives, at the latest in
    its last state. Replays do not count towards the limit, and none is dropped.

    replays: how many replayed messages wait.
    dropped: how many messages the client will never get.
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
        # While a topic's latest message stands aside, a later one must not overtake it.
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
