"""The socket of a paho client, read and written by the event loop; paho's own thread is not used."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

from paho.mqtt.enums import MQTTErrorCode

from ts2mqtt.errors import BrokerUnreachableError

if TYPE_CHECKING:
    from paho.mqtt import client as paho

    from ts2mqtt.mqtt.bounded_client import BoundedClient

_MOST_UNSENT = 16_384
"""Bytes that the operating system holds and has not sent yet."""


class PahoSocket:
    """Between attach() and detach(), bytes of the broker reach the client's callbacks, and its bytes the broker."""

    def __init__(self, client: BoundedClient) -> None:
        self.part_arrived = float("-inf")
        """When the latest part of a packet came that takes more than one read; on the event loop's clock."""

        self._client = client
        self._loop = asyncio.get_running_loop()
        self._descriptor: int | None = None

    def attach(self) -> None:
        """Begins, and reads what is there already; BrokerUnreachableError if the socket has been closed."""
        client = self._client
        sock = client.socket()
        if sock is None:
            raise BrokerUnreachableError("the broker closed the connection at once")
        if isinstance(sock, socket.socket):
            # Nagle's algorithm against the broker's delayed ACK costs 40 ms a batch.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if hasattr(socket, "TCP_NOTSENT_LOWAT"):
                # Over a slow way the system would take megabytes, and a heartbeat would wait behind them.
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _MOST_UNSENT)
        self._descriptor = sock.fileno()
        self._loop.add_reader(self._descriptor, self._read)
        client.on_socket_register_write = self._on_register_write
        client.on_socket_unregister_write = self._on_unregister_write
        client.on_socket_close = self._on_close
        if client.want_write():
            self._loop.add_writer(self._descriptor, self._write)
        self._read()

    def detach(self) -> None:
        """Ends it; what paho still sends goes when somebody lets it write."""
        if self._descriptor is not None:
            self._loop.remove_reader(self._descriptor)
            self._loop.remove_writer(self._descriptor)
            self._descriptor = None

    def release(self) -> None:
        """Detaches, and is known to the client no more: each would keep the other alive."""
        self.detach()
        self._client.on_socket_register_write = None
        self._client.on_socket_unregister_write = None
        self._client.on_socket_close = None

    def _read(self) -> None:
        while self._descriptor is not None:
            code = self._client.loop_read()
            if self._client.is_receiving:
                self.part_arrived = self._loop.time()
            sock = self._client.socket()
            # TLS and WebSocket hold bytes back that no further readiness of the socket announces.
            pending = getattr(sock, "pending", None)
            if code != MQTTErrorCode.MQTT_ERR_SUCCESS or sock is None or pending is None or not pending():
                return

    def _write(self) -> None:
        self._client.loop_write()

    def _on_register_write(self, _client: paho.Client, _userdata: Any, sock: paho.SocketLike) -> None:
        if self._descriptor is not None:
            self._loop.add_writer(sock.fileno(), self._write)

    def _on_unregister_write(self, _client: paho.Client, _userdata: Any, sock: paho.SocketLike) -> None:
        self._loop.remove_writer(sock.fileno())

    def _on_close(self, _client: paho.Client, _userdata: Any, _sock: paho.SocketLike) -> None:
        self.detach()
