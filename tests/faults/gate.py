"""A TCP proxy between the bridge and its broker that can refuse, stall, swallow, and cut, also in mid-message."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

_HOST = "127.0.0.1"
_PASS_EVERY_S = 0.05


class Gate:
    """Listens on `port`; what passes it in both directions can be disturbed at any moment."""

    def __init__(self, broker_port: int) -> None:
        self.broker_port = broker_port
        self.port = 0
        self._server: asyncio.Server | None = None
        self._pairs: set[_Pair] = set()
        self._is_stalled = False
        self._swallows = False
        self.bytes_per_second: float | None = None
        """In each direction; None is as fast as can be."""
        self._octets_left: int | None = None
        self._when_passed: Callable[[], None] | None = None

    async def open(self) -> None:
        """Lets everything through from here on; connections that were disturbed are not made good."""
        if self._is_stalled or self._swallows:
            self.cut()
        self.bytes_per_second = None
        self._is_stalled = self._swallows = False
        self._octets_left = self._when_passed = None
        if self._server is None:
            self._server = await asyncio.get_running_loop().create_server(lambda: _Near(self), _HOST, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    @property
    def is_open(self) -> bool:
        """Whether it takes new connections."""
        return self._server is not None

    def refuse(self) -> None:
        """Refuses new connections; those that are there live on."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def cut(self) -> None:
        """Resets every connection, on both sides."""
        for pair in tuple(self._pairs):
            pair.reset()

    def stall(self) -> None:
        """Takes connections and holds every byte back, until thaw()."""
        self._is_stalled = True

    def thaw(self) -> None:
        """Delivers what was held back."""
        self._is_stalled = False
        for pair in tuple(self._pairs):
            pair.pass_on()

    def swallow(self) -> None:
        """Half-open: what either side sends disappears, and neither is told."""
        self._swallows = True

    def cut_after(self, octets: int, then: Callable[[], None] | None = None) -> None:
        """Resets everything once so many bytes have gone towards the broker, the last of them in mid-message."""
        self._octets_left = octets
        self._when_passed = then

    def closed(self) -> None:
        self.refuse()
        self.cut()

    def let_through(self, octets: bytes) -> tuple[bytes, bool]:
        """What of these bytes towards the broker may pass, and whether that was the end."""
        if self._octets_left is None:
            return octets, False
        passing = octets[: self._octets_left]
        self._octets_left -= len(passing)
        if self._octets_left > 0:
            return passing, False
        self._octets_left = None
        if self._when_passed:
            self._when_passed()
        return passing, True

    @property
    def is_stalled(self) -> bool:
        return self._is_stalled

    @property
    def swallows(self) -> bool:
        return self._swallows

    def add(self, pair: _Pair) -> None:
        self._pairs.add(pair)

    def forget(self, pair: _Pair) -> None:
        self._pairs.discard(pair)


class _Side(asyncio.Protocol):
    """One of the two connections of a pair."""

    transport: asyncio.Transport
    pair: _Pair

    def __init__(self) -> None:
        self.held = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.held += data
        self.pair.pass_on()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        self.pair.lost()

    def reset(self) -> None:
        connection: socket.socket | None = self.transport.get_extra_info("socket")
        if connection is not None and connection.fileno() >= 0:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


class _Near(_Side):
    """Towards the bridge."""

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self.pair = _Pair(gate, self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.pair.begin()


class _Pair:
    def __init__(self, gate: Gate, near: _Near) -> None:
        self._gate = gate
        self._near = near
        self._far: _Side | None = None
        self._is_over = False
        self._has_passed_enough = False
        self._next_pass: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        self._gate.add(self)
        self._reaching = asyncio.create_task(self._reach())

    def pass_on(self) -> None:
        if self._gate.swallows or self._has_passed_enough:
            self._near.held.clear()
            if self._far:
                self._far.held.clear()
        if self._gate.is_stalled or self._far is None or self._is_over:
            return
        if self._next_pass is not None:
            return
        if octets := _taken(self._near.held, self._gate.bytes_per_second):
            octets, is_end = self._gate.let_through(octets)
            self._far.transport.write(octets)
            if is_end:
                self._has_passed_enough = True
                # What has passed shall arrive before the connection is gone.
                asyncio.get_running_loop().call_later(0.001, self._gate.cut)
        if octets := _taken(self._far.held, self._gate.bytes_per_second):
            self._near.transport.write(octets)
        if self._near.held or self._far.held:
            self._next_pass = asyncio.get_running_loop().call_later(_PASS_EVERY_S, self._pass_more)

    def _pass_more(self) -> None:
        self._next_pass = None
        self.pass_on()

    def lost(self) -> None:
        """One side has gone: so does the other, unless nobody is to be told."""
        if not self._gate.swallows:
            self.reset()

    def reset(self) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._gate.forget(self)
        self._reaching.cancel()
        self._near.reset()
        if self._far:
            self._far.reset()

    async def _reach(self) -> None:
        far = _Side()
        far.pair = self
        try:
            await asyncio.get_running_loop().create_connection(lambda: far, _HOST, self._gate.broker_port)
        except OSError:
            self.reset()
            return
        self._far = far
        self.pass_on()


def _taken(held: bytearray, bytes_per_second: float | None) -> bytes:
    """Takes out what may pass now."""
    size = len(held) if bytes_per_second is None else round(bytes_per_second * _PASS_EVERY_S)
    octets = bytes(held[:size])
    del held[:size]
    return octets
