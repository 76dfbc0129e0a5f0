"""One client of the simulated socket: it gets texts in frames as EmbedIO cuts them, and its pings are answered.

The part of the `websockets` library that does no I/O makes and reads the frames. Its server is not used: it hides how
long a write waits, and cuts no message into fragments.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from websockets.exceptions import InvalidState
from websockets.protocol import State
from websockets.server import ServerProtocol

if TYPE_CHECKING:
    from ts2mqtt.simulator.http_connection import HttpConnection

FRAGMENT_BYTES = 1016


class SocketClient:
    """A client that has been accepted; `number` counts them from 1."""

    def __init__(self, connection: HttpConnection, number: int) -> None:
        self.number = number
        self.close_code: int | None = None
        """The code with which the client closed, once it has."""
        self.answers_pings = True
        self._connection = connection
        self._frames = ServerProtocol(state=State.OPEN, max_size=None)

    async def serve(self) -> None:
        """Read what the client sends until it is gone."""
        with suppress(ConnectionError):
            while octets := await self._connection.read():
                if not self.answers_pings:
                    continue
                self._frames.receive_data(octets)
                self._frames.events_received()
                await self._write()
                if self._frames.close_rcvd is not None:
                    self.close_code = self._frames.close_rcvd.code
                    return

    async def send(self, text: str) -> None:
        """Send a text in fragments, and wait until the client's machine has taken it; raises ConnectionError."""
        octets = text.encode()
        parts = [octets[start : start + FRAGMENT_BYTES] for start in range(0, len(octets), FRAGMENT_BYTES)] or [b""]
        try:
            self._frames.send_text(parts[0], fin=len(parts) == 1)
            for number, part in enumerate(parts[1:], start=2):
                self._frames.send_continuation(part, fin=number == len(parts))
        except InvalidState as error:
            raise ConnectionAbortedError from error
        await self._write()

    async def close(self, code: int) -> None:
        """Send a close frame; the client answers with its own."""
        with suppress(InvalidState, ConnectionError):
            self._frames.send_close(code)
            await self._write()

    def reset(self) -> None:
        self._connection.reset()

    async def _write(self) -> None:
        if octets := b"".join(self._frames.data_to_send()):
            await self._connection.write(octets)
