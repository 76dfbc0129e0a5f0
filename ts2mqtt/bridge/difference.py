"""Publishes what differs between what should stand on the broker and what does, of some rigs at a time."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from ts2mqtt.bridge.about import about
from ts2mqtt.bridge.agenda import ForgetRecord, LookAgain, TellStatesAgain
from ts2mqtt.bridge.publisher import Stale
from ts2mqtt.home_assistant.devices import SETTLE_S
from ts2mqtt.home_assistant.transition import next_step
from ts2mqtt.topics.encode import ONLINE
from ts2mqtt.topics.message import Message
from ts2mqtt.topics.names import BRIDGE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ts2mqtt.bridge.agenda import Agenda
    from ts2mqtt.bridge.carried_over import CarriedOver
    from ts2mqtt.bridge.desired_state import Desired
    from ts2mqtt.bridge.publisher import Publisher
    from ts2mqtt.bridge.retained_messages import RetainedMessages
    from ts2mqtt.bridge.setting import Setting
    from ts2mqtt.home_assistant.transition import Presence, Step


class Difference:
    """For one session; the parts are rigs by their ids, and the bridge itself."""

    def __init__(self, setting: Setting, publisher: Publisher, carried: CarriedOver, agenda: Agenda) -> None:
        self._ids = setting.ids
        self._identity = setting.identity
        self._clock = setting.clock
        self._registry_written_s = setting.timings.home_assistant.registry_written_s
        self._publisher = publisher
        self._carried = carried
        self._agenda = agenda

    async def publish(self, parts: frozenset[str], presence: Presence) -> None:
        """Returns when all of it has arrived; what has to settle first is put on the agenda.

        `presence` is what is known of Home Assistant.
        """
        desired = self._carried.desired.of(parts)
        retained = self._publisher.retained_of(parts)
        gone = list(self._carried.desired.stale_devices(desired, retained))
        steps = self._steps(desired, retained, gone, presence)
        for topic, step in steps.items():
            if step.record is not None:
                await self._publisher.put(self._record_topic(topic), step.record)
        await self._tell_states(steps)
        messages = self._of_the_bridge() if BRIDGE.rig_id in parts else {}
        messages |= desired.states
        messages |= _device_messages(desired, steps)
        # Devices are cleared before their states, as Home Assistant reads both.
        stale = [Stale(topic, SETTLE_S) for topic in gone]
        stale += (
            Stale(topic, SETTLE_S, follows=self._ids.topic(subject))
            for topic, subject in self._carried.desired.stale_states(desired, retained)
        )
        wait_s = await self._publisher.publish(messages, stale)
        if wait_s is not None:
            for part in parts:
                self._agenda.add(wait_s, LookAgain(part))
        self._plan_next_steps(steps)

    def _of_the_bridge(self) -> dict[str, Message]:
        """What stands there while the bridge works; `offline` is its last word, or its last will."""
        topics = self._ids.topics
        return {topics.status: Message(ONLINE), topics.bridge: about(self._identity, self._carried)}

    def _steps(
        self, desired: Desired, retained: RetainedMessages, gone: list[str], presence: Presence
    ) -> dict[str, Step]:
        """By topic, of every device that is there and has to become another, or to go.

        One that goes is cleared as Stale, with its states; of its step only the record counts.
        """
        if not self._carried.desired.tells_home_assistant:
            return {}
        changed = (
            topic
            for topic, message in desired.devices.items()
            if topic in retained and not message.provisional and not retained.holds(topic, message)
        )
        now = self._clock.now()
        return {
            topic: next_step(
                desired.devices[topic].payload if topic in desired.devices else None,
                retained[topic],
                self._publisher.retained.get(self._record_topic(topic)),
                presence,
                now,
            )
            for topic in chain(changed, gone)
        }

    def _plan_next_steps(self, steps: Mapping[str, Step]) -> None:
        for topic, step in steps.items():
            if step.publish is not None and self._publisher.retained.get(topic, b"") != step.publish:
                # It has to settle first, or was refused: this same step will be found again.
                continue
            if step.forget_record:
                self._forget_later(self._record_topic(topic))
            if step.tell_after:
                self._agenda.add(SETTLE_S, TellStatesAgain(step.tell_after))
            if step.look_again and (part := self._ids.part_of(topic)):
                self._agenda.add(SETTLE_S, LookAgain(part))

    async def _tell_states(self, steps: Mapping[str, Step]) -> None:
        """Of devices that have settled; what has not is published later, and its states are told then."""
        for topic, step in steps.items():
            if step.tell_before and self._publisher.unsettled_s(topic, SETTLE_S) == 0:
                await self._publisher.put_again(step.tell_before)

    def _forget_later(self, record_topic: str) -> None:
        if record := self._publisher.retained.get(record_topic):
            self._agenda.add(self._registry_written_s, ForgetRecord(record_topic, record))

    def _record_topic(self, device_topic: str) -> str:
        return self._ids.topics.removed(self._ids.object_id_of(device_topic) or "")


def _device_messages(desired: Desired, steps: Mapping[str, Step]) -> dict[str, Message]:
    """The devices that are desired; in place of one that has to be led there, its next step, if that is one."""
    messages: dict[str, Message] = {}
    for topic, message in desired.devices.items():
        if topic not in steps:
            messages[topic] = message
        elif (payload := steps[topic].publish) is not None:
            messages[topic] = Message(payload, settle_s=SETTLE_S)
    return messages
