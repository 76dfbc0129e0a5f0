"""When a connection counts as lost, though nobody has said so."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.support import topics_of_example as of
from tests.support.running import mqtt_config
from ts2mqtt.bridge import heartbeat
from ts2mqtt.bridge.liveness import Liveness
from ts2mqtt.errors import BrokerUnreachableError
from ts2mqtt.mqtt.connection import connect

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto


async def test_only_silence_for_four_intervals_is_a_loss_however_many_heartbeats_are_under_way(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits for a slow broker sends one each second, which must not make it look dead after four."""
    interval_s = 0.1
    monkeypatch.setattr(heartbeat, "INTERVAL_S", interval_s)
    monkeypatch.setattr("ts2mqtt.bridge.liveness._FENCE_AGAIN_S", 0.01)
    loop = asyncio.get_running_loop()
    async with connect(mqtt_config(mosquitto.port)) as connection:
        # Nothing subscribes: no heartbeat comes back.
        signs = Liveness(connection, of.HEARTBEAT, "0-me")
        waiting = asyncio.create_task(signs.fence())
        began = loop.time()
        with pytest.raises(BrokerUnreachableError, match="no longer come back"):
            await signs.beat()
        waiting.cancel()
    assert loop.time() - began >= 4 * interval_s
