"""A message of any size takes little memory, and what comes after it is read."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest

from tests.bridge.test_bridge import all_published
from tests.mqtt.test_connection import next_message
from tests.support import topics_of_example as of
from tests.support.observer import observing
from tests.support.odd_server import serving
from tests.support.running import bridge_config, mqtt_config, running_bridge
from tests.support.websocket_gate import acceptance
from ts2mqtt.config import TlsConfig
from ts2mqtt.errors import BrokerUnreachableError
from ts2mqtt.mqtt.bounded_client import LARGEST_PACKET
from ts2mqtt.mqtt.connection import connect

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

    from tests.support.certificates import Certificates
    from tests.support.mosquitto import Mosquitto
    from tests.support.running import Log
    from ts2mqtt.simulator.api import SimulatedApi

    Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_COMMAND = "ts2mqtt/command"
_LARGE = 20 * LARGEST_PACKET


async def large_sender(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers the login, and sends a large message and a small one."""
    _, size = await reader.readexactly(2)
    await reader.readexactly(size)
    writer.write(b"\x20\x02\x00\x00" + b"\x31\x87\xb4\x89\x13" + b"\x00\x05large")
    left = 40_000_000
    while left:
        part = b"begin" + bytes(min(left, 50_000) - 5)
        left -= len(part)
        writer.write(part)
        await writer.drain()
    writer.write(b"\x30\x07\x00\x05small")
    await reader.read()


async def large_frame(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As large_sender, over a WebSocket, and the large message in one frame."""
    request = await reader.readuntil(b"\r\n\r\n")
    key = request.lower().partition(b"sec-websocket-key: ")[0]
    writer.write(acceptance(request[len(key) + 19 :].partition(b"\r\n")[0]))
    await reader.read(1_000)
    writer.write(b"\x82\x04\x20\x02\x00\x00")
    head = b"\x31\x87\xb4\x89\x13" + b"\x00\x05large"
    writer.write(b"\x82\x7f" + (len(head) + 40_000_000).to_bytes(8, "big") + head)
    for _ in range(800):
        writer.write(b"begin" + bytes(49_995))
        await writer.drain()
    writer.write(b"\x82\x09\x30\x07\x00\x05small")
    await reader.read()


@pytest.mark.parametrize(("behave", "keys"), [(large_sender, {}), (large_frame, {"transport": "websockets"})])
async def test_of_a_large_message_only_the_beginning_is_read(behave: Behaviour, keys: dict[str, str]) -> None:
    tracemalloc.start()
    try:
        async with serving(behave) as port, connect(mqtt_config(port, **keys)) as connection:
            large = await next_message(connection)
            small = await next_message(connection)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (large.topic, large.retain, large.size) == ("large", True, 40_000_007)
    assert large.payload.startswith(b"begin")
    assert len(large.payload) < 100_000
    assert (small.topic, small.payload, small.size) == ("small", b"", None)
    assert peak < 12_000_000


async def test_a_message_at_the_limit_is_read_whole(mosquitto: Mosquitto) -> None:
    payload = bytes(LARGEST_PACKET - len("topic") - 2)
    async with connect(mqtt_config(mosquitto.port)) as connection, observing(mosquitto.port) as other:
        await connection.subscribe(["topic"])
        await other.publish("topic", payload)
        message = await next_message(connection)
        assert message.size is None
        assert message.payload == payload


async def test_a_broker_with_mqtt_5_is_asked_not_to_send_what_is_too_large(mosquitto: Mosquitto) -> None:
    async with (
        connect(mqtt_config(mosquitto.port, protocol="5")) as connection,
        observing(mosquitto.port) as other,
    ):
        await connection.subscribe(["t/#"])
        await other.publish("t/large", bytes(_LARGE))
        await other.publish("t/after", "small")
        assert (await next_message(connection)).topic == "t/after"


async def test_a_large_message_over_tls_is_cut_too(
    mosquitto_with: Callable[..., Mosquitto], certificates: Certificates
) -> None:
    async with mosquitto_with(tls=certificates) as broker:
        tls = TlsConfig(enabled=True, ca_file=certificates.ca)
        async with connect(mqtt_config(broker.port, tls=tls)) as connection:
            await connection.subscribe(["t/#"])
            await connection.publish("t/large", bytes(2 * LARGEST_PACKET), retain=False)
            await connection.publish("t/after", b"small", retain=False)
            assert (await next_message(connection)).size is not None
            assert (await next_message(connection)).payload == b"small"


async def test_another_packet_that_is_too_large_ends_the_connection() -> None:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, size = await reader.readexactly(2)
        await reader.readexactly(size)
        # An acknowledgement of a subscription, with 4 million reason codes.
        writer.write(b"\x20\x02\x00\x00" + b"\x90\x80\x92\xf4\x01" + bytes(4_000_000))
        await reader.read()

    async with serving(behave) as port, connect(mqtt_config(port)) as connection:
        with pytest.raises(BrokerUnreachableError):
            await next_message(connection)


async def test_a_large_message_of_somebody_else_is_told_and_the_bridge_works_on(
    mosquitto: Mosquitto, example_api: SimulatedApi, log: Log
) -> None:
    async with observing(mosquitto.port) as observer:
        await observer.publish("ts2mqtt/foreign", bytes(_LARGE), retain=True)
        # It stands on a topic of ours: the bridge puts its own message there.
        await observer.publish(of.RIG_STATE, bytes(_LARGE), retain=True)
        async with running_bridge(bridge_config(mosquitto.port, example_api)):
            await all_published(observer)
            await observer.wait_for(of.RIG_STATE, lambda state: state["name"] == "Backyard")
            await observer.publish(_COMMAND, bytes(_LARGE))
            await observer.publish(_COMMAND, "log_level info")
            await log.says("the log level changes")
    (told,) = log.about("retained message of 40,000,", "ts2mqtt/foreign")
    assert "mosquitto_pub -r -n -t 'ts2mqtt/foreign'" in told
    assert log.about("a message of 40,000,", _COMMAND)
