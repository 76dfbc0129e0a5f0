"""A broker may acknowledge what its access rules or its limits throw away: that is noticed, and told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bridge.test_bridge import all_published, later_change
from tests.support import topics_of_example as of
from tests.support.observer import observing
from tests.support.running import bridge_config, mqtt_config, running_bridge
from ts2mqtt.bridge.kept import Kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.mosquitto import Mosquitto
    from tests.support.running import Log
    from ts2mqtt.simulator.api import SimulatedApi
    from ts2mqtt.simulator.observatory import SimulatedObservatory

_NOT_KEPT = "acknowledged it and does not keep it"


async def test_devices_that_access_rules_throw_away_are_told(
    mosquitto_with: Callable[..., Mosquitto], example_api: SimulatedApi, log: Log
) -> None:
    acl = ["topic readwrite ts2mqtt/#", "topic read homeassistant/#", "topic readwrite observer/#"]
    async with mosquitto_with(acl=acl) as broker, running_bridge(bridge_config(broker.port, example_api)):
        assert "access rules" in await log.says("ERROR homeassistant/device/", _NOT_KEPT)
        async with observing(broker.port) as observer:
            assert observer.held_below("ts2mqtt/backyard/target/")
            assert not observer.held_below("homeassistant/")


async def test_half_of_the_devices_too(
    mosquitto_with: Callable[..., Mosquitto], example_api: SimulatedApi, log: Log
) -> None:
    """A rule of somebody who did not think of rigs, whose topics are a level shorter."""
    acl = ["topic readwrite ts2mqtt/+/+", "topic readwrite ts2mqtt/+", "topic readwrite homeassistant/#"]
    async with mosquitto_with(acl=acl) as broker, running_bridge(bridge_config(broker.port, example_api)):
        assert "access rules" in await log.says("ERROR ts2mqtt/backyard/", _NOT_KEPT)


async def test_what_is_larger_than_the_broker_keeps_is_told_with_both_sizes(
    mosquitto_with: Callable[..., Mosquitto],
    example: SimulatedObservatory,
    example_api: SimulatedApi,
    log: Log,
) -> None:
    broker = mosquitto_with(options=["message_size_limit 16000"])
    async with (
        broker,
        observing(broker.port) as observer,
        running_bridge(bridge_config(broker.port, example_api)),
    ):
        too_large = of.target_device(of.M31)
        line = await log.says(f"ERROR {too_large}", _NOT_KEPT)
        assert "message_size_limit" in line
        await observer.wait_until(lambda: of.all_devices() - {too_large} <= observer.held.keys())
        # It is not published over and over.
        mark = observer.mark()
        await later_change(observer, example)
        assert too_large not in observer.topics_since(mark)


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_of_a_broker_that_keeps_everything_nothing_is_said(
    mosquitto: Mosquitto, example: SimulatedObservatory, example_api: SimulatedApi, log: Log, protocol: str
) -> None:
    config = bridge_config(mqtt_config(mosquitto.port, protocol=protocol), example_api)
    async with observing(mosquitto.port) as observer, running_bridge(config):
        await all_published(observer)
        await later_change(observer, example)
    assert not log.problems


def test_what_was_kept_once_is_believed_to_be_kept_again_unless_it_has_grown() -> None:
    kept = Kept()
    assert not kept.is_surely("a", b"x")
    kept.note("a", b"xxx")
    assert kept.is_surely("a", b"yyy")
    assert not kept.is_surely("b", b"y")
    assert not kept.is_surely("a", b"yyyy")


def test_a_topic_that_has_gone_is_not_remembered_and_what_was_learnt_of_sizes_is() -> None:
    kept = Kept()
    kept.note("a", b"xxx")
    kept.forget("a")
    assert not kept.is_surely("a", b"x")
    assert not kept.is_empty
    assert "has 3" in kept.likely_cause("a", b"yyyy")


@pytest.mark.parametrize(
    ("topic", "payload", "cause"),
    [
        ("a/1/x", b"yyy", "access rules"),
        ("a/1/x", b"yyyy", "it has 4 bytes, and the largest message like it that was kept has 3"),
        ("b/1/x", b"yyyy", "access rules"),
        ("a/x", b"yyyy", "access rules"),
    ],
)
def test_the_likely_cause_is_a_limit_only_where_smaller_ones_like_it_were_kept(
    topic: str, payload: bytes, cause: str
) -> None:
    kept = Kept()
    kept.note("a/2/x", b"xxx")
    assert cause in kept.likely_cause(topic, payload)
