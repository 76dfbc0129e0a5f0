"""A device that another replica has announced follows this one, and is otherwise byte for byte what it was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.sample_rig import BACKYARD, M31
from ts2mqtt.home_assistant.adoption import adopted, adopted_devices
from ts2mqtt.home_assistant.devices import device_messages
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.topics.names import PROFILE, TARGET, Subject, TopicNames

_STATES = frozenset({"draft", "active", "inactive"})
SINGLE, FIRST, THIRD = (DiscoveryIds("homeassistant", TopicNames("ts2mqtt", number)) for number in (None, 0, 2))
_RIG = replace(BACKYARD, name='Ümlaut "ts2mqtt/bridge/0/status"')


@pytest.mark.parametrize("old", [SINGLE, FIRST], ids=["a single bridge", "replica 0"])
@pytest.mark.parametrize("new", [SINGLE, THIRD], ids=["a single bridge", "replica 2"])
def test_an_adopted_device_is_what_its_new_bridge_would_have_announced(old: DiscoveryIds, new: DiscoveryIds) -> None:
    wanted = device_messages(new, _RIG, _STATES)
    for topic, message in device_messages(old, _RIG, _STATES).items():
        assert adopted(new, topic, message.payload) == wanted[topic].payload


def test_every_device_is_another_for_another_replica() -> None:
    """Else the test above would hold for a function that does nothing."""
    before, after = device_messages(FIRST, _RIG, _STATES), device_messages(THIRD, _RIG, _STATES)
    assert (
        before.keys()
        == after.keys()
        >= {
            FIRST.topic(Subject("backyard")),
            FIRST.topic(Subject("backyard", TARGET, M31.id)),
        }
    )
    assert all(before[topic].payload != after[topic].payload for topic in before)


def test_only_what_its_rig_has_told_nothing_about_is_adopted() -> None:
    held = {topic: message.payload for topic, message in device_messages(FIRST, _RIG, _STATES).items()}
    wanted = device_messages(THIRD, _RIG, _STATES)
    rig, target = THIRD.topic(Subject("backyard")), THIRD.topic(Subject("backyard", TARGET, M31.id))
    assert adopted_devices(THIRD, wanted, held, set()) == {}
    nothing_new = {topic: message.payload for topic, message in wanted.items()}
    assert adopted_devices(THIRD, {}, nothing_new | {"ts2mqtt/backyard/state": b"{}"}, set()) == {}
    provisional = {rig: replace(wanted[rig], provisional=True)}
    adopted_now = adopted_devices(THIRD, provisional, held, {target})
    assert adopted_now == {topic: message for topic, message in wanted.items() if topic != target}


@pytest.mark.parametrize(
    "held",
    [
        b"",
        b"\xff",
        b"[]",
        b"[" * 100_000,
        b"{}",
        b'{"components": {}}',
        b'{"components": [1], "device": {}}',
        b'{ "device": {}, "components": {"a": {"platform": "sensor"}} }',
        b'{"availability":[{"topic":"another/program/status"}],"device":{"via_device":"x"},"components":{}}',
        b'{"availability":[{"topic":7}],"device":{},"components":{}}',
    ],
)
def test_what_follows_no_bridge_of_ours_is_left_as_it_is(held: bytes) -> None:
    assert adopted(THIRD, THIRD.topic(Subject("backyard", PROFILE, "1")), held) == held
