"""Reads and writes the packets of MQTT 3.1.1 for a broker without QoS 2, and compares topics with topic filters.

Numbers in brackets are the rules of the OASIS standard "MQTT Version 3.1.1".
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from ts2mqtt.errors import Ts2mqttError

ACCEPTED: Final = 0
REFUSED_VERSION: Final = 1
REFUSED_CLIENT_ID: Final = 2
REFUSED_LOGIN: Final = 4
REFUSED_NOT_AUTHORISED: Final = 5

MAX_PACKET_ID: Final = 65_535
PINGRESP: Final = b"\xd0\x00"

_CONNECT: Final = 1
_PUBLISH: Final = 3
_PUBACK: Final = 4
_SUBSCRIBE: Final = 8
_UNSUBSCRIBE: Final = 10
_PINGREQ: Final = 12
_DISCONNECT: Final = 14

_LEVEL_3_1_1: Final = 4
_LENGTH_BYTES: Final = 4
_MORE_FOLLOWS: Final = 0x80
_HIGHEST_QOS: Final = 2


class ProtocolError(Ts2mqttError):
    """A client broke a rule of MQTT 3.1.1, so that its connection must be closed."""


class UnsupportedVersionError(ProtocolError):
    """A client asks for another version of MQTT than 3.1.1."""


@dataclass(frozen=True, slots=True)
class Message:
    topic: str
    payload: bytes
    qos: int
    retain: bool


@dataclass(frozen=True, slots=True)
class Connect:
    """`keep_alive` is in seconds, 0 for none."""

    client_id: str
    clean_session: bool
    keep_alive: int
    will: Message | None
    username: str | None
    password: bytes | None


@dataclass(frozen=True, slots=True)
class Publish:
    """`packet_id` is 0 at QoS 0."""

    message: Message
    packet_id: int


@dataclass(frozen=True, slots=True)
class PubAck:
    packet_id: int


@dataclass(frozen=True, slots=True)
class Subscribe:
    """`filters` are topic filters with the requested QoS; SUBACK answers them in this order."""

    packet_id: int
    filters: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    packet_id: int
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PingReq:
    pass


@dataclass(frozen=True, slots=True)
class Disconnect:
    pass


Packet = Connect | Publish | PubAck | Subscribe | Unsubscribe | PingReq | Disconnect


def take_packet(received: bytearray, limit: int) -> Packet | None:
    """Remove the first packet from the received bytes and return it; None while the packet is not complete.

    Raises ProtocolError if the packet is malformed, or longer than `limit` bytes without its fixed header.
    """
    length = 0
    for position, byte in enumerate(received[1 : 1 + _LENGTH_BYTES]):
        length |= (byte & ~_MORE_FOLLOWS) << (7 * position)
        if byte < _MORE_FOLLOWS:
            break
    else:
        if len(received) > _LENGTH_BYTES:
            raise ProtocolError("the remaining length of a packet takes more than four bytes")
        return None
    if length > limit:
        raise ProtocolError(f"a packet of {length} bytes is longer than the {limit} bytes that are taken")
    start = position + 2
    if len(received) < start + length:
        return None
    kind, flags = divmod(received[0], 16)
    body = _Body(bytes(received[start : start + length]))
    del received[: start + length]
    return _decoded(kind, flags, body)


def connack(return_code: int) -> bytes:
    """CONNACK; session present is always 0, because no session outlives its connection."""
    return bytes((0x20, 2, 0, return_code))


def publish(message: Message, *, qos: int, retain: bool, packet_id: int) -> bytes:
    """PUBLISH with the QoS and the retain flag of one delivery; `packet_id` is used at QoS 1 only."""
    topic = message.topic.encode()
    number = packet_id.to_bytes(2, "big") if qos else b""
    length = 2 + len(topic) + len(number) + len(message.payload)
    first = _PUBLISH << 4 | qos << 1 | retain
    return b"".join((bytes((first,)), _length(length), len(topic).to_bytes(2, "big"), topic, number, message.payload))


def puback(packet_id: int) -> bytes:
    return b"\x40\x02" + packet_id.to_bytes(2, "big")


def suback(packet_id: int, granted: Iterable[int]) -> bytes:
    body = packet_id.to_bytes(2, "big") + bytes(granted)
    return b"\x90" + _length(len(body)) + body


def unsuback(packet_id: int) -> bytes:
    return b"\xb0\x02" + packet_id.to_bytes(2, "big")


def has_wildcard(topic_filter: str) -> bool:
    return "+" in topic_filter or "#" in topic_filter


def matches(topic_filter: str, topic: str) -> bool:
    filter_levels, levels = topic_filter.split("/"), topic.split("/")
    # Topics that begin with $ belong to the broker; a wildcard at the start does not match them [MQTT-4.7.2-1].
    if topic.startswith("$") and filter_levels[0] in ("+", "#"):
        return False
    for position, level in enumerate(filter_levels):
        if level == "#":  # also matches the level above it: a/# matches a
            return True
        if position == len(levels) or level not in ("+", levels[position]):
            return False
    return len(filter_levels) == len(levels)


class _Body:
    """The body of a packet (all that follows the fixed header); each method takes the next field."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._position = 0

    @property
    def left(self) -> int:
        return len(self._octets) - self._position

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise ProtocolError("a packet ends in the middle of a field")
        self._position += size
        return self._octets[self._position - size : self._position]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def packet_id(self) -> int:
        number = self.number(2)
        if number == 0:
            raise ProtocolError("a packet id is 0")  # [MQTT-2.3.1-1]
        return number

    def binary(self) -> bytes:
        return self.take(self.number(2))

    def text(self) -> str:
        try:
            text = self.binary().decode()
        except UnicodeDecodeError as error:
            raise ProtocolError("a text is not UTF-8") from error
        if "\0" in text:
            raise ProtocolError("a text contains U+0000")  # [MQTT-1.5.3-2]
        return text

    def topic(self) -> str:
        topic = self.text()
        if not topic or has_wildcard(topic):
            raise ProtocolError(f"{topic!r} is not a topic")
        return topic

    def topic_filter(self) -> str:
        topic_filter = self.text()
        *above, last = topic_filter.split("/")
        alone = all(level == "+" or not has_wildcard(level) for level in above)
        if not topic_filter or not alone or (len(last) > 1 and has_wildcard(last)):
            raise ProtocolError(f"{topic_filter!r} is not a topic filter")
        return topic_filter

    def qos(self) -> int:
        qos = self.number(1)
        if qos > _HIGHEST_QOS:
            raise ProtocolError(f"there is no QoS {qos}")
        return qos


def _decoded(kind: int, flags: int, body: _Body) -> Packet:
    if kind == _PUBLISH:
        return _publish(body, flags)
    if (kind, flags) not in _DECODERS:
        raise ProtocolError(f"a client does not send packets of type {kind} with flags {flags:04b}")
    packet = _DECODERS[kind, flags](body)
    if body.left:
        raise ProtocolError(f"{body.left} bytes too many in a packet of type {kind}")
    return packet


def _publish(body: _Body, flags: int) -> Publish:
    duplicate, qos, retain = flags >> 3, flags >> 1 & 0b11, bool(flags & 1)
    if qos > 1:
        raise ProtocolError(f"a message with QoS {qos}, which this broker does not take")
    if duplicate and qos == 0:
        raise ProtocolError("a message with QoS 0 is marked as a repetition")  # [MQTT-3.3.1-2]
    topic = body.topic()
    packet_id = body.packet_id() if qos else 0
    return Publish(Message(topic, body.take(body.left), qos, retain), packet_id)


def _connect(body: _Body) -> Connect:
    protocol, level = body.text(), body.number(1)
    if protocol not in ("MQTT", "MQIsdp"):  # the latter is MQTT 3.1
        raise ProtocolError(f"{protocol!r} is not MQTT")
    if (protocol, level) != ("MQTT", _LEVEL_3_1_1):
        raise UnsupportedVersionError(f"{protocol} at protocol level {level} is not MQTT 3.1.1")
    flags = body.number(1)
    has_username, has_password, has_will = bool(flags & 0x80), bool(flags & 0x40), bool(flags & 0x04)
    will_retain, will_qos, clean_session = bool(flags & 0x20), flags >> 3 & 0b11, bool(flags & 0x02)
    if flags & 0x01 or will_qos > _HIGHEST_QOS or (has_password and not has_username):
        raise ProtocolError(f"connect flags {flags:08b} are not allowed")
    if not has_will and (will_retain or will_qos):
        raise ProtocolError("a QoS or a retain flag for a will that is not there")
    keep_alive, client_id = body.number(2), body.text()
    will = Message(body.topic(), body.binary(), will_qos, will_retain) if has_will else None
    username = body.text() if has_username else None
    password = body.binary() if has_password else None
    return Connect(client_id, clean_session, keep_alive, will, username, password)


def _subscribe(body: _Body) -> Subscribe:
    packet_id, filters = body.packet_id(), [(body.topic_filter(), body.qos())]
    while body.left:
        filters.append((body.topic_filter(), body.qos()))
    return Subscribe(packet_id, tuple(filters))


def _unsubscribe(body: _Body) -> Unsubscribe:
    packet_id, filters = body.packet_id(), [body.topic_filter()]
    while body.left:
        filters.append(body.topic_filter())
    return Unsubscribe(packet_id, tuple(filters))


def _length(length: int) -> bytes:
    encoded = bytearray()
    while length >= _MORE_FOLLOWS:
        encoded.append(length % _MORE_FOLLOWS | _MORE_FOLLOWS)
        length //= _MORE_FOLLOWS
    encoded.append(length)
    return bytes(encoded)


# By type and the flags that the type must have [MQTT-2.2.2-2]; only PUBLISH has flags to choose.
_DECODERS: Final[dict[tuple[int, int], Callable[[_Body], Packet]]] = {
    (_CONNECT, 0b0000): _connect,
    (_PUBACK, 0b0000): lambda body: PubAck(body.packet_id()),
    (_SUBSCRIBE, 0b0010): _subscribe,
    (_UNSUBSCRIBE, 0b0010): _unsubscribe,
    (_PINGREQ, 0b0000): lambda _: PingReq(),
    (_DISCONNECT, 0b0000): lambda _: Disconnect(),
}
