"""The client: connects to addresses that were looked up before, as paho itself would wait for the resolver."""

from __future__ import annotations

import socket

from ts2mqtt.mqtt.bounded_client import BoundedClient


class PahoClient(BoundedClient):
    """TLS and WebSocket still name the host that connect() was told; `addresses` are tried in turn."""

    addresses: tuple[str, ...] = ()

    def _create_socket_connection(self) -> socket.socket:
        failure = OSError("the broker's name has no address")
        for address in self.addresses:
            try:
                return socket.create_connection((address, self.port), timeout=self.connect_timeout)
            except OSError as error:
                failure = error
        raise failure
