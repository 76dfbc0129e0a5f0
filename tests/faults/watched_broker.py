"""The embedded broker with a rule for everything that the bridge publishes; what breaks one is written down."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from tests.faults.remembering_home_assistant import RememberingHomeAssistant
from tests.support.topics_of_example import NAMES
from ts2mqtt.simulator.broker import EmbeddedBroker
from ts2mqtt.simulator.mqtt_connection import Limits
from ts2mqtt.simulator.mqtt_exchange import MessageExchange
from ts2mqtt.simulator.mqtt_packets import Message
from ts2mqtt.topics.names import BRIDGE

if TYPE_CHECKING:
    from collections.abc import Callable

    from ts2mqtt.topics.names import Subject

STATUS = NAMES.topics.status
_AFTER_A_BIRTH_S = 300.0
_STORM = 600
"""So many messages in ten seconds are more than the bridge ever has to say about the few things here."""

_NO_LIMITS = Limits()


class _Exchange(MessageExchange):
    def __init__(self, tell: Callable[[Message], None]) -> None:
        super().__init__(None, None)
        self.tell = tell
        self.losses_left = 0
        self.lost: set[str] = set()
        self._topics: set[str] = set()
        self.home_assistant = RememberingHomeAssistant()

    def publish(self, message: Message) -> None:
        self.tell(message)
        if message.retain and message.payload and message.topic not in self._topics:
            self._topics.add(message.topic)
            if self.losses_left:
                self.losses_left -= 1
                self.lost.add(message.topic)
                return
        super().publish(message)
        self.home_assistant.hear(message.topic, message.payload)


class WatchedBroker(EmbeddedBroker):
    """All its clients are bridges; strangers speak through say().

    `exists` tells whether a thing of a rig stands in the database and may not be called gone, `is_shown` whether
    its device has been wanted all the time.
    """

    def __init__(self, exists: Callable[[Subject], bool], is_shown: Callable[[Subject], bool]) -> None:
        super().__init__()
        self._exchange: _Exchange = _Exchange(self._watch)
        self._exists = exists
        self._is_shown = is_shown
        self._meddled: set[str] = set()
        self._stranger_speaks = False
        self._births: list[float] = []
        self._rivals_until = 0.0
        self._times: deque[float] = deque()
        self.home_assistant = self._exchange.home_assistant
        self.breaches: list[str] = []
        self.published = 0

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Somebody else publishes."""
        if retain:
            self._meddled.add(topic)
        self._stranger_speaks = True
        self._exchange.publish(Message(topic, payload, qos=0, retain=retain))
        self._stranger_speaks = False

    def expect_rediscovery(self) -> None:
        """From here on, for a while, devices may be published again unchanged."""
        self._births.append(asyncio.get_running_loop().time())

    def expect_rivals(self, seconds: float) -> None:
        """So long two bridges may be at work that have not noticed each other yet, and say the same."""
        self._rivals_until = asyncio.get_running_loop().time() + seconds

    def let_in(self, *, everybody: bool) -> None:
        self._exchange._login = (None, None) if everybody else ("somebody", b"else")

    def limit(self, packet_bytes: int | None) -> None:
        """The longest packet, for connections that begin from here on."""
        self._limits = _NO_LIMITS if packet_bytes is None else Limits(packet_bytes=packet_bytes)

    def lose(self, number: int) -> None:
        """So many messages on topics on which there was none before are acknowledged, and go to nobody."""
        self._exchange.losses_left = number

    def _watch(self, message: Message) -> None:
        if self._stranger_speaks:
            return
        self.published += 1
        self._look_for_a_storm()
        if not message.retain:
            return
        topic, held = message.topic, self.retained.get(message.topic)
        ours = NAMES.topics.is_own(topic) or NAMES.subject(topic) is not None
        if not ours:
            self._breach(f"published on a topic that is not its own: {topic}")
        elif topic in self._meddled:
            self._meddled.discard(topic)
        elif not message.payload:
            self._watch_clearing(topic, held)
        elif message.payload == held:
            self._watch_repetition(topic)
        if message.payload and (subject := NAMES.subject(topic)):
            self._watch_device(topic, subject)

    def _watch_clearing(self, topic: str, held: bytes | None) -> None:
        if asyncio.get_running_loop().time() < self._rivals_until:
            # What the one has read newly, or cleared, the other may not know yet.
            return
        if held is None:
            self._breach(f"cleared {topic}, which is not retained")
        if (subject := NAMES.topics.subject(topic)) is not None:
            if self._exists(subject):
                self._breach(f"cleared {topic}, whose thing is still there")
            if NAMES.topic(subject) in self.retained and NAMES.topic(subject) not in self._meddled:
                self._breach(f"cleared {topic} before its device")
        elif (subject := NAMES.subject(topic)) is not None and self._is_shown(subject):
            self._breach(f"cleared {topic}, whose thing is still there")

    def _watch_repetition(self, topic: str) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._rivals_until:
            return
        is_welcome = NAMES.subject(topic) and any(now - birth < _AFTER_A_BIRTH_S for birth in self._births)
        if topic != STATUS and not is_welcome:
            self._breach(f"published {topic} again unchanged")

    def _watch_device(self, topic: str, subject: Subject) -> None:
        if subject == BRIDGE:
            state = NAMES.topics.bridge
        elif subject.kind is None or subject.thing_id is None:
            state = NAMES.topics.rig_state(subject.rig_id)
        else:
            state = NAMES.topics.thing(subject.rig_id, subject.kind, subject.thing_id)
        removed = NAMES.topics.removed(NAMES.object_id(subject))
        is_there = state in self.retained or removed in self.retained
        if not is_there and state not in self._meddled and state not in self._exchange.lost:
            self._breach(f"published {topic} before its state")

    def _look_for_a_storm(self) -> None:
        now = asyncio.get_running_loop().time()
        self._times.append(now)
        while self._times[0] < now - 10:
            self._times.popleft()
        if len(self._times) == _STORM:
            self._breach(f"published {_STORM} messages in ten seconds")

    def _breach(self, what: str) -> None:
        self.breaches.append(f"at {asyncio.get_running_loop().time():.3f} s: {what}")
