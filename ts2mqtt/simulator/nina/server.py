"""The port of N.I.N.A.'s Advanced API: the socket with the live events, and the REST calls beside it.

    async with NinaServer(observatory, clock=clock) as server:    # 127.0.0.1, a free port
        server.url, server.socket_url                             # "http://127.0.0.1:40123", "ws://…/v2/socket"
        server.nina.announced                                     # the truth: see nina.py
        server.nina.faults.add("TS-*", LiveFault.drop())          # of events: see faults.py
        server.faults.add("/v2/socket", Fault.status(404))        # of requests, also html(), hang(), reset(), delay()
        server.is_stalled = True                                  # accepts clients, and sends them nothing
        server.mute()                                             # no ping is answered any more
        await server.restart()                                    # N.I.N.A. anew: history gone, connections cut
        await server.move()                                       # the same on the next free port
        server.refuse_connections()                               # as when the plugin is gone; start() accepts again
        server.longest_wait_s                                     # how long it has waited for a client

As the real one it sends an event to its clients one after another, and waits for each: a client that does not read
holds up all that follows. Without a clock nothing is sent by itself: `observatory.advance`, then `send_due`.
Options are fields and may be changed while it runs.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from ts2mqtt.errors import Ts2mqttError
from ts2mqtt.simulator.http1 import Answer, Request, accepted_coding, encoded
from ts2mqtt.simulator.nina import rest, rest_v3
from ts2mqtt.simulator.nina.handshake import handshake, switching_head
from ts2mqtt.simulator.nina.nina import SimulatedNina
from ts2mqtt.simulator.nina.socket_client import SocketClient
from ts2mqtt.simulator.ports import LAST_PORT, next_port
from ts2mqtt.simulator.web_server import WebServer

if TYPE_CHECKING:
    from datetime import datetime

    from ts2mqtt.simulator.http_connection import HttpConnection
    from ts2mqtt.simulator.nina.faults import Delivery
    from ts2mqtt.timing import Clock

SOCKET_PATH = "/v2/socket"
SOCKET_PATH_V3 = "/v3/ws/events"

_WAITS_KEPT = 100_000


@dataclass(frozen=True, slots=True)
class Wait:
    """How long the server waited for one client while it sent one message; `time` is the observatory's."""

    time: datetime
    client: int
    seconds: float


@dataclass(eq=False)
class NinaServer(WebServer):
    """The server.

    clock: when events are sent; without one only `send_due` sends.
    speaks_v3: version 3 is there instead of version 2.
    kept: so many announcements stay in `nina.announced`; None keeps them all.
    is_stalled: clients are accepted and get nothing.
    answers_pings: False leaves pings, and close frames, without an answer; `mute` does so while clients are there.
    gives_wrong_key: the handshake is one that no client may accept.
    send_buffer_bytes: what the system may hold back for a client; small, so that a slow client is soon felt.
    """

    what = "The simulated N.I.N.A."

    _: KW_ONLY
    clock: Clock | None = None
    speaks_v3: bool = False
    kept: int | None = None
    is_stalled: bool = False
    answers_pings: bool = True
    gives_wrong_key: bool = False
    send_buffer_bytes: int = 4096
    nina: SimulatedNina = field(init=False)
    clients: list[SocketClient] = field(default_factory=list, init=False)
    past_clients: list[SocketClient] = field(default_factory=list, init=False)
    """Those that are gone, with the codes with which they closed."""
    waits: deque[Wait] = field(default_factory=lambda: deque(maxlen=_WAITS_KEPT), init=False)
    _longest_wait_s: float = field(default=0.0, init=False)
    _waits_since: float | None = field(default=None, init=False)
    _clients_accepted: int = field(default=0, init=False)
    _telling: asyncio.Task[None] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.nina = SimulatedNina(self.observatory, speaks_v3=self.speaks_v3, kept=self.kept)

    @property
    def advice(self) -> str:
        return f"choose another port: ts2mqtt simulate --nina-port {next_port(self.port)}"

    @property
    def socket_url(self) -> str:
        return self.url.replace("http://", "ws://", 1) + self._socket_path

    @property
    def longest_wait_s(self) -> float:
        """The longest time for which one client has held up one message, also if it still does; in real seconds."""
        if self._waits_since is None:
            return self._longest_wait_s
        return max(self._longest_wait_s, asyncio.get_running_loop().time() - self._waits_since)

    async def start(self) -> None:
        await super().start()
        if self.clock is not None:
            self._telling = asyncio.create_task(self._tell(self.clock))

    async def stop(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.wait((self._telling,))
            self._telling = None
        await super().stop()

    async def restart(self) -> None:
        """N.I.N.A. ends and is started anew: its history is empty, and its clients have to connect again."""
        self.pass_time()
        self.nina.restart()
        await self.close_connections()

    def mute(self) -> None:
        """Answer no ping and no close frame any more, as after a power cut."""
        self.answers_pings = False
        for client in self.clients:
            client.answers_pings = False

    async def move(self) -> None:
        """Stop, and start on the next free port, as when another program was there first."""
        await self.stop()
        for port in range(self.port + 1, LAST_PORT + 1):
            self.port = port
            with suppress(Ts2mqttError):
                await self.start()
                return

    async def wait_for_clients(self, number: int) -> None:
        """Wait until so many clients are connected to the socket."""
        while len(self.clients) != number:
            await self.wait_for_change()

    async def send_due(self) -> None:
        """Send everything that has happened up to the observatory's time."""
        self.nina.advance(self.observatory.now)
        for delivery in self.nina.take_deliveries():
            await self._deliver(delivery)

    async def answer(self, connection: HttpConnection, request: Request) -> Answer | None:
        answer = await super().answer(connection, request)
        if answer is None or answer.status != HTTPStatus.SWITCHING_PROTOCOLS:
            return answer
        await connection.write(switching_head(answer))
        await self._serve_socket(connection)
        return None

    async def regular_answer(self, request: Request) -> Answer:
        self.pass_time()
        if request.path == self._socket_path:
            return handshake(request, with_wrong_key=self.gives_wrong_key)
        answer = (rest_v3 if self.speaks_v3 else rest).answer_to(self.nina, request)
        if self.clock is not None:
            answer = replace(answer, time=self.observatory.now)
        return encoded(answer, accepted_coding(request.headers.get("accept-encoding")) or "identity")

    def pass_time(self) -> None:
        if self.clock is not None:
            self.nina.advance(self.clock.now())

    @property
    def _socket_path(self) -> str:
        return SOCKET_PATH_V3 if self.speaks_v3 else SOCKET_PATH

    async def _serve_socket(self, connection: HttpConnection) -> None:
        connection.limit_send_buffer(self.send_buffer_bytes)
        self._clients_accepted += 1
        client = SocketClient(connection, self._clients_accepted)
        client.answers_pings = self.answers_pings
        self.clients.append(client)
        self.wake_waiters()
        try:
            await client.serve()
        finally:
            self.clients.remove(client)
            self.past_clients.append(client)
            self.wake_waiters()

    async def _tell(self, clock: Clock) -> None:
        async for delivery in self.nina.deliveries(clock):
            await self._deliver(delivery)

    async def _deliver(self, delivery: Delivery) -> None:
        if delivery.ending == "restart":
            await self.close_connections()
        for client in tuple(self.clients):
            if delivery.ending == "close":
                await client.close(delivery.close_code)
            elif delivery.ending == "reset":
                client.reset()
            elif delivery.text is not None and not self.is_stalled:
                await self._send(client, delivery.text)

    async def _send(self, client: SocketClient, text: str) -> None:
        """Send one message to one client; whoever waits for the next message waits for this client."""
        loop = asyncio.get_running_loop()
        self._waits_since = started = loop.time()
        # A client that is gone is noticed when writing to it fails; its own task forgets it.
        with suppress(ConnectionError):
            await client.send(text)
        self._waits_since = None
        seconds = loop.time() - started
        self._longest_wait_s = max(self._longest_wait_s, seconds)
        self.waits.append(Wait(self.observatory.now, client.number, seconds))
