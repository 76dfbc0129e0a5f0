"""What Home Assistant has to see of a change before it is over: tombstones, old words, what went meanwhile."""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ts2mqtt.errors import BrokerError
from ts2mqtt.home_assistant import removal, rewording
from ts2mqtt.home_assistant.devices import SETTLE_S
from ts2mqtt.topics.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ts2mqtt.bridge.publisher import Publisher
    from ts2mqtt.home_assistant.ids import DiscoveryIds

_LOG = logging.getLogger(__name__)

_BIRTH_DELAYS_S = (0.5, 3.0)
_LEAST_BIRTH_GAP_S = 10.0
"""However often somebody asks for it, Home Assistant is not told everything more often than this."""


@dataclass(slots=True)
class HomeAssistantStatus:
    """What Home Assistant was last heard to say of itself; outlives a session that could not act on it.

    `births` is set when it is to be told everything again; `is_up` is None where that is not known.
    """

    births: asyncio.Event = field(default_factory=asyncio.Event)
    is_up: bool | None = None


@dataclass(frozen=True, slots=True)
class _Shown:
    """A device as it was shown with all that it has lost, and as it stood before; None if it did not."""

    whole: bytes
    current: bytes | None


class Transitions:
    """Compares the devices that are wanted with those that the broker holds, and leads from these to those.

    `publishing` is held by whoever publishes a difference; here it keeps the two from crossing.
    """

    def __init__(
        self,
        publisher: Publisher,
        names: DiscoveryIds,
        news: HomeAssistantStatus,
        publishing: asyncio.Lock,
        *,
        enabled: bool,
    ) -> None:
        self._publisher = publisher
        self._names = names
        self._news = news
        self._publishing = publishing
        self._enabled = enabled

    def messages(self, wanted: Mapping[str, Message]) -> dict[str, Message]:
        """Of devices that have lost a component, or have other words for what they show: what to publish instead."""
        rewritten: dict[str, Message] = {}
        for topic, object_id, message, held in self._changed_devices(wanted):
            recorded = self._names.topics.removed(object_id) in self._publisher.retained
            payload = rewording.with_old_words(message.payload, held)
            payload = removal.with_tombstones(payload, held, keep_old=recorded)
            if payload != message.payload:
                rewritten[topic] = Message(payload, settle_s=message.settle_s)
        return rewritten

    def reworded(self, wanted: Mapping[str, Message]) -> dict[str, frozenset[str]]:
        """By device, the state topics that Home Assistant has to read again to show them as the device now says."""
        found = {
            topic: rewording.state_topics_to_tell_again(message.payload, held)
            for topic, _, message, held in self._changed_devices(wanted)
        }
        return {topic: states for topic, states in found.items() if states}

    async def tell_again(self, reworded: Mapping[str, frozenset[str]]) -> None:
        for topic, states in reworded.items():
            await self._publisher.settled(topic, SETTLE_S)
            for state in sorted(states & self._publisher.retained.keys()):
                await self._publisher.put(state, self._publisher.retained[state])

    async def record_removals(self, wanted: Mapping[str, Message], stale: Iterable[str]) -> None:
        """Before anything goes that Home Assistant may not see going, what it was is put down on the broker."""
        if self._news.is_up or not self._enabled:
            return
        retained = self._publisher.retained
        going = [topic for topic in stale if self._names.object_id_of(topic)]
        going += [
            topic
            for topic, _, message, held in self._changed_devices(wanted)
            if removal.vanished_components(message.payload, held)
        ]
        for topic in going:
            await self._record_removal(topic, retained[topic])

    async def welcome_home_assistant(self, then: Callable[[], None]) -> None:
        """For ever: after its birth message it is told everything again, and what went while it was away."""
        while True:
            await self._news.births.wait()
            await asyncio.sleep(random.uniform(*_BIRTH_DELAYS_S))  # noqa: S311 - spreads load, guards nothing
            self._news.births.clear()
            if not self._enabled:
                continue
            _LOG.info("Home Assistant has started: telling it everything again")
            try:
                await self._tell_everything_again()
            except (BrokerError, asyncio.CancelledError):
                # Home Assistant does not repeat its birth.
                self._news.births.set()
                raise
            then()
            await asyncio.sleep(_LEAST_BIRTH_GAP_S)

    def _changed_devices(self, wanted: Mapping[str, Message]) -> Iterator[tuple[str, str, Message, bytes]]:
        """Topic, object id, message and what the broker holds, of every device that is there and has changed."""
        for topic, message in wanted.items():
            held = self._publisher.retained.get(topic)
            if held is None or held == message.payload or message.provisional:
                continue
            object_id = self._names.object_id_of(topic)
            if object_id is not None:
                yield topic, object_id, message, held

    async def _record_removal(self, topic: str, held: bytes) -> None:
        record_topic = self._names.topics.removed(self._names.object_id_of(topic) or "")
        earlier = removal.read_record(self._publisher.retained.get(record_topic, b""))
        record = removal.record(held, earlier, datetime.now(UTC))
        if record is not None and (earlier is None or earlier.discovery != record.discovery):
            await self._publisher.put(record_topic, record.to_bytes())

    async def _tell_everything_again(self) -> None:
        for topic in [topic for topic in self._publisher.retained if self._names.object_id_of(topic)]:
            async with self._publishing:
                # It takes seconds with many: what has changed or gone since it began must not come back.
                if payload := self._publisher.retained.get(topic):
                    await self._publisher.put(topic, payload)
        await self._forget_what_was_removed()

    async def _forget_what_was_removed(self) -> None:
        """Shows it whole once more and removes it: its rig, which may be off, need not say again that it is gone."""
        prefix = self._names.topics.removed("")
        records = {topic: payload for topic, payload in self._publisher.retained.items() if topic.startswith(prefix)}
        shown = [(self._names.topic_of_object(topic.removeprefix(prefix)), topic) for topic in records]
        without = {device: await self._show_whole(device, records[topic]) for device, topic in shown}
        for device_topic, record_topic in shown:
            await self._publisher.settled(device_topic, SETTLE_S)
            async with self._publishing:
                await self._remove_again(device_topic, without[device_topic])
                await self._publisher.put(record_topic, b"")

    async def _show_whole(self, device_topic: str, payload: bytes) -> _Shown | None:
        record = removal.read_record(payload)
        if record is None or datetime.now(UTC) - record.removed >= removal.LONGEST_MEMORY:
            return None
        async with self._publishing:
            current = self._publisher.retained.get(device_topic)
            whole = removal.whole_again(record, current)
            await self._publisher.put(device_topic, whole)
        return _Shown(whole, current)

    async def _remove_again(self, device_topic: str, shown: _Shown | None) -> None:
        """Unless it has become another since, which is then how it is."""
        if shown is None or self._publisher.retained.get(device_topic) != shown.whole:
            return
        after = removal.with_tombstones(shown.current, shown.whole, keep_old=False) if shown.current else b""
        if after != shown.whole:
            await self._publisher.put(device_topic, after)
