"""What should stand on the broker, and what stands there that should not: the latest of every rig, put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ts2mqtt.observatory.absence import Parents, profile_is_gone, project_is_gone, target_is_gone
from ts2mqtt.topics import decode
from ts2mqtt.topics.names import BRIDGE, PROFILE, PROJECT, Subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Set as AbstractSet

    from ts2mqtt.bridge.inbox import RigUpdate
    from ts2mqtt.home_assistant.ids import DiscoveryIds
    from ts2mqtt.observatory.model import Rig
    from ts2mqtt.topics.message import Message


@dataclass(frozen=True, slots=True)
class Desired:
    """All that should stand there of some parts; states before devices, so that a new entity finds its state."""

    states: Mapping[str, Message]
    devices: Mapping[str, Message]


class DesiredState:
    """The complete set, in parts: one for each configured rig, named by its id, and one for the bridge itself.

    `bridge_device` is the bridge's own device; None where Home Assistant is not told.
    """

    def __init__(
        self, ids: DiscoveryIds, rig_ids: Iterable[str], bridge_device: Mapping[str, Message] | None = None
    ) -> None:
        self._ids = ids
        self._rig_ids = frozenset(rig_ids)
        self._bridge_device = bridge_device
        self._updates: dict[str, RigUpdate] = {}

    def put(self, update: RigUpdate) -> None:
        """Takes the place of the rig's earlier update."""
        self._updates[update.rig_id] = update

    @property
    def parts(self) -> frozenset[str]:
        return self._rig_ids | {BRIDGE.rig_id}

    def topics(self) -> int:
        """How many are wanted for all rigs together."""
        return sum(len(update.states) + len(update.devices) for update in self._updates.values())

    def latest(self, rig_id: str) -> RigUpdate | None:
        return self._updates.get(rig_id)

    def has_device(self, topic: str) -> bool:
        """Whether a device should stand on this topic."""
        part = self._ids.part_of(topic)
        return part is not None and topic in self.of({part}).devices

    @property
    def tells_home_assistant(self) -> bool:
        return self._bridge_device is not None

    @property
    def updates(self) -> Iterable[RigUpdate]:
        """The latest of every rig that has reported."""
        return self._updates.values()

    def of(self, parts: AbstractSet[str]) -> Desired:
        updates = [self._updates[part] for part in sorted(parts) if part in self._updates]
        states: dict[str, Message] = {}
        devices = dict(self._bridge_device or {}) if BRIDGE.rig_id in parts else {}
        for update in updates:
            states |= update.states
            devices |= update.devices
        return Desired(states, devices)

    def stale_devices(self, desired: Desired, retained: Mapping[str, bytes]) -> Iterator[str]:
        """Topics of devices that are retained, not desired, and really gone.

        Both arguments have to hold everything of the parts that they are about.
        """
        for topic in retained:
            subject = self._ids.subject(topic)
            if subject and topic not in desired.devices and self._device_is_stale(subject, desired, retained):
                yield topic

    def stale_states(self, desired: Desired, retained: Mapping[str, bytes]) -> Iterator[tuple[str, Subject]]:
        """As stale_devices(); with what the topic was about."""
        for topic in retained:
            subject = self._ids.topics.subject(topic)
            if subject and topic not in desired.states and self._is_gone(subject, decode.parents(retained[topic])):
                yield topic, subject

    def _device_is_stale(self, subject: Subject, desired: Desired, retained: Mapping[str, bytes]) -> bool:
        if not self.tells_home_assistant:
            return True
        if subject.kind is None or subject.thing_id is None:
            return self._is_gone(subject, Parents())
        state_topic = self._ids.topics.thing(subject.rig_id, subject.kind, subject.thing_id)
        if state_topic in desired.states:
            # The thing is there; it is its project's state that has no devices.
            return True
        return self._is_gone(subject, decode.parents(retained.get(state_topic, b"")))

    def _is_gone(self, subject: Subject, parents: Parents) -> bool:
        if subject.rig_id not in self._rig_ids:
            return True
        update = self._updates.get(subject.rig_id)
        return (
            update is not None
            and subject.thing_id is not None
            and _thing_is_gone(update.rig, subject, subject.thing_id, parents)
        )


def _thing_is_gone(rig: Rig, subject: Subject, thing_id: str, parents: Parents) -> bool:
    if subject.kind == PROFILE:
        return profile_is_gone(rig, thing_id)
    if subject.kind == PROJECT:
        return project_is_gone(rig, thing_id, parents)
    return target_is_gone(rig, thing_id, parents)
