"""What the terminal shows, folded from one MQTT message after the other; pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from pydantic_core import from_json

from ts2mqtt.demo import told
from ts2mqtt.demo.payload_excerpt import payload_excerpt
from ts2mqtt.demo.wording import harmless
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.topics.names import PROJECT, TARGET, TopicNames

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pydantic import JsonValue

Key = TypeVar("Key")
Value = TypeVar("Value")
ThingKey = tuple[str, str]
"""The id of the rig, and of its project or target."""

_NAMES = DiscoveryIds("homeassistant", TopicNames("ts2mqtt"))
_TOPICS = _NAMES.topics
_KEPT_MESSAGES = 300

WARNINGS = ("WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True, slots=True)
class Demo:
    """What there is to know of the demo besides its messages; `speed` is how many times faster than life it runs."""

    host: str
    port: int
    api_url: str
    speed: float


@dataclass(frozen=True, slots=True)
class Rig:
    """`online` is None until its status was heard; it last `changed` then."""

    id: str
    online: bool | None = None
    changed: datetime | None = None
    state: told.State = told.NO_STATE
    plan: told.Plan = told.NO_PLAN

    @property
    def name(self) -> str:
        return self.state.name or self.id


@dataclass(frozen=True, slots=True)
class Message:
    """A message, or a line of the bridge's log with its level in the topic's place; may be cut between the pieces."""

    time: datetime
    topic: str
    pieces: tuple[str, ...]
    logged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """All that was heard, as far as it is shown; `time` is the simulated time, which began at `began`."""

    demo: Demo
    began: datetime
    time: datetime
    bridge_online: bool | None = None
    rigs: Mapping[str, Rig] = field(default_factory=lambda: MappingProxyType({}))
    projects: Mapping[ThingKey, told.Project] = field(default_factory=lambda: MappingProxyType({}))
    targets: Mapping[ThingKey, told.Target] = field(default_factory=lambda: MappingProxyType({}))
    devices: Mapping[str, told.Device] = field(default_factory=lambda: MappingProxyType({}))
    contents: Mapping[str, Mapping[str, JsonValue]] = field(default_factory=lambda: MappingProxyType({}))
    """The JSON objects that stand on the topics: entities take their values from there."""
    messages: tuple[Message, ...] = ()
    message_count: int = 0
    warning_count: int = 0


def heard(screen: Screen, topic: str, payload: bytes) -> Screen:
    """The screen after a message; the bridge's heartbeats are not worth showing."""
    if topic == _TOPICS.heartbeat:
        return screen
    content = _json(payload)
    message = Message(screen.time, harmless(topic), payload_excerpt(payload, content))
    screen = replace(
        screen,
        messages=(*screen.messages, message)[-_KEPT_MESSAGES:],
        message_count=screen.message_count + 1,
        contents=_with(screen.contents, topic, content if isinstance(content, dict) else None),
    )
    if topic == _TOPICS.status:
        return replace(screen, bridge_online=_is_online(payload))
    object_id = _NAMES.object_id_of(topic)
    if object_id is not None:
        return replace(screen, devices=_with(screen.devices, object_id, told.read(told.Device, content)))
    return _heard_of_rig(screen, topic, payload, content)


def logged(screen: Screen, level: str, text: str) -> Screen:
    """The screen after a line in the bridge's log."""
    message = Message(screen.time, level, tuple(harmless(text).split()), logged=True)
    return replace(
        screen,
        messages=(*screen.messages, message)[-_KEPT_MESSAGES:],
        warning_count=screen.warning_count + (level in WARNINGS),
    )


def _heard_of_rig(screen: Screen, topic: str, payload: bytes, content: JsonValue) -> Screen:
    subject = _TOPICS.subject(topic)
    if subject is None:
        return screen
    if subject.thing_id is not None:
        key = (subject.rig_id, subject.thing_id)
        if subject.kind == PROJECT:
            return replace(screen, projects=_with(screen.projects, key, told.read(told.Project, content)))
        if subject.kind == TARGET:
            return replace(screen, targets=_with(screen.targets, key, told.read(told.Target, content)))
        return screen
    rig = screen.rigs.get(subject.rig_id, Rig(subject.rig_id))
    if topic == _TOPICS.rig_status(rig.id):
        online = _is_online(payload)
        rig = replace(rig, online=online, changed=rig.changed if online == rig.online else screen.time)
    elif topic == _TOPICS.rig_state(rig.id):
        rig = replace(rig, state=told.read(told.State, content) or told.NO_STATE)
    elif topic == _TOPICS.rig_plan(rig.id):
        rig = replace(rig, plan=told.read(told.Plan, content) or told.NO_PLAN)
    return replace(screen, rigs=_with(screen.rigs, rig.id, rig))


def _is_online(payload: bytes) -> bool | None:
    return {b"online": True, b"offline": False}.get(payload)


def _json(payload: bytes) -> JsonValue:
    """What a payload holds; None if it is no JSON."""
    try:
        # The standard library's parser would let in what is nested too deeply for us to look through.
        content: JsonValue = from_json(payload)
    except ValueError:
        return None
    return content


def _with(mapping: Mapping[Key, Value], key: Key, value: Value | None) -> Mapping[Key, Value]:
    """With another value in the place of an earlier one; without it if the value is None."""
    if value is None:
        return MappingProxyType({k: v for k, v in mapping.items() if k != key})
    return MappingProxyType({**mapping, key: value})
