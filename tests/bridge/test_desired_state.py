"""What should stand on the broker, and what stands there that should not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.sample_rig import (
    AUTUMN,
    BACKYARD,
    LUM,
    M31,
    REFRACTOR,
    SILENT,
    TONIGHT,
    rig_of,
    rig_of_targets,
    view_of,
)
from ts2mqtt.bridge.desired_state import DesiredState
from ts2mqtt.bridge.publisher import Stale
from ts2mqtt.home_assistant.devices import SETTLE_S
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.observatory.model import Listing
from ts2mqtt.topics.names import PROFILE, PROJECT, TARGET, Subject, TopicNames

if TYPE_CHECKING:
    from ts2mqtt.observatory.model import Rig
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


def wanted_of(*rigs: Rig, home_assistant: bool = True) -> DesiredState:
    wanted = DesiredState(NAMES, SHOWN, home_assistant=home_assistant)
    for rig in rigs:
        wanted.update(view_of(rig))
    return wanted


def all_of(wanted: DesiredState) -> dict[str, Message]:
    return wanted.of(wanted.parts)


def held_for(*rigs: Rig) -> dict[str, bytes]:
    """What the broker holds after these rigs were published."""
    return {topic: message.payload for topic, message in all_of(wanted_of(*rigs)).items()}


def devices_in(wanted: DesiredState) -> set[str]:
    return {topic for topic in all_of(wanted) if topic.startswith("homeassistant/")}


def stale_for(wanted: DesiredState, retained: dict[str, bytes]) -> list[Stale]:
    return list(wanted.stale(all_of(wanted), retained))


def stale_topics(wanted: DesiredState, retained: dict[str, bytes]) -> set[str]:
    return {stale.topic for stale in stale_for(wanted, retained)}


def both_of(kind: str, thing_id: str, rig_id: str = "backyard") -> set[str]:
    """A thing's state topic and its discovery topic."""
    return {NAMES.topics.thing(rig_id, kind, thing_id), NAMES.topic(Subject(rig_id, kind, thing_id))}


class TestTheCompleteSet:
    def test_has_states_before_devices(self) -> None:
        topics = list(all_of(wanted_of(BACKYARD, replace(BACKYARD, id="remote"))))
        devices = [topic.startswith("homeassistant/") for topic in topics]
        assert devices == sorted(devices)
        assert {True, False} == set(devices)

    def test_is_of_all_rigs_even_with_the_same_ids(self) -> None:
        messages = all_of(wanted_of(BACKYARD, replace(BACKYARD, id="remote")))
        for rig_id in ("backyard", "remote"):
            assert both_of(TARGET, M31.id, rig_id) <= messages.keys()

    def test_has_no_devices_where_home_assistant_is_not_wanted(self) -> None:
        messages = all_of(wanted_of(BACKYARD, home_assistant=False))
        assert messages.keys() >= RIG_TOPICS
        assert [topic for topic in messages if topic.startswith("homeassistant/")] == []

    def test_is_the_bridges_own_device_before_any_rig(self) -> None:
        assert all_of(wanted_of()).keys() == {BRIDGE_DEVICE}
        assert all_of(wanted_of(home_assistant=False)) == {}

    def test_has_the_bridges_device_before_those_that_are_tied_to_it(self) -> None:
        devices = [topic for topic in all_of(wanted_of(BACKYARD)) if topic.startswith("homeassistant/")]
        assert devices.index(BRIDGE_DEVICE) < devices.index(RIG_DEVICE)

    def test_has_devices_for_other_projects_when_these_are_asked_for(self) -> None:
        wanted = wanted_of(BACKYARD)
        all_devices = devices_in(wanted)
        wanted.show(frozenset())
        assert devices_in(wanted) == all_devices
        wanted.update(view_of(BACKYARD))
        gone = {subject.kind for topic in all_devices - devices_in(wanted) if (subject := NAMES.subject(topic))}
        assert gone == {PROJECT, TARGET}
        wanted.show(SHOWN)
        wanted.update(view_of(BACKYARD))
        assert devices_in(wanted) == all_devices

    def test_follows_what_changes(self) -> None:
        wanted = wanted_of(BACKYARD)
        before = all_of(wanted)
        wanted.update(view_of(rig_of_targets(replace(M31, name="Andromeda"))))
        after = all_of(wanted)
        changed = {topic for topic in after if after[topic] != before[topic]}
        assert changed == both_of(TARGET, M31.id) | {NAMES.topics.thing("backyard", PROJECT, AUTUMN.id)}

    def test_is_not_made_anew_where_nothing_changed(self) -> None:
        wanted = wanted_of(BACKYARD)
        before = all_of(wanted)
        wanted.update(view_of(BACKYARD))
        after = all_of(wanted)
        assert all(after[topic] is before[topic] for topic in before)

    def test_makes_no_device_anew_where_only_the_plan_changed(self) -> None:
        wanted = wanted_of(BACKYARD)
        before = all_of(wanted)
        wanted.update(view_of(BACKYARD, TONIGHT))
        after = all_of(wanted)
        assert after[RIG_DEVICE] is before[RIG_DEVICE]
        assert after["ts2mqtt/backyard/plan"] != before["ts2mqtt/backyard/plan"]


class TestAChangeOfOneRig:
    """Of hundreds of rigs one changes every moment: what that costs must not grow with the others."""

    REMOTE = replace(BACKYARD, id="remote")

    def test_names_that_rig_once(self) -> None:
        wanted = wanted_of(BACKYARD, self.REMOTE)
        assert wanted.take_changed() == {"backyard", "remote"}
        assert wanted.take_changed() == set()
        wanted.update(view_of(self.REMOTE, TONIGHT))
        wanted.update(view_of(BACKYARD))
        assert wanted.take_changed() == {"remote"}

    def test_needs_the_messages_of_that_rig_alone(self) -> None:
        wanted = wanted_of(BACKYARD, self.REMOTE)
        assert wanted.of({"remote"}) == wanted_of(self.REMOTE).of({"remote"})
        assert both_of(TARGET, M31.id, "remote") <= wanted.of({"remote"}).keys()
        assert not both_of(TARGET, M31.id) & wanted.of({"remote"}).keys()
        assert wanted.of({"backyard", "remote", "bridge"}) == all_of(wanted)
        assert wanted.of({"another"}) == {}

    def test_makes_nothing_of_another_rig_stale(self) -> None:
        other = replace(M31, id="other")
        wanted = wanted_of(BACKYARD, self.REMOTE)
        held = wanted_of(rig_of_targets(M31, other)).of({"backyard"})
        retained = {topic: message.payload for topic, message in held.items()}
        assert {stale.topic for stale in wanted.stale(wanted.of({"backyard"}), retained)} == both_of(TARGET, "other")


class TestWhatIsStale:
    def test_is_nothing_of_what_is_wanted(self) -> None:
        assert stale_for(wanted_of(BACKYARD), held_for(BACKYARD)) == []

    @pytest.mark.parametrize("rigs", [(), (BACKYARD,), (SILENT,)], ids=["no rig", "a rig", "a silent rig"])
    def test_is_nothing_of_others(self, rigs: tuple[Rig, ...]) -> None:
        assert stale_for(wanted_of(*rigs), OTHERS) == []

    def test_is_nothing_of_a_rig_that_has_not_answered(self) -> None:
        assert stale_for(wanted_of(SILENT), held_for(BACKYARD)) == []

    def test_is_everything_of_a_rig_that_is_no_longer_configured(self) -> None:
        remote = replace(BACKYARD, id="remote")
        retained = held_for(remote) | {"ts2mqtt/remote/plan/image": b"\x89PNG"}
        stale = stale_topics(wanted_of(BACKYARD), retained | held_for(BACKYARD))
        assert stale == retained.keys() - {BRIDGE_DEVICE}

    def test_is_a_target_that_its_project_no_longer_names(self) -> None:
        assert stale_topics(wanted_of(rig_of_targets()), held_for(BACKYARD)) == both_of(TARGET, M31.id)

    def test_is_a_project_that_its_profile_no_longer_names_with_its_targets(self) -> None:
        gone = both_of(PROJECT, AUTUMN.id) | both_of(TARGET, M31.id)
        assert stale_topics(wanted_of(rig_of()), held_for(BACKYARD)) == gone

    def test_is_a_profile_that_the_rig_no_longer_names_with_all_below(self) -> None:
        nobody = replace(BACKYARD, profiles=Listing(()))
        gone = both_of(PROFILE, REFRACTOR.id) | both_of(PROJECT, AUTUMN.id) | both_of(TARGET, M31.id)
        assert stale_topics(wanted_of(nobody), held_for(BACKYARD)) == gone

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
        assert stale_for(wanted_of(rig), held_for(BACKYARD)) == []

    def test_is_no_sibling_of_what_is_gone(self) -> None:
        other = replace(M31, id="other")
        stale = stale_topics(wanted_of(BACKYARD), held_for(rig_of_targets(M31, other)))
        assert stale == both_of(TARGET, "other")

    def test_is_no_target_that_moved_to_another_project(self) -> None:
        spring = replace(AUTUMN, id="spring", targets=Listing((M31,)))
        moved = rig_of(replace(AUTUMN, targets=Listing(())), spring)
        assert stale_for(wanted_of(moved), held_for(BACKYARD)) == []

    def test_is_the_device_of_a_closed_project_but_not_its_state(self) -> None:
        closed = rig_of(replace(AUTUMN, state="closed"))
        stale = stale_topics(wanted_of(closed), held_for(BACKYARD))
        assert stale == {
            NAMES.topic(Subject("backyard", PROJECT, AUTUMN.id)),
            NAMES.topic(Subject("backyard", TARGET, M31.id)),
        }

    def test_is_every_device_where_home_assistant_is_no_longer_wanted(self) -> None:
        retained = held_for(BACKYARD)
        stale = stale_topics(wanted_of(BACKYARD, home_assistant=False), retained | OTHERS)
        assert stale == {topic for topic in retained if topic.startswith("homeassistant/")}

    def test_is_a_device_whose_state_was_lost_once_all_was_read(self) -> None:
        topic = NAMES.topic(Subject("backyard", TARGET, "other"))
        assert stale_topics(wanted_of(BACKYARD), {topic: b"{}"}) == {topic}
        unread = wanted_of(rig_of(replace(AUTUMN, targets=None)))
        assert stale_for(unread, {topic: b"{}"}) == []

    def test_is_a_state_that_cannot_be_read_once_all_was_read(self) -> None:
        topic = NAMES.topics.thing("backyard", PROJECT, "other")
        assert stale_topics(wanted_of(BACKYARD), {topic: b"\xff"}) == {topic}
        unread = wanted_of(replace(BACKYARD, profiles=Listing((replace(REFRACTOR, projects=None),))))
        assert stale_for(unread, {topic: b"\xff"}) == []

    def test_is_what_was_renamed_nowhere(self) -> None:
        renamed = rig_of(replace(AUTUMN, name="Winter", targets=Listing((replace(M31, name="M 42"),))))
        assert stale_for(wanted_of(renamed), held_for(BACKYARD)) == []

    def test_goes_device_first_and_only_after_it_has_settled(self) -> None:
        device, state = (
            NAMES.topic(Subject("backyard", TARGET, M31.id)),
            NAMES.topics.thing("backyard", TARGET, M31.id),
        )
        assert stale_for(wanted_of(rig_of_targets()), held_for(BACKYARD)) == [
            Stale(device, SETTLE_S),
            Stale(state, SETTLE_S, follows=device),
        ]


def test_counts_touch_no_device() -> None:
    wanted = wanted_of(BACKYARD)
    before = all_of(wanted)
    wanted.update(view_of(rig_of_targets(replace(M31, exposure_plans=(replace(LUM, accepted=11),)))))
    after = all_of(wanted)
    assert after[RIG_DEVICE] == before[RIG_DEVICE]
    assert (
        after[NAMES.topic(Subject("backyard", PROJECT, AUTUMN.id))]
        == before[NAMES.topic(Subject("backyard", PROJECT, AUTUMN.id))]
    )
