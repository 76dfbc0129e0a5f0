"""A small MQTT 3.1.1 broker for the demo and the tests, on 127.0.0.1 only; it is not meant for production.

It supports QoS 0 and 1 and keeps retained messages in memory. It has no TLS, no access rules, no sessions that
outlive a connection, and no QoS 2: it grants QoS 1 to a subscription with QoS 2, and closes the connection at a
message with QoS 2.
"""

import asyncio
from collections.abc import Mapping
from typing import Final, Self

from ts2mqtt.errors import BrokerError
from ts2mqtt.simulator.mqtt_connection import Limits, MqttConnection
from ts2mqtt.simulator.mqtt_exchange import MessageExchange
from ts2mqtt.simulator.ports import next_port, until_all_are_accepted, why_refused

_HOST: Final = "127.0.0.1"


class EmbeddedBroker:
    """An MQTT 3.1.1 broker in this event loop: `async with EmbeddedBroker() as broker: broker.port`.

    With port 0 the first start chooses a free port, and later starts use it again. With a username, clients must log
    in with exactly this username and password.
    """

    def __init__(
        self,
        port: int = 0,
        username: str | None = None,
        password: str | None = None,
        *,
        limits: Limits | None = None,
    ) -> None:
        if password is not None and username is None:
            raise BrokerError("The embedded broker was given a password without a username.")
        self._port = port
        self._limits = limits or Limits()
        self._exchange = MessageExchange(username, None if password is None else password.encode())
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def port(self) -> int:
        return self._port

    @property
    def retained(self) -> Mapping[str, bytes]:
        """The payload of each topic with a retained message; a read-only view that changes with the broker."""
        return self._exchange.payloads

    @property
    def client_ids(self) -> frozenset[str]:
        """The ids of the clients that are connected now."""
        return self._exchange.client_ids

    async def start(self, *, keep_retained: bool = False) -> None:
        """Listen; after a stop on the same port as before, with the earlier retained messages only if asked for.

        Raises BrokerError if the broker runs already or the port cannot be used.
        """
        if self._server is not None:
            raise BrokerError(f"The embedded broker runs already, on port {self._port}.")
        if not keep_retained:
            self._exchange.retained.clear()
        self._exchange.is_open = True
        try:
            self._server = await asyncio.get_running_loop().create_server(
                lambda: MqttConnection(self._exchange, self._limits), _HOST, self._port
            )
        except (OSError, OverflowError) as error:
            raise BrokerError(
                f"The embedded broker cannot use port {self._port} of {_HOST} ({why_refused(error)})",
                f"choose another port: {_demo_on_another_port(self._port)}",
            ) from error
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self, *, publish_wills: bool = False) -> None:
        """Break all connections at once, as if the broker had been killed; does nothing if it is stopped.

        With `publish_wills` the last wills of the clients are published and retained first. The next start with
        `keep_retained` then has them. Clients that are still connected get them if they read in time.
        """
        server, self._server = self._server, None
        if server is None:
            return
        await until_all_are_accepted()
        server.close()
        await self._exchange.close(publish_wills=publish_wills)
        await server.wait_closed()


def _demo_on_another_port(port: int) -> str:
    other = f"--port {next_port(port)}"
    return f"ts2mqtt demo {other}, or with make: make demo DEMO='{other}'"
