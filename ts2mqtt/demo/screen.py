"""What the demo's screen knows: a pure function makes each next screen from the last one and an MQTT message."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from pydantic_core import from_json

from ts2mqtt.demo.payload_excerpt import payload_excerpt
from ts2mqtt.demo.payloads import NO_PLAN, NO_STATE, Device, read_payload
from ts2mqtt.demo.short_text import terminal_safe
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.observatory.present import IMAGING
from ts2mqtt.topics.names import PROJECT, TARGET, TopicNames
from ts2mqtt.topics.payloads import Plan, Project, State, Target

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pydantic import JsonValue

    from ts2mqtt.topics.payloads import Appointment

Key = TypeVar("Key")
Value = TypeVar("Value")
ItemKey = tuple[str, str]
"""A rig's id, and the id of a project or target of that rig."""

WARNINGS = ("WARNING", "ERROR", "CRITICAL")

_IDS = DiscoveryIds("homeassistant", TopicNames("ts2mqtt"))
_TOPICS = _IDS.topics
_KEPT_MESSAGES = 300
_KEPT_EXPOSURES = 1_000
"""More than a night has."""


@dataclass(frozen=True, slots=True)
class DemoSetup:
    """Where the demo's broker, simulated API and N.I.N.A. listen; `speed` is simulated seconds per real second."""

    host: str
    port: int
    api_url: str
    nina_url: str
    speed: float


@dataclass(frozen=True, slots=True)
class Exposure:
    """An exposure of a target, and when it ended."""

    target_id: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Rig:
    """What is known of one rig; `online` is None before its first status and last changed at `online_changed`.

    `exposures` are the latest ones that its state told.
    """

    id: str
    online: bool | None = None
    online_changed: datetime | None = None
    state: State = NO_STATE
    plan: Plan = NO_PLAN
    exposures: tuple[Exposure, ...] = ()

    @property
    def name(self) -> str:
        return self.state.name or self.id

    @property
    def target_at_work(self) -> Appointment | None:
        """The target that is imaged; None also while the rig only waits for it."""
        return self.state.current_target if self.state.activity == IMAGING else None


@dataclass(frozen=True, slots=True)
class MessageLine:
    """One line of the list of messages; it may be cut between its pieces.

    A line from the bridge's log has its level as the topic.
    """

    time: datetime
    topic: str
    pieces: tuple[str, ...]
    from_log: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """Everything that the screen shows; `started` and `now` are simulated times.

    `json_by_topic` holds the JSON objects on the topics. The entities of Home Assistant read their states there.
    """

    setup: DemoSetup
    started: datetime
    now: datetime
    bridge_online: bool | None = None
    rigs: Mapping[str, Rig] = field(default_factory=lambda: MappingProxyType({}))
    projects: Mapping[ItemKey, Project] = field(default_factory=lambda: MappingProxyType({}))
    targets: Mapping[ItemKey, Target] = field(default_factory=lambda: MappingProxyType({}))
    devices: Mapping[str, Device] = field(default_factory=lambda: MappingProxyType({}))
    json_by_topic: Mapping[str, Mapping[str, JsonValue]] = field(default_factory=lambda: MappingProxyType({}))
    messages: tuple[MessageLine, ...] = ()
    message_count: int = 0
    warning_count: int = 0


def with_message(screen: Screen, topic: str, payload: bytes) -> Screen:
    """The screen after this message; the bridge's heartbeats are not shown."""
    if topic == _TOPICS.heartbeat:
        return screen
    content = _json(payload)
    line = MessageLine(screen.now, terminal_safe(topic), payload_excerpt(payload, content))
    screen = replace(
        screen,
        messages=(*screen.messages, line)[-_KEPT_MESSAGES:],
        message_count=screen.message_count + 1,
        json_by_topic=_updated(screen.json_by_topic, topic, content if isinstance(content, dict) else None),
    )
    if topic == _TOPICS.status:
        return replace(screen, bridge_online=_is_online(payload))
    object_id = _IDS.object_id_of(topic)
    if object_id is not None:
        return replace(screen, devices=_updated(screen.devices, object_id, read_payload(Device, content)))
    return _with_rig_message(screen, topic, payload, content)


def with_log_line(screen: Screen, level: str, text: str) -> Screen:
    """The screen after this line of the bridge's log."""
    line = MessageLine(screen.now, level, tuple(terminal_safe(text).split()), from_log=True)
    return replace(
        screen,
        messages=(*screen.messages, line)[-_KEPT_MESSAGES:],
        warning_count=screen.warning_count + (level in WARNINGS),
    )


def _with_rig_message(screen: Screen, topic: str, payload: bytes, content: JsonValue) -> Screen:
    subject = _TOPICS.subject(topic)
    if subject is None:
        return screen
    if subject.thing_id is not None:
        key = (subject.rig_id, subject.thing_id)
        if subject.kind == PROJECT:
            return replace(screen, projects=_updated(screen.projects, key, read_payload(Project, content)))
        if subject.kind == TARGET:
            return replace(screen, targets=_updated(screen.targets, key, read_payload(Target, content)))
        return screen
    rig = screen.rigs.get(subject.rig_id, Rig(subject.rig_id))
    if topic == _TOPICS.rig_status(rig.id):
        online = _is_online(payload)
        changed = rig.online_changed if online == rig.online else screen.now
        rig = replace(rig, online=online, online_changed=changed)
    elif topic == _TOPICS.rig_state(rig.id):
        rig = _with_state(rig, read_payload(State, content) or NO_STATE)
    elif topic == _TOPICS.rig_plan(rig.id):
        rig = replace(rig, plan=read_payload(Plan, content) or NO_PLAN)
    return replace(screen, rigs=_updated(screen.rigs, rig.id, rig))


def _with_state(rig: Rig, state: State) -> Rig:
    last = state.last_exposure
    if last is None or last == rig.state.last_exposure:
        return replace(rig, state=state)
    exposures = (*rig.exposures, Exposure(last.target_id, last.time))
    return replace(rig, state=state, exposures=exposures[-_KEPT_EXPOSURES:])


def _is_online(payload: bytes) -> bool | None:
    return {b"online": True, b"offline": False}.get(payload)


def _json(payload: bytes) -> JsonValue:
    """The payload as JSON; None if it is not JSON."""
    try:
        # The standard library's parser accepts JSON that is nested too deeply for read_payload().
        content: JsonValue = from_json(payload)
    except ValueError:
        return None
    return content


def _updated(mapping: Mapping[Key, Value], key: Key, value: Value | None) -> Mapping[Key, Value]:
    """A copy of the mapping with this value; without the key if the value is None."""
    if value is None:
        return MappingProxyType({k: v for k, v in mapping.items() if k != key})
    return MappingProxyType({**mapping, key: value})
