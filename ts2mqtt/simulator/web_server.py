"""A web server of the rig's PC: it records the requests, and plays the faults that a test adds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Self

from ts2mqtt.errors import Ts2mqttError
from ts2mqtt.simulator.faults import Exchange, Faults, matches
from ts2mqtt.simulator.http_connection import HttpConnection
from ts2mqtt.simulator.ports import until_all_are_accepted, why_refused

if TYPE_CHECKING:
    from datetime import datetime

    from ts2mqtt.simulator.http1 import Answer, Request
    from ts2mqtt.simulator.observatory import SimulatedObservatory


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request and the observatory's time when it came."""

    time: datetime
    request: Request

    @property
    def method(self) -> str:
        return self.request.method

    @property
    def path(self) -> str:
        return self.request.path


@dataclass(eq=False)
class WebServer:
    """The base of what listens on the rig's PC.

    idle_timeout_s, answers_per_connection: the limits of keep-alive.
    """

    what: ClassVar[str] = "The simulated web server"

    observatory: SimulatedObservatory
    host: str = field(default="127.0.0.1", kw_only=True)
    port: int = field(default=0, kw_only=True)
    idle_timeout_s: float = field(default=15.0, kw_only=True)
    answers_per_connection: int = field(default=101, kw_only=True)
    faults: Faults = field(default_factory=Faults, init=False)
    requests: list[RecordedRequest] = field(default_factory=list, init=False)
    answered: list[RecordedRequest] = field(default_factory=list, init=False)
    max_concurrent: int = field(default=0, init=False)
    _in_progress: int = field(default=0, init=False)
    _server: asyncio.Server | None = field(default=None, init=False)
    _connections: set[HttpConnection] = field(default_factory=set, init=False)
    _changed: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    @property
    def advice(self) -> str:
        """What to do where the port is taken."""
        return "choose another port"

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def is_listening(self) -> bool:
        return self._server is not None

    @property
    def open_connections(self) -> int:
        return len(self._connections)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; the port of an earlier start is used again."""
        try:
            self._server = await asyncio.start_server(self._accept, self.host, self.port)
        except OSError as error:
            raise Ts2mqttError(
                f"{self.what} cannot listen on {self.host} port {self.port} ({why_refused(error)})",
                self.advice,
            ) from error
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and cut every connection, as when N.I.N.A. is closed."""
        await until_all_are_accepted()
        self.refuse_connections()
        await self.close_connections()

    def refuse_connections(self) -> None:
        """Stop listening: new connections are refused, and open ones stay open. `start` accepts again."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def close_connections(self) -> None:
        """Cut every connection, also in the middle of an answer."""
        for connection in tuple(self._connections):
            await connection.close()

    async def close_idle_connections(self) -> None:
        """Close the connections that wait for a next request, as the server does after 15 s."""
        for connection in tuple(self._connections):
            if connection.idle:
                await connection.close()

    async def wait_for_request(self, pattern: str = "*", *, after: int = 0) -> RecordedRequest:
        """Wait for the next matching request after the first `after` matching ones; for patterns see faults.py."""
        return await self._wait(self.requests, pattern, after)

    async def wait_for_answer(self, pattern: str = "*", *, after: int = 0) -> RecordedRequest:
        """Like `wait_for_request`, but wait until the whole answer is sent."""
        return await self._wait(self.answered, pattern, after)

    async def wait_for_connections(self, number: int) -> None:
        """Wait until this number of connections is open."""
        while len(self._connections) != number:
            await self.wait_for_change()

    def requests_to(self, pattern: str) -> list[RecordedRequest]:
        """The requests up to now that match a pattern."""
        return [recorded for recorded in self.requests if matches(recorded.path, pattern)]

    async def answer(self, connection: HttpConnection, request: Request) -> Answer | None:
        """Called by the connection: the regular answer or a fault's; None if a fault ends the connection."""
        self._record(self.requests, request)
        self._in_progress += 1
        self.max_concurrent = max(self.max_concurrent, self._in_progress)
        try:
            fault = self.faults.take(request.path)
            if fault is None:
                return await self.regular_answer(request)
            return await fault.act(Exchange(connection, partial(self.regular_answer, request)))
        finally:
            self._in_progress -= 1

    def answer_sent(self, request: Request) -> None:
        """Called by the connection: a whole answer is sent."""
        self._record(self.answered, request)

    async def regular_answer(self, request: Request) -> Answer:
        """The answer without faults."""
        raise NotImplementedError

    def pass_time(self) -> None:
        """Let the observatory's time pass before something is answered or recorded."""
        raise NotImplementedError

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None:
            # It came while the port was being closed.
            writer.transport.abort()
            return
        connection = HttpConnection(self, reader, writer)
        self._connections.add(connection)
        connection.task.add_done_callback(lambda _: self._forget(connection))
        self.wake_waiters()

    def _forget(self, connection: HttpConnection) -> None:
        self._connections.discard(connection)
        self.wake_waiters()

    def _record(self, records: list[RecordedRequest], request: Request) -> None:
        self.pass_time()
        records.append(RecordedRequest(self.observatory.now, request))
        self.wake_waiters()

    def wake_waiters(self) -> None:
        """Let every waiting method look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_for_change(self) -> None:
        """Wait until something may have changed for which a waiting method looks."""
        await self._changed.wait()

    async def _wait(self, records: list[RecordedRequest], pattern: str, after: int) -> RecordedRequest:
        while True:
            matching = [recorded for recorded in records if matches(recorded.path, pattern)]
            if len(matching) > after:
                return matching[after]
            await self.wait_for_change()
