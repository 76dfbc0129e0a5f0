"""The embedded broker against paho-mqtt, Mosquitto's clients, and clients that break the rules."""

import asyncio
import contextlib
import itertools
import logging
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from tests.simulator.closing_port import closes_what_comes_as_the_port_closes
from ts2mqtt.errors import BrokerError
from ts2mqtt.simulator.broker import EmbeddedBroker
from ts2mqtt.simulator.mqtt_connection import Limits
from ts2mqtt.simulator.mqtt_outbox import Delivery, Outbox
from ts2mqtt.simulator.mqtt_packets import Message, matches

PINGREQ, PINGRESP = b"\xc0\x00", (0xD0, b"")
DISCONNECT = b"\xe0\x00"
CLEAN, WILL, WILL_QOS_1, WILL_RETAIN, PASSWORD, USERNAME = 0x02, 0x04, 0x08, 0x20, 0x40, 0x80
DUP, QOS_1, QOS_2, RETAIN = 0x08, 0x02, 0x04, 0x01

needs_mosquitto_clients = pytest.mark.skipif(
    not (shutil.which("mosquitto_sub") and shutil.which("mosquitto_pub")),
    reason="mosquitto_sub and mosquitto_pub are not installed",
)


# Packets, put together here once more so that the broker's own codec is not its only witness.


def packet(first: int, body: bytes) -> bytes:
    header, length = bytearray((first,)), len(body)
    while length > 127:
        header.append(length & 127 | 128)
        length >>= 7
    header.append(length)
    return bytes(header) + body


def text(value: str | bytes) -> bytes:
    octets = value.encode() if isinstance(value, str) else value
    return len(octets).to_bytes(2, "big") + octets


def connect(
    client_id: str | bytes = "c",
    *,
    flags: int = CLEAN,
    keep_alive: int = 0,
    rest: bytes = b"",
    protocol: bytes = b"\x00\x04MQTT\x04",
) -> bytes:
    return packet(0x10, protocol + bytes((flags,)) + keep_alive.to_bytes(2, "big") + text(client_id) + rest)


def connect_with_will(client_id: str = "c", *, keep_alive: int = 0, flags: int = 0) -> bytes:
    return connect(client_id, flags=CLEAN | WILL | flags, keep_alive=keep_alive, rest=text("will") + text("gone"))


def subscribe(*filters: str | bytes, qos: int = 0, packet_id: int = 1) -> bytes:
    entries = b"".join(text(topic_filter) + bytes((qos,)) for topic_filter in filters)
    return packet(0x82, packet_id.to_bytes(2, "big") + entries)


def unsubscribe(*filters: str | bytes, packet_id: int = 1) -> bytes:
    return packet(0xA2, packet_id.to_bytes(2, "big") + b"".join(map(text, filters)))


def publish(topic: str | bytes, payload: bytes = b"", *, flags: int = 0, packet_id: int = 1) -> bytes:
    number = packet_id.to_bytes(2, "big") if flags & (QOS_1 | QOS_2) else b""
    return packet(0x30 | flags, text(topic) + number + payload)


def puback(packet_id: int) -> bytes:
    return packet(0x40, packet_id.to_bytes(2, "big"))


class RawClient:
    """A client that sends the bytes that it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, octets: bytes) -> None:
        self.writer.write(octets)

    async def receive(self) -> tuple[int, bytes]:
        """The first byte and the body of the next packet."""
        first = (await self.reader.readexactly(1))[0]
        length = shift = 0
        while True:
            byte = (await self.reader.readexactly(1))[0]
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return first, await self.reader.readexactly(length)

    async def ask(self, octets: bytes) -> tuple[int, bytes]:
        self.send(octets)
        return await self.receive()

    async def message(self) -> tuple[str, bytes, int]:
        """Topic, payload and the flags of the next message, which is acknowledged at QoS 1."""
        first, body = await self.receive()
        assert first >> 4 == 3, f"{first:#x} {body!r} is not a message"
        end = 2 + int.from_bytes(body[:2], "big")
        topic, payload, flags = body[2:end].decode(), body[end:], first & 15
        if flags & QOS_1:
            self.send(puback(int.from_bytes(payload[:2], "big")))
            payload = payload[2:]
        return topic, payload, flags

    async def is_closed(self) -> bool:
        """Waits for whatever comes next: True if that is the end."""
        try:
            return await self.reader.read(1) == b""
        except ConnectionResetError:
            return True


@asynccontextmanager
async def tcp_client(broker: EmbeddedBroker, receive_buffer: int | None = None) -> AsyncIterator[RawClient]:
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", broker.port))
    reader, writer = await asyncio.open_connection(sock=connection)
    try:
        yield RawClient(reader, writer)
    finally:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@asynccontextmanager
async def mqtt_client(
    broker: EmbeddedBroker, connect_packet: bytes = connect(), receive_buffer: int | None = None
) -> AsyncIterator[RawClient]:
    async with tcp_client(broker, receive_buffer) as client:
        assert await client.ask(connect_packet) == (0x20, b"\x00\x00")
        yield client


@asynccontextmanager
async def subscriber(
    broker: EmbeddedBroker, *filters: str, qos: int = 0, receive_buffer: int | None = None
) -> AsyncIterator[RawClient]:
    async with mqtt_client(broker, connect("subscriber"), receive_buffer) as client:
        assert await client.ask(subscribe(*filters, qos=qos)) == (0x90, b"\x00\x01" + bytes((qos,)) * len(filters))
        yield client


class PahoClient:
    """A paho-mqtt client with its own network thread; what it hears arrives in queues of the event loop."""

    def __init__(self, client_id: str = "", version: MQTTProtocolVersion = paho.MQTTv311) -> None:
        self._loop = asyncio.get_running_loop()
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id, protocol=version, reconnect_on_failure=False
        )
        self.messages: asyncio.Queue[tuple[str, bytes, int, bool]] = asyncio.Queue()
        self.connected: asyncio.Queue[ReasonCode] = asyncio.Queue()
        self.disconnected: asyncio.Queue[ReasonCode] = asyncio.Queue()
        self.granted: asyncio.Queue[list[int]] = asyncio.Queue()
        self.unsubscribed: asyncio.Queue[int] = asyncio.Queue()
        self.published: asyncio.Queue[int] = asyncio.Queue()
        self.client.on_message = lambda _client, _data, message: self._put(
            self.messages, (message.topic, message.payload, message.qos, message.retain)
        )
        self.client.on_connect = lambda _client, _data, _flags, reason, _properties: self._put(self.connected, reason)
        self.client.on_disconnect = lambda _client, _data, _flags, reason, _properties: self._put(
            self.disconnected, reason
        )
        self.client.on_subscribe = lambda _client, _data, _mid, reasons, _properties: self._put(
            self.granted, [reason.value for reason in reasons]
        )
        self.client.on_unsubscribe = lambda _client, _data, mid, _reasons, _properties: self._put(
            self.unsubscribed, mid
        )
        self.client.on_publish = lambda _client, _data, mid, _reason, _properties: self._put(self.published, mid)

    def _put(self, queue: asyncio.Queue[Any], item: object) -> None:
        self._loop.call_soon_threadsafe(queue.put_nowait, item)

    async def connect(self, broker: EmbeddedBroker) -> ReasonCode:
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        return await self.connected.get()

    async def subscribe(self, topic_filter: str, qos: int = 0) -> list[int]:
        self.client.subscribe(topic_filter, qos)
        return await self.granted.get()

    async def publish(self, topic: str, payload: bytes, qos: int = 1, *, retain: bool = False) -> None:
        """Returns when paho has sent the message (QoS 0) or the broker has acknowledged it (QoS 1)."""
        self.client.publish(topic, payload, qos, retain)
        await self.published.get()

    async def close(self) -> None:
        self.client.disconnect()
        await asyncio.to_thread(self.client.loop_stop)


@asynccontextmanager
async def paho_client(broker: EmbeddedBroker, client_id: str = "") -> AsyncIterator[PahoClient]:
    client = PahoClient(client_id)
    try:
        assert await client.connect(broker) == "Success"
        yield client
    finally:
        await client.close()


@pytest.fixture
async def broker() -> AsyncIterator[EmbeddedBroker]:
    async with EmbeddedBroker() as running:
        yield running


class TestMessages:
    @pytest.mark.parametrize("subscribed_qos", [0, 1, 2])
    @pytest.mark.parametrize("published_qos", [0, 1])
    async def test_arrive_with_the_lower_qos(
        self, broker: EmbeddedBroker, subscribed_qos: int, published_qos: int
    ) -> None:
        async with paho_client(broker) as listening, paho_client(broker) as telling:
            assert await listening.subscribe("rig/état", subscribed_qos) == [min(subscribed_qos, 1)]
            await telling.publish("rig/état", b"\x00\xffraw", published_qos)
            assert await listening.messages.get() == (
                "rig/état",
                b"\x00\xffraw",
                min(subscribed_qos, published_qos),
                False,
            )

    async def test_come_back_to_their_sender_on_3_1_1(self, broker: EmbeddedBroker) -> None:
        async with paho_client(broker) as client:
            await client.subscribe("#")
            await client.publish("a", b"1")
            assert await client.messages.get() == ("a", b"1", 0, False)

    async def test_arrive_once_with_the_highest_qos_where_filters_overlap(self, broker: EmbeddedBroker) -> None:
        async with subscriber(broker, "a/#") as client, paho_client(broker) as telling:
            await client.ask(subscribe("a/b", qos=1))
            await client.ask(subscribe("+/b"))
            await telling.publish("a/b", b"1")
            assert await client.message() == ("a/b", b"1", QOS_1)
            assert await client.ask(PINGREQ) == PINGRESP

    async def test_stop_after_unsubscribing(self, broker: EmbeddedBroker) -> None:
        async with paho_client(broker) as client:
            await client.subscribe("a")
            await client.subscribe("+/b")
            await client.subscribe("end")
            client.client.unsubscribe(["a", "+/b", "never subscribed"])
            await client.unsubscribed.get()
            for topic in ("a", "x/b", "end"):
                await client.publish(topic, b"")
            assert (await client.messages.get())[0] == "end"

    async def test_keep_their_order_among_thousands(self, broker: EmbeddedBroker) -> None:
        async with paho_client(broker) as listening, paho_client(broker) as telling:
            await listening.subscribe("count", 1)
            for number in range(2_000):
                telling.client.publish("count", number, qos=1)
            assert [int((await listening.messages.get())[1]) for _ in range(2_000)] == list(range(2_000))

    async def test_wait_for_acknowledgement(self) -> None:
        async with (
            EmbeddedBroker(limits=Limits(in_flight=2)) as broker,
            subscriber(broker, "a", qos=1) as client,
            mqtt_client(broker, connect("telling")) as telling,
        ):
            telling.send(publish("a", flags=QOS_1) * 3)
            assert await client.receive() == (0x32, b"\x00\x01a\x00\x01")
            assert await client.receive() == (0x32, b"\x00\x01a\x00\x02")
            client.send(puback(9))  # never given out
            assert await client.ask(PINGREQ) == PINGRESP, "more than two in flight"
            assert await client.ask(puback(2)) == (0x32, b"\x00\x01a\x00\x03")

    async def test_get_no_id_that_is_still_in_flight(self, broker: EmbeddedBroker) -> None:
        async with (
            subscriber(broker, "a", qos=1) as client,
            mqtt_client(broker, connect("telling")) as telling,
        ):
            telling.send(publish("a") + publish("a", flags=QOS_1) * 65_536)
            await client.message()
            received, packet_ids = b"", [0]
            while len(packet_ids) <= 65_536:
                received += await client.reader.read(65_536)
                whole = len(received) // 7 * 7
                new = [int.from_bytes(received[end - 2 : end], "big") for end in range(7, whole + 1, 7)]
                received, packet_ids = received[whole:], packet_ids + new
                client.send(b"".join(puback(packet_id) for packet_id in new if packet_id != 1))
            assert packet_ids == [*range(65_536), 2]

    async def test_are_understood_however_they_are_cut(self, broker: EmbeddedBroker) -> None:
        payload = b"x" * 200
        async with subscriber(broker, "a") as client:
            for octet in publish("a", payload):
                client.send(bytes((octet,)))
                await client.writer.drain()
            assert await client.message() == ("a", payload, 0)
            client.send(publish("a", b"1") + publish("a", b"2", flags=QOS_1 | DUP, packet_id=7) + PINGREQ)
            assert await client.receive() == (0x40, b"\x00\x07")
            assert await client.receive() == PINGRESP
            assert [await client.message(), await client.message()] == [("a", b"1", 0), ("a", b"2", 0)]

    async def test_may_be_as_long_as_the_limit_and_no_longer(self) -> None:
        async with (
            EmbeddedBroker(limits=Limits(packet_bytes=20_000)) as broker,
            subscriber(broker, "a") as client,
        ):
            client.send(publish("a", b"x" * 19_997))
            assert await client.message() == ("a", b"x" * 19_997, 0)
            client.send(publish("a", b"x" * 19_998))
            assert await client.is_closed()

    @pytest.mark.parametrize("size", [0, 124, 125, 16_380, 16_381, 1_000_000])
    async def test_of_every_length_arrive(self, broker: EmbeddedBroker, size: int) -> None:
        async with paho_client(broker) as client:
            await client.subscribe("a")
            await client.publish("a", b"x" * size)
            assert await client.messages.get() == ("a", b"x" * size, 0, False)

    async def test_with_qos_2_close_the_connection(self, broker: EmbeddedBroker) -> None:
        async with paho_client(broker) as client:
            client.client.publish("a", b"", qos=2, retain=True)
            assert (await client.disconnected.get()).is_failure
            assert not broker.retained


class TestRetained:
    async def test_flag_is_set_on_replay_only(self, broker: EmbeddedBroker) -> None:
        async with paho_client(broker) as early, paho_client(broker) as late:
            await early.subscribe("a/#", 1)
            await early.publish("a/b", b"1", retain=True)
            await early.publish("a/c", b"2", 0, retain=True)
            await early.publish("other", b"3", retain=True)
            assert await early.messages.get() == ("a/b", b"1", 1, False)
            await late.subscribe("a/+", 1)
            assert await late.messages.get() == ("a/b", b"1", 1, True)
            assert await late.messages.get() == ("a/c", b"2", 0, True)
            await early.publish("a/b", b"4", retain=True)
            assert await late.messages.get() == ("a/b", b"4", 1, False)
            assert dict(broker.retained) == {"a/b": b"4", "a/c": b"2", "other": b"3"}
            assert len(broker.retained) == 3

    async def test_is_cleared_by_an_empty_payload_that_others_hear(self, broker: EmbeddedBroker) -> None:
        async with paho_client(broker) as client:
            await client.subscribe("a")
            await client.publish("a", b"1", retain=True)
            await client.publish("a", b"", retain=True)
            await client.publish("never retained", b"", retain=True)
            assert [await client.messages.get(), await client.messages.get()] == [
                ("a", b"1", 0, False),
                ("a", b"", 0, False),
            ]
            assert "a" not in broker.retained
            async with subscriber(broker, "#") as late:
                assert await late.ask(PINGREQ) == PINGRESP

    async def test_is_not_touched_by_messages_without_the_flag(self, broker: EmbeddedBroker) -> None:
        async with paho_client(broker) as client:
            await client.publish("a", b"1", retain=True)
            await client.publish("a", b"2")
            await client.publish("a", b"")
            assert dict(broker.retained) == {"a": b"1"}

    @pytest.mark.parametrize("topic_filter", ["a/b", "#"])
    async def test_is_replayed_at_every_subscription(self, broker: EmbeddedBroker, topic_filter: str) -> None:
        async with paho_client(broker) as client:
            await client.publish("a/b", b"1", retain=True)
            for _ in range(2):
                await client.subscribe(topic_filter)
                assert await client.messages.get() == ("a/b", b"1", 0, True)

    async def test_is_replayed_only_for_the_filters_of_this_subscription(self, broker: EmbeddedBroker) -> None:
        async with paho_client(broker) as client:
            await client.publish("a", b"1", retain=True)
            await client.publish("b", b"2", retain=True)
            await client.subscribe("a")
            await client.messages.get()
            await client.subscribe("b")
            assert await client.messages.get() == ("b", b"2", 0, True)

    async def test_view_cannot_be_written(self, broker: EmbeddedBroker) -> None:
        assert not hasattr(broker.retained, "__setitem__")
        with pytest.raises(KeyError):
            broker.retained["absent"]


class TestTopicFilters:
    def test_match_as_those_of_paho(self) -> None:
        levels = ("", "a", "b", "$x")
        topics = ["/".join(parts) for n in (1, 2, 3) for parts in itertools.product(levels, repeat=n)]
        above = [parts for n in (0, 1, 2) for parts in itertools.product((*levels, "+"), repeat=n)]
        filters = ["/".join((*parts, last)) for parts in above for last in (*levels, "+", "#")]
        for topic_filter, topic in itertools.product(filter(None, filters), filter(None, topics)):
            assert matches(topic_filter, topic) == paho.topic_matches_sub(topic_filter, topic), (topic_filter, topic)

    @pytest.mark.parametrize("topic_filter", ["#", "+/a", "+/#"])
    async def test_do_not_mean_dollar_topics_by_a_wildcard(self, broker: EmbeddedBroker, topic_filter: str) -> None:
        async with paho_client(broker) as client:
            await client.publish("$own/a", b"1", retain=True)
            await client.subscribe(topic_filter)
            await client.publish("$own/a", b"2")
            await client.publish("other/a", b"3")
            assert await client.messages.get() == ("other/a", b"3", 0, False)
            await client.subscribe("$own/#")
            assert await client.messages.get() == ("$own/a", b"1", 0, True)


class TestLastWill:
    @pytest.mark.parametrize(
        "ending",
        [b"", b"\xf0\x00", connect(), publish("a", flags=QOS_2), b"\x30\xff\xff\xff\xff"],
        ids=["lost", "malformed", "second CONNECT", "QoS 2", "length"],
    )
    async def test_is_published_without_disconnect(self, broker: EmbeddedBroker, ending: bytes) -> None:
        async with subscriber(broker, "will") as client:
            async with mqtt_client(broker, connect_with_will(flags=WILL_RETAIN)) as dying:
                if ending:
                    dying.send(ending)
                    assert await dying.is_closed()
            assert await client.message() == ("will", b"gone", 0)
            assert dict(broker.retained) == {"will": b"gone"}
            assert broker.client_ids == {"subscriber"}, "messages pile up for a client that has gone"

    @pytest.mark.parametrize(("flags", "qos"), [(0, 0), (WILL_QOS_1, 1), (2 * WILL_QOS_1, 1)])
    async def test_has_its_qos_at_most_1_and_is_retained_only_if_asked(
        self, broker: EmbeddedBroker, flags: int, qos: int
    ) -> None:
        async with subscriber(broker, "will", qos=1) as client:
            async with mqtt_client(broker, connect_with_will(flags=flags)) as dying:
                dying.writer.write_eof()
                assert await dying.is_closed()
            assert await client.message() == ("will", b"gone", qos << 1)
            assert not broker.retained

    async def test_is_published_when_the_connection_is_reset(self, broker: EmbeddedBroker) -> None:
        async with subscriber(broker, "will") as client:
            async with mqtt_client(broker, connect_with_will()) as dying:
                connection = dying.writer.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            assert await client.message() == ("will", b"gone", 0)

    async def test_is_forgotten_on_disconnect(self, broker: EmbeddedBroker) -> None:
        async with subscriber(broker, "will") as client:
            async with mqtt_client(broker, connect_with_will()) as leaving:
                leaving.send(DISCONNECT + PINGREQ)
                assert await leaving.is_closed()
            assert await client.ask(PINGREQ) == PINGRESP

    async def test_is_published_one_and_a_half_keep_alives_after_the_last_packet(self) -> None:
        loop = asyncio.get_running_loop()
        async with (
            EmbeddedBroker(limits=Limits(connect_seconds=0.6)) as broker,
            subscriber(broker, "will") as client,
            mqtt_client(broker, connect_with_will(keep_alive=1)) as dying,
            tcp_client(broker) as clock,
        ):
            assert await clock.is_closed()
            assert await dying.ask(PINGREQ) == PINGRESP
            heard_at = loop.time()
            assert await client.message() == ("will", b"gone", 0)
            assert 1.4 < loop.time() - heard_at < 5
            assert await dying.is_closed()

    async def test_is_published_when_another_client_takes_over(self, broker: EmbeddedBroker) -> None:
        async with (
            subscriber(broker, "will") as client,
            mqtt_client(broker, connect_with_will("rig")) as earlier,
            mqtt_client(broker, connect("rig")) as later,
        ):
            assert await earlier.is_closed()
            assert await client.message() == ("will", b"gone", 0)
            assert await later.ask(subscribe("a")) == (0x90, b"\x00\x01\x00")
            client.send(publish("a", b"1"))
            assert await later.message() == ("a", b"1", 0)

    async def test_of_paho_is_published(self, broker: EmbeddedBroker) -> None:
        dying = PahoClient()
        dying.client.will_set("will", b"gone", qos=1, retain=True)
        async with subscriber(broker, "will", qos=1) as client:
            await dying.connect(broker)
            dying.client.publish("a", qos=2)
            assert await client.message() == ("will", b"gone", QOS_1)
        await dying.close()


class TestConnecting:
    @pytest.mark.parametrize(
        ("login", "reason"),
        [
            (None, "Not authorized"),
            (("user", "wrong"), "Bad user name or password"),
            (("user", None), "Bad user name or password"),
            (("other", "sécret"), "Bad user name or password"),
            (("user", "sécret"), "Success"),
        ],
    )
    async def test_needs_the_login(self, login: tuple[str, str | None] | None, reason: str) -> None:
        async with EmbeddedBroker(0, "user", "sécret") as broker:
            client = PahoClient()
            if login:
                client.client.username_pw_set(*login)
            assert await client.connect(broker) == reason
            await client.close()

    async def test_takes_any_login_when_none_is_set(self, broker: EmbeddedBroker) -> None:
        rest = text("any") + text("thing")
        async with mqtt_client(broker, connect(flags=CLEAN | USERNAME | PASSWORD, rest=rest)) as client:
            assert await client.ask(PINGREQ) == PINGRESP

    async def test_a_login_may_have_no_password(self) -> None:
        async with (
            EmbeddedBroker(username="user") as broker,
            mqtt_client(broker, connect(flags=CLEAN | USERNAME, rest=text("user"))) as client,
        ):
            assert await client.ask(PINGREQ) == PINGRESP

    async def test_with_mqtt_5_is_refused(self, broker: EmbeddedBroker) -> None:
        client = PahoClient(version=paho.MQTTv5)
        assert await client.connect(broker) == "Unsupported protocol version"
        await client.close()

    @pytest.mark.parametrize("protocol", [b"\x00\x04MQTT\x05", b"\x00\x06MQIsdp\x03", b"\x00\x04MQTT\x84"])
    async def test_with_another_version_is_refused(self, broker: EmbeddedBroker, protocol: bytes) -> None:
        async with tcp_client(broker) as client:
            assert await client.ask(connect(protocol=protocol, rest=b"whatever follows")) == (0x20, b"\x00\x01")
            assert await client.is_closed()

    async def test_without_a_client_id_needs_a_clean_session(self, broker: EmbeddedBroker) -> None:
        async with tcp_client(broker) as client:
            assert await client.ask(connect("", flags=0)) == (0x20, b"\x00\x02")
            assert await client.is_closed()
        async with mqtt_client(broker, connect("")) as one, mqtt_client(broker, connect("")) as other:
            assert await one.ask(PINGREQ) == await other.ask(PINGREQ) == PINGRESP

    async def test_with_an_old_session_finds_none(self, broker: EmbeddedBroker) -> None:
        for _ in range(2):
            async with mqtt_client(broker, connect(flags=0)) as client:
                assert await client.ask(subscribe("a", qos=1)) == (0x90, b"\x00\x01\x01")

    async def test_must_not_take_long(self) -> None:
        async with EmbeddedBroker(limits=Limits(connect_seconds=0.05)) as broker, tcp_client(broker) as client:
            client.send(connect()[:-1])
            assert await client.is_closed()

    async def test_may_then_be_silent_without_keep_alive(self) -> None:
        async with (
            EmbeddedBroker(limits=Limits(connect_seconds=0.05)) as broker,
            mqtt_client(broker) as client,
            tcp_client(broker) as silent,
        ):
            assert await silent.is_closed()
            assert await client.ask(PINGREQ) == PINGRESP


@pytest.mark.parametrize(
    "malformed",
    {
        "type 0": packet(0x00, b""),
        "type 15": packet(0xF0, b""),
        "a packet of brokers": packet(0x20, b"\x00\x00"),
        "PUBREL": packet(0x62, b"\x00\x01"),
        "endless length": b"\xc0\xff\xff\xff\xff\x01",
        "too long": b"\x30\xff\xff\xff\x7f",
        "second CONNECT": connect(),
        "PINGREQ with flags": packet(0xC1, b""),
        "PINGREQ with a body": packet(0xC0, b"x"),
        "DISCONNECT with a body": packet(0xE0, b"x"),
        "PUBACK without id": packet(0x40, b""),
        "PUBACK with id 0": puback(0),
        "PUBLISH without topic": packet(0x30, b""),
        "PUBLISH with half a topic": packet(0x30, b"\x00\x05ab"),
        "PUBLISH to the empty topic": publish(""),
        "PUBLISH to +": publish("a/+"),
        "PUBLISH to #": publish("#"),
        "PUBLISH to NUL": publish("a\0b"),
        "PUBLISH to no UTF-8": publish(b"\xff"),
        "PUBLISH to a surrogate": publish(b"\xed\xa0\x80"),
        "PUBLISH without id": packet(0x32, text("a")),
        "PUBLISH with id 0": publish("a", flags=QOS_1, packet_id=0),
        "PUBLISH with QoS 3": publish("a", flags=QOS_1 | QOS_2),
        "PUBLISH repeated with QoS 0": publish("a", flags=DUP),
        "SUBSCRIBE without flags": b"\x80" + subscribe("a")[1:],
        "SUBSCRIBE with id 0": subscribe("a", packet_id=0),
        "SUBSCRIBE to nothing": subscribe(),
        "SUBSCRIBE without QoS": subscribe("a")[:1] + b"\x05" + subscribe("a")[2:-1],
        "SUBSCRIBE with QoS 3": subscribe("a", qos=3),
        "SUBSCRIBE to the empty filter": subscribe(""),
        "SUBSCRIBE to a+": subscribe("a", "a+"),
        "SUBSCRIBE to a+/b": subscribe("a+/b"),
        "SUBSCRIBE to #/a": subscribe("#/a"),
        "SUBSCRIBE to a#": subscribe("a#"),
        "SUBSCRIBE to ##": subscribe("##"),
        "SUBSCRIBE to no UTF-8": subscribe(b"\xc3"),
        "UNSUBSCRIBE from nothing": unsubscribe(),
        "UNSUBSCRIBE from #/a": unsubscribe("a", "#/a"),
        "UNSUBSCRIBE without flags": b"\xa0" + unsubscribe("a")[1:],
    }.items(),
    ids=lambda named: named[0],
)
async def test_a_malformed_packet_closes_this_connection_alone(
    broker: EmbeddedBroker, malformed: tuple[str, bytes]
) -> None:
    async with subscriber(broker, "#") as bystander, mqtt_client(broker, connect("rude")) as client:
        client.send(malformed[1] + publish("too late", flags=RETAIN))
        assert await client.is_closed()
        assert await bystander.ask(PINGREQ) == PINGRESP
        assert not broker.retained


@pytest.mark.parametrize(
    "malformed",
    {
        "HTTP": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + b"x" * 100,
        "PINGREQ": PINGREQ,
        "another protocol": connect(protocol=b"\x00\x04AMQP\x04"),
        "no flags": packet(0x10, b"\x00\x04MQTT\x04"),
        "reserved flag": connect(flags=CLEAN | 1),
        "no client id": packet(0x10, b"\x00\x04MQTT\x04\x02\x00\x00"),
        "client id no UTF-8": connect(b"\xff"),
        "bytes too many": connect(rest=b"x"),
        "password without username": connect(flags=CLEAN | PASSWORD, rest=text("p")),
        "retain without will": connect(flags=CLEAN | WILL_RETAIN),
        "QoS without will": connect(flags=CLEAN | WILL_QOS_1),
        "will with QoS 3": connect_with_will(flags=3 * WILL_QOS_1),
        "will without payload": connect(flags=CLEAN | WILL, rest=text("will")),
        "will to a filter": connect(flags=CLEAN | WILL, rest=text("will/#") + text("")),
    }.items(),
    ids=lambda named: named[0],
)
async def test_a_malformed_connect_gets_no_answer(broker: EmbeddedBroker, malformed: tuple[str, bytes]) -> None:
    async with subscriber(broker, "#") as bystander, tcp_client(broker) as client:
        client.send(malformed[1])
        assert await client.is_closed()
        assert await bystander.ask(PINGREQ) == PINGRESP


class TestSlowReader:
    async def test_gets_every_retained_message_replayed(self) -> None:
        messages, payload = 5_000, b"x" * 4_000  # more than the sockets hold
        async with (
            EmbeddedBroker(limits=Limits(waiting_bytes=1)) as broker,
            mqtt_client(broker, connect("telling")) as telling,
        ):
            for number in range(messages):
                telling.send(publish(f"a/{number}", payload, flags=RETAIN))
            assert await telling.ask(PINGREQ) == PINGRESP
            async with subscriber(broker, "#", qos=1, receive_buffer=4_096) as slow:
                telling.send(publish("a/0", b"news", flags=RETAIN))
                assert await telling.ask(PINGREQ) == PINGRESP, "somebody waits for the slow reader"
                for number in range(messages):
                    assert await slow.message() == (f"a/{number}", payload, RETAIN)
                assert await slow.message() == ("a/0", b"news", 0)

    async def test_gets_the_latest_retained_messages_and_blocks_nobody(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        rounds, topics, payload = 20, 250, b"x" * 4_000
        async with (
            EmbeddedBroker(limits=Limits(waiting_bytes=2_000_000)) as broker,
            mqtt_client(broker, connect("fast")) as fast,
            subscriber(broker, "state/#", "event", receive_buffer=4_096) as slow,
        ):
            await fast.ask(subscribe("#"))
            for number in range(rounds):
                for topic in range(topics):
                    fast.send(publish(f"state/{topic}", b"%d " % number + payload, flags=RETAIN))
                fast.send(publish("event", b"%d" % number))
                for topic in range(topics):
                    assert (await fast.message())[0] == f"state/{topic}"
                assert await fast.message() == ("event", b"%d" % number, 0)
            heard = [await slow.message()]
            while not (heard[-1][0] == f"state/{topics - 1}" and heard[-1][1].startswith(b"%d " % (rounds - 1))):
                heard.append(await slow.message())
            assert await slow.ask(PINGREQ) == PINGRESP

            fast.send(publish("event", b"again"))
            assert await slow.message() == ("event", b"again", 0), "what comes after the jam arrives as ever"
        states: dict[str, list[int]] = {}
        for topic_name, content, _ in heard:
            states.setdefault(topic_name, []).append(int(content.split()[0]))
        events = states.pop("event")
        assert len(states) == topics
        assert all(numbers == sorted(set(numbers)) for numbers in (*states.values(), events))
        assert {numbers[-1] for numbers in states.values()} == {rounds - 1}
        dropped = rounds * (topics + 1) - len(heard)
        assert dropped > 0, "the limit was not reached"
        assert len(events) < rounds
        assert f"Client 'subscriber' read too slowly: {dropped} dropped" in caplog.text

    async def test_that_subscribes_again_and_again_is_closed(self) -> None:
        async with (
            EmbeddedBroker(limits=Limits(waiting_replays=5, in_flight=1)) as broker,
            mqtt_client(broker, connect("telling")) as telling,
        ):
            for number in range(10):
                telling.send(publish(f"a/{number}", b"x", flags=RETAIN | QOS_1))
                await telling.receive()
            async with subscriber(broker, "#", qos=1) as client:
                assert (await client.receive())[0] == 0x33
                client.send(subscribe("#"))
                assert await client.is_closed()
            async with subscriber(broker, "#", qos=1) as patient:
                for _ in range(10):
                    await patient.message()
                assert await patient.ask(subscribe("none")) == (0x90, b"\x00\x01\x00")

    @pytest.fixture
    async def impatient_broker(self) -> AsyncIterator[EmbeddedBroker]:
        """Has little room for what is not read, in itself and in its sockets."""
        async with EmbeddedBroker(limits=Limits(unread_bytes=100_000, socket_bytes=4_096)) as broker:
            yield broker

    async def test_of_its_answers_is_not_read_any_more(self, impatient_broker: EmbeddedBroker) -> None:
        """So the flood is silence to the keep-alive; if the broker read it, it would go on for ever."""
        async with (
            subscriber(impatient_broker, "will") as bystander,
            mqtt_client(impatient_broker, connect_with_will(keep_alive=1), receive_buffer=4_096) as client,
        ):

            async def flood() -> None:
                while True:
                    client.send(PINGREQ * 1_000)
                    await client.writer.drain()

            flooding = asyncio.create_task(flood())
            async with asyncio.timeout(10):
                assert await bystander.message() == ("will", b"gone", 0)
            with pytest.raises(ConnectionError):
                await flooding

    async def test_of_its_answers_is_read_again_when_it_has_read_them(self, impatient_broker: EmbeddedBroker) -> None:
        pings = 200_000
        async with mqtt_client(impatient_broker, receive_buffer=4_096) as client:
            client.send(PINGREQ * pings)
            assert await client.reader.readexactly(2 * pings) == b"\xd0\x00" * pings


class TestOutbox:
    """Live messages cost their payload, their topic and 200 bytes."""

    @staticmethod
    def live(topic: str, payload: bytes, *, retain: bool = True) -> Delivery:
        return Delivery(Message(topic, payload, 0, retain), 0, replayed=False)

    @staticmethod
    def all_of(outbox: Outbox) -> list[bytes]:
        payloads = []
        while delivery := outbox.first():
            payloads.append(delivery.message.payload)
            outbox.remove_first()
        return payloads

    def test_lets_no_message_overtake_an_earlier_one(self) -> None:
        outbox = Outbox(limit_bytes=300)
        for payload in (b"1", b"2", b"3", b"4"):
            outbox.add(self.live("a", payload))
        for _ in range(2):  # so that there is room again while 4 stands aside
            outbox.remove_first()
        outbox.add(self.live("a", b"5"))
        outbox.add(self.live("b", b"6"))
        assert self.all_of(outbox) == [b"5", b"6"]
        assert outbox.dropped == 2

    def test_drops_what_is_not_retained_beyond_the_limit_only(self) -> None:
        outbox = Outbox(limit_bytes=300)
        for payload in (b"1", b"2", b"3"):
            outbox.add(self.live("a", payload, retain=False))
        assert self.all_of(outbox) == [b"1", b"2"]
        assert outbox.dropped == 1

    def test_limit_counts_no_replays(self) -> None:
        outbox = Outbox(limit_bytes=1)
        message = Message("a", b"0", 0, retain=True)
        for _ in range(2):
            outbox.replay([Delivery(message, 0, replayed=True)] * 3)
            outbox.add(self.live("a", b"1", retain=False))
            outbox.add(self.live("a", b"2", retain=False))
            assert outbox.replays == 3
            assert self.all_of(outbox) == [b"0", b"0", b"0", b"1"]
            assert outbox.replays == 0


class TestLife:
    async def test_restart_forgets(self, broker: EmbeddedBroker) -> None:
        port = broker.port
        async with mqtt_client(broker) as client:
            await client.ask(publish("a", b"1", flags=RETAIN | QOS_1))
            await broker.stop()
            assert await client.is_closed()
        await broker.start()
        assert broker.port == port
        async with subscriber(broker, "#") as client:
            assert await client.ask(PINGREQ) == PINGRESP
        assert not broker.retained

    async def test_restart_can_keep_what_is_retained(self, broker: EmbeddedBroker) -> None:
        async with mqtt_client(broker) as client:
            await client.ask(publish("a", b"1", flags=RETAIN | QOS_1))
        await broker.stop()
        assert dict(broker.retained) == {"a": b"1"}
        await broker.start(keep_retained=True)
        async with subscriber(broker, "#") as client:
            assert await client.message() == ("a", b"1", RETAIN)

    @pytest.mark.parametrize("publish_wills", [True, False])
    async def test_stop_publishes_wills_if_asked(self, broker: EmbeddedBroker, publish_wills: bool) -> None:
        async with (
            subscriber(broker, "will") as client,
            mqtt_client(broker, connect_with_will(flags=WILL_RETAIN)) as dying,
        ):
            await broker.stop(publish_wills=publish_wills)
            if publish_wills:
                assert await client.message() == ("will", b"gone", 0)
            assert await client.is_closed()
            assert await dying.is_closed()
        assert dict(broker.retained) == ({"will": b"gone"} if publish_wills else {})

    async def test_stop_refuses_new_connections_and_may_be_repeated(self, broker: EmbeddedBroker) -> None:
        await broker.stop()
        await broker.stop()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", broker.port)

    @pytest.mark.parametrize("turns", range(10))
    async def test_stop_closes_a_connection_at_every_step_of_its_making(
        self, broker: EmbeddedBroker, turns: int
    ) -> None:
        with socket.create_connection(("127.0.0.1", broker.port), timeout=10) as connection:
            for _ in range(turns):
                await asyncio.sleep(0)
            await broker.stop()
            with contextlib.suppress(ConnectionResetError):
                assert await asyncio.to_thread(connection.recv, 1) == b""

    async def test_stop_closes_a_connection_that_comes_as_the_port_closes(self, broker: EmbeddedBroker) -> None:
        assert await closes_what_comes_as_the_port_closes(broker.port, broker.stop())

    async def test_a_busy_port_is_told(self, broker: EmbeddedBroker) -> None:
        with pytest.raises(
            BrokerError, match=rf"port {broker.port} of 127\.0\.0\.1 \(another program listens there\)"
        ):
            await EmbeddedBroker(broker.port).start()

    async def test_an_impossible_port_is_told(self) -> None:
        with pytest.raises(BrokerError, match="port 70000"):
            await EmbeddedBroker(70_000).start()

    async def test_a_running_broker_does_not_start(self, broker: EmbeddedBroker) -> None:
        with pytest.raises(BrokerError, match="runs already"):
            await broker.start()

    def test_a_password_needs_a_username(self) -> None:
        with pytest.raises(BrokerError, match="without a username"):
            EmbeddedBroker(password="secret")  # noqa: S106 - of nothing

    async def test_others_cannot_reach_it(self, broker: EmbeddedBroker) -> None:
        # An address of this machine too: a broker that listens on all of them would answer.
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.2", broker.port)


@needs_mosquitto_clients
class TestMosquittoClients:
    @staticmethod
    async def run(program: str, broker: EmbeddedBroker, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            program,
            *("-h", "127.0.0.1", "-p", str(broker.port)),
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def output(self, program: str, broker: EmbeddedBroker, *arguments: str) -> tuple[int | None, str]:
        process = await self.run(program, broker, *arguments)
        output, _ = await process.communicate()
        return process.returncode, output.decode()

    @pytest.mark.parametrize("qos", ["0", "1"])
    async def test_publish_and_subscribe(self, broker: EmbeddedBroker, qos: str) -> None:
        published = await self.output("mosquitto_pub", broker, "-t", "a/b", "-m", "value", "-r", "-q", qos)
        assert published == (0, "")
        heard = await self.output("mosquitto_sub", broker, "-t", "+/#", "-q", "2", "-C", "1", "-F", "%t %q %r %p")
        assert heard == (0, f"a/b {qos} 1 value\n")

    async def test_hear_live_messages_and_leave_a_will_when_killed(self, broker: EmbeddedBroker) -> None:
        will = ("--will-topic", "will", "--will-payload", "gone", "--will-qos", "1", "--will-retain")
        async with subscriber(broker, "will") as client:
            process = await self.run("mosquitto_sub", broker, "-t", "#", *will)
            assert process.stdout
            client.send(publish("a", b"replayed", flags=RETAIN))
            assert await process.stdout.readline() == b"replayed\n"
            client.send(publish("a", b"live"))
            assert await process.stdout.readline() == b"live\n"
            process.kill()
            assert await client.message() == ("will", b"gone", 0)
            await process.communicate()

    async def test_get_thousands_of_retained_messages(self, broker: EmbeddedBroker) -> None:
        async with mqtt_client(broker) as client:
            for number in range(5_000):
                client.send(publish(f"a/{number}", b"%d" % number, flags=RETAIN))
            assert await client.ask(PINGREQ) == PINGRESP
        heard = await self.output("mosquitto_sub", broker, "-t", "#", "-q", "1", "-C", "5000")
        assert heard == (0, "".join(f"{number}\n" for number in range(5_000)))

    async def test_are_told_why_they_are_refused(self) -> None:
        async with EmbeddedBroker(username="user", password="secret") as broker:  # noqa: S106 - of nothing
            told = {
                arguments: await self.output("mosquitto_pub", broker, "-t", "a", "-m", "1", *arguments)
                for arguments in [(), ("-u", "user", "-P", "wrong"), ("-u", "user", "-P", "secret"), ("-V", "5")]
            }
        assert told[()][0] == 5
        assert "Connection Refused: not authorised" in told[()][1]
        assert told["-u", "user", "-P", "wrong"][0] == 4
        assert "Connection Refused: bad user name or password" in told["-u", "user", "-P", "wrong"][1]
        assert told["-u", "user", "-P", "secret"] == (0, "")
        assert told["-V", "5"][0] != 0
