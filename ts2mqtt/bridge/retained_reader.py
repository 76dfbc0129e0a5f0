"""Finds out what the broker retains of ours, and makes sure that it is all of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from ts2mqtt.topics import decode
from ts2mqtt.topics.names import BRIDGE, Subject

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Set as AbstractSet

    from ts2mqtt.home_assistant.ids import DiscoveryIds
    from ts2mqtt.mqtt.connection import Connection, Received

# MQTT marks the end of what a broker retains with nothing. A message of our own, sent after the subscription,
# comes back after it on most brokers; where it overtakes, this pause catches the rest.
_QUIET_S = 0.2
_SUSPICIOUSLY_MANY = 500
"""Mosquitto drops what a subscriber does not take fast enough, from 1,000 queued messages on."""

_FILTERS_AT_ONCE = 100
_MOST_ROUNDS = 20


class _Availability(BaseModel):
    topic: str


class _Device(BaseModel):
    availability: list[_Availability]


class RetainedReader:
    """Collects the retained messages of one bridge; feed it everything that arrives.

    `owns` says of a rig's id whether it belongs to this bridge; what it does not own is left to other replicas.
    """

    def __init__(
        self,
        connection: Connection,
        names: DiscoveryIds,
        fence: Callable[[], Awaitable[None]],
        owns: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self.retained: dict[str, bytes] = {}
        self._connection = connection
        self._names = names
        self._fence = fence
        self._owns = owns
        self._heard = 0
        self._named: set[str] = set()
        self._sought: dict[str, bytes] = {}

    def hear(self, message: Received) -> None:
        """Takes what the broker had kept; a message that just happened says nothing about what it keeps."""
        topics = self._names.topics
        bridge = topics.of_bridge(message.topic)
        if bridge is not None and message.topic == bridge.bridge:
            self._named |= decode.rigs_named_in(message.payload)
        if not (message.retain and message.payload):
            return
        if message.topic in self._sought:
            self._sought[message.topic] = message.payload
        if topics.is_own(message.topic) or self._names.subject(message.topic) is not None:
            self._heard += 1
            if bridge == topics or (bridge is None and self._is_of_own_part(message.topic)):
                self.retained[message.topic] = message.payload

    async def learn(self) -> None:
        """Returns when all that the broker retains has been heard."""
        heard = self._heard
        await self._ask([f"{self._names.topics.base}/#", *self._names.filters])
        if self._heard - heard >= _SUSPICIOUSLY_MANY:
            await self._ask_for_relatives()

    async def learn_again(self, rig_ids: AbstractSet[str]) -> dict[str, bytes]:
        """What the broker retains of these rigs now: another replica served them, and may have changed it."""
        topics = self._names.topics
        self.retained = {t: p for t, p in self.retained.items() if self._names.part_of(t) not in rig_ids}
        filters = [f"{topics.base}/{rig_id}/#" for rig_id in sorted(rig_ids)]
        filters += [topics.removed("+"), *self._names.filters]
        heard = self._heard
        for start in range(0, len(filters), _FILTERS_AT_ONCE):
            await self._ask(filters[start : start + _FILTERS_AT_ONCE])
        if self._heard - heard >= _SUSPICIOUSLY_MANY:
            await self._ask_for_relatives()
        return {t: p for t, p in self.own().items() if self._names.part_of(t) in rig_ids}

    def own(self, about: bytes = b"") -> dict[str, bytes]:
        """What was learned, without a stranger's topics below the base topic that only have the shape of ours.

        A rig is ours if a bridge's own topic names it, as it stands there or as it is now `about` to, if it has a
        device, or if a payload carries its id. A device is not ours if it follows a bridge under another base topic.
        """
        retained = {
            topic: payload for topic, payload in self.retained.items() if not self._is_foreign(topic, payload)
        }
        ours = self._named | decode.rigs_named_in(about)
        ours |= {subject.rig_id for topic in retained if (subject := self._names.subject(topic))}
        strange: dict[str, list[str]] = {}
        for topic, payload in retained.items():
            subject = self._names.topics.subject(topic)
            if subject is None or subject.rig_id in ours:
                continue
            if decode.is_about(payload, subject):
                ours.add(subject.rig_id)
            else:
                strange.setdefault(subject.rig_id, []).append(topic)
        left_alone = {topic for rig_id, topics in strange.items() if rig_id not in ours for topic in topics}
        return {topic: payload for topic, payload in retained.items() if topic not in left_alone}

    async def held(self, topics: Iterable[str]) -> dict[str, bytes]:
        """What the broker has kept of what was published on these topics, whichever bridge they belong to."""
        sought = self._sought = dict.fromkeys(topics, b"")
        asked = list(sought)
        for start in range(0, len(asked), _FILTERS_AT_ONCE):
            await self._ask(asked[start : start + _FILTERS_AT_ONCE])
        self._sought = {}
        return {topic: payload for topic, payload in sought.items() if payload}

    async def _ask(self, filters: list[str]) -> None:
        await self._connection.subscribe(filters)
        await self._fence()
        heard = -1
        while heard != self._heard:
            heard = self._heard
            await asyncio.sleep(_QUIET_S)
        await self._connection.unsubscribe(filters)

    async def _ask_for_relatives(self) -> None:
        for _ in range(_MOST_ROUNDS):
            known = len(self.retained)
            missing = [topic for topic in self._relatives() if topic not in self.retained]
            for start in range(0, len(missing), _FILTERS_AT_ONCE):
                await self._ask(missing[start : start + _FILTERS_AT_ONCE])
            if len(self.retained) == known:
                return

    def _is_of_own_part(self, topic: str) -> bool:
        part = self._names.part_of(topic)
        return part == BRIDGE.rig_id or self._owns(part or "")

    def _is_foreign(self, topic: str, payload: bytes) -> bool:
        """Home Assistant allows so little in an id that `site/a` and `site_a` are the same one to it."""
        if self._names.subject(topic) is None:
            return False
        try:
            device = _Device.model_validate_json(payload)
        except ValidationError:
            return False
        return not any(one.topic.startswith(f"{self._names.topics.base}/") for one in device.availability)

    def _relatives(self) -> Iterator[str]:
        """What should be there by what is: the children that a payload names, and everything's device."""
        topics = self._names.topics
        yield self._names.topic(BRIDGE)
        for topic, payload in list(self.retained.items()):
            subject = topics.subject(topic) or self._names.subject(topic)
            if subject is None:
                continue
            yield self._names.topic(subject)
            if subject.kind is not None and subject.thing_id is not None:
                yield topics.thing(subject.rig_id, subject.kind, subject.thing_id)
            for kind, thing_id in decode.children(payload):
                yield topics.thing(subject.rig_id, kind, thing_id)
                yield self._names.topic(Subject(subject.rig_id, kind, thing_id))
