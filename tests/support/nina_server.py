"""A stand-in for N.I.N.A.'s Advanced API: a real WebSocket server and its answers; a test makes it say anything."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.support.nina_messages import envelope

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

FRAME = 1016
"""Bytes; the plugin's server writes no longer frames."""

_QUIET = logging.getLogger(f"{__name__}.quiet")
_QUIET.propagate = False
_QUIET.addHandler(logging.NullHandler())


def container(name: str, status: str, *items: object) -> dict[str, object]:
    """An item of a sequence as /sequence/json has it."""
    return {"Name": f"{name}_Container", "Status": status, "Items": list(items), "Conditions": [], "Triggers": []}


def sequence(scheduler: str, of_target: str | None = None) -> list[object]:
    """A sequence whose Target Scheduler has this status."""
    item = container("Target Scheduler Container", scheduler)
    return [
        {"GlobalTriggers": []},
        container("Start", "FINISHED"),
        container("Targets", of_target or scheduler, container("Night", of_target or scheduler, item)),
        container("End", "CREATED"),
    ]


@dataclass
class NinaServer:
    """What it answers, by path below /v2/api, as the whole body; and how it has been treated."""

    answers: dict[str, bytes] = field(default_factory=dict)
    sockets: tuple[str, ...] = ("/v2/socket",)
    status: HTTPStatus = HTTPStatus.NOT_FOUND
    """Of what is not there."""

    port: int = 0
    is_encrypted: bool = False
    asked: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    """How long each send has waited for the client, in seconds."""

    closed_with: list[int | None] = field(default_factory=list)
    connections: list[ServerConnection] = field(default_factory=list)
    answering: asyncio.Event = field(default_factory=asyncio.Event)
    """Not set while every answer hangs."""

    _connected: asyncio.Event = field(default_factory=asyncio.Event)
    _left: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.answering.set()

    @property
    def url(self) -> str:
        return f"{'https' if self.is_encrypted else 'http'}://127.0.0.1:{self.port}"

    def tell(self, path: str, response: object, *, success: bool = True) -> None:
        """Answers so from now on."""
        self.answers[path] = envelope(response, success=success, kind="API")

    async def connection(self) -> ServerConnection:
        """The one that is open, as soon as there is one."""
        await self._connected.wait()
        return self.connections[-1]

    async def left(self) -> int | None:
        """The code with which the next connection that ends is closed."""
        await self._left.wait()
        self._left.clear()
        return self.closed_with[-1]

    async def send(self, *messages: bytes, whole: bool = False) -> None:
        """To the client that is connected, one after another, in frames as the plugin's server writes them."""
        client = await self.connection()
        for message in messages:
            text = message.decode()
            frames = [text[start : start + FRAME] for start in range(0, len(text), FRAME)]
            began = time.monotonic()
            await client.send(text if whole or len(frames) < 2 else frames)
            self.waits.append(time.monotonic() - began)

    async def respond(self, _: ServerConnection, request: Request) -> Response | None:
        self.asked.append(request.path)
        await self.answering.wait()
        if request.path in self.sockets:
            return None
        body = self.answers.get(request.path.removeprefix("/v2/api"))
        kind = "application/json" if body is not None else "text/html"
        status = HTTPStatus.OK if body is not None else self.status
        body = b"<html>not here</html>" if body is None else body
        headers = Headers({"Content-Type": kind, "Content-Length": str(len(body)), "Connection": "close"})
        return Response(status.value, status.phrase, headers, body)

    async def keep(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        self._connected.set()
        with suppress(ConnectionClosed):
            async for _ in connection:
                pass
        await connection.wait_closed()
        self.closed_with.append(connection.close_code)
        self._connected.clear()
        self._left.set()


def usual() -> NinaServer:
    """A N.I.N.A. with the profile `profile`, whose sequence runs and whose Target Scheduler is at work."""
    server = NinaServer()
    server.tell("/version", "2.2.15.2")
    server.tell("/application-start", "2026-01-10T10:00:00.1234567+00:00")
    server.tell("/equipment/safetymonitor/info", {"Connected": True, "IsSafe": True, "Name": "Roof"})
    server.tell("/sequence/json", sequence("RUNNING"))
    server.tell(
        "/profile/show",
        [
            {"Id": "other", "Name": "Other", "IsActive": False},
            {"Id": "profile", "Name": "Refractor", "IsActive": True},
        ],
    )
    server.tell("/event-history", [])
    return server


@asynccontextmanager
async def listening(
    server: NinaServer, *, small_buffers: bool = False, tls: ssl.SSLContext | None = None
) -> AsyncIterator[NinaServer]:
    """Takes connections while the block runs; with small buffers a send soon waits for one that does not read."""
    server.is_encrypted = tls is not None
    listener = socket.create_server(("127.0.0.1", server.port))
    server.port = listener.getsockname()[1]
    if small_buffers:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    async with serve(
        server.keep,
        sock=listener,
        ssl=tls,
        process_request=server.respond,
        compression=None,
        ping_interval=None,
        close_timeout=0.2,
        write_limit=1 if small_buffers else 2**15,
        logger=_QUIET,
    ):
        yield server


def history_row(event: str, time: str, **fields: object) -> dict[str, object]:
    """As /event-history has it."""
    return json.loads(json.dumps({"Event": event, "Time": time, **fields}))  # type: ignore[no-any-return]
