"""What one replica knows of the others by what they say."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from ts2mqtt.bridge.replicas import SILENT_S, STARTING_S, OtherBridges
from ts2mqtt.bridge.sharding import Shard
from ts2mqtt.mqtt.message import Received
from ts2mqtt.topics.names import TopicNames

_ME, _SINGLE = TopicNames("ts2mqtt", 0), TopicNames("ts2mqtt")


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


class Heard:
    """The others as replica 0 hears them."""

    def __init__(self, names: TopicNames = _ME) -> None:
        self.clock = Clock()
        self.others = OtherBridges(names, self.clock)

    def says(self, topic: str, payload: bytes | str, *, retain: bool = False) -> bool:
        data = payload.encode() if isinstance(payload, str) else payload
        return self.others.hear(Received(topic, data, retain))

    def serves(self, replica: int, *rigs: str, instance: str = "1-a", retain: bool = False) -> None:
        self.says(f"ts2mqtt/bridge/{replica}", about(*rigs, instance=instance), retain=retain)
        self.says(f"ts2mqtt/bridge/{replica}/status", "online", retain=retain)


def about(*rigs: str, instance: str = "1-a") -> str:
    return json.dumps({"instance": instance, "rigs": [{"id": rig_id, "name": "x"} for rig_id in rigs]})


def beat(*, working: bool = True) -> str:
    return json.dumps({"instance": "1-a", "number": 1, "returned": 1, "working": working})


@pytest.mark.parametrize("retain", [True, False])
def test_a_replica_at_work_serves_what_it_says(retain: bool) -> None:
    heard = Heard()
    heard.serves(1, "backyard", "remote", retain=retain)
    heard.serves(2, "third", retain=retain)
    assert heard.others.rigs() == {"backyard", "remote", "third"}


def test_what_it_retained_counts_in_any_order() -> None:
    heard = Heard()
    heard.says("ts2mqtt/bridge/1/status", "online", retain=True)
    heard.says("ts2mqtt/bridge/1", about("backyard"), retain=True)
    assert heard.others.rigs() == {"backyard"}


def test_one_that_lets_a_rig_go_says_so() -> None:
    heard = Heard()
    heard.serves(1, "backyard", "remote")
    heard.says("ts2mqtt/bridge/1", about("remote"))
    assert heard.others.rigs() == {"remote"}


def test_one_that_has_ended_serves_nothing_even_when_it_is_back_until_it_says_what() -> None:
    heard = Heard()
    heard.serves(1, "backyard")
    heard.says("ts2mqtt/bridge/1/status", "offline")
    assert heard.others.rigs() == frozenset()
    heard.says("ts2mqtt/bridge/1/status", "online")
    assert heard.others.rigs() == frozenset()


def test_one_that_falls_silent_serves_nothing() -> None:
    heard = Heard()
    heard.serves(1, "backyard", retain=True)
    heard.clock.now += SILENT_S - 1
    assert heard.others.rigs() == {"backyard"}
    heard.clock.now += 2
    assert heard.others.rigs() == frozenset()
    heard.says("ts2mqtt/bridge/1/heartbeat", beat())
    assert heard.others.rigs() == {"backyard"}


@pytest.mark.parametrize("payload", [beat(working=False), '{"ask":true}', "garbage"])
def test_only_the_heartbeat_of_one_at_work_breaks_the_silence(payload: str) -> None:
    heard = Heard()
    heard.serves(1, "backyard")
    heard.clock.now += SILENT_S + 1
    heard.says("ts2mqtt/bridge/1/heartbeat", payload)
    assert heard.others.rigs() == frozenset()


def test_who_began_before_is_told_by_the_instance() -> None:
    heard = Heard()
    heard.serves(1, "backyard", instance="1-earlier")
    heard.serves(2, "remote", instance="9-later")
    assert heard.others.rigs(of_those_before="5-me") == {"backyard"}


@pytest.mark.parametrize("payload", [b"", b"\xff", b"{}", about("+"), about("a/#"), about("")])
def test_what_cannot_be_a_list_of_rigs_is_none(payload: bytes | str) -> None:
    """A rig's id becomes part of a subscription: anybody may write on these topics."""
    heard = Heard()
    heard.serves(1, "backyard")
    heard.says("ts2mqtt/bridge/1", payload)
    assert heard.others.rigs() == frozenset()


@pytest.mark.parametrize(
    "topic",
    [
        "ts2mqtt/bridge/0",
        "ts2mqtt/bridge/0/status",
        "ts2mqtt/bridge/01",
        "ts2mqtt/bridge/x/status",
        "ts2mqtt/bridge/1/note",
        "ts2mqtt/bridge/removed/backyard",
        "ts2mqtt/backyard/status",
        "ts2mqtt/command",
    ],
)
def test_other_topics_and_its_own_are_not_about_others(topic: str) -> None:
    heard = Heard()
    assert not heard.says(topic, "online")
    assert heard.others.left_behind(Shard(0, 1)) == {}


def test_a_single_bridge_is_another_one_too() -> None:
    heard = Heard()
    heard.says("ts2mqtt/bridge", about("backyard"))
    heard.says("ts2mqtt/status", "online")
    assert heard.others.rigs() == {"backyard"}
    assert heard.others.heartbeats() == ["ts2mqtt/bridge/heartbeat"]


class TestWhatIsLeftBehind:
    def test_is_of_replicas_beyond_the_count_that_have_ended(self) -> None:
        heard = Heard()
        for replica in (1, 2, 3):
            heard.serves(replica, f"rig{replica}", retain=True)
        assert heard.others.left_behind(Shard(0, 2)) == {}
        for replica in (1, 2, 3):
            heard.says(f"ts2mqtt/bridge/{replica}/status", "offline")
        heard.clock.now += STARTING_S + 1
        assert heard.others.left_behind(Shard(0, 3)) == {
            TopicNames("ts2mqtt", 3): ["ts2mqtt/bridge/3", "ts2mqtt/bridge/3/status"]
        }

    def test_is_of_a_single_bridge_that_became_replicas(self) -> None:
        heard = Heard()
        heard.says("ts2mqtt/status", "offline", retain=True)
        heard.says("ts2mqtt/bridge/removed/bridge", "{}", retain=True)
        assert heard.others.left_behind(Shard(0, 4)) == {_SINGLE: ["ts2mqtt/bridge/removed/bridge", "ts2mqtt/status"]}

    def test_is_of_all_replicas_that_became_a_single_bridge(self) -> None:
        heard = Heard(_SINGLE)
        heard.serves(0, retain=True)
        assert heard.others.left_behind(None) == {}
        heard.others.nobody_answered()
        assert heard.others.left_behind(None).keys() == {TopicNames("ts2mqtt", 0)}

    def test_is_nothing_of_a_replica_that_is_starting(self) -> None:
        """As one of more than this replica knows of; what it was when it ended is still there."""
        heard = Heard()
        heard.says("ts2mqtt/bridge/3/status", "offline", retain=True)
        heard.says("ts2mqtt/bridge/3", about())
        assert heard.others.left_behind(Shard(0, 3)) == {}
        heard.clock.now += STARTING_S + 1
        assert heard.others.left_behind(Shard(0, 3)).keys() == {TopicNames("ts2mqtt", 3)}

    def test_is_nothing_once_it_was_cleared(self) -> None:
        heard = Heard()
        heard.says("ts2mqtt/bridge/3/status", "offline", retain=True)
        heard.says("ts2mqtt/bridge/3/status", "")
        assert heard.others.left_behind(Shard(0, 3)) == {}
