"""Tells Home Assistant everything again after it has started, and removes once more what went while it was away."""

from __future__ import annotations

import logging
import random
from collections import deque
from typing import TYPE_CHECKING

from ts2mqtt.bridge.agenda import BeginWelcome, ForgetRecord, LookAgain, RemoveAgain, TellMore
from ts2mqtt.home_assistant.devices import SETTLE_S
from ts2mqtt.home_assistant.transition import showing
from ts2mqtt.logs.tallies import Kind

if TYPE_CHECKING:
    from ts2mqtt.bridge.agenda import Agenda
    from ts2mqtt.bridge.carried_over import CarriedOver
    from ts2mqtt.bridge.publisher import Publisher
    from ts2mqtt.bridge.setting import Setting

_WELCOMES = Kind("times at which Home Assistant is told everything")

_AT_ONCE = 100
"""So many are told before anything else is dealt with."""


class Welcome:
    """Of one session; begins anew in the next one if the connection breaks in the middle."""

    def __init__(self, setting: Setting, publisher: Publisher, carried: CarriedOver, agenda: Agenda) -> None:
        self._ids = setting.ids
        self._clock = setting.clock
        self._timings = setting.timings.home_assistant
        self._many = setting.timings.pace.many
        self._publisher = publisher
        self._carried = carried
        self._agenda = agenda
        self._is_planned = False
        self._is_wanted_again = False
        self._ended = float("-inf")
        self._to_tell: deque[str] = deque()
        self._to_remove = 0

    @property
    def has_more_to_tell(self) -> bool:
        """Whether it can go on now."""
        return bool(self._to_tell) and self._publisher.has_room

    def plan(self) -> None:
        """Soon, as Home Assistant is busy at first; not twice within a while, however often somebody asks for it."""
        self._carried.welcome_is_owed = True
        if self._to_tell or self._to_remove:
            self._is_wanted_again = True
            return
        if self._is_planned:
            return
        self._is_planned = True
        delay_s = random.uniform(*self._timings.birth_delay_s)  # noqa: S311 - spreads load, guards nothing
        gap_s = self._ended + self._timings.least_birth_gap_s - self._clock.monotonic()
        self._agenda.add(max(delay_s, gap_s), BeginWelcome())

    def begin(self) -> None:
        """First every device that there is, then what went; last the states, where there is much.

        Home Assistant has just asked for all that the broker retains, at once: what did not fit into the broker's
        queue is lost to it, devices and states.
        """
        self._carried.failures.noted(
            _WELCOMES, "Home Assistant", "telling Home Assistant every device again", level=logging.INFO
        )
        self._is_planned = False
        retained, records = self._publisher.retained, self._ids.topics.removed("")
        devices = (topic for topic in retained if self._ids.object_id_of(topic))
        self._to_tell = deque([*devices, *(topic for topic in retained if topic.startswith(records))])
        if len(retained) >= self._many:
            told = frozenset(self._to_tell)
            self._to_tell += [topic for topic in retained if topic not in told]
        self._end_if_done()

    async def go_on(self) -> None:
        """Tells some of it; what has changed or gone since it began must not come back."""
        if not self._to_tell:
            return
        retained, records = self._publisher.retained, self._ids.topics.removed("")
        for _ in range(min(len(self._to_tell), _AT_ONCE)):
            topic = self._to_tell[0]
            payload = retained.get(topic)
            if payload is not None and topic.startswith(records):
                await self._show_again(topic.removeprefix(records), payload)
            elif payload is not None and not await self._publisher.try_repeat(topic):
                self._agenda.add(self._publisher.room_in_s(), TellMore())
                return
            self._to_tell.popleft()
        self._end_if_done()

    async def remove_again(self, removal: RemoveAgain) -> None:
        """Unless the device has become another since, which is then how it is."""
        topic, shown = self._ids.topic_of_object(removal.object_id), removal.shown
        if self._publisher.retained.get(topic) == shown.whole and shown.afterwards != shown.whole:
            await self._publisher.put(topic, shown.afterwards)
        if shown.afterwards != shown.whole or self._carried.desired.has_device(topic):
            record_topic = self._ids.topics.removed(removal.object_id)
            await self._publisher.put(record_topic, shown.record)
            # An earlier one still stands there if the broker takes nothing so large.
            if record := self._publisher.retained.get(record_topic):
                self._agenda.add(self._timings.registry_written_s, ForgetRecord(record_topic, record))
        self._to_remove -= 1
        self._end_if_done()

    async def _show_again(self, object_id: str, record: bytes) -> None:
        """Whole: the device's rig, which may be off, need not say again that something of it is gone."""
        topic = self._ids.topic_of_object(object_id)
        shown = showing(self._publisher.retained.get(topic), record, self._clock.now())
        if shown is None:
            await self._publisher.put(self._ids.topics.removed(object_id), b"")
            return
        await self._publisher.put(topic, shown.whole)
        self._to_remove += 1
        self._agenda.add(SETTLE_S, RemoveAgain(object_id, shown))

    def _end_if_done(self) -> None:
        if not self._to_tell and self._to_remove == 0:
            self._carried.welcome_is_owed = False
            self._ended = self._clock.monotonic()
            for part in self._publisher.parts:
                self._agenda.add(0.0, LookAgain(part))
            if self._is_wanted_again:
                self._is_wanted_again = False
                self.plan()
