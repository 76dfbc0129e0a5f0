"""The event loop of every command: what it says of names, and that no thread of it holds up the exit."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import threading

import pytest
import sniffio

from tests.support.clocks import HandClock
from ts2mqtt.network import event_loop
from ts2mqtt.network.event_loop import NamesLoop
from ts2mqtt.network.names import Names, Question
from ts2mqtt.timing import LookUpTimings


class HangingResolver:
    """Never answers."""

    def resolve(self, question: Question) -> list[object]:
        threading.Event().wait()
        raise AssertionError(question)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", b"localhost"])
def test_addresses_are_those_that_the_system_tells(host: bytes | str) -> None:
    async def asked() -> list[object]:
        loop = asyncio.get_running_loop()
        return [*await loop.getaddrinfo(host, 8188, type=socket.SOCK_STREAM)]

    assert event_loop.run(asked()) == socket.getaddrinfo(host, 8188, type=socket.SOCK_STREAM)


def test_a_connection_to_a_name_is_made() -> None:
    async def talked() -> bytes:
        async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"hello")
            writer.close()

        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection("localhost", server.sockets[0].getsockname()[1])
            answer = await reader.read()
            writer.close()
            return answer

    assert event_loop.run(talked()) == b"hello"


def test_the_end_of_the_loop_waits_for_no_look_up() -> None:
    names = Names(HangingResolver(), HandClock(), LookUpTimings(patience_s=0.0))  # type: ignore[arg-type] # never answers

    async def ask() -> None:
        with pytest.raises(socket.gaierror, match="does not answer"):
            await asyncio.get_running_loop().getaddrinfo("hangs.test", 80)

    with asyncio.Runner(loop_factory=lambda: NamesLoop(names)) as runner:
        runner.run(ask())
    hanging = [thread for thread in threading.enumerate() if thread.name == "look-up of hangs.test"]
    assert [thread.daemon for thread in hanging] == [True]


@pytest.mark.skipif(sys.platform == "win32", reason="there nothing of asyncio's is woken by a signal")
def test_a_signal_wakes_nothing_that_is_being_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[int] = []
    close = NamesLoop.close

    def look_and_close(loop: NamesLoop) -> None:
        woken.append(signal.set_wakeup_fd(-1))
        close(loop)

    async def listen() -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: None)

    monkeypatch.setattr(NamesLoop, "close", look_and_close)
    event_loop.run(listen())
    assert woken == [-1]


def test_the_libraries_know_the_loop_without_looking_for_it() -> None:
    async def name() -> str | None:
        return sniffio.thread_local.name

    assert event_loop.run(name()) == "asyncio"
    assert sniffio.thread_local.name is None
