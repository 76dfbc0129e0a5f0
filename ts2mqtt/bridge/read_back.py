"""Reads back what the broker has acknowledged, as a broker may acknowledge what it does not keep."""

from __future__ import annotations

import logging
from itertools import islice
from typing import TYPE_CHECKING

from ts2mqtt.logs.tallies import Kind
from ts2mqtt.topics.names import BRIDGE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ts2mqtt.bridge.carried_over import CarriedOver
    from ts2mqtt.bridge.publisher import Publisher
    from ts2mqtt.bridge.retained_reader import RetainedReader
    from ts2mqtt.home_assistant.ids import DiscoveryIds

_NOT_KEPT = Kind("messages that the broker acknowledged and has not kept")
_KEEPS_NOTHING = Kind("connections to a broker that keeps nothing")

_TOPICS_AT_ONCE = 100


class ReadBack:
    """For one session.

    What was acknowledged late is read back at once; what is published for the first time, once all is published.
    What is missing is published once more, and told if it is missing again.
    """

    def __init__(
        self, ids: DiscoveryIds, reader: RetainedReader, publisher: Publisher, carried: CarriedOver, slow_s: float
    ) -> None:
        self._ids = ids
        self._reader = reader
        self._publisher = publisher
        self._failures = carried.failures
        self._kept = carried.kept
        self._slow_s = slow_s
        self._late: dict[str, None] = {}
        self._new: dict[str, None] = {}
        self._tried_again: set[str] = set()
        self._keeps_nothing = False

    @property
    def has_more(self) -> bool:
        """Whether anything waits until all is published."""
        return bool(self._new)

    async def go_on(self, *, is_all_published: bool) -> frozenset[str]:
        """Reads some of it; the answer are the parts of which something has to be published again."""
        self._take_acknowledged()
        again: set[str] = set()
        if self._late:
            late, self._late = self._late, {}
            again |= await self._look_at_late(late)
        if is_all_published and self._new:
            again |= await self._look_at_new()
        return frozenset(again)

    def _take_acknowledged(self) -> None:
        retained = self._publisher.retained
        for topic, seconds in self._publisher.take_acknowledged().items():
            if seconds > self._slow_s:
                self._late[topic] = None
            elif topic not in retained:
                self._kept.forget(topic)
            elif not self._is_surely_kept(topic):
                self._new[topic] = None

    def _is_surely_kept(self, topic: str) -> bool:
        return self._kept.knows(topic) and self._kept.is_surely(topic, self._publisher.retained[topic])

    async def _look_at_late(self, topics: Iterable[str]) -> set[str]:
        """NATS acknowledges a message also when it could not put it among those it retains.

        It does so when a node of its cluster is gone, and has tried for four or five seconds then.
        """
        again = set()
        for topic, held in (await self._differing(topics)).items():
            text = f"the broker was slow and has not kept what it acknowledged on {topic}"
            self._failures.noted(_NOT_KEPT, topic, text)
            again.add(self._take_as_lost(topic, held))
        return again

    async def _look_at_new(self) -> set[str]:
        topics = list(islice(self._new, _TOPICS_AT_ONCE))
        for topic in topics:
            del self._new[topic]
        if self._keeps_nothing:
            return set()
        retained = self._publisher.retained
        differing = await self._differing(topics)
        for topic in topics:
            if topic not in differing and topic in retained:
                self._tried_again.discard(topic)
                self._kept.note(topic, retained[topic])
                self._publisher.note_kept(topic)
        lost = [topic for topic in topics if topic in differing]
        again = {self._take_as_lost(topic, differing[topic]) for topic in lost if topic not in self._tried_again}
        for topic in lost:
            if topic in self._tried_again and topic in retained:
                self._tell_lost(topic)
        self._tried_again.update(lost)
        return again

    def _tell_lost(self, topic: str) -> None:
        """That nothing at all is kept is told in one line."""
        if not self._kept.is_empty:
            self._publisher.note_not_kept(topic, self._kept.likely_cause(topic, self._publisher.retained[topic]))
        elif not self._keeps_nothing:
            self._keeps_nothing = True
            self._failures.noted(
                _KEEPS_NOTHING,
                "broker",
                "the broker does not keep retained messages: Home Assistant will know nothing after a restart; "
                "allow them in the broker's configuration",
                level=logging.ERROR,
            )

    async def _differing(self, topics: Iterable[str]) -> dict[str, bytes]:
        """What the broker really holds, of topics on which that is not what we believe."""
        topics = list(topics)
        held = await self._reader.read_topics(topics)
        retained = self._publisher.retained
        return {topic: held.get(topic, b"") for topic in topics if held.get(topic, b"") != retained.get(topic, b"")}

    def _take_as_lost(self, topic: str, held: bytes) -> str:
        self._publisher.note_retained(topic, held)
        return self._ids.part_of(topic) or BRIDGE.rig_id
