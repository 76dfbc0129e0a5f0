"""The connection to the broker: login, last will, subscriptions, acknowledged publishes; paho-mqtt on asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.subscribeoptions import SubscribeOptions

from ts2mqtt.errors import BrokerError, BrokerUnreachableError, LoginRefusedError
from ts2mqtt.mqtt.packet_sizes import PacketSizes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

    from ts2mqtt.config import MqttConfig

_LOG = logging.getLogger(__name__)

_WINDOW = 200
"""Unacknowledged publishes under way at once; paho itself becomes slow with thousands."""

_CONNECT_TIMEOUT_S = 15.0
_GOODBYE_S = 1.0
_HOUSEKEEPING_S = 1.0
_ACKNOWLEDGED_WITHIN_S = 30.0
"""MQTT sends a message again only on a new connection, and a broker in trouble may forget one."""

_AT_ONCE_S = 5.0
"""A broker that closes the connection over a message does so at once."""

_AROUND_A_MESSAGE = 12
"""Bytes of a PUBLISH packet beside topic and payload, at most."""

_FAILURE = 0x80
"""The first reason code of MQTT 5 that means a failure; paho translates those of 3.1.1."""

_UNSUPPORTED_PROTOCOL = 132
_RETAIN_NOT_SUPPORTED = 154
_REFUSALS = {133: "the client id", 134: "user or password", 135: "the login", 138: "this client"}


@dataclass(frozen=True, slots=True)
class Received:
    """A message from the broker; `retain` is true for what it had kept, false for what just happened."""

    topic: str
    payload: bytes
    retain: bool


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained, when this connection breaks without a word."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class _UnderWay:
    done: asyncio.Future[float]
    size: int
    sent: float


class PublishRefusedError(BrokerError):
    """The broker took a message and said that it does not keep it (MQTT 5 only; 3.1.1 has no words for that)."""


class Connection:
    """A connection that is logged in; made by connect().

    Whatever waits on a connection that breaks gets a BrokerUnreachableError.
    """

    def __init__(self, client: paho.Client, qos: int, protocol: str, sizes: PacketSizes) -> None:
        self.protocol = protocol
        self.sizes = sizes
        self._client = client
        self._qos = qos
        self._loop = asyncio.get_running_loop()
        self._received: asyncio.Queue[Received | None] = asyncio.Queue()
        self._window = asyncio.Semaphore(_WINDOW)
        self._publishes: dict[int, _UnderWay] = {}
        self._subscribes: dict[int, asyncio.Future[None]] = {}
        self._lost: BrokerUnreachableError | None = None
        self._logged_in: asyncio.Future[None] = self._loop.create_future()
        self._housekeeping: asyncio.TimerHandle | None = None
        self._reads_from: int | None = None
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_unsubscribe = self._on_unsubscribe

    async def received(self) -> AsyncIterator[Received]:
        """Messages in the order of their arrival, until the connection breaks."""
        while (message := await self._received.get()) is not None:
            yield message
        raise self._lost or BrokerUnreachableError("the connection was closed")

    async def subscribe(self, filters: Iterable[str], *, echo: bool = True) -> None:
        """Returns when the broker has agreed; QoS 0, as retained messages queue up better so.

        `echo` false leaves out what this client publishes itself, which only MQTT 5 can do.
        """
        if self.protocol == "5":
            options = SubscribeOptions(qos=0, noLocal=not echo)
            await self._agreed(*self._client.subscribe([(topic_filter, options) for topic_filter in filters]))
        else:
            await self._agreed(*self._client.subscribe([(topic_filter, 0) for topic_filter in filters]))

    async def unsubscribe(self, filters: Iterable[str]) -> None:
        await self._agreed(*self._client.unsubscribe(list(filters)))

    async def publish(self, topic: str, payload: bytes, *, retain: bool) -> asyncio.Future[float]:
        """Hands a message over once there is room in the window; the future is done when it has arrived.

        It tells how many seconds that took. With `mqtt.qos` 0 nobody says that it arrived, and it is done at once.
        """
        await self._window.acquire()
        if self._lost:
            self._window.release()
            raise self._lost
        info = self._client.publish(topic, payload, self._qos, retain)
        done: asyncio.Future[float] = self._loop.create_future()
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._window.release()
            raise BrokerUnreachableError(f"publishing failed: {paho.error_string(info.rc)}")
        if self._qos == 0:
            self._window.release()
            done.set_result(0.0)
        else:
            self._publishes[info.mid] = _UnderWay(done, packet_size(topic, payload), self._loop.time())
        return done

    async def drain(self) -> None:
        """Returns when everything that was published has been acknowledged, or is no longer waited for."""
        while awaited := [one.done for one in self._publishes.values() if not one.done.done()]:
            await asyncio.wait(awaited)
        if self._lost:
            raise self._lost

    async def _log_in(self) -> None:
        self._attach()
        async with asyncio.timeout(_CONNECT_TIMEOUT_S):
            await self._logged_in

    async def _say_goodbye(self) -> None:
        """Leaves so that the broker does not publish the will; waits for what is in flight, but not for ever."""
        if self._lost is None:
            with contextlib.suppress(TimeoutError, BrokerError):
                async with asyncio.timeout(_GOODBYE_S):
                    await self.drain()
            _leave(self._client)
        self._break(BrokerUnreachableError("the connection was closed"))
        self._client.loop_misc()

    async def _agreed(self, code: MQTTErrorCode, mid: int | None) -> None:
        if self._lost:
            raise self._lost
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS or mid is None:
            raise BrokerUnreachableError(f"subscribing failed: {paho.error_string(code)}")
        agreed = self._subscribes[mid] = self._loop.create_future()
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                await agreed
        except TimeoutError as error:
            raise BrokerUnreachableError("the broker does not answer a subscription") from error

    def _attach(self) -> None:
        """Lets the event loop read, write and keep alive from here on; paho's own thread is not used."""
        sock = self._client.socket()
        if sock is None:
            self._break(BrokerUnreachableError("the broker closed the connection at once"))
            return
        if isinstance(sock, socket.socket):
            # Nagle's algorithm against the broker's delayed ACK costs 40 ms a batch.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reads_from = sock.fileno()
        self._loop.add_reader(self._reads_from, self._read)
        self._client.on_socket_register_write = self._on_socket_register_write
        self._client.on_socket_unregister_write = self._on_socket_unregister_write
        self._client.on_socket_close = self._on_socket_close
        if self._client.want_write():
            self._loop.add_writer(self._reads_from, self._write)
        self._housekeeping = self._loop.call_later(_HOUSEKEEPING_S, self._keep_house)
        self._read()

    def _detach(self) -> None:
        if self._reads_from is not None:
            self._loop.remove_reader(self._reads_from)
            self._loop.remove_writer(self._reads_from)
            self._reads_from = None
        if self._housekeeping:
            self._housekeeping.cancel()
            self._housekeeping = None

    def _read(self) -> None:
        while self._lost is None:
            code = self._client.loop_read()
            sock = self._client.socket()
            # TLS and WebSocket hold bytes back that no further readiness of the socket announces.
            pending = getattr(sock, "pending", None)
            if code != MQTTErrorCode.MQTT_ERR_SUCCESS or sock is None or pending is None or not pending():
                return

    def _write(self) -> None:
        self._client.loop_write()

    def _keep_house(self) -> None:
        self._housekeeping = self._loop.call_later(_HOUSEKEEPING_S, self._keep_house)
        self._client.loop_misc()
        oldest = next(iter(self._publishes.values()), None)
        if oldest and self._loop.time() - oldest.sent > _ACKNOWLEDGED_WITHIN_S:
            self._break(
                BrokerUnreachableError(
                    f"the broker has not acknowledged a message within {_ACKNOWLEDGED_WITHIN_S:g} s; connecting anew"
                )
            )
            _leave(self._client)

    def _break(self, error: BrokerUnreachableError) -> None:
        if self._lost is not None:
            return
        self._lost = error
        self._detach()
        lately = self._loop.time() - _AT_ONCE_S
        self.sizes.broke_over([one.size for one in self._publishes.values() if one.sent > lately])
        waiting: list[asyncio.Future[Any]] = [one.done for one in self._publishes.values()]
        for future in (*waiting, *self._subscribes.values(), self._logged_in):
            if not future.done():
                future.set_exception(error)
                # Whoever no longer waits for it need not be told.
                future.exception()
        for _ in self._publishes:
            self._window.release()
        self._publishes.clear()
        self._subscribes.clear()
        self._received.put_nowait(None)

    def _on_socket_register_write(self, _client: paho.Client, _userdata: Any, sock: paho.SocketLike) -> None:
        self._loop.add_writer(sock.fileno(), self._write)

    def _on_socket_unregister_write(self, _client: paho.Client, _userdata: Any, sock: paho.SocketLike) -> None:
        self._loop.remove_writer(sock.fileno())

    def _on_socket_close(self, _client: paho.Client, _userdata: Any, _sock: paho.SocketLike) -> None:
        self._detach()

    def _on_connect(
        self,
        _client: paho.Client,
        _userdata: Any,
        _flags: paho.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if self._logged_in.done():
            return
        self.sizes.declared = getattr(properties, "MaximumPacketSize", None)
        if not reason.is_failure:
            self._logged_in.set_result(None)
        elif reason.value in _REFUSALS:
            self._logged_in.set_exception(
                LoginRefusedError(
                    f"the broker refuses {_REFUSALS[reason.value]} ({reason}); check mqtt.username, mqtt.password "
                    "and mqtt.client_id, and the broker's own log"
                )
            )
        elif reason.value == _UNSUPPORTED_PROTOCOL:
            self._logged_in.set_exception(
                BrokerError(f"the broker does not speak MQTT {self.protocol}; set mqtt.protocol to the other version")
            )
        elif reason.value == _RETAIN_NOT_SUPPORTED:
            self._logged_in.set_exception(
                BrokerError(
                    "the broker does not keep retained messages, without which Home Assistant knows nothing after a "
                    "restart; allow them in the broker's configuration"
                )
            )
        else:
            self._logged_in.set_exception(BrokerUnreachableError(f"the broker turns us away: {reason}"))

    def _on_disconnect(
        self,
        _client: paho.Client,
        _userdata: Any,
        _flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if self._logged_in.done():
            self._break(BrokerUnreachableError(f"the connection to the broker broke ({reason})"))
        else:
            # MQTT 3.1.1 has no words for it; Mosquitto closes so when its retain_available is false.
            self._break(
                BrokerUnreachableError(
                    "the broker closed the connection instead of answering the login; its own log knows why: perhaps "
                    "it does not allow retained messages, such as our last will, or expects TLS on this port"
                )
            )

    def _on_message(self, _client: paho.Client, _userdata: Any, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return
        self._received.put_nowait(Received(topic, bytes(message.payload), message.retain))

    def _on_publish(
        self, _client: paho.Client, _userdata: Any, mid: int, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        under_way = self._publishes.pop(mid, None)
        if under_way is None:
            return
        self._window.release()
        self.sizes.took(under_way.size)
        done = under_way.done
        if done.done():
            return
        if reason.value >= _FAILURE:
            done.set_exception(PublishRefusedError(f"the broker does not keep it: {reason}"))
            done.exception()
        else:
            done.set_result(self._loop.time() - under_way.sent)

    def _on_subscribe(
        self,
        _client: paho.Client,
        _userdata: Any,
        mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        agreed = self._subscribes.pop(mid, None)
        if agreed is None or agreed.done():
            return
        refused = [reason for reason in reasons if reason.value >= _FAILURE]
        if refused:
            agreed.set_exception(
                BrokerError(f"the broker does not let us subscribe ({refused[0]}); check its access rules")
            )
        else:
            agreed.set_result(None)

    def _on_unsubscribe(
        self,
        _client: paho.Client,
        _userdata: Any,
        mid: int,
        _reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        agreed = self._subscribes.pop(mid, None)
        if agreed and not agreed.done():
            agreed.set_result(None)


@asynccontextmanager
async def connect(
    config: MqttConfig,
    *,
    client_id: str | None = None,
    will: Will | None = None,
    sizes: PacketSizes | None = None,
) -> AsyncIterator[Connection]:
    """A connection for as long as the block lasts; leaving the block says goodbye to the broker.

    `sizes` remembers, from one connection to the next, which messages the broker takes.

    Raises LoginRefusedError when the broker does not let us in, BrokerUnreachableError when there is none,
    BrokerError for a TLS set-up that cannot work.
    """
    client = _client(config, client_id or config.client_id, will)
    await _reach(client, config)
    connection = Connection(client, config.qos, config.protocol, sizes or PacketSizes())
    try:
        try:
            await connection._log_in()  # noqa: SLF001 - connect() is the Connection's constructor
        except TimeoutError as error:
            raise BrokerUnreachableError(
                f"{_address(config)} took the connection and never answered; is it an MQTT broker?"
            ) from error
        yield connection
    finally:
        await connection._say_goodbye()  # noqa: SLF001


def _client(config: MqttConfig, client_id: str, will: Will | None) -> paho.Client:
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=MQTTProtocolVersion.MQTTv5 if config.protocol == "5" else MQTTProtocolVersion.MQTTv311,
        transport="websockets" if config.transport == "websockets" else "tcp",
        reconnect_on_failure=False,
    )
    client.max_inflight_messages_set(0)
    client.max_queued_messages_set(0)
    if config.transport == "websockets":
        client.ws_set_options(path=config.websocket_path)
    if config.username is not None:
        client.username_pw_set(config.username, config.password.get_secret_value() if config.password else None)
    if will is not None:
        client.will_set(will.topic, will.payload, qos=config.qos, retain=True)
    if config.tls.enabled:
        client.tls_set_context(_tls(config))
    return client


def _tls(config: MqttConfig) -> ssl.SSLContext:
    tls = config.tls
    try:
        context = ssl.create_default_context(cafile=str(tls.ca_file) if tls.ca_file else None)
        if tls.cert_file:
            context.load_cert_chain(str(tls.cert_file), str(tls.key_file) if tls.key_file else None)
    except (OSError, ssl.SSLError) as error:
        raise BrokerError(f"the TLS files cannot be used ({error}); check mqtt.tls") from error
    context.sslsocket_class = _TlsSocket
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class _TlsSocket(ssl.SSLSocket):
    """Closes itself when the handshake fails, which paho leaves to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


async def _reach(client: paho.Client, config: MqttConfig) -> None:
    try:
        await _in_thread(
            lambda: client.connect(config.host, config.port, max(1, round(config.keepalive))),
            undo=lambda: _leave(client),
        )
    except ssl.SSLCertVerificationError as error:
        raise BrokerError(
            f"{_address(config)} shows a certificate that is not trusted ({error.verify_message}); "
            "set mqtt.tls.ca_file"
        ) from error
    except (OSError, paho.WebsocketConnectionError, ValueError) as error:
        raise BrokerUnreachableError(f"no broker at {_address(config)} ({error})") from error


async def _in_thread(function: Callable[[], object], *, undo: Callable[[], None]) -> None:
    """Runs what blocks (looking a name up, connecting, the TLS handshake) in a thread that no exit waits for.

    If it succeeds when nobody waits for it any more, it is undone.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def tell(error: Exception | None) -> None:
        if done.done():
            if error is None:
                undo()
        elif error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def run() -> None:
        error: Exception | None = None
        try:
            function()
        except Exception as caught:  # noqa: BLE001 - handed over, whatever it is
            error = caught
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(tell, error)

    threading.Thread(target=run, name="mqtt-connect", daemon=True).start()
    await done


def packet_size(topic: str, payload: bytes) -> int:
    """What a broker's limit counts, or a few bytes more."""
    return len(topic.encode()) + len(payload) + _AROUND_A_MESSAGE


def _leave(client: paho.Client) -> None:
    client.disconnect()
    client.loop_write()


def _address(config: MqttConfig) -> str:
    return f"{config.host}:{config.port}"
