"""The port of N.I.N.A.: socket and REST, over real connections of 127.0.0.1."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus, InvalidUpgrade

from tests.simulator.nina.conftest import START, busy
from ts2mqtt.errors import Ts2mqttError
from ts2mqtt.simulator.faults import Fault
from ts2mqtt.simulator.nina.faults import LiveFault
from ts2mqtt.simulator.nina.server import NinaServer
from ts2mqtt.timing import PacedClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from websockets.asyncio.client import ClientConnection

    from ts2mqtt.simulator.observatory import SimulatedObservatory

HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: rig\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
)


@pytest.fixture
async def server(observatory: SimulatedObservatory) -> AsyncIterator[NinaServer]:
    """Without a clock: a test sends what is due."""
    async with NinaServer(observatory) as server:
        yield server


@pytest.fixture
async def client(server: NinaServer) -> AsyncIterator[ClientConnection]:
    async with connect(server.socket_url, max_size=None) as client:
        yield client


async def announce(server: NinaServer, *events: str) -> None:
    for event in events:
        server.nina.announce(event)
    await server.send_due()


async def names(client: ClientConnection, number: int) -> list[str]:
    return [json.loads(await client.recv())["Response"]["Event"] for _ in range(number)]


async def raw_socket(
    server: NinaServer, more: str = "", path: str = "/v2/socket"
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
    """A connection of bytes, and the head of the answer to its handshake."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(HANDSHAKE.format(path=path, more=more).encode())
    return reader, writer, await reader.readuntil(b"\r\n\r\n")


async def test_every_client_gets_every_event(server: NinaServer) -> None:
    async with connect(server.socket_url) as one, connect(server.socket_url) as other:
        await server.wait_for_clients(2)
        await announce(server, "MOUNT-HOMED", "GUIDER-START")

        assert await names(one, 2) == await names(other, 2) == ["MOUNT-HOMED", "GUIDER-START"]
        assert [wait.client for wait in server.waits] == [1, 2, 1, 2]


async def test_the_handshake_is_that_of_the_protocol_and_nothing_is_compressed(server: NinaServer) -> None:
    _, writer, head = await raw_socket(server, "Sec-WebSocket-Extensions: permessage-deflate\r\n")

    assert head.startswith(b"HTTP/1.1 101 ")
    # The example of RFC 6455, 1.3.
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
    assert b"deflate" not in head
    writer.transport.abort()


@pytest.mark.parametrize(
    ("path", "more", "status"),
    [
        ("/v2/socket", "Sec-WebSocket-Protocol: nina\r\n", 400),
        ("/v2", "", 404),
        ("/v3/ws/events", "", 404),
    ],
)
async def test_a_wrong_handshake_is_refused(server: NinaServer, path: str, more: str, status: int) -> None:
    _, writer, head = await raw_socket(server, more, path)

    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    writer.transport.abort()


async def test_a_plain_request_for_the_socket_is_refused(server: NinaServer) -> None:
    async with httpx.AsyncClient(base_url=server.url) as client:
        assert (await client.get("/v2/socket")).status_code == 400


async def test_a_long_message_comes_in_fragments_of_1016_bytes(server: NinaServer) -> None:
    reader, writer, _ = await raw_socket(server)
    await server.wait_for_clients(1)
    server.nina.say_raw("x" * 2500)
    await server.send_due()

    heads = []
    for length in (1016, 1016, 468):
        heads.append(await reader.readexactly(4))
        assert await reader.readexactly(length) == b"x" * length
    # First a text frame that is not final, then continuations, of which the last is final; never masked.
    assert [head[0] for head in heads] == [0x01, 0x00, 0x80]
    assert [int.from_bytes(head[2:]) for head in heads] == [1016, 1016, 468]
    writer.transport.abort()


@pytest.mark.parametrize("length", [0, 1, 1016, 1017, 2032, 70_000])
async def test_a_text_of_any_length_arrives_whole(server: NinaServer, client: ClientConnection, length: int) -> None:
    server.nina.say_raw("é" * length)
    await server.send_due()

    assert await client.recv() == "é" * length


async def test_pings_are_answered_until_the_server_is_mute(server: NinaServer, client: ClientConnection) -> None:
    await (await client.ping())

    server.mute()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(await client.ping(), 0.05)
    client.transport.abort()


async def test_a_client_that_closes_is_forgotten_and_its_code_is_known(server: NinaServer) -> None:
    async with connect(server.socket_url) as client:
        await server.wait_for_clients(1)
        await client.close(1000)
    await server.wait_for_clients(0)

    assert [gone.close_code for gone in server.past_clients] == [1000]
    await announce(server, "MOUNT-HOMED")
    assert not server.waits


async def test_a_client_that_vanishes_does_not_disturb(server: NinaServer, client: ClientConnection) -> None:
    await announce(server, "MOUNT-HOMED")
    client.transport.abort()
    await server.wait_for_clients(0)
    await announce(server, "MOUNT-HOMED")

    assert server.past_clients[0].close_code is None


async def test_a_client_that_does_not_read_holds_up_everybody_and_the_wait_is_recorded(server: NinaServer) -> None:
    reader, slow, _ = await raw_socket(server)
    await server.wait_for_clients(1)
    async with connect(server.socket_url, max_size=None) as client:
        await server.wait_for_clients(2)
        server.nina.say_raw("x" * 1_000_000)
        sending = asyncio.create_task(server.send_due())
        received = asyncio.create_task(client.recv())
        done, _ = await asyncio.wait((sending, received), timeout=0.2)
        assert not done
        assert server.longest_wait_s >= 0.1

        reading = asyncio.create_task(reader.read(-1))
        await sending
        assert len(await received) == 1_000_000

    by_client = {wait.client: wait.seconds for wait in server.waits}
    assert by_client[1] >= 0.1
    assert server.longest_wait_s == max(by_client.values())
    slow.transport.abort()
    await asyncio.gather(reading, return_exceptions=True)


async def test_a_stalled_server_accepts_and_sends_nothing(server: NinaServer, client: ClientConnection) -> None:
    server.is_stalled = True
    await announce(server, "MOUNT-HOMED")
    server.is_stalled = False
    await announce(server, "GUIDER-START")

    assert await names(client, 1) == ["GUIDER-START"]
    assert len(server.nina.announced) == 2


async def test_the_server_closes_with_a_code(server: NinaServer, client: ClientConnection) -> None:
    server.nina.faults.add("MOUNT-HOMED", LiveFault.close(1011))
    await announce(server, "MOUNT-HOMED")

    with pytest.raises(ConnectionClosed) as closed:
        await client.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1011


async def test_the_server_resets(server: NinaServer) -> None:
    reader, writer, _ = await raw_socket(server)
    await server.wait_for_clients(1)
    server.nina.faults.add("MOUNT-HOMED", LiveFault.reset())
    await announce(server, "MOUNT-HOMED")

    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.transport.abort()


async def test_a_huge_message_is_too_big_for_a_careful_client(server: NinaServer) -> None:
    server.nina.faults.add("*", LiveFault.huge(megabytes=1))
    async with connect(server.socket_url, max_size=64_000) as client:
        await server.wait_for_clients(1)
        # The library reads only so far ahead: the server waits until the message is asked for.
        sending = asyncio.create_task(announce(server, "MOUNT-HOMED"))
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
        await sending
        assert closed.value.sent is not None
        assert closed.value.sent.code == 1009


@pytest.mark.parametrize(
    ("fault", "refusal"),
    [
        (Fault.status(404), InvalidStatus),
        (Fault.status(400), InvalidStatus),
        (Fault.html(), InvalidStatus),
        (Fault.empty(), InvalidStatus),
        (Fault.reset(), InvalidMessage),
        (Fault.truncate(), InvalidUpgrade),
    ],
    ids=["404", "400", "another server", "200", "reset", "101 that upgrades nothing"],
)
async def test_what_else_may_answer_the_handshake(server: NinaServer, fault: Fault, refusal: type[Exception]) -> None:
    server.faults.add("/v2/socket", fault, times=1)

    with pytest.raises(refusal):
        await connect(server.socket_url)

    async with connect(server.socket_url):
        await server.wait_for_clients(1)


async def test_no_answer_to_the_handshake(server: NinaServer) -> None:
    server.faults.add("/v2/socket", Fault.hang())
    with pytest.raises(TimeoutError):
        await connect(server.socket_url, open_timeout=0.05)


async def test_a_handshake_that_no_client_may_accept(server: NinaServer) -> None:
    server.gives_wrong_key = True
    with pytest.raises(InvalidHandshake):
        await connect(server.socket_url)


async def test_connections_are_refused_while_the_plugin_is_off(server: NinaServer) -> None:
    url = server.socket_url
    server.refuse_connections()
    with pytest.raises(ConnectionRefusedError):
        await connect(url)
    await server.start()

    async with connect(url):
        await server.wait_for_clients(1)


async def test_after_a_restart_history_is_gone_and_clients_connect_again(
    server: NinaServer, client: ClientConnection
) -> None:
    await announce(server, "MOUNT-HOMED")
    await client.recv()
    async with httpx.AsyncClient(base_url=server.url) as rest:
        before = (await rest.get("/v2/api/application-start")).json()["Response"]
        assert len((await rest.get("/v2/api/event-history")).json()["Response"]) == 1
    server.observatory.advance(server.observatory.now + timedelta(minutes=1))

    await server.restart()

    with pytest.raises(ConnectionClosed):
        await client.recv()
    async with httpx.AsyncClient(base_url=server.url) as rest, connect(server.socket_url):
        assert (await rest.get("/v2/api/application-start")).json()["Response"] != before
        assert (await rest.get("/v2/api/event-history")).json()["Response"] == []
        assert (await rest.get("/v2/api/sequence/json")).json()["StatusCode"] == 409


async def test_it_moves_to_the_next_free_port(server: NinaServer) -> None:
    before = server.port

    await server.move()

    assert server.port > before
    async with connect(server.socket_url):
        await server.wait_for_clients(1)
    with pytest.raises(ConnectionRefusedError):
        await connect(f"ws://127.0.0.1:{before}/v2/socket")


async def test_a_taken_port_is_told_with_the_line_to_type(
    server: NinaServer, observatory: SimulatedObservatory
) -> None:
    with pytest.raises(Ts2mqttError) as told:
        await NinaServer(observatory, port=server.port).start()

    assert told.value.message.startswith(f"The simulated N.I.N.A. cannot listen on 127.0.0.1 port {server.port}")
    assert told.value.advice == f"choose another port: ts2mqtt simulate --nina-port {server.port + 1}"


async def test_version_3_is_there_instead(observatory: SimulatedObservatory) -> None:
    async with NinaServer(observatory, speaks_v3=True) as server, connect(server.socket_url) as client:
        assert server.socket_url.endswith("/v3/ws/events")
        await server.wait_for_clients(1)
        await announce(server, "TS-TARGETSTART")
        assert json.loads(await client.recv()) == {"Event": "ts-target-started", "Data": {}}
        async with httpx.AsyncClient(base_url=server.url) as rest:
            assert (await rest.get("/v2/api/version")).status_code == 404
            assert (await rest.get("/v3/api/time/application-start")).json().startswith("2026-02-27T")
            (event,) = (await rest.get("/v3/api/events")).json()
            assert event == {"Event": "ts-target-started", "Timestamp": "2026-02-27T17:00:00Z"}
            assert (await rest.get("/v3/api/events?page=1")).json() == []
        with pytest.raises(InvalidStatus):
            await connect(f"{server.url.replace('http', 'ws')}/v2/socket")


async def test_rest_has_faults_and_records_as_every_web_server(server: NinaServer) -> None:
    server.faults.add("/v2/api/sequence/state", Fault.empty())
    async with httpx.AsyncClient(base_url=server.url) as rest:
        assert (await rest.get("/v2/api/sequence/state")).content == b""
        compressed = await rest.get("/v2/api/version")

    assert compressed.headers["content-encoding"] == "gzip"
    assert compressed.json()["Response"] == "2.2.15.2"
    assert [recorded.path for recorded in server.requests_to("/v2/api/*")] == [
        "/v2/api/sequence/state",
        "/v2/api/version",
    ]


async def test_with_a_clock_events_come_by_themselves() -> None:
    observatory = busy()
    # An hour before the first event of the evening.
    observatory.advance(START + timedelta(hours=5))
    clock = PacedClock(observatory.now, pace=3000)
    async with NinaServer(observatory, clock=clock) as server, connect(server.socket_url) as client:
        got = await names(client, 30)

        assert got == [event.event for event in list(server.nina.announced)[:30]]
        async with httpx.AsyncClient(base_url=server.url) as rest:
            history = (await rest.get("/v2/api/event-history")).json()["Response"]
            assert {entry["Event"] for entry in history} >= set(got) - {"IMAGE-PREPARED"}
            assert observatory.now - clock.now() < timedelta(minutes=5)


async def test_with_a_clock_an_event_by_hand_comes_at_once(observatory: SimulatedObservatory) -> None:
    clock = PacedClock(observatory.now, pace=1)
    async with NinaServer(observatory, clock=clock) as server, connect(server.socket_url) as client:
        await server.wait_for_clients(1)
        server.nina.announce("MOUNT-HOMED")
        assert await names(client, 1) == ["MOUNT-HOMED"]
