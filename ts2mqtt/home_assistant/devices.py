"""From what is known of a rig to the complete set of its Home Assistant discovery messages; and the bridge's own."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ts2mqtt import __version__
from ts2mqtt.home_assistant import entities
from ts2mqtt.home_assistant.components import ComponentMaker, DeviceTopics, spoken
from ts2mqtt.home_assistant.discovery import (
    AnyComponent,
    Availability,
    Device,
    DevicePayload,
    DeviceTrigger,
    Entity,
    node_id,
)
from ts2mqtt.home_assistant.languages import ENGLISH
from ts2mqtt.message import Message
from ts2mqtt.observatory.events import EVENT_TYPES
from ts2mqtt.observatory.exposures import distinct_places
from ts2mqtt.topics.messages import projects_of
from ts2mqtt.topics.names import BRIDGE, PROFILE, PROJECT, TARGET, Subject, TopicNames

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ts2mqtt.home_assistant.languages import Language
    from ts2mqtt.observatory.exposures import Place
    from ts2mqtt.observatory.model import ExposurePlan, Rig

# While Home Assistant loads a platform for the first time it loses part of a second payload that follows
# within a second (mqtt/discovery.py); a little more keeps clear of the clock's grain.
SETTLE_S = 1.5

_OBJECT_ID = re.compile(r"([a-z0-9_-]{1,64}?)(?:_(profile|project|target)_([0-9A-Za-z-]{1,64}))?")
_LONGEST_NAME = 120
_SHORT_ID = 8
_PROGRAM = "ts2mqtt"


@dataclass(frozen=True, slots=True)
class DiscoveryNames:
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
        replica = "" if self.topics.replica is None else f"_replica_{self.topics.replica}"
        return f"{self.prefix}/device/{self.node_id}{replica}/config"

    @property
    def _bridge_object(self) -> str:
        """No object id of a rig can look like this."""
        return BRIDGE.rig_id if self.topics.replica is None else f"{BRIDGE.rig_id}/{self.topics.replica}"

    def topic(self, subject: Subject) -> str:
        return self.topic_of_object(self.object_id(subject))

    def topic_of_object(self, object_id: str) -> str:
        if object_id == self._bridge_object:
            return self._bridge_topic
        return f"{self.prefix}/device/{self.node_id}/{object_id}/config"

    def object_id(self, subject: Subject) -> str:
        if subject == BRIDGE:
            return self._bridge_object
        if subject.kind is None:
            return subject.rig_id
        return f"{subject.rig_id}_{subject.kind}_{subject.thing_id}"

    def device_id(self, subject: Subject) -> str:
        """The device's identifier, and the stem of its entities' unique ids."""
        return f"{self.node_id}_{self.object_id(subject)}"

    def object_id_of(self, topic: str) -> str | None:
        """What names the device in one of this bridge's discovery topics; None for any other topic."""
        if topic == self._bridge_topic:
            return self._bridge_object
        head, tail = f"{self.prefix}/device/{self.node_id}/", "/config"
        if not (topic.startswith(head) and topic.endswith(tail)):
            return None
        object_id = topic[len(head) : -len(tail)]
        return object_id if _OBJECT_ID.fullmatch(object_id) and object_id != BRIDGE.rig_id else None

    def subject(self, topic: str) -> Subject | None:
        """The device that one of this bridge's discovery topics is about; None for any other topic."""
        object_id = self.object_id_of(topic)
        return None if object_id is None else self._subject_of(object_id)

    def part_of(self, topic: str) -> str | None:
        """The id of the rig whose state, device or removed device a topic holds; for the bridge's own, `bridge`."""
        removed = self.topics.removed("")
        if topic.startswith(removed):
            subject = self._subject_of(topic.removeprefix(removed))
        else:
            subject = self.topics.subject(topic) or self.subject(topic)
        return subject.rig_id if subject else None

    def _subject_of(self, object_id: str) -> Subject | None:
        if object_id == self._bridge_object:
            return BRIDGE
        match = _OBJECT_ID.fullmatch(object_id)
        return Subject(match[1], match[2], match[3]) if match else None


def bridge_device_message(names: DiscoveryNames, language: Language = ENGLISH) -> dict[str, Message]:
    """The one device message that is there whatever the rigs do."""
    topics = names.topics
    replica = "" if topics.replica is None else f" replica {topics.replica}"
    maker = ComponentMaker(
        names.device_id(BRIDGE),
        names.node_id + replica,
        DeviceTopics(status=topics.status, command=topics.command, states={None: topics.bridge}),
        language,
    )
    payload = DevicePayload(
        device=Device(
            identifiers=(names.device_id(BRIDGE),),
            name=(_PROGRAM if topics.base == _PROGRAM else f"{_PROGRAM} {topics.base}") + replica,
            manufacturer=_PROGRAM,
            model=language.say("Bridge"),
            sw_version=__version__,
        ),
        availability=(Availability(topic=topics.status),),
        components=dict(maker.components(entities.BRIDGE)),
    )
    return {names.topic(BRIDGE): Message(payload.to_bytes(), settle_s=SETTLE_S)}


def device_messages(
    names: DiscoveryNames, rig: Rig, project_states: frozenset[str], language: Language = ENGLISH
) -> dict[str, Message]:
    """Topic by topic: the rig, its profiles, and the projects in one of these states with their targets."""
    build = _Builder(names, rig, language)
    payloads = dict(build.devices(project_states))
    return {
        names.topic(subject): Message(
            payload.to_bytes(), provisional=subject.kind is None and rig.profiles is None, settle_s=SETTLE_S
        )
        for subject, payload in payloads.items()
    }


@dataclass(frozen=True, slots=True)
class _Builder:
    names: DiscoveryNames
    rig: Rig
    language: Language

    def devices(self, project_states: frozenset[str]) -> Iterator[tuple[Subject, DevicePayload]]:
        yield self._rig()
        rig = Subject(self.rig.id)
        for profile in self.rig.known_profiles:
            about = Subject(self.rig.id, PROFILE, profile.id)
            yield self._thing(about, rig, profile.name, entities.PROFILE)
        for profile, project in projects_of(self.rig):
            if project.state in project_states:
                about = Subject(self.rig.id, PROJECT, project.id)
                yield self._thing(about, Subject(self.rig.id, PROFILE, profile.id), project.name, entities.PROJECT)
        for place in distinct_places(self.rig):
            if place.project.state in project_states:
                yield self._target(place)

    def _rig(self) -> tuple[Subject, DevicePayload]:
        rig, about = self.rig, Subject(self.rig.id)
        device = Device(
            identifiers=(self.names.device_id(about),),
            name=display_name(rig.name) or f"{self.language.say('Rig')} {rig.id}",
            manufacturer="N.I.N.A.",
            model="Target Scheduler",
            sw_version=rig.plugin_version,
            configuration_url=rig.url,
            via_device=self.names.device_id(BRIDGE),
        )
        return about, self._payload(
            device, {**self._maker(about, rig.id).components(entities.RIG), **self._triggers()}
        )

    def _triggers(self) -> dict[str, AnyComponent]:
        """One for each event type, so that an automation that begins with one can be clicked together."""
        return {
            f"trigger_{event_type}": DeviceTrigger(
                topic=self.names.topics.rig_event(self.rig.id),
                value_template="{{ value_json.event_type }}",
                payload=event_type,
                type=event_type,
                subtype="session",
            )
            for event_type in EVENT_TYPES
        }

    def _thing(
        self, about: Subject, parent: Subject, name: str, rows: Iterable[entities.Entity]
    ) -> tuple[Subject, DevicePayload]:
        model = self.language.say((about.kind or "").title())
        device = Device(
            identifiers=(self.names.device_id(about),),
            name=display_name(name) or f"{model} {_short_id(about)}",
            manufacturer="Target Scheduler",
            model=model,
            configuration_url=self.rig.url,
            via_device=self.names.device_id(parent),
        )
        return about, self._payload(device, self._maker(about, _stem(about, name)).components(rows))

    def _target(self, place: Place) -> tuple[Subject, DevicePayload]:
        about = Subject(self.rig.id, TARGET, place.target.id)
        parent = Subject(self.rig.id, PROJECT, place.project.id)
        subject, payload = self._thing(about, parent, place.target.name, entities.TARGET)
        maker = self._maker(about, _stem(about, place.target.name))
        components = dict(payload.components)
        for plan, label in _plan_labels(place.target.exposure_plans, self.language):
            components |= dict(_plan_components(maker, plan, label))
        return subject, payload.model_copy(update={"components": components})

    def _payload(self, device: Device, components: Mapping[str, AnyComponent]) -> DevicePayload:
        return DevicePayload(
            device=device, availability=(Availability(topic=self.names.topics.status),), components=dict(components)
        )

    def _maker(self, about: Subject, stem: str) -> ComponentMaker:
        topics, rig_id = self.names.topics, self.rig.id
        states: dict[str | None, str] = {
            entities.STATE: topics.rig_state(rig_id),
            entities.PLAN: topics.rig_plan(rig_id),
        }
        if about.kind is not None and about.thing_id is not None:
            states = {None: topics.thing(rig_id, about.kind, about.thing_id)}
        return ComponentMaker(
            self.names.device_id(about),
            stem,
            DeviceTopics(
                status=topics.rig_status(rig_id),
                command=topics.rig_command(rig_id),
                states=states,
                event=topics.rig_event(rig_id),
                image=topics.rig_plan_image(rig_id),
                live=(topics.status, topics.rig_status(rig_id)),
            ),
            self.language,
        )


def _stem(about: Subject, name: str) -> str:
    """What suggested entity ids of a thing begin with, in any language.

    A project and its target often share a name; the target, which people use most, gets the plain one.
    """
    shown = display_name(name) or f"{(about.kind or '').title()} {_short_id(about)}"
    return f"{about.rig_id} {shown}" + ("" if about.kind == TARGET else f" {about.kind}")


def _short_id(about: Subject) -> str:
    return (about.thing_id or "")[:_SHORT_ID]


def _plan_components(maker: ComponentMaker, plan: ExposurePlan, label: str) -> Iterator[tuple[str, Entity]]:
    """Keys and templates name the plan by its key, which is ours; the API's text stands in names only."""
    for row in (spoken(row, maker.language) for row in entities.EXPOSURE_PLAN):
        key = f"{plan.key}_{row.key}"
        value = (
            f"value_json.exposure_plans | selectattr('key', 'eq', '{plan.key}')"
            f" | map(attribute='{row.path}') | first | default(none)"
        )
        yield key, maker.shown(row, key, f"{label} {row.name}", row.template(f"({value})"))


def display_name(name: str) -> str:
    """Free text on one line, of a length that a screen can show."""
    printable = "".join(character if character.isprintable() else " " for character in name)
    return " ".join(printable.split())[:_LONGEST_NAME].rstrip()


def _plan_labels(plans: Iterable[ExposurePlan], language: Language) -> Iterator[tuple[ExposurePlan, str]]:
    """Each exposure plan with a name for people; a second one of the same template and exposure is numbered."""
    seen: Counter[str] = Counter()
    for plan in plans:
        label = display_name(plan.template or plan.filter or "") or language.say("Exposure")
        # Many templates have the exposure in their name already: "Lum 120s".
        if plan.exposure_s is not None and f"{plan.exposure_s:g}" not in re.findall(r"[\d.]+", label):
            label += f" {plan.exposure_s:g} s"
        seen[label] += 1
        yield plan, label if seen[label] == 1 else f"{label} ({seen[label]})"
