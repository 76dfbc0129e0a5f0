"""Which topic is which channel."""

from __future__ import annotations

import pytest

from tests.interface.document import channel_of


@pytest.mark.parametrize(
    ("topic", "key"),
    [
        ("ts2mqtt/status", "bridgeStatus"),
        ("ts2mqtt/backyard/status", "rigStatus"),
        ("ts2mqtt/backyard/plan", "plan"),
        ("ts2mqtt/backyard/plan/image", "planImage"),
        ("ts2mqtt/backyard/target/1", "target"),
        ("ts2mqtt/bridge/removed/backyard_target_1", "removed"),
        ("homeassistant/device/ts2mqtt/config", "bridgeDevice"),
        ("homeassistant/device/ts2mqtt/backyard/config", "device"),
    ],
)
def test_a_topic_is_of_one_channel(topic: str, key: str) -> None:
    assert channel_of(topic).key == key


@pytest.mark.parametrize(
    "topic", ["ts2mqtt", "ts2mqtt/backyard/notes", "ts2mqtt/a/target/1/2", "homeassistant/status/"]
)
def test_other_topics_are_of_none(topic: str) -> None:
    with pytest.raises(KeyError):
        channel_of(topic)
