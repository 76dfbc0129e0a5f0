"""Over a slow way to the broker everything takes long, and nothing is lost: silence ends a connection, not length."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bridge.test_bridge import all_published, later_change
from tests.support import topics_of_example as of
from tests.support.observer import observing
from tests.support.running import bridge_config, mqtt_config, running_bridge, with_broker
from tests.support.slow_way import slow_way

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer
    from tests.support.running import Log
    from ts2mqtt.simulator.api import SimulatedApi
    from ts2mqtt.simulator.observatory import SimulatedObservatory

_BYTES_PER_SECOND = 10_000
_SILENCE = with_broker(
    fence_s=4.0, acknowledged_within_s=4.0, heartbeat_s=1.5, connect_timeout_s=15.0, long_read_s=1.0
)
"""All that the example publishes, 124 kB, takes longer than silence may last, also than four heartbeats."""


@pytest.mark.parametrize("qos", [0, 1])
async def test_everything_is_published_in_the_end(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi, log: Log, qos: int
) -> None:
    async with slow_way(mosquitto.port, _BYTES_PER_SECOND) as port:
        config = bridge_config(mqtt_config(port, qos=qos), example_api)
        async with running_bridge(config, timings=_SILENCE):
            await all_published(observer)
    assert not log.about("MQTT")


async def test_a_bridge_that_has_published_before_comes_back(
    mosquitto: Mosquitto, example: SimulatedObservatory, example_api: SimulatedApi, log: Log
) -> None:
    async with observing(mosquitto.port) as observer, running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
    async with (
        slow_way(mosquitto.port, _BYTES_PER_SECOND) as port,
        running_bridge(bridge_config(port, example_api), timings=_SILENCE),
    ):
        assert "topics so far" in await log.says("still reading")
        async with observing(mosquitto.port) as observer:
            await observer.wait_for(of.STATUS, b"online")
            await later_change(observer, example)
    assert not log.about("MQTT")
