"""From what is known of a rig to the complete set of its Home Assistant discovery messages; and the bridge's own."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from ts2mqtt import REPOSITORY_URL, __version__
from ts2mqtt.home_assistant import entities
from ts2mqtt.home_assistant.components import ComponentMaker, DeviceTopics, spoken
from ts2mqtt.home_assistant.device_names import (
    PROGRAM,
    NamedThing,
    bridge_name,
    display_name,
    rig_name,
    rig_names,
    short_id,
    thing_names,
)
from ts2mqtt.home_assistant.discovery import (
    Announced,
    AnyComponent,
    Availability,
    Device,
    DevicePayload,
    DeviceTrigger,
    Entity,
    announced,
    guide_url,
)
from ts2mqtt.home_assistant.forms import Form, blanks
from ts2mqtt.home_assistant.languages import ENGLISH
from ts2mqtt.observatory.events import EVENT_TYPES, LIVE_EVENT_TYPES
from ts2mqtt.observatory.model import PROJECT_STATES
from ts2mqtt.observatory.tree import distinct_projects, distinct_targets
from ts2mqtt.topics.message import Message
from ts2mqtt.topics.names import BRIDGE, PROFILE, PROJECT, TARGET, Subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import SupportsBytes

    from ts2mqtt.home_assistant.ids import DiscoveryIds
    from ts2mqtt.home_assistant.languages import Language
    from ts2mqtt.observatory.model import Rig

# While Home Assistant loads a platform for the first time it loses part of a second payload that follows
# within a second (mqtt/discovery.py); a little more keeps clear of the clock's grain.
SETTLE_S = 1.5

_NUMBERS = re.compile(r"[\d.]+")


def bridge_device_message(names: DiscoveryIds, language: Language = ENGLISH) -> dict[str, Message]:
    """The one device message that is there whatever the rigs do."""
    topics = names.topics
    maker = ComponentMaker(
        names.device_id(BRIDGE),
        names.node_id,
        DeviceTopics(status=topics.status, command=topics.command, states={None: topics.bridge}),
        language,
    )
    payload = DevicePayload(
        device=Device(
            identifiers=(names.device_id(BRIDGE),),
            name=bridge_name(topics.base),
            manufacturer=PROGRAM,
            model=language.say("Bridge"),
            sw_version=__version__,
            configuration_url=guide_url(REPOSITORY_URL),
        ),
        availability=(Availability(topic=topics.status),),
        components=dict(maker.components(entities.BRIDGE)),
    )
    return {names.topic(BRIDGE): Message(payload.to_bytes(), settle_s=SETTLE_S)}


def device_messages(
    names: DiscoveryIds,
    rig: Rig,
    project_states: frozenset[str],
    language: Language = ENGLISH,
    *,
    has_site: bool = False,
) -> dict[str, Message]:
    """Topic by topic: the rig, its profiles, and the projects in one of these states with their targets.

    With a site targets also have what depends on where the rig stands.
    """
    return RigDevices(DeviceWriter(names, language), has_site=has_site).messages(rig, project_states)


class RigDevices:
    """The devices of one rig as it changes: of a thing whose counts have moved, nothing is written anew.

    Nor are names found anew while nothing is called otherwise, and nothing came or went.
    Where N.I.N.A. itself is heard the rig also has what only that tells.
    """

    def __init__(self, writer: DeviceWriter, *, has_site: bool = False, has_nina: bool = False) -> None:
        self._writer = writer
        self._has_site = has_site
        self._has_nina = has_nina
        self._content: _Content | None = None
        self._messages: dict[str, Message] = {}
        self._of_things: dict[_Thing, _Written] = {}
        self._all: list[_Written] = []

    @property
    def announced(self) -> Announced:
        return sum((written.announced for written in self._all), Announced())

    def messages(self, rig: Rig, project_states: frozenset[str]) -> dict[str, Message]:
        """As device_messages()."""
        things = tuple(_things(rig, project_states, has_site=self._has_site))
        content = _Content(rig.id, rig.name, rig.plugin_version, rig.profiles is None, things)
        if content != self._content:
            self._messages, self._content = self._written(rig, things), content
        return self._messages

    def _written(self, rig: Rig, things: Sequence[_Thing]) -> dict[str, Message]:
        before, topic = self._of_things, self._writer.ids.topic
        of_rig = self._writer.rig(rig, has_nina=self._has_nina)
        names = self._writer.names_of(rig, things)
        self._of_things = {
            named: before.get(named) or self._writer.thing(named)
            for named in (thing._replace(device_name=names[thing.about]) for thing in things)
        }
        self._all = [of_rig, *self._of_things.values()]
        return {
            topic(Subject(rig.id)): of_rig.message,
            **{topic(thing.about): written.message for thing, written in self._of_things.items()},
        }


class _PlanNames(NamedTuple):
    """What an exposure plan is called, by us and by the API."""

    key: str
    template: str | None
    filter: str | None
    exposure_s: float | None


class _Thing(NamedTuple):
    """A profile, project or target, with all that its device depends on and nothing else.

    `device_name` differs from those of all other devices.
    """

    named: NamedThing
    parent_id: str
    device_name: str = ""
    has_site: bool = False
    plans: tuple[_PlanNames, ...] = ()

    @property
    def about(self) -> Subject:
        return self.named.about


class _Content(NamedTuple):
    """All that the devices of a rig depend on: while it is equal, so are they."""

    rig_id: str
    rig_name: str
    plugin_version: str | None
    is_unread: bool
    things: tuple[_Thing, ...]


def _things(rig: Rig, project_states: frozenset[str], *, has_site: bool) -> Iterator[_Thing]:
    for profile in rig.known_profiles:
        yield _Thing(NamedThing(Subject(rig.id, PROFILE, profile.id), profile.name), rig.id)
    shown: set[str] = set()
    for owned in distinct_projects(rig):
        project = owned.project
        if _is_shown(project.state, project_states):
            shown.add(project.id)
            named = NamedThing(Subject(rig.id, PROJECT, project.id), project.name, owned.profile.name)
            yield _Thing(named, owned.profile.id)
    for place in distinct_targets(rig):
        # It is tied to its project's device: Home Assistant makes a nameless one of a device that is not there.
        if place.project.id in shown:
            target = place.target
            named = NamedThing(Subject(rig.id, TARGET, target.id), target.name, place.project.name)
            plans = tuple(_PlanNames(p.key, p.template, p.filter, p.exposure_s) for p in target.exposure_plans)
            yield _Thing(named, place.project.id, has_site=has_site, plans=plans)


def _is_shown(state: str | None, project_states: frozenset[str]) -> bool:
    """Whether a project has a device; a state that nobody understands takes none away."""
    return state in project_states or state not in PROJECT_STATES


@dataclass(frozen=True, slots=True)
class _Written:
    message: Message
    announced: Announced


class _Kind(NamedTuple):
    """Devices whose payloads differ in nothing but their texts; `thing` is None for a rig."""

    thing: str | None
    plans: int = 0
    has_version: bool = False
    has_site: bool = False
    has_nina: bool = False


class _Texts(NamedTuple):
    """What the payload of one device says and that of another of its kind does not, but for exposure plans."""

    rig_id: str
    name: str
    stem: str
    thing_id: str = ""
    parent_id: str = ""
    version: str = ""


_TEXTS = len(_Texts._fields)
MOST_PLANS = 32
"""A form is kept for good: not one for each number of plans that an API may come up with."""


class DeviceWriter:
    """Writes the payloads of all rigs' devices, each as the filled in form of its kind.

    What has more than `most_plans` exposure plans is built of its models; below 0 that is everything.
    `configured_rigs` are the names of all rigs of the bridge, by id.
    """

    def __init__(
        self,
        ids: DiscoveryIds,
        language: Language = ENGLISH,
        configured_rigs: Mapping[str, str] | None = None,
        *,
        most_plans: int = MOST_PLANS,
    ) -> None:
        self.ids = ids
        self._most_plans = most_plans
        self._language = language
        self._rig_names = rig_names(configured_rigs or {}, ids.topics.base, language)
        self._builder = _Builder(ids, language)
        self._forms: dict[_Kind, tuple[Form, Announced]] = {}

    def rig(self, rig: Rig, *, has_nina: bool = False) -> _Written:
        texts = _Texts(rig.id, self._name_of(rig), rig.id, version=rig.plugin_version or "")
        payload, count = self._payload(
            _Kind(None, has_version=rig.plugin_version is not None, has_nina=has_nina), texts
        )
        return _Written(Message(payload, provisional=rig.profiles is None, settle_s=SETTLE_S), count)

    def names_of(self, rig: Rig, things: Iterable[_Thing]) -> Mapping[Subject, str]:
        """What the devices of these things of a rig are called."""
        of_rig = self._name_of(rig)
        return thing_names(
            (thing.named for thing in things),
            {of_rig, bridge_name(self.ids.topics.base)},
            self._language,
            of_rig=of_rig if len(self._rig_names) > 1 else None,
        )

    def _name_of(self, rig: Rig) -> str:
        return self._rig_names.get(rig.id) or rig_name(rig.id, rig.name, self._language)

    def thing(self, thing: _Thing) -> _Written:
        about, kind = thing.about, thing.about.kind or ""
        texts = _Texts(
            about.rig_id,
            thing.device_name,
            _stem(about, thing.named.name),
            about.thing_id or "",
            thing.parent_id,
        )
        labels = chain.from_iterable((plan.key, label) for plan, label in _plan_labels(thing.plans, self._language))
        payload, count = self._payload(_Kind(kind, len(thing.plans), has_site=thing.has_site), (*texts, *labels))
        return _Written(Message(payload, settle_s=SETTLE_S), count)

    def _payload(self, kind: _Kind, texts: Sequence[str]) -> tuple[SupportsBytes, Announced]:
        if kind.plans > self._most_plans:
            payload = self._builder.payload(kind, texts).to_bytes()
            return payload, announced(payload)
        if kind not in self._forms:
            payload = self._builder.payload(kind, blanks(len(texts))).to_bytes()
            self._forms[kind] = Form.of(payload), announced(payload)
        form, count = self._forms[kind]
        return form.filled_in(texts), count


_ROWS = {None: entities.RIG, PROFILE: entities.PROFILE, PROJECT: entities.PROJECT, TARGET: entities.TARGET}
_PARENT = {PROFILE: None, PROJECT: PROFILE, TARGET: PROJECT}


@dataclass(frozen=True, slots=True)
class _Builder:
    """From texts, or from blanks in their place, to a payload; nothing here may depend on what a text consists of."""

    ids: DiscoveryIds
    language: Language

    def payload(self, kind: _Kind, texts: Sequence[str]) -> DevicePayload:
        """`texts` begin with _Texts; then come a key and a label for each exposure plan."""
        of_device = _Texts(*texts[:_TEXTS])
        about = Subject(of_device.rig_id)
        if kind.thing is not None:
            about = Subject(of_device.rig_id, kind.thing, of_device.thing_id)
        maker = self._maker(about, of_device.stem, has_nina=kind.has_nina)
        components = maker.components(
            row
            for row in _ROWS[kind.thing]
            if (kind.has_site or not row.needs_site) and (kind.has_nina or not row.needs_nina)
        )
        if kind.thing is None:
            device = self._rig(about, of_device, has_version=kind.has_version)
            components |= self._triggers(about.rig_id, has_nina=kind.has_nina)
        else:
            device = self._thing(about, of_device, kind.thing)
        for key, label in zip(texts[_TEXTS::2], texts[_TEXTS + 1 :: 2], strict=True):
            components.update(_plan_components(maker, key, label))
        return DevicePayload(
            device=device, availability=(Availability(topic=self.ids.topics.status),), components=dict(components)
        )

    def _rig(self, about: Subject, texts: _Texts, *, has_version: bool) -> Device:
        return Device(
            identifiers=(self.ids.device_id(about),),
            name=texts.name,
            manufacturer="N.I.N.A.",
            model="Target Scheduler",
            sw_version=texts.version if has_version else None,
            configuration_url=guide_url(REPOSITORY_URL),
            via_device=self.ids.device_id(BRIDGE),
        )

    def _thing(self, about: Subject, texts: _Texts, kind: str) -> Device:
        parent_kind = _PARENT[kind]
        parent = Subject(texts.rig_id, parent_kind, texts.parent_id) if parent_kind else Subject(texts.rig_id)
        return Device(
            identifiers=(self.ids.device_id(about),),
            name=texts.name,
            manufacturer="Target Scheduler",
            model=self.language.say(kind.title()),
            via_device=self.ids.device_id(parent),
        )

    def _triggers(self, rig_id: str, *, has_nina: bool) -> dict[str, AnyComponent]:
        """One for each event type, so that an automation that begins with one can be clicked together."""
        return {
            f"trigger_{event_type}": DeviceTrigger(
                topic=self.ids.topics.rig_event(rig_id),
                value_template="{{ value_json.event_type }}",
                payload=event_type,
                type=event_type,
                subtype="session",
            )
            for event_type in (*EVENT_TYPES, *(LIVE_EVENT_TYPES if has_nina else ()))
        }

    def _maker(self, about: Subject, stem: str, *, has_nina: bool) -> ComponentMaker:
        topics, rig_id = self.ids.topics, about.rig_id
        states: dict[str | None, str] = {
            entities.STATE: topics.rig_state(rig_id),
            entities.PLAN: topics.rig_plan(rig_id),
            entities.NIGHT: topics.rig_night(rig_id),
        }
        if about.kind is not None and about.thing_id is not None:
            states = {None: topics.thing(rig_id, about.kind, about.thing_id)}
        return ComponentMaker(
            self.ids.device_id(about),
            stem,
            DeviceTopics(
                status=topics.rig_status(rig_id),
                command=topics.rig_command(rig_id),
                states=states,
                event=topics.rig_event(rig_id),
                images={
                    entities.PLAN_IMAGE: topics.rig_plan_image(rig_id),
                    entities.NIGHT_IMAGE: topics.rig_night_image(rig_id),
                },
                live=(topics.status, topics.rig_status(rig_id)),
            ),
            self.language,
            has_nina,
        )


def _stem(about: Subject, name: str) -> str:
    """What suggested entity ids of a thing begin with, in any language.

    A project and its target often share a name; the target, which people use most, gets the plain one.
    """
    shown = display_name(name) or f"{(about.kind or '').title()} {short_id(about)}"
    return f"{about.rig_id} {shown}" + ("" if about.kind == TARGET else f" {about.kind}")


def _plan_components(maker: ComponentMaker, plan_key: str, label: str) -> Iterator[tuple[str, Entity]]:
    """Keys and templates name the plan by its key, which is ours; the API's text stands in names only."""
    for row in (spoken(row, maker.language) for row in entities.EXPOSURE_PLAN):
        key = f"{plan_key}_{row.key}"
        value = (
            f"value_json.exposure_plans | selectattr('key', 'eq', '{plan_key}')"
            f" | map(attribute='{row.path}') | first | default(none)"
        )
        yield key, maker.shown(row, key, f"{label} {row.name}", row.template(f"({value})"))


def _plan_labels(plans: Iterable[_PlanNames], language: Language) -> Iterator[tuple[_PlanNames, str]]:
    """Each exposure plan with a name for people; a second one of the same template and exposure is numbered."""
    seen: Counter[str] = Counter()
    for plan in plans:
        label = display_name(plan.template or plan.filter or "") or language.say("Exposure")
        # Many templates have the exposure in their name already: "Lum 120s".
        if plan.exposure_s is not None and f"{plan.exposure_s:g}" not in _NUMBERS.findall(label):
            label += f" {plan.exposure_s:g} s"
        seen[label] += 1
        yield plan, label if seen[label] == 1 else f"{label} ({seen[label]})"
