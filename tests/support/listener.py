"""An MQTT client in the event loop itself: it notes at what time of that loop, real or simulated, a message came.

async with listening(broker.port, "ts2mqtt/backyard/#", note):      # note(topic, payload) for each message
    ...
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

_CONNECT, _SUBSCRIBE, _PUBLISH, _SUBACK = 0x10, 0x82, 0x30, 0x90
_CLEAN_SESSION = b"\x02"
_NO_KEEP_ALIVE = b"\x00\x00"
_SEVEN_BITS, _MORE_FOLLOWS = 0x7F, 0x80


@asynccontextmanager
async def listening(port: int, topic_filter: str, note: Callable[[str, bytes], None]) -> AsyncIterator[None]:
    """Subscribed with QoS 0 while the block runs; MQTT 3.1.1."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_packet(_CONNECT, _text("MQTT") + b"\x04" + _CLEAN_SESSION + _NO_KEEP_ALIVE + _text("listener")))
    writer.write(_packet(_SUBSCRIBE, b"\x00\x01" + _text(topic_filter) + b"\x00"))
    subscribed = asyncio.Event()
    hearing = asyncio.create_task(_hear(reader, subscribed, note))
    try:
        await subscribed.wait()
        yield
    finally:
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
        writer.close()
        await writer.wait_closed()


async def _hear(reader: asyncio.StreamReader, subscribed: asyncio.Event, note: Callable[[str, bytes], None]) -> None:
    while True:
        kind = (await reader.readexactly(1))[0]
        body = await reader.readexactly(await _length(reader))
        if kind == _SUBACK:
            subscribed.set()
        elif kind & 0xF0 == _PUBLISH:
            end = 2 + int.from_bytes(body[:2], "big")
            note(body[2:end].decode(), body[end:])


async def _length(reader: asyncio.StreamReader) -> int:
    length = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & _SEVEN_BITS) << shift
        if byte < _MORE_FOLLOWS:
            return length
        shift += 7


def _packet(kind: int, body: bytes) -> bytes:
    """One of less than 128 bytes."""
    return bytes((kind, len(body))) + body


def _text(text: str) -> bytes:
    return len(text.encode()).to_bytes(2, "big") + text.encode()
