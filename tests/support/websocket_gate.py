"""A WebSocket server in front of a broker's TCP port, as a web proxy is: for brokers built without WebSocket."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.odd_server import closed, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_ACCEPT_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
_BINARY, _CLOSE, _PING, _PONG = 2, 8, 9, 10


@dataclass(slots=True)
class WebSocketGate:
    """Its port, and the paths that were asked for; `is_open` holds its answers back while it is not set."""

    broker_port: int
    path: str
    port: int = 0
    paths: list[str] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    is_open: asyncio.Event = field(default_factory=asyncio.Event)

    async def behave(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.paths.append(request.split()[1])
        self.asked.set()
        await self.is_open.wait()
        if self.paths[-1] != self.path:
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            return
        key = headers["sec-websocket-key"].encode()
        writer.write(acceptance(key))
        from_broker, to_broker = await asyncio.open_connection("127.0.0.1", self.broker_port)
        outward = asyncio.create_task(_outward(from_broker, writer))
        try:
            await _inward(reader, writer, to_broker)
        finally:
            outward.cancel()
            await closed(to_broker)


@asynccontextmanager
async def websocket_gate(broker_port: int, path: str = "/mqtt") -> AsyncIterator[WebSocketGate]:
    """Lets MQTT through at one path; 404 at any other."""
    gate = WebSocketGate(broker_port, path)
    gate.is_open.set()
    async with serving(gate.behave) as gate.port:
        yield gate


def acceptance(key: bytes) -> bytes:
    """The answer to a client with this Sec-WebSocket-Key."""
    accept = base64.b64encode(hashlib.sha1(key + _ACCEPT_SUFFIX).digest())  # noqa: S324 - RFC 6455 says so
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Accept: %b\r\n\r\n" % accept
    )


async def _outward(from_broker: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while octets := await from_broker.read(60_000):
        writer.write(_frame(_BINARY, octets))
        await writer.drain()
    writer.close()


async def _inward(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to_broker: asyncio.StreamWriter
) -> None:
    while True:
        first, second = await reader.readexactly(2)
        size = second & 0x7F
        if size >= 126:
            size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
        mask = await reader.readexactly(4)
        masked = await reader.readexactly(size)
        octets = bytes(octet ^ mask[index % 4] for index, octet in enumerate(masked))
        if first & 0x0F == _CLOSE:
            return
        if first & 0x0F == _PING:
            writer.write(_frame(_PONG, octets))
        else:
            to_broker.write(octets)
            await to_broker.drain()


def _frame(kind: int, octets: bytes) -> bytes:
    size = len(octets)
    head = bytes((0x80 | kind, size)) if size < 126 else bytes((0x80 | kind, 126)) + size.to_bytes(2, "big")
    return head + octets
