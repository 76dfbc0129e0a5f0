"""The client: connects to addresses that were looked up before, as paho itself would wait for the resolver."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from ts2mqtt.mqtt.bounded_client import BoundedClient

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike


class PahoClient(BoundedClient):
    """TLS and WebSocket still name the host that connect() was told; `addresses` are tried in turn."""

    addresses: tuple[str, ...] = ()
    _reached: socket.socket | None = None

    def _create_socket(self) -> SocketLike:
        try:
            return super()._create_socket()
        except BaseException:
            # paho leaves it to the garbage collector when the handshake of TLS or WebSocket fails.
            if self._reached:
                self._reached.close()
            raise

    def _create_socket_connection(self) -> socket.socket:
        failure = OSError("the broker's name has no address")
        for address in self.addresses:
            try:
                self._reached = socket.create_connection((address, self.port), timeout=self.connect_timeout)
            except OSError as error:
                failure = error
            else:
                return self._reached
        raise failure
