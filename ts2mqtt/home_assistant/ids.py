"""What the devices of one bridge are called in Home Assistant: their discovery topics and their ids."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ts2mqtt.home_assistant.discovery import node_id
from ts2mqtt.observatory.ids import KINDS, RIG_ID_PATTERN, THING_ID_PATTERN
from ts2mqtt.topics.names import BRIDGE, Subject, TopicNames

_OBJECT_ID = re.compile(f"({RIG_ID_PATTERN}?)(?:_({'|'.join(KINDS)})_({THING_ID_PATTERN}))?")


@dataclass(frozen=True, slots=True)
class DiscoveryIds:
    """Discovery topics and ids of one bridge."""

    prefix: str
    topics: TopicNames

    @property
    def node_id(self) -> str:
        return node_id(self.topics.base)

    @property
    def filters(self) -> tuple[str, str]:
        """Match the discovery topics of all devices of this bridge: its own, and those of rigs and their things."""
        return self._bridge_topic, f"{self.prefix}/device/{self.node_id}/+/config"

    @property
    def _bridge_topic(self) -> str:
        return f"{self.prefix}/device/{self.node_id}/config"

    def topic(self, subject: Subject) -> str:
        return self.topic_of_object(self.object_id(subject))

    def topic_of_object(self, object_id: str) -> str:
        if object_id == BRIDGE.rig_id:
            return self._bridge_topic
        return f"{self.prefix}/device/{self.node_id}/{object_id}/config"

    def object_id(self, subject: Subject) -> str:
        if subject.kind is None:
            return subject.rig_id
        return f"{subject.rig_id}_{subject.kind}_{subject.thing_id}"

    def device_id(self, subject: Subject) -> str:
        """The device's identifier, and the stem of its entities' unique ids."""
        return f"{self.node_id}_{self.object_id(subject)}"

    def object_id_of(self, topic: str) -> str | None:
        """What names the device in one of this bridge's discovery topics; None for any other topic."""
        if topic == self._bridge_topic:
            return BRIDGE.rig_id
        head, tail = f"{self.prefix}/device/{self.node_id}/", "/config"
        if not (topic.startswith(head) and topic.endswith(tail)):
            return None
        object_id = topic[len(head) : -len(tail)]
        return object_id if _OBJECT_ID.fullmatch(object_id) and object_id != BRIDGE.rig_id else None

    def subject(self, topic: str) -> Subject | None:
        """The device that one of this bridge's discovery topics is about; None for any other topic."""
        object_id = self.object_id_of(topic)
        return None if object_id is None else _subject_of(object_id)

    def part_of(self, topic: str) -> str | None:
        """The id of the rig whose state, device or removed device a topic holds; for the bridge's own, `bridge`."""
        removed = self.topics.removed("")
        if topic.startswith(removed):
            subject = _subject_of(topic.removeprefix(removed))
        else:
            subject = self.topics.subject(topic) or self.subject(topic)
        return subject.rig_id if subject else None


def _subject_of(object_id: str) -> Subject | None:
    match = _OBJECT_ID.fullmatch(object_id)
    return Subject(match[1], match[2], match[3]) if match else None
