"""Tells subscribers once more what the broker may have dropped on the way to them."""

from __future__ import annotations

import logging
from itertools import islice
from typing import TYPE_CHECKING

from ts2mqtt.bridge.agenda import TellMore
from ts2mqtt.bridge.deliveries import COUNT_TOPICS, Reading
from ts2mqtt.errors import BrokerError, BrokerUnreachableError
from ts2mqtt.logs.tallies import Kind
from ts2mqtt.logs.wording import counted as in_words
from ts2mqtt.topics.names import BRIDGE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from ts2mqtt.bridge.agenda import Agenda
    from ts2mqtt.bridge.carried_over import CarriedOver
    from ts2mqtt.bridge.deliveries import BrokerCounted
    from ts2mqtt.bridge.publisher import Publisher
    from ts2mqtt.bridge.setting import Setting
    from ts2mqtt.mqtt.connection import Connection
    from ts2mqtt.topics.names import Subject

_LOG = logging.getLogger(__name__)
_DROPS = Kind("times at which the broker dropped messages")

_AT_ONCE = 100
"""So many are told before anything else is dealt with."""


class Repetition:
    """Of one session; what is left when its connection breaks, the next session goes on with."""

    def __init__(
        self, setting: Setting, connection: Connection, publisher: Publisher, carried: CarriedOver, agenda: Agenda
    ) -> None:
        self._ids = setting.ids
        self._many = setting.timings.pace.many
        self._connection = connection
        self._publisher = publisher
        self._desired = carried.desired
        self._deliveries = carried.deliveries
        self._agenda = agenda
        self._is_listening = False
        self._failures = carried.failures

    @property
    def has_more_to_tell(self) -> bool:
        """Whether it can go on now."""
        return bool(self._deliveries.to_repeat) and self._publisher.has_room

    async def listen_if_there_is_much(self) -> None:
        """A broker drops nothing of what fits into its queue for a subscriber; and not every broker counts."""
        if self._is_listening or max(len(self._publisher.retained), self._desired.topics()) < self._many:
            return
        self._is_listening = True
        self._publisher.expect_many()
        if self._deliveries.try_to_listen():
            try:
                await self._connection.subscribe(COUNT_TOPICS)
            except BrokerUnreachableError:
                raise
            except BrokerError as error:
                _LOG.debug("the broker's count of dropped messages cannot be read: %s", error.message)
            else:
                self._deliveries.begin_to_count()

    def take(self, counted: BrokerCounted) -> None:
        """One of the broker's counts."""
        reading = self._deliveries.take(counted)
        self._publisher.note_drops(reading)
        if reading is not Reading.BAD:
            return
        self._deliveries.lost = dict.fromkeys(self._in_order(self._deliveries.lost, self._deliveries.told_lately))
        self._failures.noted(
            _DROPS,
            "broker",
            "the broker drops messages for a subscriber that reads them too slowly: publishing "
            f"{in_words(len(self._deliveries.lost), 'topic')} once more, and more slowly; raise its limit "
            "(max_queued_messages in Mosquitto)",
        )

    async def go_on(self) -> None:
        """Repeats some of it."""
        for topic in list(islice(self._deliveries.to_repeat, _AT_ONCE)):
            if not await self._publisher.try_repeat(topic):
                self._agenda.add(self._publisher.room_in_s(), TellMore())
                return
            self._deliveries.lost.pop(topic, None)

    def _in_order(self, lost: Collection[str], told_lately: Iterable[str]) -> Iterator[str]:
        """Devices first, then states, also those of devices that were told lately.

        Home Assistant subscribes to them when it has the device, up to minutes later where it has many. The broker
        sends what it retains then, and drops that as well.
        """
        yield from (topic for topic in lost if self._ids.object_id_of(topic))
        yield from lost
        for topic in (*lost, *told_lately):
            if subject := self._ids.subject(topic):
                yield from (state for state in self._states_of(subject) if state in self._publisher.retained)

    def _states_of(self, subject: Subject) -> Iterator[str]:
        """What a device shows, and what says whether it is available."""
        topics = self._ids.topics
        yield from (topics.status, topics.bridge)
        if subject != BRIDGE:
            yield from topics.of_rig(subject.rig_id)
        if subject.kind is not None and subject.thing_id is not None:
            yield topics.thing(subject.rig_id, subject.kind, subject.thing_id)
