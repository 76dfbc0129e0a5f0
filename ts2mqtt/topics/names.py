"""The names of the topics, and what a topic's name says about its content."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ts2mqtt.observatory.ids import BRIDGE_ID, KINDS, RIG_ID_PATTERN, THING_ID_PATTERN

PROFILE, PROJECT, TARGET = KINDS
_RIG_TOPICS = ("status", "state", "plan", "plan/image", "night", "night/image")
_THING = re.compile(f"({'|'.join(KINDS)})/({THING_ID_PATTERN})")
_RIG_ID = re.compile(RIG_ID_PATTERN)


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
    """All names under one base topic."""

    base: str

    @property
    def status(self) -> str:
        return f"{self.base}/status"

    @property
    def bridge(self) -> str:
        return f"{self.base}/bridge"

    @property
    def heartbeat(self) -> str:
        return f"{self.bridge}/heartbeat"

    @property
    def command(self) -> str:
        return f"{self.base}/command"

    def removed(self, object_id: str) -> str:
        """Holds the last discovery payload of a device that Home Assistant may not have seen going."""
        return f"{self.bridge}/removed/{object_id}"

    def rig_status(self, rig_id: str) -> str:
        return f"{self.base}/{rig_id}/status"

    def rig_state(self, rig_id: str) -> str:
        return f"{self.base}/{rig_id}/state"

    def rig_plan(self, rig_id: str) -> str:
        return f"{self.base}/{rig_id}/plan"

    def rig_plan_image(self, rig_id: str) -> str:
        return f"{self.base}/{rig_id}/plan/image"

    def rig_night(self, rig_id: str) -> str:
        return f"{self.base}/{rig_id}/night"

    def rig_night_image(self, rig_id: str) -> str:
        return f"{self.base}/{rig_id}/night/image"

    def of_rig(self, rig_id: str) -> tuple[str, ...]:
        """What is retained of a rig itself."""
        return tuple(f"{self.base}/{rig_id}/{name}" for name in _RIG_TOPICS)

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

    def is_own(self, topic: str) -> bool:
        """Whether a retained message on this topic can only be this bridge's."""
        return (
            topic in (self.status, self.bridge)
            or topic.startswith(self.removed(""))
            or self.subject(topic) is not None
        )

    def _below(self, topic: str) -> str:
        return topic.removeprefix(f"{self.base}/") if topic.startswith(f"{self.base}/") else ""
