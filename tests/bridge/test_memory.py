"""What a bridge keeps of a connection that it has lost: nothing, without waiting for the garbage collector."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from tests.bridge.test_bridge import all_published, later_change
from tests.faults.gate import Gate
from tests.support import topics_of_example as of
from tests.support.running import bridge_config, running_bridge
from ts2mqtt.bridge.session import Session
from ts2mqtt.mqtt.connection import Connection

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer
    from ts2mqtt.simulator.api import SimulatedApi
    from ts2mqtt.simulator.observatory import SimulatedObservatory


async def test_nothing_is_left_of_a_connection_that_was_lost(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    gate = Gate(mosquitto.port)
    await gate.open()
    gc.collect()
    gc.disable()
    try:
        async with running_bridge(bridge_config(gate.port, example_api)):
            await all_published(observer)
            for _ in range(3):
                mark = observer.mark()
                gate.cut()
                await observer.wait_for(of.STATUS, b"online", after=mark)
                await later_change(observer, example)
            alive = gc.get_objects()
            assert len([one for one in alive if isinstance(one, Session)]) == 1
            assert len([one for one in alive if isinstance(one, Connection)]) == 1
    finally:
        gc.enable()
        gate.closed()
