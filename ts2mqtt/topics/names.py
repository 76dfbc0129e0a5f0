"""The names of the topics, and what a topic's name says about its content."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ts2mqtt.observatory.ids import BRIDGE_ID, KINDS, RIG_ID_PATTERN, THING_ID_PATTERN

PROFILE, PROJECT, TARGET = KINDS
_RIG_TOPICS = ("status", "state", "plan", "plan/image")
_THING = re.compile(f"({'|'.join(KINDS)})/({THING_ID_PATTERN})")
_RIG_ID = re.compile(RIG_ID_PATTERN)
_REPLICA = "(0|[1-9][0-9]{0,3})"
_OF_A_BRIDGE = re.compile(
    f"status|bridge(?:/heartbeat)?|bridge/{_REPLICA}(?:/(?:status|heartbeat))?|bridge/removed/bridge(?:/{_REPLICA})?"
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a topic or a device is about: a rig itself, or one thing (profile, project, target) of it."""

    rig_id: str
    kind: str | None = None
    thing_id: str | None = None


BRIDGE = Subject(BRIDGE_ID)
"""The bridge itself; no rig can have this id."""


@dataclass(frozen=True, slots=True)
class TopicNames:
    """All names under one base topic; a replica, one of several that share the rigs, is named by its number."""

    base: str
    replica: int | None = None

    @property
    def status(self) -> str:
        return f"{self.base}/status" if self.replica is None else f"{self.bridge}/status"

    @property
    def bridge(self) -> str:
        return f"{self.base}/bridge" if self.replica is None else f"{self.base}/bridge/{self.replica}"

    @property
    def heartbeat(self) -> str:
        return f"{self.bridge}/heartbeat"

    @property
    def of_all_bridges(self) -> tuple[str, ...]:
        """Filters for what every bridge under the base topic, replica or not, says about itself."""
        below = ("status", "bridge", "bridge/+", "bridge/+/status", "bridge/+/heartbeat")
        return tuple(f"{self.base}/{topic}" for topic in below)

    @property
    def command(self) -> str:
        return f"{self.base}/command"

    def removed(self, object_id: str) -> str:
        """Holds the last discovery payload of a device that Home Assistant may not have seen going."""
        return f"{self.base}/bridge/removed/{object_id}"

    def rig_status(self, rig_id: str) -> str:
        return f"{self.base}/{rig_id}/status"

    def rig_state(self, rig_id: str) -> str:
        return f"{self.base}/{rig_id}/state"

    def rig_plan(self, rig_id: str) -> str:
        return f"{self.base}/{rig_id}/plan"

    def rig_plan_image(self, rig_id: str) -> str:
        return f"{self.base}/{rig_id}/plan/image"

    def rig_event(self, rig_id: str) -> str:
        return f"{self.base}/{rig_id}/event"

    def rig_command(self, rig_id: str) -> str:
        return f"{self.base}/{rig_id}/command"

    def thing(self, rig_id: str, kind: str, thing_id: str) -> str:
        return f"{self.base}/{rig_id}/{kind}/{thing_id}"

    def commanded_rig(self, topic: str) -> str | None:
        """The id of the rig whose command topic this is."""
        rig_id, _, rest = self._below(topic).partition("/")
        return rig_id if rest == "command" and rig_id != BRIDGE_ID else None

    def subject(self, topic: str) -> Subject | None:
        """What a retained topic of a rig is about; None for anything that is no such topic of ours."""
        rig_id, _, rest = self._below(topic).partition("/")
        if rig_id == BRIDGE_ID or not _RIG_ID.fullmatch(rig_id):
            return None
        if rest in _RIG_TOPICS:
            return Subject(rig_id)
        thing = _THING.fullmatch(rest)
        return Subject(rig_id, thing[1], thing[2]) if thing else None

    def of_bridge(self, topic: str) -> TopicNames | None:
        """The names of the bridge, this one or another replica, that says something about itself on this topic."""
        match = _OF_A_BRIDGE.fullmatch(self._below(topic))
        if match is None:
            return None
        replica = match[1] or match[2]
        return TopicNames(self.base, int(replica) if replica else None)

    def is_own(self, topic: str) -> bool:
        """Whether a retained message on this topic can only be this bridge's, or another replica's."""
        about = self.of_bridge(topic)
        return (
            (about is not None and topic != about.heartbeat)
            or topic.startswith(self.removed(""))
            or self.subject(topic) is not None
        )

    def _below(self, topic: str) -> str:
        return topic.removeprefix(f"{self.base}/") if topic.startswith(f"{self.base}/") else ""
