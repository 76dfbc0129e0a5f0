"""Names of topics, and the way back from a topic to what it is about."""

from __future__ import annotations

import pytest

from ts2mqtt.topics.names import PROFILE, PROJECT, TARGET, Subject, TopicNames

GUID = "134973bf-f949-462d-9c4b-8baad53d75a8"
NAMES = TopicNames("ts2mqtt")
DEEP = TopicNames("observatory/roof/ts2mqtt")


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        (NAMES.status, "ts2mqtt/status"),
        (NAMES.bridge, "ts2mqtt/bridge"),
        (NAMES.heartbeat, "ts2mqtt/bridge/heartbeat"),
        (NAMES.command, "ts2mqtt/command"),
        (NAMES.rig_status("backyard"), "ts2mqtt/backyard/status"),
        (NAMES.rig_state("backyard"), "ts2mqtt/backyard/state"),
        (NAMES.rig_plan("backyard"), "ts2mqtt/backyard/plan"),
        (NAMES.rig_plan_image("backyard"), "ts2mqtt/backyard/plan/image"),
        (NAMES.rig_event("backyard"), "ts2mqtt/backyard/event"),
        (NAMES.rig_command("backyard"), "ts2mqtt/backyard/command"),
        (NAMES.thing("backyard", PROFILE, GUID), f"ts2mqtt/backyard/profile/{GUID}"),
        (NAMES.thing("backyard", PROJECT, GUID), f"ts2mqtt/backyard/project/{GUID}"),
        (NAMES.thing("backyard", TARGET, GUID), f"ts2mqtt/backyard/target/{GUID}"),
        (DEEP.rig_state("backyard"), "observatory/roof/ts2mqtt/backyard/state"),
        (NAMES.removed("backyard"), "ts2mqtt/bridge/removed/backyard"),
    ],
)
def test_topics_are_named_as_promised(topic: str, expected: str) -> None:
    assert topic == expected


@pytest.mark.parametrize("names", [NAMES, DEEP], ids=["one level", "three levels"])
def test_a_topic_leads_back_to_its_subject(names: TopicNames) -> None:
    rig = Subject("backyard")
    assert names.subject(names.rig_status("backyard")) == rig
    assert names.subject(names.rig_state("backyard")) == rig
    assert names.subject(names.rig_plan("backyard")) == rig
    assert names.subject(names.rig_plan_image("backyard")) == rig
    for kind in (PROFILE, PROJECT, TARGET):
        assert names.subject(names.thing("backyard", kind, GUID)) == Subject("backyard", kind, GUID)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "ts2mqtt",
        "ts2mqtt/",
        "ts2mqtt/status",
        "ts2mqtt/bridge",
        "ts2mqtt/bridge/state",
        "ts2mqtt/bridge/heartbeat",
        "ts2mqtt/bridge/removed/backyard",
        "ts2mqtt/backyard",
        "ts2mqtt/backyard/",
        "ts2mqtt/backyard/event",
        "ts2mqtt/backyard/command",
        "ts2mqtt/backyard/note",
        "ts2mqtt/backyard/plan/image/large",
        "ts2mqtt/Backyard/state",
        "ts2mqtt/back yard/state",
        f"ts2mqtt/{'b' * 65}/state",
        "ts2mqtt/backyard/target",
        "ts2mqtt/backyard/target/",
        f"ts2mqtt/backyard/target/{GUID}/note",
        f"ts2mqtt/backyard/target/{GUID}\n",
        f"ts2mqtt/backyard/target/{'a' * 65}",
        f"ts2mqtt/backyard/filter/{GUID}",
        "ts2mqtt2/backyard/state",
        "other/ts2mqtt/backyard/state",
        "other/backyard/state",
    ],
)
def test_what_is_no_rig_topic_of_ours_has_no_subject(topic: str) -> None:
    assert NAMES.subject(topic) is None


@pytest.mark.parametrize(
    "topic",
    [
        NAMES.status,
        NAMES.bridge,
        NAMES.removed("backyard_target_1"),
        NAMES.rig_status("backyard"),
        NAMES.rig_plan_image("backyard"),
        NAMES.thing("backyard", TARGET, GUID),
    ],
)
def test_own_topics_are_recognised(topic: str) -> None:
    assert NAMES.is_own(topic)


@pytest.mark.parametrize(
    "topic",
    [
        "homeassistant/status",
        "ts2mqtt/notes",
        "ts2mqtt/backyard/notes",
        "ts2mqtt2/status",
        "a/ts2mqtt/bridge",
        NAMES.heartbeat,
        NAMES.command,
        "ts2mqtt/bridge/status",
        "ts2mqtt/bridge/2",
    ],
)
def test_topics_of_others_are_left_alone(topic: str) -> None:
    assert not NAMES.is_own(topic)


@pytest.mark.parametrize("names", [NAMES, DEEP], ids=["one level", "three levels"])
def test_a_rigs_command_topic_names_the_rig(names: TopicNames) -> None:
    assert names.commanded_rig(names.rig_command("backyard")) == "backyard"


@pytest.mark.parametrize(
    "topic",
    [
        NAMES.command,
        "ts2mqtt/bridge/command",
        "ts2mqtt/backyard/command/now",
        "ts2mqtt/backyard/state",
        "a/b/command",
    ],
)
def test_no_other_topic_commands_a_rig(topic: str) -> None:
    assert NAMES.commanded_rig(topic) is None
