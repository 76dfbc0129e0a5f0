"""A small MQTT 3.1.1 broker for the demo and the tests, on 127.0.0.1 only; it is not meant for production.

It speaks QoS 0 and 1, keeps retained messages in memory and no session beyond its connection; it has no TLS,
no access rules and no QoS 2: a subscription with QoS 2 is granted 1, a message with QoS 2 closes the connection.
"""

import asyncio
import logging
import socket
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self, cast

from ts2mqtt.errors import BrokerError
from ts2mqtt.simulator import mqtt_packets as mqtt
from ts2mqtt.simulator.mqtt_outbox import Outbox, Subscriptions
from ts2mqtt.simulator.mqtt_packets import (
    Connect,
    Disconnect,
    Message,
    Packet,
    PingReq,
    ProtocolError,
    PubAck,
    Publish,
    Subscribe,
    Unsubscribe,
    UnsupportedVersionError,
)

_HOST: Final = "127.0.0.1"
_BATCH_BYTES: Final = 65_536
_KEEP_ALIVE_FACTOR: Final = 1.5  # [MQTT-3.1.2-24]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may cost.

    packet_bytes: the longest packet that is taken; a longer one closes the connection.
    connect_seconds: the time from the connection to a complete CONNECT.
    in_flight: QoS 1 messages that are sent before one of them must be acknowledged.
    waiting_bytes: messages that wait because the client reads slowly; see Outbox for what happens beyond it.
    waiting_replays: retained messages still to be replayed; a client that subscribes again beyond it is closed.
    unread_bytes: what was sent, answers above all, and not read; beyond it nothing more is read from the client.
    socket_bytes: of what was sent and not read, as much as the system holds; None leaves that to the system.
    """

    packet_bytes: int = 1_048_576
    connect_seconds: float = 10.0
    in_flight: int = 1_000
    waiting_bytes: int = 16_777_216
    waiting_replays: int = 1_000_000
    unread_bytes: int = 4_194_304
    socket_bytes: int | None = None


class EmbeddedBroker:
    """An MQTT 3.1.1 broker in this event loop: `async with EmbeddedBroker() as broker: broker.port`.

    With port 0 a free port is chosen at the first start and kept for later ones. With a username, clients have to
    log in with exactly this username and password.
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
        self._exchange = _Exchange(username, None if password is None else password.encode())
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
        """The payload of each topic with a retained message; a live, read-only view."""
        return self._exchange.payloads

    @property
    def client_ids(self) -> frozenset[str]:
        """Of the clients that are connected now."""
        return self._exchange.client_ids

    async def start(self, *, keep_retained: bool = False) -> None:
        """Listen; after a stop on the same port as before, with or without the retained messages of then.

        Raises BrokerError if the broker runs already or the port cannot be used.
        """
        if self._server is not None:
            raise BrokerError(f"The embedded broker runs already, on port {self._port}.")
        if not keep_retained:
            self._exchange.retained.clear()
        self._exchange.is_open = True
        try:
            self._server = await asyncio.get_running_loop().create_server(
                lambda: _Connection(self._exchange, self._limits), _HOST, self._port
            )
        except (OSError, OverflowError) as error:
            raise BrokerError(
                f"The embedded broker cannot use port {self._port} of {_HOST}, perhaps because another broker does: "
                f"stop that one or choose another port ({error})."
            ) from error
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self, *, publish_wills: bool = False) -> None:
        """Break all connections without a goodbye, as if the broker had been killed; nothing if it does not run.

        With `publish_wills` the last wills of the clients are published and retained before, which shows in the
        next start with `keep_retained`; clients still connected get them as far as they read in time.
        """
        server, self._server = self._server, None
        if server is None:
            return
        # A connection accepted in the turn of the event loop in which its server closes is neither served nor closed
        # (CPython issue 109564). After a timer, which runs last in a turn, those of that turn are on their way.
        await asyncio.sleep(0.001)
        server.close()
        await self._exchange.close(publish_wills=publish_wills)
        await server.wait_closed()


class _Payloads(Mapping[str, bytes]):
    def __init__(self, retained: Mapping[str, Message]) -> None:
        self._retained = retained

    def __getitem__(self, topic: str) -> bytes:
        return self._retained[topic].payload

    def __iter__(self) -> Iterator[str]:
        return iter(self._retained)

    def __len__(self) -> int:
        return len(self._retained)


class _Exchange:
    """What the connections share: who is connected, what is retained, and the way from one client to the others."""

    def __init__(self, username: str | None, password: bytes | None) -> None:
        self._login = (username, password)
        self._clients: dict[str, _Connection] = {}
        self.connections: set[_Connection] = set()
        self.is_open = False
        self.retained: dict[str, Message] = {}
        self.payloads = _Payloads(self.retained)

    @property
    def client_ids(self) -> frozenset[str]:
        return frozenset(self._clients)

    def return_code(self, connect: Connect) -> int:
        """What CONNACK says to this client."""
        if not connect.client_id and not connect.clean_session:
            return mqtt.REFUSED_CLIENT_ID  # [MQTT-3.1.3-8]
        if self._login[0] is None or self._login == (connect.username, connect.password):
            return mqtt.ACCEPTED
        return mqtt.REFUSED_NOT_AUTHORISED if connect.username is None else mqtt.REFUSED_LOGIN

    def enter(self, client_id: str, connection: "_Connection") -> None:
        if earlier := self._clients.get(client_id):
            earlier.end("another connection has taken over its client id")  # [MQTT-3.1.4-2]
        self._clients[client_id] = connection

    def leave(self, client_id: str) -> None:
        del self._clients[client_id]

    def publish(self, message: Message) -> None:
        if message.retain and message.payload:
            self.retained[message.topic] = message
        elif message.retain:
            self.retained.pop(message.topic, None)
        for connection in self._clients.values():
            connection.deliver(message)

    async def close(self, *, publish_wills: bool) -> None:
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


class _Connection(asyncio.Protocol):
    """One client: reads its packets, answers them, and sends it messages as fast as it takes them."""

    def __init__(self, exchange: _Exchange, limits: Limits) -> None:
        self._exchange = exchange
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self._ended = False
        self._client_id: str | None = None
        self._will: Message | None = None
        self._subscriptions = Subscriptions()
        self._received = bytearray()
        self._answers = bytearray()
        self._outbox = Outbox(limits.waiting_bytes)
        self._unacknowledged: set[int] = set()
        self._last_packet_id = 0
        self._writable = True
        self._flush_is_due = False

    # What the event loop tells of the connection.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if self._limits.socket_bytes is not None:
            connection: socket.socket = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._limits.socket_bytes)
        self._exchange.connections.add(self)
        self._allow_silence(self._limits.connect_seconds)
        if not self._exchange.is_open:  # it was accepted before the broker stopped
            self.end("the broker stops")

    def data_received(self, data: bytes) -> None:
        self._received += data
        try:
            while not self._ended and (packet := mqtt.take_packet(self._received, self._limits.packet_bytes)):
                self._heard_at = self._loop.time()
                self._handle(packet)
        except UnsupportedVersionError as error:
            self._answers += mqtt.connack(mqtt.REFUSED_VERSION)  # [MQTT-3.1.2-2]
            self.end(str(error))
        except ProtocolError as error:
            self.end(str(error))
        self._send_answers()

    def eof_received(self) -> None:
        self.end("closed by the client")

    def connection_lost(self, exc: Exception | None) -> None:
        self.end(f"lost: {exc}")
        self._exchange.connections.discard(self)
        self.closed.set_result(None)

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._transport.resume_reading()
        self.flush()

    # What the exchange asks for.

    def deliver(self, message: Message) -> None:
        if delivery := self._subscriptions.deliver(message, replayed=False):
            self._outbox.add(delivery)
            self._flush_soon()

    def take_will(self) -> Message | None:
        will, self._will = self._will, None
        return will

    def flush(self) -> None:
        """Send what the client takes now; the rest follows when it reads or acknowledges."""
        self._flush_is_due = False
        while self._writable and not self._ended and (batch := self._next_batch()):
            self._transport.write(batch)

    def end(self, reason: str) -> None:
        """Break the connection now and publish the last will, if there is still one."""
        if self._ended:
            return
        self._ended = True
        _logger.debug("Client %r: %.200s", self._client_id, reason)
        if self._outbox.dropped:
            _logger.info("Client %r read too slowly: %d dropped", self._client_id, self._outbox.dropped)
        self._silence_timer.cancel()
        if self._client_id is not None:
            self._exchange.leave(self._client_id)
        self._send_answers()
        self._transport.abort()
        if will := self.take_will():
            self._exchange.publish(will)

    def _handle(self, packet: Packet) -> None:
        if isinstance(packet, Connect):
            self._connect(packet)
            return
        if self._client_id is None:
            raise ProtocolError("the first packet is not CONNECT")  # [MQTT-3.1.0-1]
        match packet:
            case Publish():
                self._publish(packet)
            case PubAck():
                self._unacknowledged.discard(packet.packet_id)
                self._flush_soon()
            case Subscribe():
                self._subscribe(packet)
            case Unsubscribe():
                self._subscriptions.remove(packet.filters)
                self._answers += mqtt.unsuback(packet.packet_id)
            case PingReq():
                self._answers += mqtt.PINGRESP
            case Disconnect():
                self.take_will()
                self.end("disconnected")

    def _connect(self, connect: Connect) -> None:
        if self._client_id is not None:
            raise ProtocolError("a second CONNECT")  # [MQTT-3.1.0-2]
        return_code = self._exchange.return_code(connect)
        self._answers += mqtt.connack(return_code)
        if return_code != mqtt.ACCEPTED:
            self.end(f"refused with return code {return_code}")
            return
        client_id = connect.client_id or f"anonymous-{uuid.uuid4()}"
        self._exchange.enter(client_id, self)
        self._client_id, self._will = client_id, connect.will
        self._silence_timer.cancel()
        if connect.keep_alive:
            self._allow_silence(connect.keep_alive * _KEEP_ALIVE_FACTOR)

    def _publish(self, packet: Publish) -> None:
        self._exchange.publish(packet.message)
        if packet.message.qos:
            self._answers += mqtt.puback(packet.packet_id)

    def _subscribe(self, packet: Subscribe) -> None:
        if self._outbox.replays > self._limits.waiting_replays:
            raise ProtocolError("subscribes again and again without reading what is replayed")
        granted = [(topic_filter, min(qos, 1)) for topic_filter, qos in packet.filters]
        self._subscriptions.add(granted)
        self._answers += mqtt.suback(packet.packet_id, [qos for _, qos in granted])
        self._outbox.replay(Subscriptions(granted).replay(self._exchange.retained))
        self._flush_soon()

    def _send_answers(self) -> None:
        if self._answers:
            self._transport.write(bytes(self._answers))
            self._answers.clear()
        # Only a transport that is not writable tells when it has room again.
        if not self._writable and self._transport.get_write_buffer_size() > self._limits.unread_bytes:
            self._transport.pause_reading()

    def _flush_soon(self) -> None:
        # Once for all packets that came together: a system call costs more than the rest of a message.
        if not self._flush_is_due:
            self._flush_is_due = True
            self._loop.call_soon(self.flush)

    def _next_batch(self) -> bytes:
        batch = bytearray()
        while len(batch) < _BATCH_BYTES and (delivery := self._outbox.first()):
            message, qos, replayed = delivery
            if qos and len(self._unacknowledged) >= self._limits.in_flight:
                break
            self._outbox.remove_first()
            packet_id = self._next_packet_id() if qos else 0
            batch += mqtt.publish(message, qos=qos, retain=replayed, packet_id=packet_id)  # [MQTT-3.3.1-8, -9]
        return bytes(batch)

    def _next_packet_id(self) -> int:
        while True:
            self._last_packet_id = self._last_packet_id % mqtt.MAX_PACKET_ID + 1
            if self._last_packet_id not in self._unacknowledged:
                self._unacknowledged.add(self._last_packet_id)
                return self._last_packet_id

    def _allow_silence(self, seconds: float) -> None:
        self._heard_at = self._loop.time()
        self._silence_timer = self._loop.call_later(seconds, self._check_silence, seconds)

    def _check_silence(self, allowed: float) -> None:
        """The timer is only moved when it rings: that is cheaper than at every packet."""
        left = self._heard_at + allowed - self._loop.time()
        if left <= 0:
            self.end(f"silent for {allowed} s")
        else:
            self._silence_timer = self._loop.call_later(left, self._check_silence, allowed)
