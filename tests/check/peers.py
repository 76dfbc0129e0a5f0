"""Peers that a check must see through: silent, rude, hidden behind TLS, or with another clock."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import subprocess
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from email.utils import format_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
    from datetime import datetime
    from pathlib import Path

    from tests.support.certificates import Certificates

    Pump = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]

_SUBSCRIBE, _SUBACK = 0x82, 0x90


@asynccontextmanager
async def serving(
    behave: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[int]:
    """The port of a server that treats each connection so, until the client goes or the block ends."""
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        connections.add(task)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await behave(reader, writer)
        writer.transport.abort()
        with suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def say_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Takes every byte and never answers."""
    while await reader.read(1024):
        pass


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Breaks the connection, with RST, as soon as the client has said something."""
    await reader.read(1)
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextmanager
def full_backlog() -> Iterator[int]:
    """A port whose connections are never taken: to a client that is what a firewall which drops looks like."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(2):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            with suppress(BlockingIOError):
                waiting.connect(listener.getsockname())
        yield listener.getsockname()[1]


def answering(status: str, body: bytes, *headers: str) -> Callable[..., Awaitable[None]]:
    """Answers every request alike."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
            writer.write("\r\n".join(lines).encode() + body)
            await writer.drain()

    return behave


def api_at(now: Callable[[], datetime] | None) -> Callable[..., Awaitable[None]]:
    """A tiny API whose clock shows this, or that does not tell its time."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.readuntil(b"\r\n\r\n"):
            body = b'"5.9.3.0"' if b"/version " in request else b'[{"Id":"a","Name":"One","Active":true}]'
            date = f"Date: {format_datetime(now(), usegmt=True)}\r\n" if now else ""
            writer.write(f"HTTP/1.1 200 OK\r\n{date}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            await writer.drain()

    return behave


@asynccontextmanager
async def behind_tls(port: int, certificates: Certificates) -> AsyncIterator[int]:
    """A TLS port in front of a plain one, with the certificate `certificates.server`."""

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _between(reader, writer, port)

    async with serving(forward, server_tls(certificates)) as tls_port:
        yield tls_port


@asynccontextmanager
async def refusing_subscription(port: int, topic: str, protocol: str) -> AsyncIterator[int]:
    """A port in front of a broker's on which subscriptions that name this topic are refused."""
    before_codes = 3 if protocol == "5" else 2

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        refused: set[bytes] = set()

        async def ask(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while True:
                head, body = await _packet(source)
                if head[0] == _SUBSCRIBE and topic.encode() in body:
                    refused.add(body[:2])
                target.write(head + body)

        async def answer(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while True:
                head, body = await _packet(source)
                if head[0] == _SUBACK and body[:2] in refused:
                    body = body[:before_codes] + b"\x80" * (len(body) - before_codes)
                target.write(head + body)

        await _between(reader, writer, port, ask, answer)

    async with serving(forward) as refusing_port:
        yield refusing_port


async def _packet(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """An MQTT packet: its fixed header, and the rest."""
    head = await reader.readexactly(2)
    while head[-1] & 0x80:
        head += await reader.readexactly(1)
    length = sum((octet & 0x7F) << 7 * place for place, octet in enumerate(head[1:]))
    return head, await reader.readexactly(length)


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while chunk := await source.read(65_536):
        target.write(chunk)
        await target.drain()


async def _between(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, there: Pump = _pump, back: Pump = _pump
) -> None:
    """Carries bytes between a client and a port of this machine, until one of the two has had enough."""
    inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
    pumps = [asyncio.create_task(there(reader, inner_writer)), asyncio.create_task(back(inner_reader, writer))]
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in pumps:
            one.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        inner_writer.transport.abort()
        with suppress(OSError):
            await inner_writer.wait_closed()


def server_tls(certificates: Certificates) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.server, certificates.server_key)
    return context


def expired(certificates: Certificates, directory: Path) -> Certificates:
    """The same, with a server's certificate whose time was over yesterday."""
    (directory / "names.cnf").write_text("subjectAltName = IP:127.0.0.1\nauthorityKeyIdentifier = keyid\n")
    request, certificate = directory / "expired.csr", directory / "expired.crt"
    key = certificates.server_key
    _openssl("req", "-new", "-key", str(key), "-subj", "/CN=expired", "-out", str(request))
    _openssl(
        *("x509", "-req", "-in", str(request), "-out", str(certificate), "-days", "-1"),
        *("-CA", str(certificates.ca), "-CAkey", str(certificates.ca.with_suffix(".key")), "-CAcreateserial"),
        *("-extfile", str(directory / "names.cnf")),
    )
    return replace(certificates, server=certificate)


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)  # noqa: S603, S607 - our own files
