"""What should stand on the broker, and what stands there that should not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.sample_rig import (
    AUTUMN,
    BACKYARD,
    M31,
    REFRACTOR,
    SILENT,
    rig_of,
    rig_of_targets,
    view_of,
)
from ts2mqtt.bridge.desired_state import Desired, DesiredState
from ts2mqtt.bridge.inbox import RigUpdate
from ts2mqtt.home_assistant.devices import DeviceWriter, RigDevices, bridge_device_message
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.home_assistant.languages import ENGLISH
from ts2mqtt.observatory.model import Listing
from ts2mqtt.topics.encode import rig_messages
from ts2mqtt.topics.names import PROFILE, PROJECT, TARGET, Subject, TopicNames

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ts2mqtt.observatory.model import NightPlan, Rig
    from ts2mqtt.topics.message import Message

NAMES = DiscoveryIds("homeassistant", TopicNames("ts2mqtt"))
SHOWN = frozenset({"draft", "active", "inactive"})

BRIDGE_DEVICE = "homeassistant/device/ts2mqtt/config"
RIG_DEVICE = NAMES.topic(Subject("backyard"))
RIG_TOPICS = {"ts2mqtt/backyard/status", "ts2mqtt/backyard/state", "ts2mqtt/backyard/plan"}
OTHERS = {
    "ts2mqtt/status": b"online",
    "ts2mqtt/bridge": b"{}",
    "ts2mqtt/bridge/removed/backyard_target_1": b"{}",
    "ts2mqtt/backyard/notes": b"mine",
    "ts2mqtt2/backyard/state": b"{}",
    "homeassistant/status": b"online",
    "homeassistant/device/zigbee2mqtt/lamp/config": b"{}",
    "homeassistant/sensor/ts2mqtt/config": b"{}",
}


WRITER = DeviceWriter(NAMES, ENGLISH)


def update_of(rig: Rig, plan: NightPlan | None = None, *, home_assistant: bool = True) -> RigUpdate:
    devices = RigDevices(WRITER).messages(rig, SHOWN) if home_assistant else {}
    return RigUpdate(rig=rig, states=rig_messages(NAMES.topics, view_of(rig, plan)), devices=devices)


def desired_of(*rigs: Rig, home_assistant: bool = True, configured: Iterable[str] = ()) -> DesiredState:
    rig_ids = {*configured, *(rig.id for rig in rigs)}
    desired = DesiredState(NAMES, rig_ids, bridge_device_message(NAMES) if home_assistant else None)
    for rig in rigs:
        desired.put(update_of(rig, home_assistant=home_assistant))
    return desired


def all_of(desired: DesiredState) -> dict[str, Message]:
    everything = desired.of(desired.parts)
    return {**everything.states, **everything.devices}


def held_for(*rigs: Rig) -> dict[str, bytes]:
    """What the broker holds after these rigs were published."""
    return {topic: message.payload for topic, message in all_of(desired_of(*rigs)).items()}


def stale_topics(desired: DesiredState, retained: dict[str, bytes]) -> set[str]:
    everything = desired.of(desired.parts)
    states = {topic for topic, _ in desired.stale_states(everything, retained)}
    return states | set(desired.stale_devices(everything, retained))


def both_of(kind: str, thing_id: str, rig_id: str = "backyard") -> set[str]:
    """A thing's state topic and its discovery topic."""
    return {NAMES.topics.thing(rig_id, kind, thing_id), NAMES.topic(Subject(rig_id, kind, thing_id))}


class TestTheCompleteSet:
    def test_is_of_all_rigs_even_with_the_same_ids(self) -> None:
        messages = all_of(desired_of(BACKYARD, replace(BACKYARD, id="remote")))
        for rig_id in ("backyard", "remote"):
            assert both_of(TARGET, M31.id, rig_id) <= messages.keys()

    def test_has_no_devices_where_home_assistant_is_not_told(self) -> None:
        messages = all_of(desired_of(BACKYARD, home_assistant=False))
        assert messages.keys() >= RIG_TOPICS
        assert [topic for topic in messages if topic.startswith("homeassistant/")] == []

    def test_is_the_bridges_own_device_before_any_rig(self) -> None:
        assert all_of(desired_of()).keys() == {BRIDGE_DEVICE}
        assert all_of(desired_of(home_assistant=False)) == {}

    def test_has_the_bridges_device_before_those_that_are_tied_to_it(self) -> None:
        desired = desired_of(BACKYARD)
        devices = list(desired.of(desired.parts).devices)
        assert devices.index(BRIDGE_DEVICE) < devices.index(RIG_DEVICE)

    def test_is_of_the_latest_of_each_rig(self) -> None:
        desired = desired_of(BACKYARD)
        before = all_of(desired)
        desired.put(update_of(rig_of_targets(replace(M31, name="Andromeda"))))
        after = all_of(desired)
        changed = {topic for topic in after if after[topic] != before[topic]}
        assert changed == both_of(TARGET, M31.id) | {NAMES.topics.thing("backyard", PROJECT, AUTUMN.id)}

    def test_can_be_asked_for_rig_by_rig(self) -> None:
        """Of hundreds of rigs one changes every moment: what that costs must not grow with the others."""
        remote = replace(BACKYARD, id="remote")
        desired = desired_of(BACKYARD, remote)
        assert desired.parts == {"backyard", "remote", "bridge"}
        assert desired.of({"remote"}) == desired_of(remote).of({"remote"})
        assert both_of(TARGET, M31.id, "remote") <= {*desired.of({"remote"}).states, *desired.of({"remote"}).devices}
        assert desired.of({"another"}) == Desired({}, {})

    def test_makes_nothing_of_another_rig_stale(self) -> None:
        other = replace(M31, id="other")
        desired = desired_of(BACKYARD, replace(BACKYARD, id="remote"))
        held = desired_of(rig_of_targets(M31, other)).of({"backyard"})
        retained = {topic: message.payload for topic, message in {**held.states, **held.devices}.items()}
        part = desired.of({"backyard"})
        stale = {*desired.stale_devices(part, retained), *(t for t, _ in desired.stale_states(part, retained))}
        assert stale == both_of(TARGET, "other")


class TestWhatIsStale:
    def test_is_nothing_of_what_is_wanted(self) -> None:
        assert stale_topics(desired_of(BACKYARD), held_for(BACKYARD)) == set()

    @pytest.mark.parametrize("rigs", [(), (BACKYARD,), (SILENT,)], ids=["no rig", "a rig", "a silent rig"])
    def test_is_nothing_of_others(self, rigs: tuple[Rig, ...]) -> None:
        assert stale_topics(desired_of(*rigs), OTHERS) == set()

    def test_is_nothing_of_a_configured_rig_that_has_not_reported(self) -> None:
        assert stale_topics(desired_of(configured=["backyard"]), held_for(BACKYARD)) == set()

    def test_is_nothing_of_a_rig_that_has_not_answered(self) -> None:
        assert stale_topics(desired_of(SILENT), held_for(BACKYARD)) == set()

    def test_is_everything_of_a_rig_that_is_no_longer_configured(self) -> None:
        remote = replace(BACKYARD, id="remote")
        retained = held_for(remote) | {"ts2mqtt/remote/plan/image": b"\x89PNG"}
        stale = stale_topics(desired_of(BACKYARD), retained | held_for(BACKYARD))
        assert stale == retained.keys() - {BRIDGE_DEVICE}

    def test_is_a_target_that_its_project_no_longer_names(self) -> None:
        assert stale_topics(desired_of(rig_of_targets()), held_for(BACKYARD)) == both_of(TARGET, M31.id)

    def test_is_a_project_that_its_profile_no_longer_names_with_its_targets(self) -> None:
        gone = both_of(PROJECT, AUTUMN.id) | both_of(TARGET, M31.id)
        assert stale_topics(desired_of(rig_of()), held_for(BACKYARD)) == gone

    def test_is_a_profile_that_the_rig_no_longer_names_with_all_below(self) -> None:
        nobody = replace(BACKYARD, profiles=Listing(()))
        gone = both_of(PROFILE, REFRACTOR.id) | both_of(PROJECT, AUTUMN.id) | both_of(TARGET, M31.id)
        assert stale_topics(desired_of(nobody), held_for(BACKYARD)) == gone

    @pytest.mark.parametrize(
        "rig",
        [
            rig_of(replace(AUTUMN, targets=None)),
            rig_of(replace(AUTUMN, targets=Listing((), complete=False))),
            replace(BACKYARD, profiles=Listing((replace(REFRACTOR, projects=None),))),
            replace(BACKYARD, profiles=Listing((replace(REFRACTOR, projects=Listing((), complete=False)),))),
            replace(BACKYARD, profiles=Listing((), complete=False)),
        ],
        ids=[
            "targets unread",
            "targets read in part",
            "projects unread",
            "projects read in part",
            "profiles read in part",
        ],
    )
    def test_is_nothing_that_a_list_only_failed_to_name(self, rig: Rig) -> None:
        assert stale_topics(desired_of(rig), held_for(BACKYARD)) == set()

    def test_is_no_sibling_of_what_is_gone(self) -> None:
        other = replace(M31, id="other")
        stale = stale_topics(desired_of(BACKYARD), held_for(rig_of_targets(M31, other)))
        assert stale == both_of(TARGET, "other")

    def test_is_no_target_that_moved_to_another_project(self) -> None:
        spring = replace(AUTUMN, id="spring", targets=Listing((M31,)))
        moved = rig_of(replace(AUTUMN, targets=Listing(())), spring)
        assert stale_topics(desired_of(moved), held_for(BACKYARD)) == set()

    def test_is_the_device_of_a_closed_project_but_not_its_state(self) -> None:
        closed = rig_of(replace(AUTUMN, state="closed"))
        stale = stale_topics(desired_of(closed), held_for(BACKYARD))
        assert stale == {
            NAMES.topic(Subject("backyard", PROJECT, AUTUMN.id)),
            NAMES.topic(Subject("backyard", TARGET, M31.id)),
        }

    def test_is_every_device_where_home_assistant_is_no_longer_wanted(self) -> None:
        retained = held_for(BACKYARD)
        stale = stale_topics(desired_of(BACKYARD, home_assistant=False), retained | OTHERS)
        assert stale == {topic for topic in retained if topic.startswith("homeassistant/")}

    def test_is_a_device_whose_state_was_lost_once_all_was_read(self) -> None:
        topic = NAMES.topic(Subject("backyard", TARGET, "other"))
        assert stale_topics(desired_of(BACKYARD), {topic: b"{}"}) == {topic}
        unread = desired_of(rig_of(replace(AUTUMN, targets=None)))
        assert stale_topics(unread, {topic: b"{}"}) == set()

    def test_is_a_state_that_cannot_be_read_once_all_was_read(self) -> None:
        topic = NAMES.topics.thing("backyard", PROJECT, "other")
        assert stale_topics(desired_of(BACKYARD), {topic: b"\xff"}) == {topic}
        unread = desired_of(replace(BACKYARD, profiles=Listing((replace(REFRACTOR, projects=None),))))
        assert stale_topics(unread, {topic: b"\xff"}) == set()

    def test_is_what_was_renamed_nowhere(self) -> None:
        renamed = rig_of(replace(AUTUMN, name="Winter", targets=Listing((replace(M31, name="M 42"),))))
        assert stale_topics(desired_of(renamed), held_for(BACKYARD)) == set()
