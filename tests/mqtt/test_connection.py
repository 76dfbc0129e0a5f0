"""The connection to a broker: every way in, every refusal in words, publishes that are known to have arrived."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.check.peers import expired
from tests.support.mosquitto import Mosquitto, free_port
from tests.support.observer import observing, retained_on
from tests.support.odd_server import serving
from tests.support.running import mqtt_config
from tests.support.websocket_gate import websocket_gate
from ts2mqtt.config import TlsConfig
from ts2mqtt.errors import BrokerError, BrokerUnreachableError, LoginRefusedError, PublishRefusedError
from ts2mqtt.mqtt.connection import connect
from ts2mqtt.mqtt.message import Received, Will
from ts2mqtt.timing import BrokerTimings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.conftest import AnyBroker
    from tests.support.certificates import Certificates
    from tests.support.observer import Observer
    from ts2mqtt.config import MqttConfig
    from ts2mqtt.mqtt.connection import Connection

_ECHO = "echo"


async def echo(connection: Connection, payload: bytes = b"here") -> Received:
    """A message that goes to the broker and comes back."""
    await connection.subscribe([_ECHO])
    await (await connection.publish(_ECHO, payload, retain=False))
    return await next_message(connection)


async def next_message(connection: Connection) -> Received:
    async with asyncio.timeout(10):
        return await anext(aiter(connection.received()))


async def talks(config: MqttConfig) -> None:
    async with connect(config) as connection:
        assert await echo(connection) == Received(_ECHO, b"here", retain=False)


async def refusal(
    config: MqttConfig, kind: type[Exception] = BrokerUnreachableError, timings: BrokerTimings = BrokerTimings()
) -> str:
    """What is said when no connection can be made."""
    with pytest.raises(kind) as caught:
        async with connect(config, timings=timings):
            pytest.fail("a connection was made")
    assert type(caught.value) is kind
    return str(caught.value)


async def test_it_talks_mqtt_3_1_1(broker: AnyBroker) -> None:
    await talks(mqtt_config(broker.port))


async def test_it_talks_mqtt_5(mosquitto: Mosquitto) -> None:
    await talks(mqtt_config(mosquitto.port, protocol="5"))


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_it_talks_through_websockets(mosquitto: Mosquitto, protocol: str) -> None:
    async with websocket_gate(mosquitto.port, "/broker") as gate:
        config = mqtt_config(gate.port, protocol=protocol, transport="websockets", websocket_path="/broker")
        async with connect(config) as connection:
            # Of more than one read, and more than one frame.
            assert (await echo(connection, b"x" * 200_000)).payload == b"x" * 200_000
        assert gate.paths == ["/broker"]


async def test_a_wrong_websocket_path_is_told(mosquitto: Mosquitto) -> None:
    async with websocket_gate(mosquitto.port, "/broker") as gate:
        said = await refusal(mqtt_config(gate.port, transport="websockets"))
        assert f"no broker at 127.0.0.1:{gate.port} (the web server answers 404 for the WebSocket /mqtt)" in said
        assert "mqtt.websocket_path" in said
    for thread in threading.enumerate():
        if thread.name == "mqtt-connect":
            thread.join()
    gc.collect()


async def test_a_websocket_that_is_sent_elsewhere_says_where() -> None:
    async def web_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 301 Moved Permanently\r\nLocation: https://me:secret@broker.example/ws?key=secret\r\n"
            b"Content-Length: 0\r\n\r\n"
        )

    async with serving(web_server) as port:
        said = await refusal(mqtt_config(port, transport="websockets"))
        assert "answers 301 for the WebSocket /mqtt and sends to https://broker.example/ws)" in said
        assert "secret" not in said
    gc.collect()


async def test_an_expired_certificate_is_told_as_such(
    mosquitto_with: Callable[..., Mosquitto], certificates: Certificates, tmp_path: Path
) -> None:
    async with mosquitto_with(tls=expired(certificates, tmp_path)) as broker:
        tls = TlsConfig(enabled=True, ca_file=certificates.ca)
        said = await refusal(mqtt_config(broker.port, tls=tls), BrokerError)
        assert f"the certificate of 127.0.0.1:{broker.port} has expired; renew it there" in said
        assert "ca_file" not in said


async def test_it_talks_to_a_broker_with_its_own_websocket_listener(mosquitto_with: Callable[..., Mosquitto]) -> None:
    port = free_port()
    broker = mosquitto_with(options=[f"listener {port} 127.0.0.1", "protocol websockets"])
    try:
        await broker.start()
    except AssertionError:
        pytest.skip("this Mosquitto is built without WebSocket; the gate stands in for it")
    try:
        await talks(mqtt_config(port, transport="websockets"))
    finally:
        await broker.stop()


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_it_talks_tls_with_the_brokers_authority(
    mosquitto_with: Callable[..., Mosquitto], certificates: Certificates, protocol: str
) -> None:
    async with mosquitto_with(tls=certificates) as broker:
        tls = TlsConfig(enabled=True, ca_file=certificates.ca)
        async with connect(mqtt_config(broker.port, protocol=protocol, tls=tls)) as connection:
            # More than a TLS record, more than a read.
            assert (await echo(connection, b"x" * 300_000)).payload == b"x" * 300_000


async def test_a_certificate_of_a_foreign_authority_is_refused_in_words(
    mosquitto_with: Callable[..., Mosquitto], certificates: Certificates
) -> None:
    async with mosquitto_with(tls=certificates) as broker:
        for tls in (TlsConfig(enabled=True, ca_file=certificates.other_ca), TlsConfig(enabled=True)):
            said = await refusal(mqtt_config(broker.port, tls=tls), BrokerError)
            assert "not trusted: its authority is one that this machine does not know" in said
            assert "mqtt.tls.ca_file" in said


async def test_a_certificate_for_another_host_is_refused_unless_nobody_checks(
    mosquitto_with: Callable[..., Mosquitto], certificates: Certificates
) -> None:
    async with mosquitto_with(tls=certificates.of_a_stranger()) as broker:
        tls = TlsConfig(enabled=True, ca_file=certificates.ca)
        said = await refusal(mqtt_config(broker.port, tls=tls), BrokerError)
        assert f"the certificate of 127.0.0.1:{broker.port} is for another name" in said
        assert "have '127.0.0.1' put into it" in said
        assert "ca_file" not in said
        await talks(mqtt_config(broker.port, tls=TlsConfig(enabled=True, insecure=True)))


async def test_a_certificate_is_for_the_brokers_name_though_its_address_is_looked_up_first(
    mosquitto_with: Callable[..., Mosquitto], certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo

    def know_the_broker(host: str, *arguments: Any, **options: Any) -> Any:
        asked.append(host)
        return look_up("127.0.0.1" if host == "broker.example" else host, *arguments, **options)

    asked: list[str] = []
    monkeypatch.setattr(socket, "getaddrinfo", know_the_broker)
    async with mosquitto_with(tls=certificates.of_a_stranger()) as broker:
        tls = TlsConfig(enabled=True, ca_file=certificates.ca)
        await talks(mqtt_config(broker.port, tls=tls).model_copy(update={"host": "broker.example"}))
    # Once, by the event loop: paho is told the address.
    assert asked.count("broker.example") == 1


async def test_a_broker_with_several_addresses_is_reached_at_the_one_that_answers(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo

    def know_two_addresses(host: str, port: int, *arguments: Any, **options: Any) -> Any:
        if host != "broker.example":
            return look_up(host, port, *arguments, **options)
        # Nobody listens at the first one: Mosquitto has 127.0.0.1 alone.
        return [entry for address in ("127.0.0.9", "127.0.0.1") for entry in look_up(address, port, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", know_two_addresses)
    await talks(mqtt_config(mosquitto.port).model_copy(update={"host": "broker.example"}))


async def test_a_broker_that_asks_for_a_client_certificate_gets_it(
    mosquitto_with: Callable[..., Mosquitto], certificates: Certificates
) -> None:
    async with mosquitto_with(tls=certificates, client_certificates=True) as broker:
        without = TlsConfig(enabled=True, ca_file=certificates.ca)
        await refusal(mqtt_config(broker.port, tls=without))
        await talks(
            mqtt_config(
                broker.port,
                tls=TlsConfig(
                    enabled=True,
                    ca_file=certificates.ca,
                    cert_file=certificates.client,
                    key_file=certificates.client_key,
                ),
            )
        )


@pytest.mark.parametrize("keys", [{"ca_file": "garbage"}, {"cert_file": "garbage"}, {"ca_file": "missing"}])
async def test_tls_files_that_cannot_be_used_are_told(tmp_path: Path, keys: dict[str, str]) -> None:
    (tmp_path / "garbage").write_text("no certificate")
    tls = TlsConfig(enabled=True, **{key: tmp_path / name for key, name in keys.items()})  # type: ignore[arg-type]
    assert "check mqtt.tls" in await refusal(mqtt_config(1, tls=tls), BrokerError)


async def test_tls_towards_a_port_without_it_is_told(mosquitto: Mosquitto) -> None:
    said = await refusal(mqtt_config(mosquitto.port, tls=TlsConfig(enabled=True)))
    assert f"127.0.0.1:{mosquitto.port}" in said


async def test_a_port_with_tls_that_is_approached_without_is_told(
    mosquitto_with: Callable[..., Mosquitto], certificates: Certificates
) -> None:
    async with mosquitto_with(tls=certificates) as broker:
        assert "TLS" in await refusal(mqtt_config(broker.port))


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_a_refused_login_says_what_to_check(mosquitto_with: Callable[..., Mosquitto], protocol: str) -> None:
    async with mosquitto_with(users={"rig": "right"}) as broker:
        await talks(mqtt_config(broker.port, protocol=protocol, username="rig", password="right"))  # noqa: S106
        logins: tuple[dict[str, Any], ...] = ({}, {"username": "rig"}, {"username": "rig", "password": "wrong"})
        for login in logins:
            said = await refusal(mqtt_config(broker.port, protocol=protocol, **login), LoginRefusedError)
            assert "check mqtt.username, mqtt.password" in said
            assert "wrong" not in said


async def test_a_broker_without_mqtt_5_is_told(broker: AnyBroker) -> None:
    if isinstance(broker, Mosquitto):
        pytest.skip("Mosquitto speaks MQTT 5")
    said = await refusal(mqtt_config(broker.port, protocol="5"), BrokerError)
    assert "set mqtt.protocol" in said


async def test_a_closed_port_is_told_with_its_address() -> None:
    port = free_port()
    assert f"no broker at 127.0.0.1:{port}" in await refusal(mqtt_config(port))


async def test_a_broker_that_is_too_busy_is_told() -> None:
    async with serving(connack(0x20, 2, 0, 3)) as port:
        assert "Server unavailable" in await refusal(mqtt_config(port))


@pytest.mark.parametrize(
    ("reason", "kind", "words"),
    [
        (0x84, BrokerError, "set mqtt.protocol"),
        (0x85, LoginRefusedError, "the client id"),
        (0x87, LoginRefusedError, "the login"),
        (0x8A, LoginRefusedError, "this client"),
        (0x9A, BrokerError, "does not keep retained messages"),
        (0x97, BrokerUnreachableError, "Quota exceeded"),
    ],
)
async def test_refusals_of_mqtt_5_are_told_in_words(reason: int, kind: type[Exception], words: str) -> None:
    async with serving(connack(0x20, 3, 0, reason, 0)) as port:
        assert words in await refusal(mqtt_config(port, protocol="5"), kind)


async def test_a_second_answer_to_the_login_changes_nothing() -> None:
    async with serving(connack(0x20, 2, 0, 0, 0x20, 2, 0, 5)) as port, connect(mqtt_config(port)) as connection:
        await connection.publish("topic", b"", retain=False)


async def test_a_host_that_does_not_exist_is_told() -> None:
    config = mqtt_config(1883).model_copy(update={"host": "broker.invalid"})
    said = await refusal(config)
    assert "no broker at broker.invalid:1883: its name cannot be looked up" in said
    assert "check mqtt.host and the name server" in said


async def test_a_port_that_accepts_and_never_answers_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        config = mqtt_config(silent.getsockname()[1])
        said = await refusal(config, timings=BrokerTimings(connect_timeout_s=0.3))
        assert "never answered; is it an MQTT broker?" in said


async def test_a_port_that_speaks_another_protocol_is_told() -> None:
    async def web_server(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with serving(web_server) as port:
        assert "closed the connection instead of answering" in await refusal(mqtt_config(port))


async def test_a_connect_that_is_given_up_ends_its_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connecting = asyncio.create_task(talks(mqtt_config(silent.getsockname()[1])))
        accepted, _ = await asyncio.to_thread(silent.accept)
        with accepted:
            connecting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await connecting
            accepted.settimeout(10)
            while await asyncio.to_thread(accepted.recv, 1_000):
                pass


async def test_a_connection_that_comes_about_when_nobody_waits_for_it_any_more_is_ended(mosquitto: Mosquitto) -> None:
    async with websocket_gate(mosquitto.port) as gate:
        gate.is_open.clear()
        connecting = asyncio.create_task(talks(mqtt_config(gate.port, transport="websockets")))
        await gate.asked.wait()
        connecting.cancel()
        await asyncio.wait((connecting,))
        gate.is_open.set()
        await mosquitto.says("Client ts2mqtt disconnected.")


async def test_received_messages_tell_whether_the_broker_had_kept_them(broker: AnyBroker) -> None:
    async with observing(broker.port) as other, connect(mqtt_config(broker.port)) as connection:
        await other.publish("kept", "before", retain=True)
        await connection.subscribe(["kept"])
        assert await next_message(connection) == Received("kept", b"before", retain=True)
        await other.publish("kept", "after", retain=True)
        assert await next_message(connection) == Received("kept", b"after", retain=False)


async def test_after_unsubscribing_nothing_more_arrives(broker: AnyBroker) -> None:
    async with connect(mqtt_config(broker.port)) as connection:
        await connection.subscribe(["a", "b"])
        await connection.unsubscribe(["a"])
        for topic in ("a", "b"):
            await connection.publish(topic, b"", retain=False)
        assert (await next_message(connection)).topic == "b"


async def test_with_mqtt_5_ones_own_echo_can_be_left_out(mosquitto: Mosquitto) -> None:
    async with (
        observing(mosquitto.port) as other,
        connect(mqtt_config(mosquitto.port, protocol="5")) as connection,
    ):
        await connection.subscribe(["topic"], echo=False)
        await (await connection.publish("topic", b"own", retain=False))
        await other.publish("topic", "other")
        assert (await next_message(connection)).payload == b"other"


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
@pytest.mark.parametrize("qos", [0, 1])
async def test_many_publishes_at_once_arrive_in_their_order(
    mosquitto: Mosquitto, observer: Observer, protocol: str, qos: int
) -> None:
    count = 900
    async with connect(mqtt_config(mosquitto.port, protocol=protocol, qos=qos)) as connection:
        for number in range(count):
            await connection.publish(f"n/{number}", b"%d" % number, retain=True)
        await connection.drain()
    await observer.wait_until(lambda: len(observer.seen) == count)
    assert [int(seen.payload) for seen in observer.seen] == list(range(count))


async def test_a_goodbye_waits_for_what_is_in_flight(broker: AnyBroker) -> None:
    async with connect(mqtt_config(broker.port)) as connection:
        for number in range(150):
            await connection.publish(f"n/{number}", b"x", retain=True)
    assert len(await retained_on(broker.port)) == 150


async def test_a_publish_that_nobody_waits_for_any_more_holds_no_goodbye_up(mosquitto: Mosquitto) -> None:
    async with connect(mqtt_config(mosquitto.port)) as connection:
        mosquitto.freeze()
        given_up = await connection.publish("topic", b"x", retain=True)
        given_up.cancel()
        async with asyncio.timeout(5):
            await connection.drain()


async def test_a_goodbye_does_not_wait_for_ever_for_what_is_in_flight() -> None:
    timings = BrokerTimings(goodbye_s=0.05)
    async with serving(connack(0x20, 2, 0, 0)) as port, asyncio.timeout(10):
        async with connect(mqtt_config(port), timings=timings) as connection:
            published = await connection.publish("topic", b"x", retain=True)
        with pytest.raises(BrokerUnreachableError):
            await published


async def test_a_goodbye_leaves_no_last_will_and_a_broken_connection_does(broker: AnyBroker) -> None:
    will = Will("status", b"offline")
    async with observing(broker.port) as observer:
        async with connect(mqtt_config(broker.port, client_id="one"), will=will) as connection:
            await echo(connection)
        await observer.catch_up()
        assert "status" not in observer.held
        # The same client id again: the broker ends the earlier connection.
        one = mqtt_config(broker.port, client_id="one")
        async with connect(one, will=will), connect(one):
            await observer.wait_for("status", b"offline")
        assert (await retained_on(broker.port))["status"] == b"offline"


async def test_whatever_waits_on_a_connection_that_breaks_is_told(mosquitto: Mosquitto) -> None:
    async with connect(mqtt_config(mosquitto.port)) as connection:
        mosquitto.freeze()
        published = await connection.publish("topic", b"x", retain=True)
        waiting = [
            asyncio.ensure_future(work)
            for work in (
                published,
                next_message(connection),
                connection.drain(),
                connection.subscribe(["topic"]),
                connection.unsubscribe(["topic"]),
            )
        ]
        await asyncio.sleep(0)
        await mosquitto.kill()
        for work in waiting:
            with pytest.raises(BrokerUnreachableError):
                await work
        with pytest.raises(BrokerUnreachableError):
            await connection.publish("topic", b"x", retain=True)
        with pytest.raises(BrokerUnreachableError):
            await connection.subscribe(["topic"])
        with pytest.raises(BrokerUnreachableError):
            await connection.drain()


async def test_a_publisher_that_waits_for_room_is_told_when_the_connection_breaks(mosquitto: Mosquitto) -> None:
    async def publish_many(connection: Connection) -> None:
        while True:
            await connection.publish("topic", b"x", retain=True)

    async with connect(mqtt_config(mosquitto.port)) as connection:
        mosquitto.freeze()
        publishing = asyncio.create_task(publish_many(connection))
        done, _ = await asyncio.wait((publishing,), timeout=0.2)
        assert not done
        await mosquitto.kill()
        with pytest.raises(BrokerUnreachableError):
            await publishing


async def test_a_subscription_that_is_never_agreed_to_does_not_wait_for_ever() -> None:
    # The login has to be answered within this time too.
    timings = BrokerTimings(connect_timeout_s=1.0)
    async with (
        serving(connack(0x20, 2, 0, 0)) as port,
        connect(mqtt_config(port), timings=timings) as connection,
    ):
        with pytest.raises(BrokerUnreachableError, match="does not answer a subscription"):
            await connection.subscribe(["topic"])


async def test_a_broker_that_forgets_to_acknowledge_is_left() -> None:
    """It may be lively otherwise: nothing else would ever show it."""
    timings = BrokerTimings(acknowledged_within_s=0.2, housekeeping_s=0.05)
    async with (
        serving(connack(0x20, 2, 0, 0)) as port,
        connect(mqtt_config(port), timings=timings) as connection,
    ):
        published = await connection.publish("topic", b"x", retain=True)
        with pytest.raises(BrokerUnreachableError, match=r"not acknowledged a message within 0\.2 s"):
            async with asyncio.timeout(10):
                await published
        with pytest.raises(BrokerUnreachableError):
            await next_message(connection)


async def test_what_mqtt_5_refuses_to_keep_is_told(mosquitto_with: Callable[..., Mosquitto]) -> None:
    broker = mosquitto_with(acl=["topic readwrite allowed/#"])
    async with broker, connect(mqtt_config(broker.port, protocol="5")) as connection:
        with pytest.raises(PublishRefusedError, match="Not authorized"):
            await (await connection.publish("forbidden", b"x", retain=True))
        await (await connection.publish("allowed/x", b"x", retain=True))


async def test_a_subscription_that_is_refused_is_told() -> None:
    """Mosquitto agrees to every filter; other brokers do not."""
    async with serving(odd_broker) as port, connect(mqtt_config(port)) as connection:
        with pytest.raises(BrokerError, match=r"subscribe to 'forbidden' .*access rules"):
            await connection.subscribe(["forbidden"])


async def test_a_topic_that_is_no_text_is_passed_over() -> None:
    """It must not end the connection; a small broker may let it through."""
    async with serving(odd_broker) as port, connect(mqtt_config(port)) as connection:
        await (await connection.publish("please/send", b"", retain=False))
        assert (await next_message(connection)).topic == "fine"


async def test_a_silent_connection_is_kept_alive(mosquitto: Mosquitto) -> None:
    config = mqtt_config(mosquitto.port).model_copy(update={"keepalive": 1.0})
    async with connect(config):
        await mosquitto.says("PINGREQ", after=1)
        assert not mosquitto.lines("exceeded timeout")


async def test_a_broker_that_no_longer_answers_is_left_after_the_keepalive(mosquitto: Mosquitto) -> None:
    config = mqtt_config(mosquitto.port).model_copy(update={"keepalive": 1.0})
    async with connect(config) as connection:
        mosquitto.freeze()
        with pytest.raises(BrokerUnreachableError):
            await next_message(connection)
        mosquitto.thaw()


async def odd_broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Refuses every subscription, and answers a publish with a topic that is no UTF-8 and one that is."""
    while True:
        kind, size = await reader.readexactly(2)
        body = await reader.readexactly(size)
        if kind >> 4 == 1:  # CONNECT
            writer.write(b"\x20\x02\x00\x00")
        elif kind >> 4 == 8:  # SUBSCRIBE
            writer.write(b"\x90\x03%b\x80" % body[:2])
        elif kind >> 4 == 3:  # PUBLISH
            topic_size = int.from_bytes(body[:2], "big")
            writer.write(b"\x30\x04\x00\x02\xff\xfe\x30\x06\x00\x04fine")
            writer.write(b"\x40\x02%b" % body[2 + topic_size : 4 + topic_size])


def connack(*octets: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """A broker that answers a login with this and no more."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, size = await reader.readexactly(2)
        await reader.readexactly(size)
        writer.write(bytes(octets))
        await reader.read()

    return behave
