"""When a connection counts as lost, though nobody has said so."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.support import topics_of_example as of
from tests.support.clocks import LoopClock
from tests.support.running import mqtt_config
from tests.support.simulated_time import run_in_simulated_time
from ts2mqtt.bridge import heartbeat
from ts2mqtt.bridge.liveness import Liveness
from ts2mqtt.errors import BrokerUnreachableError, OtherBridgeError
from ts2mqtt.mqtt.connection import connect
from ts2mqtt.simulator.broker import EmbeddedBroker
from ts2mqtt.timing import BrokerTimings

_TIMINGS = BrokerTimings(heartbeat_s=10.0)


def beat(instance: str, *, working: bool) -> bytes:
    return json.dumps({"instance": instance, "number": 3, "returned": 3, "working": working}).encode()


def test_only_silence_for_four_intervals_is_a_loss_however_many_heartbeats_are_under_way() -> None:
    """Who waits for a slow broker sends one each second, which must not make it look dead after four."""

    async def until_lost() -> float:
        async with EmbeddedBroker() as broker, connect(mqtt_config(broker.port), clock=LoopClock()) as connection:
            # Nothing subscribes: no heartbeat comes back.
            liveness = Liveness(connection, of.NAMES.topics, "0-me", _TIMINGS)
            waiting = asyncio.create_task(liveness.fence())
            began = asyncio.get_running_loop().time()
            with pytest.raises(BrokerUnreachableError, match="no longer come back"):
                await liveness.run()
            with pytest.raises(BrokerUnreachableError, match="does not give back"):
                await waiting
            return asyncio.get_running_loop().time() - began

    assert run_in_simulated_time(until_lost) == pytest.approx(40.0, abs=0.1)


@pytest.mark.parametrize(
    ("heard", "gives_way"),
    [
        (beat("1-earlier", working=True), True),
        (beat("9-later", working=True), False),
        (beat("1-earlier", working=False), False),
        (beat("5-me", working=True), False),
        (b"garbage", False),
    ],
)
async def test_of_two_at_work_the_later_one_gives_way(heard: bytes, gives_way: bool) -> None:
    async with EmbeddedBroker() as broker, connect(mqtt_config(broker.port)) as connection:
        liveness = Liveness(connection, of.NAMES.topics, "5-me", _TIMINGS)
        liveness.at_work = True
        liveness.hear(heard)
        running = asyncio.create_task(liveness.run())
        if gives_way:
            with pytest.raises(OtherBridgeError):
                await running
        else:
            # It answers who asks: so it is still at work.
            await connection.subscribe([of.HEARTBEAT])
            liveness.hear(heartbeat.ASK)
            answer = await anext(aiter(connection.received()))
            assert json.loads(answer.payload)["instance"] == "5-me"
            running.cancel()
            await asyncio.wait((running,))
