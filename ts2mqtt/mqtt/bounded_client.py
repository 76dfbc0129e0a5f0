"""paho's client with a limit to what a packet takes in memory."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from paho.mqtt import client as paho
from paho.mqtt.enums import ConnackCode, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

if TYPE_CHECKING:
    import socket
    import ssl

LARGEST_PACKET = 2_000_000
"""Bytes. What the bridge publishes is smaller; Mosquitto 2.1 takes no more unless it is told to."""

_KEPT = 70_000
"""Bytes of a packet that is too large: its topic, which has at most 65,535, and the beginning of its payload."""

_READ_AT_ONCE = 32_768
_PUBLISH = 3
_EIGHT_BYTE_LENGTH = 127


class BoundedClient(paho.Client):
    """Of a packet larger than LARGEST_PACKET the beginning alone is kept, and the rest is dropped as it comes.

    paho itself puts a packet together however large it is, and copies it: one message of 200 MB, which anybody may
    have retained under the base topic, took 840 MB. MQTT 5 can ask the broker not to send it; 3.1.1 cannot.
    """

    _way: socket.socket | None = None

    is_refused_version = False
    """Whether the broker does not speak MQTT 3.1.1, over which paho ends the connection without on_connect."""

    @property
    def packet_size(self) -> int:
        """Bytes of the packet that is being received or handled, as its header tells."""
        return self._in_packet["remaining_length"]

    @property
    def is_receiving(self) -> bool:
        """Whether a packet has begun to arrive and is not complete."""
        return self._in_packet["to_process"] > 0

    def keep_alive(self, every_s: int) -> None:
        """In place of what was proposed to the broker; 0 for not at all. paho 2.1 goes on with the proposal."""
        self._keepalive = every_s

    def _create_socket_connection(self) -> socket.socket:
        self._way = super()._create_socket_connection()
        return self._way

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        self._way = encrypted = super()._ssl_wrap_socket(tcp_sock)
        return encrypted

    def _create_socket(self) -> paho.SocketLike:
        try:
            return super()._create_socket()
        except Exception:
            # paho leaves the socket of a refused WebSocket to the garbage collector.
            if self._way is not None:
                self._way.close()
            raise
        finally:
            self._way = None

    def _send_connect(self, keepalive: int) -> MQTTErrorCode:
        if self._protocol == MQTTProtocolVersion.MQTTv5:
            self._connect_properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho's own
            self._connect_properties.MaximumPacketSize = LARGEST_PACKET
        return super()._send_connect(keepalive)

    def _sock_recv(self, bufsize: int) -> bytes:
        # paho asks for all the rest of a packet, and repeats that a hundred times before it lets others work.
        return super()._sock_recv(min(bufsize, _READ_AT_ONCE))

    def _packet_read(self) -> MQTTErrorCode:
        code = super()._packet_read()
        if self._in_packet["to_process"] > 0:
            self._drop_surplus()
        return code

    def _packet_handle(self) -> MQTTErrorCode:
        self._drop_surplus()
        if self.packet_size > LARGEST_PACKET and self._in_packet["command"] >> 4 != _PUBLISH:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        return super()._packet_handle()

    def _drop_surplus(self) -> None:
        if self.packet_size > LARGEST_PACKET:
            del self._in_packet["packet"][_KEPT:]
            if self._transport == "websockets":
                _shorten_frame(self._sock)

    def _handle_on_message(self, message: paho.MQTTMessage) -> None:
        # There are no callbacks for some filters only. paho looks for them with a function that holds itself, which
        # is garbage after each message.
        if self.on_message:
            self.on_message(self, None, message)

    def _handle_connack(self) -> MQTTErrorCode:
        answer = self._in_packet["packet"]
        is_refusal = len(answer) > 1 and answer[1] == ConnackCode.CONNACK_REFUSED_PROTOCOL_VERSION
        self.is_refused_version = is_refusal and self._protocol == MQTTProtocolVersion.MQTTv311
        return super()._handle_connack()


def _shorten_frame(websocket: object) -> None:
    """Makes paho forget what it has read of a frame: it keeps a frame from its first byte to its last.

    Mosquitto sends a packet of any size as one frame. What is left of it becomes a frame of its own (RFC 6455, 5.2).
    """
    kept = vars(websocket)  # paho has no other way to it
    frame, read = kept["_readbuffer"], kept["_payload_head"]
    if read == 0 or frame[1] != _EIGHT_BYTE_LENGTH:
        return
    (size,) = struct.unpack_from("!Q", frame, 2)
    head = bytes(frame[:2]) + struct.pack("!Q", size - read)
    kept["_readbuffer"], kept["_payload_head"] = bytearray(head) + frame[len(head) + read :], 0
