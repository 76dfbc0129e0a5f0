"""What a broker declares with MQTT 5 is obeyed, or refused in words; with a Mosquitto that enforces it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.bridge.test_bridge import all_published
from tests.mqtt.test_connection import connack, refusal, talks
from tests.support.mosquitto import Mosquitto, free_port
from tests.support.observer import observing, retained_on
from tests.support.odd_server import serving
from tests.support.running import bridge_config, mqtt_config, running_bridge
from ts2mqtt.errors import BrokerError, BrokerUnreachableError
from ts2mqtt.mqtt.broker_limits import BrokerLimits, declared_limits, unusable
from ts2mqtt.mqtt.connection import connect
from ts2mqtt.mqtt.message import Will
from ts2mqtt.timing import BrokerTimings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.running import Log
    from ts2mqtt.simulator.api import SimulatedApi

_WILL = Will("status", b"offline")


def declared(**values: int) -> Properties:
    properties = Properties(PacketTypes.CONNACK)  # type: ignore[no-untyped-call] # paho's own
    for name, value in values.items():
        setattr(properties, name, value)
    return properties


@pytest.mark.parametrize("properties", [None, declared()])
def test_a_broker_that_declares_nothing_has_the_limits_of_mqtt_5(properties: Properties | None) -> None:
    limits = declared_limits(properties)
    assert limits == BrokerLimits(65_535, 2, None, None, keeps_retained=True, knows_wildcards=True)
    assert unusable(limits) is None


def test_all_that_is_declared_is_read() -> None:
    limits = declared_limits(
        declared(
            ReceiveMaximum=10,
            MaximumQoS=1,
            MaximumPacketSize=1_000,
            ServerKeepAlive=0,
            RetainAvailable=0,
            WildcardSubscriptionAvailable=0,
        )
    )
    assert limits == BrokerLimits(10, 1, 1_000, 0, keeps_retained=False, knows_wildcards=False)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (BrokerLimits(keeps_retained=False), "retain_available true"),
        (BrokerLimits(knows_wildcards=False), "mqtt.wildcard_subscription = true"),
    ],
)
def test_what_nothing_can_be_done_without_is_told_with_the_line_to_change(limits: BrokerLimits, words: str) -> None:
    assert words in str(unusable(limits))


async def test_a_broker_without_wildcards_is_refused_at_the_login() -> None:
    async with serving(connack(0x20, 5, 0, 0, 2, 0x28, 0)) as port:
        assert "wildcards" in await refusal(mqtt_config(port, protocol="5"), BrokerError)


async def test_a_broker_that_retains_nothing_is_refused_with_and_without_a_will(
    mosquitto_with: Callable[..., Mosquitto],
) -> None:
    async with mosquitto_with(options=["retain_available false"]) as broker:
        config = mqtt_config(broker.port, protocol="5")
        assert "retain_available true" in await refusal(config, BrokerError)
        with pytest.raises(BrokerError, match="retain_available true"):
            async with connect(config, will=_WILL):
                pytest.fail("a connection was made")


@pytest.mark.parametrize("will", [None, _WILL])
async def test_a_broker_that_takes_qos_0_only_is_given_that(
    mosquitto_with: Callable[..., Mosquitto], will: Will | None
) -> None:
    port = free_port()
    async with mosquitto_with(options=[f"listener {port} 127.0.0.1", "max_qos 0"]) as broker:
        async with connect(mqtt_config(port, protocol="5"), will=will) as connection:
            assert connection.qos == 0
            await (await connection.publish("topic", b"x", retain=True))
        assert await retained_on(broker.port) == {"topic": b"x"}


async def test_a_bridge_works_with_a_broker_of_qos_0_and_says_so(
    mosquitto_with: Callable[..., Mosquitto], example_api: SimulatedApi, log: Log
) -> None:
    port = free_port()
    options = [f"listener {port} 127.0.0.1", "max_qos 0"]
    async with mosquitto_with(options=options) as broker, observing(broker.port) as observer:
        async with running_bridge(bridge_config(mqtt_config(port, protocol="5"), example_api)):
            await all_published(observer)
        assert log.about("nothing above QoS 0")


async def test_no_more_is_unacknowledged_than_the_broker_takes() -> None:
    """A broker that counts, acknowledges nothing before it is asked to, and takes no more than three at once."""
    publishes = 0
    go_on = asyncio.Event()

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal publishes
        _, size = await reader.readexactly(2)
        await reader.readexactly(size)
        writer.write(bytes((0x20, 6, 0, 0, 3, 0x21, 0, 3)))
        unacknowledged: list[bytes] = []

        async def acknowledge() -> None:
            await go_on.wait()
            while True:
                while unacknowledged:
                    writer.write(b"\x40\x02" + unacknowledged.pop(0))
                await asyncio.sleep(0)

        acknowledging = asyncio.create_task(acknowledge())
        try:
            while True:
                kind, size = await reader.readexactly(2)
                body = await reader.readexactly(size)
                if kind >> 4 == 3:
                    publishes += 1
                    unacknowledged.append(body[3:5])
                    if len(unacknowledged) > 3:  # 0x93: receive maximum exceeded
                        writer.write(bytes((0xE0, 1, 0x93)))
                        return
        finally:
            acknowledging.cancel()

    async with serving(behave) as port, connect(mqtt_config(port, protocol="5")) as connection:
        futures = [await connection.publish("t", b"", retain=False) for _ in range(3)]
        fourth = asyncio.create_task(connection.publish("t", b"", retain=False))
        done, _ = await asyncio.wait((fourth,), timeout=0.2)
        assert not done
        go_on.set()
        futures.append(await fourth)
        futures += [await connection.publish("t", b"", retain=False) for _ in range(20)]
        await asyncio.gather(*futures)
        assert publishes == 24


async def test_mosquittos_receive_maximum_is_obeyed(mosquitto_with: Callable[..., Mosquitto]) -> None:
    async with mosquitto_with(options=["max_inflight_messages 5"]) as broker:
        async with connect(mqtt_config(broker.port, protocol="5")) as connection:
            for number in range(300):
                await connection.publish(f"n/{number}", b"x", retain=True)
        assert len(await retained_on(broker.port)) == 300
        assert not broker.lines("disconnected due to")


async def test_the_brokers_keep_alive_is_used() -> None:
    """Mosquitto's max_keepalive is 10 s at least: this broker wants to hear of us every second."""
    timings = BrokerTimings(housekeeping_s=0.1)
    pings = asyncio.Event()

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, size = await reader.readexactly(2)
        await reader.readexactly(size)
        writer.write(bytes((0x20, 6, 0, 0, 3, 0x13, 0, 1)))
        while True:
            kind, _ = await reader.readexactly(2)
            if kind >> 4 == 12:
                pings.set()
                writer.write(b"\xd0\x00")

    async with (
        serving(behave) as port,
        connect(mqtt_config(port, protocol="5"), timings=timings),
        asyncio.timeout(20),
    ):
        await pings.wait()


async def test_the_brokers_largest_packet_is_known(mosquitto_with: Callable[..., Mosquitto]) -> None:
    async with (
        mosquitto_with(options=["max_packet_size 5000"]) as broker,
        connect(mqtt_config(broker.port, protocol="5")) as connection,
    ):
        assert connection.sizes.is_too_large(5_001)
        assert not connection.sizes.is_too_large(5_000)


async def test_an_mqtt_3_1_1_login_that_is_closed_names_the_qos(mosquitto_with: Callable[..., Mosquitto]) -> None:
    async with mosquitto_with(options=["max_qos 0"]) as broker:
        with pytest.raises(BrokerUnreachableError, match=r"mqtt\.qos: 0"):
            async with connect(mqtt_config(broker.port), will=_WILL):
                pytest.fail("a connection was made")
        await talks(mqtt_config(broker.port, qos=0))


async def test_a_broker_that_refuses_the_version_is_told_as_such() -> None:
    async with serving(connack(0x20, 2, 0, 1)) as port:
        assert await refusal(mqtt_config(port), BrokerError) == (
            "the broker does not speak MQTT 3.1.1; set mqtt.protocol to the other version"
        )
