"""What subscribers may not have got, by the broker's own count of the messages that it has dropped."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ts2mqtt.mqtt.message import Received

_DROPPED = "$SYS/broker/publish/messages/dropped"
_RECEIVED = "$SYS/broker/publish/messages/received"
COUNT_TOPICS = (_DROPPED, _RECEIVED)
"""Mosquitto publishes what has changed every ten seconds, in this order; what it has received always has, as it
receives our heartbeats."""

_LONGEST = 20
_MOST_TRIES = 2
_MOST_BAD = 10
_READINGS_OF_A_SUBSCRIBER_AT_WORK = 30


@dataclass(frozen=True, slots=True)
class BrokerCounted:
    """One of the broker's counts since its start; a reading ends with what it has received.

    `is_retained` where it was published before the bridge has subscribed to it.
    """

    count: int
    of_dropped: bool
    is_retained: bool = False


def broker_counted(message: Received) -> BrokerCounted | None:
    """None for what is no count of a broker, whatever its topic says."""
    if message.topic not in COUNT_TOPICS or not message.payload.isdigit() or len(message.payload) > _LONGEST:
        return None
    return BrokerCounted(int(message.payload), message.topic == _DROPPED, message.retain)


class Reading(Enum):
    """What the broker's counts say of the time since the last ones."""

    NOTHING = auto()
    GOOD = auto()
    BAD = auto()


class Deliveries:
    """Notes what is sent, until a reading says that nothing was dropped meanwhile; what else was sent is `lost`.

    A message that is sent just before a reading may be counted in the next one, so the last two readings count.
    Whose messages the broker drops, it does not tell: after ten bad readings in a row it is taken for somebody else's
    trouble, and what may be lost waits for a good one.
    """

    def __init__(self) -> None:
        self.lost: dict[str, None] = {}
        self._bad = self._good = self._tries = 0
        self._is_counted = False
        self._dropped: int | None = None
        self._known = 0
        self._sent: dict[str, None] = {}
        self._sent_before: dict[str, None] = {}
        self._told: dict[str, None] = {}
        self._told_before: dict[str, None] = {}

    @property
    def told_lately(self) -> Mapping[str, None]:
        """What was sent in the last five minutes or more, on which a subscriber may still be at work."""
        return self._told_before | self._told

    @property
    def to_repeat(self) -> dict[str, None]:
        """What is lost, unless it has to wait."""
        return self.lost if self._bad <= _MOST_BAD else {}

    def try_to_listen(self) -> bool:
        """Whether to subscribe to the broker's counts; a broker that forbids it may end the connection over it."""
        self._is_counted = False
        self._tries += 1
        return self._tries <= _MOST_TRIES

    def begin_to_count(self) -> None:
        """From now on what is sent is noted; on a connection on which the broker's counts are heard."""
        self._is_counted = True
        self._tries = 0
        self._dropped, self._known = None, 0

    def sent(self, topic: str) -> None:
        if self._is_counted:
            self._sent[topic] = None
            self._told[topic] = None

    def take(self, counted: BrokerCounted) -> Reading:
        """What a count says; GOOD and BAD only at the end of a reading."""
        if counted.of_dropped:
            self._dropped = counted.count
            if counted.is_retained:
                self._known = counted.count
            return Reading.NOTHING
        if self._dropped is None or counted.is_retained:
            return Reading.NOTHING
        has_dropped, self._known = self._dropped > self._known, self._dropped
        if not has_dropped:
            self._note_good()
            return Reading.GOOD
        if not (self._told or self._told_before):
            return Reading.NOTHING
        self._bad += 1
        self.lost |= self._sent_before | self._sent
        self._sent_before, self._sent = {}, {}
        return Reading.BAD

    def _note_good(self) -> None:
        self._bad = 0
        self._sent_before, self._sent = self._sent, {}
        self._good += 1
        if self._good % _READINGS_OF_A_SUBSCRIBER_AT_WORK == 0:
            self._told_before, self._told = self._told, {}
