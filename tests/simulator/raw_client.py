"""An HTTP client that hides nothing: raw bytes out, the answer's bytes in."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ts2mqtt.simulator.api import SimulatedApi


@dataclass(frozen=True)
class RawAnswer:
    status: int
    headers: dict[str, str]
    body: bytes


class RawClient:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    @asynccontextmanager
    async def connected(cls, api: SimulatedApi) -> AsyncIterator[Self]:
        reader, writer = await asyncio.open_connection(api.host, api.port)
        try:
            yield cls(reader, writer)
        finally:
            writer.transport.abort()
            await asyncio.sleep(0)

    async def get(self, path: str, *headers: str, method: str = "GET") -> RawAnswer:
        self.send(path, *headers, method=method)
        return await self.answer()

    def send(self, path: str, *headers: str, method: str = "GET") -> None:
        lines = [f"{method} {path} HTTP/1.1", "Host: rig", *headers, "", ""]
        self.send_bytes("\r\n".join(lines).encode())

    def send_bytes(self, octets: bytes) -> None:
        self._writer.write(octets)

    async def answer(self) -> RawAnswer:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(await self._reader.readline(), 16):
                body += await self._reader.readexactly(size)
                await self._reader.readexactly(2)
            await self._reader.readexactly(2)
        else:
            body = await self._reader.readexactly(int(headers["content-length"]))
        return RawAnswer(int(head[0].split()[1]), headers, body)

    async def rest(self) -> bytes:
        """Everything until the server closes."""
        return await self._reader.read()
