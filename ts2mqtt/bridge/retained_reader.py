"""Reads what the broker retains of ours, and makes sure that it is all of it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from ts2mqtt.logs.wording import counted
from ts2mqtt.topics import decode
from ts2mqtt.topics.names import BRIDGE, Subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ts2mqtt.bridge.liveness import Liveness
    from ts2mqtt.home_assistant.ids import DiscoveryIds
    from ts2mqtt.mqtt.connection import Connection
    from ts2mqtt.mqtt.message import Received
    from ts2mqtt.timing import BrokerTimings

_LOG = logging.getLogger(__name__)

_SUSPICIOUSLY_MANY = 500
"""Mosquitto drops what a subscriber does not take fast enough, from 1,000 queued messages on."""

_FILTERS_AT_ONCE = 100
_MOST_ROUNDS = 20


class _Availability(BaseModel):
    topic: str


class _Device(BaseModel):
    availability: list[_Availability]


class RetainedReader:
    """Collects the retained messages of one bridge; hear() has to be given everything that arrives.

    `standing` are filters to which somebody else has subscribed on this connection, and which stay.
    """

    def __init__(
        self,
        connection: Connection,
        ids: DiscoveryIds,
        liveness: Liveness,
        timings: BrokerTimings,
        standing: Iterable[str] = (),
    ) -> None:
        self._timings = timings
        self._standing = frozenset(standing)
        self._connection = connection
        self._ids = ids
        self._liveness = liveness
        self._retained: dict[str, bytes] = {}
        self._heard = 0
        self._sought: dict[str, bytes] = {}

    def hear(self, message: Received) -> None:
        """Takes what the broker had kept; a message that just happened says nothing about what it keeps."""
        if not (message.retain and message.payload):
            return
        if message.topic in self._sought:
            # Not kept beyond read_topics(): these are all devices of all rigs, some hundred topics at a time.
            self._sought[message.topic] = message.payload
        elif self._ids.topics.is_own(message.topic) or self._ids.subject(message.topic) is not None:
            self._heard += 1
            self._retained[message.topic] = message.payload

    async def read(self, rig_ids: Iterable[str] = ()) -> dict[str, bytes]:
        """All that the broker retains of this bridge, by topic; `rig_ids` are those that it is configured with."""
        heard = self._heard
        await self._ask([f"{self._ids.topics.base}/#", *self._ids.filters])
        if self._heard - heard >= _SUSPICIOUSLY_MANY:
            await self._ask_for_relatives()
        retained, self._retained = self._retained, {}
        return self._without_strangers(retained, rig_ids)

    async def read_topics(self, topics: Iterable[str]) -> dict[str, bytes]:
        """What the broker has kept of what was published on these topics, whosever they are."""
        sought = self._sought = dict.fromkeys(topics, b"")
        asked = list(sought)
        for start in range(0, len(asked), _FILTERS_AT_ONCE):
            await self._ask(asked[start : start + _FILTERS_AT_ONCE])
        self._sought = {}
        return {topic: payload for topic, payload in sought.items() if payload}

    def _without_strangers(self, retained: dict[str, bytes], rig_ids: Iterable[str]) -> dict[str, bytes]:
        """Without topics below the base topic that only have the shape of ours.

        A rig is ours if it is configured, if the bridge's own topic names it, if it has a device, or if a payload
        carries its id. A device is not ours if it follows a bridge under another base topic.
        """
        retained = {topic: payload for topic, payload in retained.items() if not self._is_foreign(topic, payload)}
        ours = {*rig_ids, *decode.rigs_named_in(retained.get(self._ids.topics.bridge, b""))}
        ours |= {subject.rig_id for topic in retained if (subject := self._ids.subject(topic))}
        strange: dict[str, list[str]] = {}
        for topic, payload in retained.items():
            subject = self._ids.topics.subject(topic)
            if subject is None or subject.rig_id in ours:
                continue
            if decode.is_about(payload, subject):
                ours.add(subject.rig_id)
            else:
                strange.setdefault(subject.rig_id, []).append(topic)
        left_alone = {topic for rig_id, topics in strange.items() if rig_id not in ours for topic in topics}
        return {topic: payload for topic, payload in retained.items() if topic not in left_alone}

    async def _ask(self, filters: list[str]) -> None:
        telling = asyncio.create_task(self._tell_progress())
        try:
            await self._connection.subscribe(filters)
            await self._liveness.fence()
            # MQTT marks the end of what a broker retains with nothing. A message of our own, sent after the
            # subscription, comes back after it on most brokers; where it overtakes, this catches the rest.
            await self._connection.until_silent(self._timings.quiet_s)
        finally:
            telling.cancel()
        if passing := [one for one in filters if one not in self._standing]:
            await self._connection.unsubscribe(passing)

    async def _tell_progress(self) -> None:
        pause_s = self._timings.long_read_s
        while True:
            await asyncio.sleep(pause_s)
            pause_s *= 2
            _LOG.info(
                "still reading what the broker retains of this bridge: %s so far",
                counted(len(self._retained) + sum(map(bool, self._sought.values())), "topic"),
            )

    async def _ask_for_relatives(self) -> None:
        for _ in range(_MOST_ROUNDS):
            known = len(self._retained)
            missing = [topic for topic in self._relatives() if topic not in self._retained]
            for start in range(0, len(missing), _FILTERS_AT_ONCE):
                await self._ask(missing[start : start + _FILTERS_AT_ONCE])
            if len(self._retained) == known:
                return

    def _is_foreign(self, topic: str, payload: bytes) -> bool:
        """Home Assistant allows so little in an id that `site/a` and `site_a` are the same one to it."""
        if self._ids.subject(topic) is None:
            return False
        try:
            device = _Device.model_validate_json(payload)
        except ValidationError:
            return False
        return not any(one.topic.startswith(f"{self._ids.topics.base}/") for one in device.availability)

    def _relatives(self) -> Iterator[str]:
        """What should be there by what is: the children that a payload names, and everything's device."""
        topics = self._ids.topics
        yield self._ids.topic(BRIDGE)
        for topic, payload in list(self._retained.items()):
            subject = topics.subject(topic) or self._ids.subject(topic)
            if subject is None:
                continue
            yield self._ids.topic(subject)
            if subject.kind is not None and subject.thing_id is not None:
                yield topics.thing(subject.rig_id, subject.kind, subject.thing_id)
            for kind, thing_id in decode.children(payload):
                yield topics.thing(subject.rig_id, kind, thing_id)
                yield self._ids.topic(Subject(subject.rig_id, kind, thing_id))
