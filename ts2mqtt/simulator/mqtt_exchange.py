"""What the embedded broker's connections share: the clients, the retained messages, and the way between clients."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Protocol

from ts2mqtt.simulator import mqtt_packets as mqtt
from ts2mqtt.simulator.mqtt_packets import Connect, Message


class Client(Protocol):
    """A connection to one client."""

    closed: asyncio.Future[None]

    def deliver(self, message: Message) -> None:
        """Send the message if the client has subscribed to its topic."""

    def take_will(self) -> Message | None:
        """The last will, or None; later calls return None."""

    def flush(self) -> None:
        """Send what the client takes now."""

    def end(self, reason: str) -> None:
        """Break the connection and publish the last will."""


class MessageExchange:
    """The clients that are connected, and the retained messages; it gives each message to all clients."""

    def __init__(self, username: str | None, password: bytes | None) -> None:
        self._login = (username, password)
        self._clients: dict[str, Client] = {}
        self.connections: set[Client] = set()
        self.is_open = False
        self.retained: dict[str, Message] = {}
        self.payloads = _Payloads(self.retained)

    @property
    def client_ids(self) -> frozenset[str]:
        return frozenset(self._clients)

    def return_code(self, connect: Connect) -> int:
        """The return code of CONNACK for this client."""
        if not connect.client_id and not connect.clean_session:
            return mqtt.REFUSED_CLIENT_ID  # [MQTT-3.1.3-8]
        if self._login[0] is None or self._login == (connect.username, connect.password):
            return mqtt.ACCEPTED
        return mqtt.REFUSED_NOT_AUTHORISED if connect.username is None else mqtt.REFUSED_LOGIN

    def add_client(self, client_id: str, client: Client) -> None:
        """A new client ends an earlier one with the same id."""
        if earlier := self._clients.get(client_id):
            earlier.end("another connection has taken over its client id")  # [MQTT-3.1.4-2]
        self._clients[client_id] = client

    def remove_client(self, client_id: str) -> None:
        del self._clients[client_id]

    def publish(self, message: Message) -> None:
        """Retain the message if it asks for that, and give it to every client."""
        if message.retain and message.payload:
            self.retained[message.topic] = message
        elif message.retain:
            self.retained.pop(message.topic, None)
        for client in self._clients.values():
            client.deliver(message)

    async def close(self, *, publish_wills: bool) -> None:
        """Break all connections; with `publish_wills` publish the last wills first."""
        self.is_open = False
        connections = list(self.connections)
        wills = [connection.take_will() for connection in connections]
        if publish_wills:
            for will in filter(None, wills):
                self.publish(will)
            for connection in connections:
                connection.flush()
        for connection in connections:
            connection.end("the broker stops")
        await asyncio.gather(*(connection.closed for connection in connections))


class _Payloads(Mapping[str, bytes]):
    """The payloads of the retained messages by topic."""

    def __init__(self, retained: Mapping[str, Message]) -> None:
        self._retained = retained

    def __getitem__(self, topic: str) -> bytes:
        return self._retained[topic].payload

    def __iter__(self) -> Iterator[str]:
        return iter(self._retained)

    def __len__(self) -> int:
        return len(self._retained)
