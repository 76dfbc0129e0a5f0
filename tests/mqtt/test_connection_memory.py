"""What a connection held goes when it ends: nothing is left for the garbage collector, which comes rarely."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from paho.mqtt import client as paho

from tests.faults.gate import Gate
from tests.support.running import mqtt_config
from ts2mqtt.bridge.side_by_side import first_to_end
from ts2mqtt.errors import BrokerError
from ts2mqtt.mqtt.connection import Connection, connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from tests.support.mosquitto import Mosquitto


@pytest.fixture(autouse=True)
def no_garbage_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@asynccontextmanager
async def gate_to(broker: Mosquitto) -> AsyncIterator[Gate]:
    gate = Gate(broker.port)
    await gate.open()
    try:
        yield gate
    finally:
        gate.closed()


async def alive() -> list[Connection | paho.Client]:
    """What is there of connections, once the event loop and the threads that reach brokers are done with them."""
    for thread in threading.enumerate():
        if thread.name == "mqtt-connect":
            await asyncio.to_thread(thread.join)
    await asyncio.sleep(0)
    return [one for one in gc.get_objects() if isinstance(one, Connection | paho.Client)]


async def use(port: int, end: Callable[[], None], protocol: str) -> weakref.ref[asyncio.Future[float]]:
    """Subscribes, publishes and receives on a connection until that is ended; the future of the publish."""
    async with connect(mqtt_config(port, protocol=protocol)) as connection:
        await connection.subscribe(["topic"])
        published = await connection.publish("topic", b"x" * 1_000, retain=False)
        await published
        async with asyncio.timeout(10):
            await anext(aiter(connection.received()))
        end()
        with suppress(BrokerError):
            await first_to_end(wait_for_messages(connection), connection.drain(), publish_for_ever(connection))
    return weakref.ref(published)


async def wait_for_messages(connection: Connection) -> None:
    async for _ in connection.received():
        pass


async def publish_for_ever(connection: Connection) -> None:
    while True:
        await (await connection.publish("topic", b"x", retain=False))


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_a_connection_that_broke_leaves_nothing(mosquitto: Mosquitto, protocol: str) -> None:
    async with gate_to(mosquitto) as gate:
        published = await use(gate.port, gate.cut, protocol)
        assert await alive() == []
        assert published() is None


async def test_a_connection_that_was_closed_leaves_nothing(mosquitto: Mosquitto) -> None:
    async with connect(mqtt_config(mosquitto.port)) as connection:
        await connection.subscribe(["topic"])
        await (await connection.publish("topic", b"x", retain=False))
        assert len(await alive()) == 2
    del connection
    assert await alive() == []


async def test_a_login_that_is_refused_leaves_nothing(mosquitto_with: Callable[..., Mosquitto]) -> None:
    async with mosquitto_with(users={"rig": "right"}) as broker:
        with suppress(BrokerError):
            async with connect(mqtt_config(broker.port)):
                pytest.fail("a connection was made")
        assert await alive() == []
