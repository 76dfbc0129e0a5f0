"""Finds out what the broker retains of ours, and makes sure that it is all of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from ts2mqtt.topics import memory
from ts2mqtt.topics.names import BRIDGE, Subject

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from ts2mqtt.home_assistant.devices import DiscoveryNames
    from ts2mqtt.mqtt import Connection, Received

# MQTT marks the end of what a broker retains with nothing. A message of our own, sent after the subscription,
# comes back after it on most brokers; where it overtakes, this pause catches the rest.
_QUIET_S = 0.2
_SUSPICIOUSLY_MANY = 500
"""Mosquitto drops what a subscriber does not take fast enough, from 1,000 queued messages on."""

_FILTERS_AT_ONCE = 100
_MOST_ROUNDS = 20


class _Identity(BaseModel):
    id: str | None = None
    rig_id: str | None = None


class _Bridge(BaseModel):
    rigs: list[_Identity]


class Learner:
    """Collects the retained messages of one bridge; feed it everything that arrives."""

    def __init__(self, connection: Connection, names: DiscoveryNames, fence: Callable[[], Awaitable[None]]) -> None:
        self.retained: dict[str, bytes] = {}
        self._connection = connection
        self._names = names
        self._fence = fence
        self._heard = 0

    def hear(self, message: Received) -> None:
        """Takes what the broker had kept; a message that just happened says nothing about what it keeps."""
        if message.retain and message.payload and self._is_ours(message.topic):
            self._heard += 1
            self.retained[message.topic] = message.payload

    async def learn(self) -> None:
        """Returns when all that the broker retains has been heard."""
        await self._ask([f"{self._names.topics.base}/#", *self._names.filters])
        if len(self.retained) < _SUSPICIOUSLY_MANY:
            return
        for _ in range(_MOST_ROUNDS):
            known = len(self.retained)
            missing = [topic for topic in self._relatives() if topic not in self.retained]
            for start in range(0, len(missing), _FILTERS_AT_ONCE):
                await self._ask(missing[start : start + _FILTERS_AT_ONCE])
            if len(self.retained) == known:
                return

    def own(self, about: bytes = b"") -> dict[str, bytes]:
        """What was learned, without a stranger's topics below the base topic that only have the shape of ours.

        A rig is ours if the bridge's own topic names it, as it stands there or as it is now `about` to, if it has
        a device, or if a payload carries its id.
        """
        ours: set[str] = _rigs_named_in(self.retained.get(self._names.topics.bridge, b"")) | _rigs_named_in(about)
        ours |= {subject.rig_id for topic in self.retained if (subject := self._names.subject(topic))}
        strange: dict[str, list[str]] = {}
        for topic, payload in self.retained.items():
            subject = self._names.topics.subject(topic)
            if subject is None or subject.rig_id in ours:
                continue
            if _is_about(payload, subject):
                ours.add(subject.rig_id)
            else:
                strange.setdefault(subject.rig_id, []).append(topic)
        left_alone = {topic for rig_id, topics in strange.items() if rig_id not in ours for topic in topics}
        return {topic: payload for topic, payload in self.retained.items() if topic not in left_alone}

    async def holds(self, topic: str) -> bool:
        """Whether the broker has kept what was published on this topic."""
        self.retained.pop(topic, None)
        await self._ask([topic])
        return topic in self.retained

    async def _ask(self, filters: list[str]) -> None:
        await self._connection.subscribe(filters)
        await self._fence()
        heard = -1
        while heard != self._heard:
            heard = self._heard
            await asyncio.sleep(_QUIET_S)
        await self._connection.unsubscribe(filters)

    def _is_ours(self, topic: str) -> bool:
        return self._names.topics.is_own(topic) or self._names.subject(topic) is not None

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
            for kind, thing_id in memory.children(payload):
                yield topics.thing(subject.rig_id, kind, thing_id)
                yield self._names.topic(Subject(subject.rig_id, kind, thing_id))


def _rigs_named_in(payload: bytes) -> set[str]:
    try:
        return {rig.id for rig in _Bridge.model_validate_json(payload).rigs if rig.id}
    except ValidationError:
        return set()


def _is_about(payload: bytes, subject: Subject) -> bool:
    try:
        identity = _Identity.model_validate_json(payload)
    except ValidationError:
        return False
    return subject.rig_id in (identity.rig_id, identity.id)
