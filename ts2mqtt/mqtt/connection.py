"""The connection to the broker: subscriptions, acknowledged publishes, a goodbye; paho-mqtt on asyncio."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paho.mqtt import client as paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from ts2mqtt.errors import BrokerError, BrokerUnreachableError, PublishRefusedError, QosRefusedError
from ts2mqtt.logs.wording import counted
from ts2mqtt.mqtt.bounded_client import LARGEST_PACKET, BoundedClient
from ts2mqtt.mqtt.broker_limits import BrokerLimits, declared_limits, unusable
from ts2mqtt.mqtt.byte_window import ByteWindow
from ts2mqtt.mqtt.login import login_failure, login_not_answered, paho_client, version_refused
from ts2mqtt.mqtt.message import Received
from ts2mqtt.mqtt.packet_sizes import PacketSizes, packet_size
from ts2mqtt.mqtt.paho_socket import PahoSocket
from ts2mqtt.mqtt.reach import address_text, leave, reach
from ts2mqtt.mqtt.unacknowledged import MOST_AT_ONCE, UnacknowledgedPublishes, fail_quietly
from ts2mqtt.timing import BrokerTimings, SystemClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterable

    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

    from ts2mqtt.config import MqttConfig
    from ts2mqtt.mqtt.message import Will
    from ts2mqtt.timing import Clock

__all__ = ["Connection", "PublishRefusedError", "connect", "packet_size"]

_AT_ONCE_S = 5.0
"""A broker that closes the connection over a message does so at once."""

_FIRST_FAILURE = 0x80
"""The first reason code of MQTT 5 that means a failure; paho translates those of 3.1.1."""


class Connection:
    """A connection that is logged in; made by connect().

    Whatever waits on a connection that breaks gets a BrokerUnreachableError.
    """

    def __init__(
        self, client: BoundedClient, config: MqttConfig, sizes: PacketSizes, clock: Clock, timings: BrokerTimings
    ) -> None:
        self.protocol = config.protocol
        self.sizes = sizes
        self._client = client
        self.qos: int = config.qos
        """Of what is published: as configured, or lower where the broker takes no more."""

        self._timings = timings
        self._loop = asyncio.get_running_loop()
        self._socket = PahoSocket(client)
        self._received: asyncio.Queue[Received | None] = asyncio.Queue()
        self._clock = clock
        self._publishes = self._new_publishes(BrokerLimits())
        self._subscribes: dict[int, asyncio.Future[list[ReasonCode]]] = {}
        self._retained_arrived = float("-inf")
        self._lost: BrokerUnreachableError | None = None
        self._logged_in: asyncio.Future[None] = self._loop.create_future()
        self._housekeeping: asyncio.TimerHandle | None = None
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_unsubscribe = self._on_unsubscribe

    async def log_in(self) -> None:
        """Returns when the broker has accepted the login; TimeoutError if it does not answer."""
        self._schedule_housekeeping()
        self._socket.attach()
        async with asyncio.timeout(self._timings.connect_timeout_s):
            await self._logged_in

    async def close(self) -> None:
        """Leaves so that the broker does not publish the will; waits a moment for what is not acknowledged yet."""
        if self._lost is None:
            with contextlib.suppress(TimeoutError, BrokerError):
                async with asyncio.timeout(self._timings.goodbye_s):
                    await self.drain()
            leave(self._client)
        self._break(BrokerUnreachableError("the connection was closed"))
        self._client.loop_misc()
        self._release_client()

    async def received(self) -> AsyncIterator[Received]:
        """Messages in the order of their arrival, until the connection breaks."""
        while (message := await self._received.get()) is not None:
            yield message
        self._raise_if_lost()

    async def subscribe(self, filters: Iterable[str], *, echo: bool = True) -> None:
        """Returns when the broker has agreed; QoS 0, as retained messages queue up better so.

        `echo` false leaves out what this client publishes itself, which only MQTT 5 can do.
        """
        filters = tuple(filters)
        if self.protocol == "5":
            options = SubscribeOptions(qos=0, noLocal=not echo)
            reasons = await self._agreed(*self._client.subscribe([(one, options) for one in filters]))
        else:
            reasons = await self._agreed(*self._client.subscribe([(one, 0) for one in filters]))
        # There is a reason for each filter, in their order.
        refused = [(one, str(reason)) for one, reason in zip(filters, reasons, strict=False) if _is_failure(reason)]
        if refused:
            topic_filter, reason = refused[0]
            others = f" and {counted(len(refused) - 1, 'other filter')}" if len(refused) > 1 else ""
            raise BrokerError(
                f"the broker does not let us subscribe to '{topic_filter}'{others} ({reason})",
                "check its access rules",
            )

    async def unsubscribe(self, filters: Iterable[str]) -> None:
        await self._agreed(*self._client.unsubscribe(list(filters)))

    async def publish(self, topic: str, payload: bytes, *, retain: bool) -> asyncio.Future[float]:
        """Sends a message once not too many are unacknowledged; the future is done when it has arrived.

        It tells how many seconds that took. With `mqtt.qos` 0 nobody says that it arrived, and it is done when the
        operating system has taken it.
        """
        size = packet_size(topic, payload)
        await self._publishes.wait_for_place(size)
        if self._lost:
            self._publishes.release_place(size)
            self._raise_if_lost()
        info = self._client.publish(topic, payload, self.qos, retain)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._publishes.release_place(size)
            raise BrokerUnreachableError(f"publishing failed: {paho.error_string(info.rc)}")
        return self._publishes.add(info.mid, size)

    async def drain(self) -> None:
        """Returns when everything that was published has been acknowledged, or is no longer waited for."""
        while awaited := self._publishes.awaited():
            await asyncio.wait(awaited)
        self._raise_if_lost()

    def _raise_if_lost(self) -> None:
        if self._lost:
            # A new one each time: what is raised holds the frames that it went through, and they this connection.
            raise BrokerUnreachableError(*self._lost.args)

    async def unless_silent(self, answer: Awaitable[None], within_s: float) -> None:
        """Waits for it; TimeoutError after so many seconds without anything of what the broker had retained.

        Over a slow way all that comes before the answer.
        """
        answering = asyncio.ensure_future(answer)
        began = self._loop.time()
        try:
            while not answering.done():
                left_s = max(began, self._arrived) + within_s - self._loop.time()
                if left_s <= 0:
                    raise TimeoutError
                await asyncio.wait((answering,), timeout=left_s)
            answering.result()
        finally:
            answering.cancel()

    async def until_silent(self, seconds: float) -> None:
        """Returns when nothing of what the broker had retained has come for so long, also no part of it."""
        left_s = seconds
        while left_s > 0:
            await asyncio.sleep(left_s)
            left_s = self._arrived + seconds - self._loop.time()

    @property
    def _arrived(self) -> float:
        """When the latest message came that the broker had retained, or a part of one."""
        return max(self._retained_arrived, self._socket.part_arrived)

    async def _agreed(self, code: MQTTErrorCode, packet_id: int | None) -> list[ReasonCode]:
        """Returns what the broker answers to the subscribe or unsubscribe with this packet id."""
        self._raise_if_lost()
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS or packet_id is None:
            raise BrokerUnreachableError(f"subscribing failed: {paho.error_string(code)}")
        agreed = self._subscribes[packet_id] = self._loop.create_future()
        try:
            await self.unless_silent(agreed, self._timings.connect_timeout_s)
            reasons: list[ReasonCode] = agreed.result()
        except TimeoutError as error:
            raise BrokerUnreachableError("the broker does not answer a subscription") from error
        finally:
            del agreed  # as in unless_silent()
        return reasons

    def _schedule_housekeeping(self) -> None:
        self._housekeeping = self._loop.call_later(self._timings.housekeeping_s, self._keep_house)

    def _keep_house(self) -> None:
        """Keeps the connection alive, and ends one on which an acknowledgement stays out."""
        self._schedule_housekeeping()
        self._client.loop_misc()
        limit = self._timings.acknowledged_within_s
        # Over a slow way an acknowledgement comes after all that the broker retains and is sending.
        if min(self._publishes.stalled_s(), self._loop.time() - self._arrived) > limit:
            self._break(
                BrokerUnreachableError(
                    f"the broker has not acknowledged a message within {limit:g} s; connecting anew"
                )
            )
            leave(self._client)

    def _break(self, error: BrokerUnreachableError) -> None:
        """Ends what waits on this connection, with the first error of all; only the first call does anything."""
        if self._lost is not None:
            return
        self._lost = error
        self._socket.detach()
        if self._housekeeping:
            self._housekeeping.cancel()
        self.sizes.broke_over(self._publishes.sizes_sent_within(_AT_ONCE_S))
        self._publishes.fail_all(error)
        for agreed in self._subscribes.values():
            fail_quietly(agreed, error)
        self._subscribes.clear()
        fail_quietly(self._logged_in, error)
        self._received.put_nowait(None)

    def _release_client(self) -> None:
        """Client and connection know each other no more, and go without waiting for the garbage collector."""
        client = self._client
        self._socket.release()
        client.on_connect = client.on_disconnect = client.on_message = None
        client.on_publish = client.on_subscribe = client.on_unsubscribe = None
        # It may hold a refusal, which holds the frame of log_in().
        del self._logged_in

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
        limits = declared_limits(properties)
        failure = login_failure(reason, self.protocol) if reason.is_failure else unusable(limits)
        if failure is not None:
            self._logged_in.set_exception(failure)
            return
        self._obey(limits)
        self._logged_in.set_result(None)

    def _obey(self, limits: BrokerLimits) -> None:
        """Nothing has been published yet."""
        self.sizes.declared = limits.maximum_packet_size
        self.qos = min(self.qos, limits.maximum_qos)
        self._publishes = self._new_publishes(limits)
        if limits.server_keep_alive_s is not None:
            self._client.keep_alive(limits.server_keep_alive_s)

    def _new_publishes(self, limits: BrokerLimits) -> UnacknowledgedPublishes:
        # Receive Maximum counts what is to be acknowledged, which messages of QoS 0 are not.
        most_at_once = limits.receive_maximum if self.qos > 0 else MOST_AT_ONCE
        return UnacknowledgedPublishes(self._clock, ByteWindow(grows=self.qos > 0), most_at_once)

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
        elif self._client.is_refused_version:
            self._logged_in.set_exception(version_refused(self.protocol))
        else:
            self._break(login_not_answered())

    def _on_message(self, _client: paho.Client, _userdata: Any, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return
        if message.retain:
            self._retained_arrived = self._loop.time()
        size = self._client.packet_size
        is_whole = size <= LARGEST_PACKET
        self._received.put_nowait(Received(topic, bytes(message.payload), message.retain, None if is_whole else size))

    def _on_publish(
        self, _client: paho.Client, _userdata: Any, packet_id: int, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        refusal = str(reason) if _is_failure(reason) else None
        size = self._publishes.acknowledge(packet_id, refusal)
        if size is not None and self.qos > 0:
            self.sizes.took(size)

    def _on_subscribe(
        self,
        _client: paho.Client,
        _userdata: Any,
        packet_id: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        agreed = self._subscribes.pop(packet_id, None)
        if agreed is None or agreed.done():
            return
        agreed.set_result(reasons)

    def _on_unsubscribe(
        self,
        _client: paho.Client,
        _userdata: Any,
        packet_id: int,
        _reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        agreed = self._subscribes.pop(packet_id, None)
        if agreed and not agreed.done():
            agreed.set_result([])


def _is_failure(reason: ReasonCode) -> bool:
    return reason.value >= _FIRST_FAILURE


@asynccontextmanager
async def connect(  # noqa: PLR0913 - the clock and the timings come with everything that measures
    config: MqttConfig,
    *,
    client_id: str | None = None,
    will: Will | None = None,
    sizes: PacketSizes | None = None,
    clock: Clock = SystemClock(),
    timings: BrokerTimings = BrokerTimings(),
) -> AsyncIterator[Connection]:
    """A connection for as long as the block lasts; leaving the block says goodbye to the broker.

    `sizes` remembers, from one connection to the next, which messages the broker takes.

    Raises LoginRefusedError when the broker does not let us in, BrokerUnreachableError when there is none,
    BrokerError for a TLS set-up that cannot work.
    """
    login = _Login(client_id or config.client_id, will, sizes or PacketSizes(clock), clock, timings)
    connection = await login.with_highest_qos(config)
    try:
        yield connection
    finally:
        await connection.close()


@dataclass(frozen=True, slots=True)
class _Login:
    """What a connection is made with, beside the configuration."""

    client_id: str
    will: Will | None
    sizes: PacketSizes
    clock: Clock
    timings: BrokerTimings

    async def with_highest_qos(self, config: MqttConfig) -> Connection:
        """With the configured QoS, or with 0 where the broker takes no last will with that."""
        if config.qos > 0:
            with contextlib.suppress(QosRefusedError):
                return await self._try(config)
        return await self._try(config.model_copy(update={"qos": 0}))

    async def _try(self, config: MqttConfig) -> Connection:
        client = paho_client(config, self.client_id, self.will)
        await reach(client, config)
        connection = Connection(client, config, self.sizes, self.clock, self.timings)
        try:
            await connection.log_in()
        except BaseException as error:
            await connection.close()
            if isinstance(error, TimeoutError):
                raise BrokerUnreachableError(
                    f"{address_text(config)} took the connection and never answered", "is it an MQTT broker?"
                ) from error
            raise
        return connection
