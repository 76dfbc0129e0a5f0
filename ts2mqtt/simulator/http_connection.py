"""One client's connection to the simulated API: it answers one request after the other until keep-alive ends."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from http import HTTPStatus
from typing import Protocol

import h11

from ts2mqtt.simulator.http1 import Answer, Request, RequestReader, body, head, html_page

_READ_BYTES = 16_384


class Server(Protocol):
    """The server of the connection: it has the answers and the limits of keep-alive."""

    idle_timeout_s: float
    answers_per_connection: int

    async def answer(self, connection: HttpConnection, request: Request) -> Answer | None:
        """The answer to write, or None if the connection shall end without one."""

    def answer_sent(self, request: Request) -> None:
        """Called when a whole answer is written."""


class HttpConnection:
    """A connection with a task that serves it; `task` ends when the connection is closed."""

    def __init__(self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.idle = True
        self._server = server
        self._reader = reader
        self._writer = writer
        self.task = asyncio.create_task(self._serve())

    async def close(self) -> None:
        """Cut the connection, also in the middle of an answer."""
        self.task.cancel()
        await asyncio.wait((self.task,))

    async def write(self, octets: bytes) -> None:
        """Write raw bytes to the client."""
        self._writer.write(octets)
        await self._writer.drain()

    async def read(self) -> bytes:
        """What the client sends next, apart from requests; nothing once it has closed its side."""
        return await self._reader.read(_READ_BYTES)

    def limit_send_buffer(self, octets: int) -> None:
        """Let `write` wait until all but about so many bytes are with the client's machine."""
        self._writer.transport.set_write_buffer_limits(high=0)
        connection: socket.socket = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, octets)

    async def wait_for_client_close(self) -> None:
        """Wait until the client has closed its side; everything that it still sends is dropped."""
        while await self._reader.read(1):
            pass

    def reset(self) -> None:
        """Cut the connection with a TCP reset."""
        # A socket with SO_LINGER and no time sends a reset when it closes (socket(7)).
        connection: socket.socket = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def _serve(self) -> None:
        try:
            # The client may close at any moment; then there is nobody to answer.
            with suppress(ConnectionError):
                await self._serve_requests()
                self._writer.close()
                await self._writer.wait_closed()
        finally:
            self._writer.transport.abort()

    async def _serve_requests(self) -> None:
        requests = RequestReader(self._reader)
        answers_left = self._server.answers_per_connection
        while True:
            self.idle = True
            try:
                async with asyncio.timeout(self._server.idle_timeout_s):
                    request = await requests.next()
            except TimeoutError:
                return
            except h11.RemoteProtocolError:
                await self._send(html_page(HTTPStatus.BAD_REQUEST), last=True)
                return
            if request is None:
                return
            self.idle = False
            answers_left -= 1
            if not await self._answer(request, last=answers_left <= 0):
                return

    async def _answer(self, request: Request, *, last: bool) -> bool:
        """Answer one request; returns whether the connection stays open."""
        answer = await self._server.answer(self, request)
        if answer is None:
            return False
        last = last or answer.closes
        await self._send(answer, last=last)
        self._server.answer_sent(request)
        return not last

    async def _send(self, answer: Answer, *, last: bool) -> None:
        keep_alive = f"timeout={self._server.idle_timeout_s:g}"
        header = ("Connection", "close") if last else ("Keep-Alive", keep_alive)
        await self.write(head(answer, header) + body(answer))
