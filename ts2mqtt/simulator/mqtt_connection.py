"""One client's connection to the embedded broker, and the limits on what a client may use."""

import asyncio
import logging
import socket
import uuid
from dataclasses import dataclass
from typing import Final, cast

from ts2mqtt.simulator import mqtt_packets as mqtt
from ts2mqtt.simulator.mqtt_exchange import MessageExchange
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

_BATCH_BYTES: Final = 65_536
_KEEP_ALIVE_FACTOR: Final = 1.5  # [MQTT-3.1.2-24]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of the broker one client may use.

    packet_bytes: the longest accepted packet; a longer one closes the connection.
    connect_seconds: the time from the start of the connection to a complete CONNECT.
    in_flight: the number of QoS 1 messages that are sent and not acknowledged.
    waiting_bytes: the size of messages that wait because the client reads slowly; Outbox says what happens beyond it.
    waiting_replays: the number of retained messages that wait; beyond it a further SUBSCRIBE closes the connection.
    unread_bytes: the size of what the client has not read; beyond it the broker reads nothing more from the client.
    socket_bytes: the part of unread_bytes that the system holds; None leaves the size to the system.
    """

    packet_bytes: int = 1_048_576
    connect_seconds: float = 10.0
    in_flight: int = 1_000
    waiting_bytes: int = 16_777_216
    waiting_replays: int = 1_000_000
    unread_bytes: int = 4_194_304
    socket_bytes: int | None = None


class MqttConnection(asyncio.Protocol):
    """Reads the client's packets, answers them, and sends messages as fast as the client reads them."""

    def __init__(self, exchange: MessageExchange, limits: Limits) -> None:
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

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if self._limits.socket_bytes is not None:
            connection: socket.socket = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._limits.socket_bytes)
        self._exchange.connections.add(self)
        self._start_silence_timer(self._limits.connect_seconds)
        if not self._exchange.is_open:  # the connection was accepted just before the broker stopped
            self.end("the broker stops")

    def data_received(self, data: bytes) -> None:
        self._received += data
        try:
            while not self._ended and (packet := mqtt.take_packet(self._received, self._limits.packet_bytes)):
                self._last_packet_at = self._loop.time()
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

    def deliver(self, message: Message) -> None:
        if delivery := self._subscriptions.deliver(message, replayed=False):
            self._outbox.add(delivery)
            self._flush_soon()

    def take_will(self) -> Message | None:
        will, self._will = self._will, None
        return will

    def flush(self) -> None:
        """Send what the client takes now; the rest follows when the client reads or acknowledges."""
        self._flush_is_due = False
        while self._writable and not self._ended and (batch := self._next_batch()):
            self._transport.write(batch)

    def end(self, reason: str) -> None:
        """Break the connection now and publish the last will, if it is not taken yet."""
        if self._ended:
            return
        self._ended = True
        _logger.debug("Client %r: %.200s", self._client_id, reason)
        if self._outbox.dropped:
            _logger.info("Client %r read too slowly: %d dropped", self._client_id, self._outbox.dropped)
        self._silence_timer.cancel()
        if self._client_id is not None:
            self._exchange.remove_client(self._client_id)
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
        self._exchange.add_client(client_id, self)
        self._client_id, self._will = client_id, connect.will
        self._silence_timer.cancel()
        if connect.keep_alive:
            self._start_silence_timer(connect.keep_alive * _KEEP_ALIVE_FACTOR)

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
        # asyncio calls resume_writing() only after it has called pause_writing().
        if not self._writable and self._transport.get_write_buffer_size() > self._limits.unread_bytes:
            self._transport.pause_reading()

    def _flush_soon(self) -> None:
        # One flush sends all packets that came together: a system call costs more than everything else of a message.
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

    def _start_silence_timer(self, seconds: float) -> None:
        self._last_packet_at = self._loop.time()
        self._silence_timer = self._loop.call_later(seconds, self._check_silence, seconds)

    def _check_silence(self, allowed: float) -> None:
        """End a silent connection, or set the timer again; setting it at every packet would cost more."""
        left = self._last_packet_at + allowed - self._loop.time()
        if left <= 0:
            self.end(f"silent for {allowed} s")
        else:
            self._silence_timer = self._loop.call_later(left, self._check_silence, allowed)
