"""The client against a real WebSocket server: what it hears, how it comes back, and that nobody waits for it."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.build import profile, rig, rig_config
from tests.support.nina_messages import envelope, image_save, message, target_start
from tests.support.nina_server import NinaServer, history_row, listening, sequence, usual
from ts2mqtt.errors import NinaError
from ts2mqtt.nina.client import NinaClient
from ts2mqtt.observatory.live_events import (
    CaughtUp,
    Disconnected,
    ImageSaved,
    LiveEvent,
    ProfileChanged,
    SafetyChanged,
    SequenceFinished,
    SequenceStarted,
    TargetAnnounced,
    WaitAnnounced,
)
from ts2mqtt.observatory.model import Listing
from ts2mqtt.timing import NinaTimings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.certificates import Certificates
    from ts2mqtt.observatory.model import Rig

Told = TypeVar("Told", bound=LiveEvent)

IMPATIENT = NinaTimings(
    connect_timeout_s=2.0,
    answer_s=2.0,
    first_retry_s=0.01,
    longest_retry_s=0.02,
    refused_retry_s=0.02,
    goodbye_s=0.5,
    history_after_s=60.0,
    identity_s=0.05,
)
MINE = rig(Listing((profile("profile"),)))
STARTED = datetime(2026, 1, 10, 10, 0, 0, 123456, UTC)


@dataclass
class Listener:
    """A client, and what it has put into its queue."""

    client: NinaClient
    queue: asyncio.Queue[LiveEvent]
    told: list[LiveEvent] = field(default_factory=list)

    async def next(self, kind: type[Told]) -> Told:
        """The next event of this kind; those before it are kept in `told`."""
        async with asyncio.timeout(20):
            while True:
                event = await self.queue.get()
                self.told.append(event)
                if isinstance(event, kind):
                    return event


@asynccontextmanager
async def listener(
    *urls: str,
    at: Rig | None = MINE,
    timings: NinaTimings = IMPATIENT,
    ca_file: Path | None = None,
    verify_tls: bool = True,
) -> AsyncIterator[Listener]:
    """Of a rig with these addresses that answers; with `at` None nothing is known of it."""
    queue: asyncio.Queue[LiveEvent] = asyncio.Queue()
    config = rig_config("http://127.0.0.1:1", nina_url=urls).model_copy(
        update={"ca_file": ca_file, "verify_tls": verify_tls}
    )
    client = NinaClient(config, queue, timings=timings)
    if at is not None:
        client.note_rig(at)
    running = asyncio.create_task(client.run())
    try:
        yield Listener(client, queue)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_it_catches_up_and_then_hears_what_happens() -> None:
    async with listening(usual()) as server, listener(server.url) as listens:
        caught_up = await listens.next(CaughtUp)
        await server.send(target_start(), message("GUIDER-DITHER"), image_save())

        assert replace(caught_up, time=STARTED) == CaughtUp(
            time=STARTED,
            version="2.2.15.2",
            process_started=STARTED,
            is_sequence_running=True,
            is_scheduler_running=True,
            is_safe=True,
        )
        assert (await listens.next(TargetAnnounced)).target_name == "M 31"
        assert (await listens.next(ImageSaved)).hfr == 1.44
        assert len(listens.told) == 3
        assert listens.client.problem is None


async def test_it_leaves_with_1000_when_it_is_stopped() -> None:
    async with listening(usual()) as server:
        async with listener(server.url) as listens:
            await listens.next(CaughtUp)
        assert await server.left() == 1000


async def test_odd_messages_say_nothing_and_end_nothing() -> None:
    odd = (envelope("Roof open"), b"NaN", b"{", b"<html>", envelope(None), message("IMAGE-SAVE"), b"")
    long = envelope("x" * 60_000)
    async with listening(usual()) as server, listener(server.url) as listens:
        await listens.next(CaughtUp)
        await server.send(*odd, long)
        await (await server.connection()).send(b"\xff\xfe")
        await server.send(message("SEQUENCE-FINISHED"))

        await listens.next(SequenceFinished)
        assert len(listens.told) == 2
        assert len(server.connections) == 1


@pytest.mark.parametrize("whole", [True, False])
async def test_a_huge_message_ends_the_connection_and_no_more(whole: bool) -> None:
    async with listening(usual()) as server, listener(server.url) as listens:
        await listens.next(CaughtUp)
        with suppress(ConnectionClosed):
            await server.send(envelope("x" * 2_000_000), whole=whole)

        await listens.next(Disconnected)
        assert listens.client.problem is not None
        assert "sent a message of more than 64 kB" in listens.client.problem.text
        await listens.next(CaughtUp)
        # The server hears of it at once, in the middle of what it sends.
        assert await server.left() in {1006, 1009}
        assert listens.client.problem is None


@pytest.mark.parametrize("how", ["closed", "reset"])
async def test_it_comes_back(how: str) -> None:
    async with listening(usual()) as server, listener(server.url) as listens:
        await listens.next(CaughtUp)
        connection = await server.connection()
        if how == "closed":
            await connection.close(1001)
        else:
            connection.transport.abort()

        await listens.next(Disconnected)
        await listens.next(CaughtUp)
        assert len(server.connections) == 2


async def test_it_waits_ever_longer_and_no_longer_than_a_minute() -> None:
    queue: asyncio.Queue[LiveEvent] = asyncio.Queue()
    client = NinaClient(rig_config("http://127.0.0.1:1", nina_url="http://127.0.0.1:2"), queue)
    delays: list[float] = []
    for failures in range(1, 12):
        client._failed_attempts = failures  # noqa: SLF001 - nothing outside shows how long it waits
        delays.append(client._retry_delay(NinaError("")))  # noqa: SLF001

    assert 5.0 <= delays[0] <= 7.5
    assert delays == sorted(delays)
    assert delays[-1] == 60.0


async def test_a_rig_that_is_off_is_left_alone() -> None:
    async with listening(usual()) as server, listener(server.url, at=replace(MINE, online=False)) as listens:
        listens.client.note_rig(replace(MINE, online=None))
        await asyncio.sleep(0)
        assert server.asked == []

        listens.client.note_rig(MINE)
        await listens.next(CaughtUp)
        (await server.connection()).transport.abort()
        listens.client.note_rig(replace(MINE, online=False))
        await listens.next(Disconnected)
        number = len(server.connections)
        await asyncio.sleep(5 * IMPATIENT.longest_retry_s)
        assert len(server.connections) == number


@pytest.mark.parametrize(
    ("status", "sockets", "expected"),
    [
        (
            HTTPStatus.NOT_FOUND,
            (),
            "answers with status 404: it is not N.I.N.A.'s Advanced API; another program owns",
        ),
        (HTTPStatus.OK, (), "answers with status 200: it is not"),
        (HTTPStatus.BAD_REQUEST, (), "answers with status 400: it is not"),
        (HTTPStatus.FOUND, (), "answers with status 302: it is not"),
        (HTTPStatus.NOT_FOUND, ("/v3/ws/events",), "speaks version 3 of the Advanced API"),
    ],
)
async def test_another_program_is_told_once(
    status: HTTPStatus, sockets: tuple[str, ...], expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    other = NinaServer(sockets=sockets, status=status)
    async with listening(other), listener(other.url) as listens:
        for _ in range(3):
            await listens.next(Disconnected)

        assert listens.client.problem is not None
        assert expected in listens.client.problem.text
    warnings = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warnings) == 1
    assert warnings[0].startswith("Backyard: live events: http://127.0.0.1:")


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9.9\r\n", b"", b"HTTP/1.1 101 Switching Protocols\r\n\r\n"])
async def test_a_program_that_speaks_no_http_is_not_the_plugin(answer: bytes) -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as other:
        url = f"http://127.0.0.1:{other.sockets[0].getsockname()[1]}"
        async with listener(url) as listens:
            await listens.next(Disconnected)
            assert listens.client.problem is not None
            assert url in listens.client.problem.text


async def test_what_listens_and_is_silent_is_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        async with listener(url, timings=replace(IMPATIENT, connect_timeout_s=0.05)) as listens:
            await listens.next(Disconnected)
            assert listens.client.problem is not None
            assert f"{url} does not answer; is N.I.N.A. running" in listens.client.problem.text


async def test_addresses_are_tried_in_turn() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        gone = f"http://127.0.0.1:{closed.getsockname()[1]}"
    async with listening(usual()) as server, listener(gone, server.url) as listens:
        await listens.next(CaughtUp)
        assert [type(event) for event in listens.told] == [Disconnected, CaughtUp]


async def test_of_two_on_one_pc_the_one_with_the_rigs_profile_is_heard(caplog: pytest.LogCaptureFixture) -> None:
    other, mine = usual(), usual()
    other.tell("/profile/show", [{"Id": "other", "Name": "Reflector", "IsActive": True}])
    async with listening(other), listening(mine), listener(other.url, mine.url) as listens:
        await listens.next(CaughtUp)
        assert await other.left() == 1000
        assert mine.connections
        assert "runs with the profile 'Reflector', which is not that of this rig" in caplog.text


async def test_another_profile_is_borne_for_a_while_and_then_left() -> None:
    async with listening(usual()) as server, listener(server.url) as listens:
        await listens.next(CaughtUp)
        server.tell("/profile/show", [{"Id": "other", "Name": "Reflector", "IsActive": True}])
        await server.send(message("PROFILE-CHANGED"))
        await listens.next(ProfileChanged)
        await listens.next(CaughtUp)
        await server.send(message("SEQUENCE-STARTING"))
        await listens.next(SequenceStarted)
        assert await server.left() == 1000

        listens.client.note_rig(rig(Listing((profile("OTHER"),))))
        await listens.next(CaughtUp)


async def test_a_history_is_read_once_for_each_run_of_nina() -> None:
    server = usual()
    rows = [history_row("TS-WAITSTART", "2026-01-10T11:00:00.5", WaitEndTime="2026-01-10T17:00:00+00:00")]
    server.tell("/event-history", rows)

    def read() -> int:
        return sum(path.endswith("/event-history") for path in server.asked)

    async with listening(server), listener(server.url) as listens:
        first = await listens.next(CaughtUp)
        assert isinstance(first.announced, WaitAnnounced)
        (await server.connection()).transport.abort()
        again = await listens.next(CaughtUp)
        assert (again.announced, read()) == (None, 1)
        server.tell("/application-start", "2026-01-10T12:00:00+00:00")
        server.tell("/event-history", [])
        (await server.connection()).transport.abort()
        anew = await listens.next(CaughtUp)
        assert (anew.announced, read()) == (None, 2)


async def test_after_a_long_gap_the_history_is_read_again() -> None:
    async with (
        listening(usual()) as server,
        listener(server.url, timings=replace(IMPATIENT, history_after_s=0.0)) as listens,
    ):
        await listens.next(CaughtUp)
        (await server.connection()).transport.abort()
        await listens.next(CaughtUp)
        assert sum(path.endswith("/event-history") for path in server.asked) == 2


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"/sequence/json": sequence("FINISHED", "RUNNING")}, {"is_scheduler_running": False}),
        ({"/sequence/json": sequence("FINISHED")}, {"is_sequence_running": False, "is_scheduler_running": False}),
        ({"/sequence/json": [{"Name": "Renamed", "Status": "RUNNING"}]}, {"is_scheduler_running": None}),
        ({"/sequence/json": "x"}, {"is_sequence_running": None, "is_scheduler_running": None}),
        ({"/equipment/safetymonitor/info": {"Connected": False, "IsSafe": False}}, {"is_safe": None}),
        ({"/equipment/safetymonitor/info": {"Connected": True, "IsSafe": False}}, {"is_safe": False}),
        ({"/application-start": "0001-01-01T00:00:00"}, {"process_started": None}),
        ({"/version": 7}, {"version": None}),
        ({"/event-history": [1, {"Event": "X", "Time": "?", "Coordinates": []}]}, {}),
        ({"/profile/show": [{"Id": 3}, "x", {"Id": "PROFILE", "Name": "R", "IsActive": True}]}, {}),
    ],
)
async def test_what_cannot_be_read_is_not_known(answers: dict[str, object], expected: dict[str, object]) -> None:
    server = usual()
    for path, answer in answers.items():
        server.tell(path, answer)
    async with listening(server), listener(server.url) as listens:
        caught_up = await listens.next(CaughtUp)
    usually: dict[str, Any] = {
        "version": "2.2.15.2",
        "process_started": STARTED,
        "is_sequence_running": True,
        "is_scheduler_running": True,
        "is_safe": True,
    }
    assert replace(caught_up, time=STARTED) == CaughtUp(time=STARTED, **(usually | expected))


async def test_answers_that_fail_are_no_answers() -> None:
    server = usual()
    for path in tuple(server.answers):
        server.tell(path, "Sequence is not initialized", success=False)
    server.answers["/version"] = b""
    async with listening(server), listener(server.url) as listens:
        caught_up = await listens.next(CaughtUp)
    assert caught_up == CaughtUp(time=caught_up.time)


async def test_a_safety_monitor_that_comes_is_asked() -> None:
    server = usual()
    server.tell("/equipment/safetymonitor/info", {"Connected": False, "IsSafe": False})
    async with listening(server), listener(server.url) as listens:
        assert (await listens.next(CaughtUp)).is_safe is None
        server.tell("/equipment/safetymonitor/info", {"Connected": True, "IsSafe": True})
        await server.send(message("SAFETY-DISCONNECTED"), message("SAFETY-CONNECTED"))
        assert (await listens.next(SafetyChanged)).is_safe is None
        assert (await listens.next(CaughtUp)).is_safe is True


async def test_a_dead_connection_is_found_by_pings() -> None:
    """As after a power cut or a suspended laptop: nothing comes, and nothing says so."""
    timings = replace(IMPATIENT, ping_s=0.05, pong_s=0.05)
    async with listening(usual()) as server, listener(server.url, timings=timings) as listens:
        await listens.next(CaughtUp)
        (await server.connection()).transport.pause_reading()
        await listens.next(Disconnected)
        assert listens.client.problem is not None
        assert "does not answer any more" in listens.client.problem.text
        await listens.next(CaughtUp)


async def test_one_who_cannot_keep_up_leaves_and_catches_up() -> None:
    async with listening(usual()) as server, listener(server.url) as listens:
        await listens.next(CaughtUp)
        # While it catches up once more, more comes than it keeps.
        server.answers.pop("/version")
        await server.send(message("PROFILE-CHANGED"), *[message("MOUNT-HOMED")] * 2_000, message("SEQUENCE-FINISHED"))
        await listens.next(Disconnected)
        assert listens.client.problem is not None
        assert "more than can be dealt with" in listens.client.problem.text
        assert await server.left() == 1000
        await listens.next(CaughtUp)


async def test_the_server_never_waits_while_answers_hang() -> None:
    """More is sent than any buffer between the two holds: who did not read would be waited for without end."""
    async with listening(usual(), small_buffers=True) as server, listener(server.url) as listens:
        await listens.next(CaughtUp)
        server.answering.clear()
        await server.send(message("PROFILE-CHANGED"))
        await listens.next(ProfileChanged)

        async with asyncio.timeout(60):
            await server.send(*[envelope("x" * 60_000)] * 200)

        assert isinstance(listens.told[-1], ProfileChanged)
        server.answering.set()
        await listens.next(CaughtUp)


def encrypting(certificates: Certificates) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.server, certificates.server_key)
    return context


@pytest.mark.parametrize("is_verified", [True, False], ids=["by the file", "not at all"])
async def test_a_certificate_is_verified_as_that_of_the_rigs_api(
    certificates: Certificates, *, is_verified: bool
) -> None:
    ca_file = certificates.ca if is_verified else None
    async with (
        listening(usual(), tls=encrypting(certificates)) as server,
        listener(server.url, ca_file=ca_file, verify_tls=is_verified) as listens,
    ):
        # The version comes by a request, all else over the socket.
        assert (await listens.next(CaughtUp)).version == "2.2.15.2"
        await server.send(target_start())
        await listens.next(TargetAnnounced)


async def test_a_certificate_that_is_not_trusted_is_not_listened_to(certificates: Certificates) -> None:
    async with listening(usual(), tls=encrypting(certificates)) as server, listener(server.url) as listens:
        await listens.next(Disconnected)

        problem = listens.client.problem
        assert problem is not None
        assert "the certificate of" in problem.text
        assert "ca_file of this rig" in problem.text
        assert not any(isinstance(event, CaughtUp) for event in listens.told)
