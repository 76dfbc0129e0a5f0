"""Puts together what should stand on the broker, and what stands there that should not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ts2mqtt.bridge.publisher import Stale
from ts2mqtt.home_assistant.devices import SETTLE_S, DeviceWriter, RigDevices, bridge_device_message
from ts2mqtt.home_assistant.languages import ENGLISH
from ts2mqtt.observatory.absence import Parents, profile_is_gone, project_is_gone, target_is_gone
from ts2mqtt.topics import decode
from ts2mqtt.topics.encode import RigView, rig_messages
from ts2mqtt.topics.names import BRIDGE, PROFILE, PROJECT, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Set as AbstractSet

    from ts2mqtt.home_assistant.counting import Announced
    from ts2mqtt.home_assistant.ids import DiscoveryIds
    from ts2mqtt.home_assistant.languages import Language
    from ts2mqtt.observatory.model import Rig
    from ts2mqtt.topics.message import Message


@dataclass(slots=True)
class _Built:
    view: RigView
    states: dict[str, Message]
    devices: dict[str, Message]


class DesiredState:
    """The complete set for all rigs; a rig's part is built anew only when something about it changed."""

    def __init__(
        self,
        names: DiscoveryIds,
        project_states: frozenset[str],
        *,
        home_assistant: bool,
        language: Language = ENGLISH,
    ) -> None:
        self._names = names
        self._project_states = project_states
        self._home_assistant = home_assistant
        self._writer = DeviceWriter(names, language)
        self._bridge_device = bridge_device_message(names, language) if home_assistant else {}
        self._built: dict[str, _Built] = {}
        self._devices: dict[str, RigDevices] = {}
        self._outdated: set[str] = set()
        self._changed: set[str] = set()

    def show(self, project_states: frozenset[str]) -> None:
        """Has devices for projects in these states only, from each rig's next update on."""
        self._project_states = project_states
        self._outdated = set(self._built)

    def update(self, view: RigView) -> None:
        built = self._built.get(view.rig.id)
        outdated = view.rig.id in self._outdated
        if built and built.view == view and not outdated:
            return
        self._outdated.discard(view.rig.id)
        devices = (
            built.devices
            if built and built.view.rig is view.rig and not outdated
            else self._rig_devices(view.rig.id).messages(view.rig, self._project_states)
            if self._home_assistant
            else {}
        )
        self._built[view.rig.id] = _Built(view, rig_messages(self._names.topics, view), devices)
        self._changed.add(view.rig.id)

    def forget(self, rig_id: str) -> None:
        """Wants nothing of this rig any more, neither that it stands there nor that it goes."""
        self._built.pop(rig_id, None)
        self._devices.pop(rig_id, None)
        self._changed.discard(rig_id)

    def announced(self, rig_id: str) -> Announced | None:
        """How much Home Assistant is told of a rig; None if it is told nothing."""
        devices = self._devices.get(rig_id)
        return devices.announced if devices else None

    @property
    def parts(self) -> set[str]:
        """The ids of the rigs, and that of the bridge itself."""
        return {BRIDGE.rig_id, *self._built}

    def take_changed(self) -> set[str]:
        """The rigs whose part was built anew since this was last asked."""
        changed, self._changed = self._changed, set()
        return changed

    def of(self, parts: AbstractSet[str]) -> dict[str, Message]:
        """States before devices: an entity that appears finds its state there."""
        built = [self._built[rig_id] for rig_id in sorted(parts) if rig_id in self._built]
        wanted: dict[str, Message] = {}
        for rig in built:
            wanted |= rig.states
        if BRIDGE.rig_id in parts:
            wanted |= self._bridge_device
        for rig in built:
            wanted |= rig.devices
        return wanted

    def stale(self, wanted: Mapping[str, Message], retained: Mapping[str, bytes]) -> Iterator[Stale]:
        """What is retained and not wanted and really gone; devices before states, as Home Assistant reads both.

        Whoever asks about some rigs' topics has to give all that is wanted, and all that is retained, of these.
        """
        unwanted = [topic for topic in retained if topic not in wanted]
        for topic in unwanted:
            subject = self._names.subject(topic)
            if subject and self._device_is_stale(subject, wanted, retained):
                yield Stale(topic, SETTLE_S)
        for topic in unwanted:
            subject = self._names.topics.subject(topic)
            if subject and self._is_gone(subject, decode.parents(retained[topic])):
                yield Stale(topic, SETTLE_S, follows=self._names.topic(subject))

    def _rig_devices(self, rig_id: str) -> RigDevices:
        if rig_id not in self._devices:
            self._devices[rig_id] = RigDevices(self._writer)
        return self._devices[rig_id]

    def _device_is_stale(
        self, subject: Subject, wanted: Mapping[str, Message], retained: Mapping[str, bytes]
    ) -> bool:
        if not self._home_assistant:
            return True
        if subject.kind is None or subject.thing_id is None:
            return self._is_gone(subject, Parents())
        state_topic = self._names.topics.thing(subject.rig_id, subject.kind, subject.thing_id)
        if state_topic in wanted:
            return True
        return self._is_gone(subject, decode.parents(retained.get(state_topic, b"")))

    def _is_gone(self, subject: Subject, parents: Parents) -> bool:
        built = self._built.get(subject.rig_id)
        if built is None:
            return True
        return subject.thing_id is not None and _thing_is_gone(built.view.rig, subject, subject.thing_id, parents)


def _thing_is_gone(rig: Rig, subject: Subject, thing_id: str, parents: Parents) -> bool:
    if subject.kind == PROFILE:
        return profile_is_gone(rig, thing_id)
    if subject.kind == PROJECT:
        return project_is_gone(rig, thing_id, parents)
    return target_is_gone(rig, thing_id, parents)
