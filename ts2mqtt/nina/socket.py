"""One connection to the socket of N.I.N.A.'s Advanced API, and what has come over it.

The server sends to its clients one after another and waits for each, and N.I.N.A. waits for the server before it
flips at the meridian (WebService/V2/WebSocketV2.cs). So this never stops reading, whatever the rest of the program
does.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException
from websockets.frames import CloseCode

from ts2mqtt.errors import NinaError, NotTheAdvancedApiError
from ts2mqtt.logs.certificates import certificate_error, untrusted_certificate
from ts2mqtt.nina.address import socket_url

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator
    from datetime import datetime

    from ts2mqtt.timing import Clock, NinaTimings

LARGEST_MESSAGE = 64 * 1024
"""Bytes; a hundred times an event. Of a larger one the library closes the connection."""

_MOST_MESSAGES = 100
_NOT_FOUND = 404
_LONGEST_REASON = 200
_LEFT: dict[int, str] = {
    CloseCode.MESSAGE_TOO_BIG: f"sent a message of more than {LARGEST_MESSAGE >> 10} kB",
    CloseCode.INTERNAL_ERROR: "does not answer any more",
}
"""What made this side leave, by the code that it sent."""

_IS_IT_ON = (
    "is N.I.N.A. running, with the plugin Advanced API installed and switched on? Where its port was taken, the "
    "plugin uses the next one, such as 1889"
)
_WHICH_PORT = (
    "another program owns this port: compare it with the port in the options of the plugin Advanced API, which takes "
    "the next free one where its own is taken"
)

# What goes wrong is told by the errors that this module raises, once and in other words.
_UNHEARD = logging.getLogger(f"{__name__}.unheard")
_UNHEARD.propagate = False
_UNHEARD.addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Message:
    """What came, as it came, and when by this machine's clock."""

    received: datetime
    content: bytes


class Received:
    """The messages that have come and were not taken yet; of more than a hundred the oldest are dropped."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._messages: deque[Message] = deque(maxlen=_MOST_MESSAGES)
        self._has_dropped = False
        self._end: NinaError | None = None
        self._filled = asyncio.Event()

    async def read(self, connection: ClientConnection) -> None:
        """Reads until the connection ends, and waits for nothing else."""
        try:
            while True:
                content = await connection.recv(decode=False)
                self._has_dropped = self._has_dropped or len(self._messages) == _MOST_MESSAGES
                self._messages.append(Message(self._clock.now(), content))
                self._filled.set()
        except ConnectionClosed as closed:
            self._end = NinaError(f"{self._url} {_how_it_ended(closed)}")
        self._filled.set()

    async def take_next(self) -> Message:
        """The oldest message, as soon as there is one.

        Raises NinaError once the connection has ended, or as messages were dropped: what was missed has to be caught
        up with.
        """
        while not self._messages:
            if self._end is not None:
                raise self._end
            self._filled.clear()
            await self._filled.wait()
        if self._has_dropped:
            raise NinaError(f"{self._url} sends more than can be dealt with; it is connected to anew")
        return self._messages.popleft()


@asynccontextmanager
async def event_socket(
    url: str, clock: Clock, timings: NinaTimings, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Received]:
    """Connected while the block runs; a NinaError says in the user's words why it cannot be."""
    connection = await _connected(url, timings, tls)
    received = Received(url, clock)
    reading = asyncio.create_task(received.read(connection))
    try:
        yield received
    finally:
        try:
            await connection.close(CloseCode.NORMAL_CLOSURE)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


def version_3(url: str) -> tuple[str, str]:
    """What to say of a plugin that speaks another language: message and advice."""
    return (
        f"{url} speaks version 3 of the Advanced API, which ts2mqtt does not speak yet",
        "let the plugin's options have version 2, or both",
    )


async def _connected(url: str, timings: NinaTimings, tls: ssl.SSLContext | None) -> ClientConnection:
    try:
        return await _open(socket_url(url), timings, tls)
    except InvalidStatus as error:
        status = error.response.status_code
        if status == _NOT_FOUND and await _is_of_version_3(url, timings, tls):
            raise NotTheAdvancedApiError(*version_3(url)) from error
        raise NotTheAdvancedApiError(
            f"{url} answers with status {status}: it is not N.I.N.A.'s Advanced API", _WHICH_PORT
        ) from error
    except TimeoutError as error:
        raise NinaError(f"{url} does not answer", _IS_IT_ON) from error
    except OSError as error:
        if (untrusted := certificate_error(error)) is not None:
            host = urlsplit(url).hostname or ""
            raise NinaError(*untrusted_certificate(url, host, "ca_file of this rig", untrusted)) from error
        reason = (str(error) or type(error).__name__)[:_LONGEST_REASON]
        raise NinaError(f"{url} cannot be reached ({reason})", _IS_IT_ON) from error
    except (InvalidHandshake, WebSocketException, EOFError, ValueError) as error:
        raise NotTheAdvancedApiError(
            f"{url} answers with something else than N.I.N.A.'s Advanced API", _WHICH_PORT
        ) from error


async def _is_of_version_3(url: str, timings: NinaTimings, tls: ssl.SSLContext | None) -> bool:
    try:
        connection = await _open(socket_url(url, version=3), timings, tls)
    except (OSError, EOFError, ValueError, WebSocketException):
        return False
    await connection.close(CloseCode.NORMAL_CLOSURE)
    return True


class _Connection(ClientConnection):
    """Leaves in the middle of a message that is too large, and does not read it to its end in a closing handshake."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        sent = self.protocol.close_sent
        if sent is not None and sent.code == CloseCode.MESSAGE_TOO_BIG:
            self.transport.abort()


async def _open(url: str, timings: NinaTimings, tls: ssl.SSLContext | None) -> ClientConnection:
    return await connect(
        url,
        # The plugin's server knows of none, and refuses a client that names a subprotocol.
        compression=None,
        user_agent_header="ts2mqtt",
        proxy=None,
        ssl=tls,
        open_timeout=timings.connect_timeout_s,
        ping_interval=timings.ping_s,
        ping_timeout=timings.pong_s,
        close_timeout=timings.goodbye_s,
        max_size=LARGEST_MESSAGE,
        # With a limit the library would stop reading from the network. read() empties its queue at once.
        max_queue=None,
        logger=_UNHEARD,
        create_connection=_Connection,
    )


def _how_it_ended(closed: ConnectionClosed) -> str:
    if closed.rcvd is not None and closed.rcvd_then_sent:
        return f"closed the connection ({closed.rcvd.code})"
    if closed.sent is None:
        return "broke the connection"
    return _LEFT.get(closed.sent.code, "does not keep to the WebSocket protocol")
