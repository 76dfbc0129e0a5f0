"""Checks the broker: the way there, the login, what it allows and keeps, which bridges and Home Assistants use it."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ts2mqtt.bridge import heartbeat
from ts2mqtt.check.announcements import (
    FILTERS_OF_EVERY_PREFIX,
    announcement_filters,
    announcements_by_prefix,
    listening_verdict,
)
from ts2mqtt.check.findings import Cause
from ts2mqtt.check.network import Peer, address_text, look_up, looked_up_text, reach, speaks_tls, tls_failure
from ts2mqtt.check.queue_limit import queue_verdict
from ts2mqtt.check.steps import StepFailedError, Steps, Verdict, failed_step, sentence
from ts2mqtt.errors import BrokerError, BrokerUnreachableError, LoginRefusedError, PublishRefusedError
from ts2mqtt.home_assistant.discovery import Availability, Device, DevicePayload
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.mqtt.connection import connect
from ts2mqtt.mqtt.ports import broker_port_advice
from ts2mqtt.timing import CheckTimings, SystemClock
from ts2mqtt.topics import decode
from ts2mqtt.topics.encode import ONLINE
from ts2mqtt.topics.names import Subject, TopicNames

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from ts2mqtt.check.findings import Finding
    from ts2mqtt.config import HomeAssistantConfig, MqttConfig
    from ts2mqtt.mqtt.connection import Connection
    from ts2mqtt.mqtt.message import Received
    from ts2mqtt.timing import Clock

_LARGE_BYTES = 131_072
"""As many as the picture of a long night may have; the device of a target has a fifth of it."""

_BYTES_PER_SECOND = 20_000
"""Of a slow way to the broker."""


async def check_broker(
    mqtt: MqttConfig,
    home_assistant: HomeAssistantConfig,
    tell: Callable[[Finding], None],
    *,
    clock: Clock = SystemClock(),
    timings: CheckTimings = CheckTimings(),
) -> None:
    """What it publishes is cleared again, and makes no bridge and no Home Assistant do anything."""
    names = DiscoveryIds(home_assistant.discovery_prefix, TopicNames(mqtt.base_topic))
    steps = Steps("broker", tell, clock)
    await _BrokerCheck(mqtt, home_assistant, names, f"check-{secrets.token_hex(4)}", steps, timings).run()


@dataclass(frozen=True, slots=True)
class _BrokerCheck:
    """Each step has a connection of its own: some brokers end one on which something forbidden was tried."""

    mqtt: MqttConfig
    home_assistant: HomeAssistantConfig
    names: DiscoveryIds
    id: str
    """Of this check alone; part of its client id and of its topics."""

    steps: Steps
    timings: CheckTimings

    async def run(self) -> None:
        try:
            await self._check_way_and_login()
        except StepFailedError:
            return
        with suppress(StepFailedError):
            await self._check_base_topic()
        if self.home_assistant.enabled:
            with suppress(StepFailedError):
                await self._check_discovery()

    async def _check_way_and_login(self) -> None:
        steps, peer, tls = self.steps, self._peer(), self.mqtt.tls
        addresses = await steps.run_required("name", look_up(peer), lambda addresses: looked_up_text(peer, addresses))
        address = await steps.run_required(
            "TCP", reach(peer, addresses), lambda address: f"{address_text(address, peer.port)} takes connections"
        )
        # The MQTT client makes the TLS handshake and the login in one go: the step TLS takes the time of both.
        login = asyncio.create_task(self._log_in())
        if tls.enabled:
            trust = "not looked at" if tls.insecure else "trusted"
            await steps.run_required(
                "TLS", self._judge_tls(login, peer, address), lambda _: f"the broker's certificate is {trust}"
            )
        user = "without a user name" if self.mqtt.username is None else f"as '{self.mqtt.username}'"
        await steps.run_required(
            "login",
            self._judge_login(login, peer, address),
            lambda _: f"{user}, with MQTT {self.mqtt.protocol}",
        )

    async def _check_base_topic(self) -> None:
        base = self.mqtt.base_topic
        probe = self._probe
        await self.steps.run_required(
            "base topic",
            self._publish_and_hear(probe, b"probe", f"{base}/#"),
            lambda _: f"may publish and subscribe under '{base}'",
        )
        await self.steps.run_independent("retained", self._check_retained(probe))
        await self.steps.run_independent("bridge", self._find_bridges())
        await self.steps.run_independent("queue", self._count_topics())

    async def _check_discovery(self) -> None:
        prefix = self.names.prefix
        # Home Assistant accepts a device without components and creates nothing; it would log a warning about a
        # payload that is no device.
        subject = Subject(self.id)
        payload = DevicePayload(
            device=Device(
                identifiers=(self.names.device_id(subject),),
                name="ts2mqtt check",
                manufacturer="ts2mqtt",
                model="Check",
            ),
            availability=(Availability(topic=self.names.topics.status),),
            components={},
        ).to_bytes()
        await self.steps.run_required(
            "discovery",
            self._check_discovery_topic(
                self.names.topic(subject), payload, f"{prefix}/device/{self.names.node_id}/#"
            ),
            lambda _: f"may publish and subscribe under '{prefix}'",
        )
        await self.steps.run_independent("Home Assistant", self._find_home_assistant())

    @property
    def _probe(self) -> str:
        return f"{self.mqtt.base_topic}/bridge/{self.id}"

    def _peer(self) -> Peer:
        return Peer(
            host=self.mqtt.host,
            port=self.mqtt.port,
            if_refused=sentence(self._port_advice)
            or "The broker is not running there, or listens on another port than mqtt.port. A Mosquitto "
            "without a 'listener' line in its configuration takes connections from its own machine only.",
            if_silent="The computer with the broker is off, it has another address now, or a firewall on it drops "
            f"the connection: allow incoming TCP on port {self.mqtt.port} there.",
            ca_key="mqtt.tls.ca_file",
            patience_s=self.timings.reach_s,
        )

    @property
    def _port_advice(self) -> str:
        return broker_port_advice(self.mqtt.port, self.mqtt.transport)

    async def _log_in(self) -> BrokerError | None:
        """Why the login failed, if it did; with a client id of its own, as the bridge's would end its connection."""
        try:
            async with asyncio.timeout(self.timings.login_s), self._connect():
                return None
        except TimeoutError as error:
            timed_out = BrokerUnreachableError("takes the connection and never answers")
            timed_out.__cause__ = error
            return timed_out
        except BrokerError as error:
            return error

    async def _judge_tls(self, login: asyncio.Task[BrokerError | None], peer: Peer, address: str) -> None:
        error = await login
        cause = error.__cause__ if error else None
        if isinstance(cause, TimeoutError) and await speaks_tls(peer, address):
            return
        if isinstance(error, BrokerUnreachableError) or isinstance(cause, ssl.SSLCertVerificationError):
            if isinstance(cause, OSError):
                raise tls_failure(peer, cause)
        elif error and isinstance(cause, OSError):
            raise StepFailedError(
                error.message, "The files below mqtt.tls must hold certificates and their key in PEM format."
            )

    async def _judge_login(self, login: asyncio.Task[BrokerError | None], peer: Peer, address: str) -> None:
        error = await login
        if error is None:
            return
        if not self.mqtt.tls.enabled and await speaks_tls(peer, address):
            raise StepFailedError(f"{peer} wants TLS", "Write 'enabled: true' below mqtt.tls.", Cause.TLS_WANTED)
        if isinstance(error, LoginRefusedError):
            advice = (
                "It wants a login: write mqtt.username and mqtt.password."
                if self.mqtt.username is None
                else "Compare mqtt.username and mqtt.password with the broker's users (for Home Assistant's "
                "Mosquitto app: a user of Home Assistant); its own log tells more."
            )
            raise StepFailedError(error.message, advice, Cause.LOGIN)
        if isinstance(error.__cause__, TimeoutError):
            raise StepFailedError(
                f"{peer} takes the connection and never answers",
                sentence(self._port_advice)
                or "Another program than an MQTT broker owns this port, or the broker hangs: check mqtt.port, and "
                "look at the broker.",
            )
        if self._port_advice and isinstance(error, BrokerUnreachableError):
            raise StepFailedError(error.message, sentence(self._port_advice))
        if error.advice and (self.mqtt.transport == "websockets" or not isinstance(error, BrokerUnreachableError)):
            raise failed_step(error)
        if self.mqtt.transport == "websockets":
            raise StepFailedError(
                error.message,
                "Compare mqtt.port and mqtt.websocket_path with the broker's listener for WebSockets.",
            )
        if self.mqtt.tls.enabled and self.mqtt.tls.cert_file is None:
            raise StepFailedError(
                error.message,
                "If the broker wants a client certificate, write mqtt.tls.cert_file and key_file.",
            )
        raise failed_step(error)

    async def _publish_and_hear(self, topic: str, payload: bytes, needed: str) -> None:
        """Publishes, not retained, and returns when the message has come back; the advice asks for `needed`."""
        advice = self._access_advice(needed)
        async with self._connected(advice) as connection:
            try:
                await connection.subscribe([topic])
            except BrokerUnreachableError:
                raise
            except BrokerError as error:
                raise StepFailedError(f"the broker does not let us subscribe to '{topic}'", advice) from error
            try:
                await self._deliver(connection, topic, payload, retain=False)
            except PublishRefusedError as error:
                raise StepFailedError(f"the broker does not let us publish on '{topic}'", advice) from error
            if not _on(topic, await _heard(connection, self.timings.echo_s, lambda message: message.topic == topic)):
                raise StepFailedError(
                    f"what we publish on '{topic}' does not come back: publishing or reading is forbidden there",
                    advice,
                )

    async def _check_retained(self, topic: str) -> Verdict:
        """Small ones, then deep ones, then large ones: a broker may acknowledge what it does not keep."""
        deep = f"{topic}/probe"
        if not await self._is_kept(topic, b"probe"):
            return Verdict(
                ok=False,
                message="the broker does not keep retained messages",
                advice="Allow retained messages on the broker (in Mosquitto: retain_available true): without them "
                "Home Assistant knows nothing after a restart.",
            )
        if not await self._is_kept(deep, b"probe"):
            return Verdict(
                ok=False,
                message=f"the broker does not keep what is published on '{deep}'",
                advice=self._access_advice(f"{self.mqtt.base_topic}/#"),
            )
        if not await self._is_kept(deep, b" " * _LARGE_BYTES):
            return Verdict(
                ok=False,
                message=f"the broker does not keep a message of {_LARGE_BYTES // 1024} kB, as large as a night plan",
                advice="Raise the broker's limit; in Mosquitto: message_size_limit or max_packet_size.",
            )
        return Verdict(ok=True, message=f"the broker keeps retained messages, also of {_LARGE_BYTES // 1024} kB")

    async def _is_kept(self, topic: str, payload: bytes) -> bool:
        """Publishes a retained message, looks whether a new subscription gets it, and clears it."""
        heard: list[Received] = []
        patience_s = self.timings.echo_s + len(payload) / _BYTES_PER_SECOND
        with suppress(StepFailedError, PublishRefusedError, TimeoutError):
            async with self._connected("") as connection:
                async with asyncio.timeout(patience_s):
                    await (await connection.publish(topic, payload, retain=True))
                try:
                    await connection.subscribe([topic])
                    heard = await _heard(connection, patience_s, lambda message: message.retain)
                finally:
                    await self._deliver(connection, topic, b"", retain=True)
        return any(message.retain and message.payload == payload for message in heard)

    async def _check_discovery_topic(self, topic: str, payload: bytes, needed: str) -> None:
        await self._publish_and_hear(topic, payload, needed)
        # A broker that keeps nothing at all was told already.
        if not await self._is_kept(topic, payload) and await self._is_kept(self._probe, b"probe"):
            raise StepFailedError(
                f"the broker does not keep what is published on '{topic}'", self._access_advice(needed)
            )

    @staticmethod
    def _access_advice(needed: str) -> str:
        return (
            f"Let this user read and write '{needed}' in the broker's access rules; in Mosquitto's acl_file: "
            f"topic readwrite {needed}"
        )

    async def _find_bridges(self) -> Verdict:
        topics, base = self.names.topics, self.mqtt.base_topic
        async with self._connected("") as connection:
            await connection.subscribe([topics.heartbeat, topics.status])
            await self._deliver(connection, topics.heartbeat, heartbeat.ASK, retain=False)
            heard = await _heard(connection, self.timings.bridge_answer_s)
        beats = [beat for message in _on(topics.heartbeat, heard) if (beat := decode.heartbeat_in(message.payload))]
        instances = {beat.instance for beat in beats}
        if len(instances) > 1:
            return Verdict(
                ok=False,
                message=f"{len(instances)} bridges use the base topic '{base}'",
                advice="Stop all but one, or give each its own mqtt.base_topic and mqtt.client_id.",
            )
        if instances:
            return Verdict(ok=True, message=f"a bridge is at work under '{base}'")
        if any(message.retain and message.payload == ONLINE for message in _on(topics.status, heard)):
            return Verdict(
                ok=None,
                message=f"'{topics.status}' says online, but no bridge answers",
                advice="One may have ended a moment ago, and the broker will notice; or it hangs: look at its log.",
            )
        return Verdict(ok=True, message=f"no bridge is at work under '{base}' now")

    async def _count_topics(self) -> Verdict | None:
        """A fence marks their end on most brokers; where it does not come, so many as came have to do."""
        names, fence = self.names, f"{self.mqtt.base_topic}/bridge/{self.id}"
        async with self._connected("") as connection:
            await connection.subscribe([f"{self.mqtt.base_topic}/#"])
            with suppress(BrokerError):
                # A login that may not read there counts less.
                await connection.subscribe(names.filters)
            await self._deliver(connection, fence, b"fence", retain=False)
            heard = await _heard(connection, self.timings.echo_s, lambda message: message.topic == fence)
        kept = {message.topic for message in heard if message.retain and message.payload}
        return queue_verdict(
            sum(names.topics.is_own(topic) or names.object_id_of(topic) is not None for topic in kept)
        )

    async def _find_home_assistant(self) -> Verdict:
        """Home Assistant does not answer on MQTT: what others have retained for it has to tell."""
        status_topic, fence = self.home_assistant.status_topic, f"{self.mqtt.base_topic}/bridge/{self.id}"
        async with self._connected("") as connection:
            try:
                await connection.subscribe([status_topic])
            except BrokerUnreachableError:
                raise
            except BrokerError as error:
                raise StepFailedError(
                    f"the broker does not let us subscribe to '{status_topic}'",
                    f"Let this user read it; in Mosquitto's acl_file: topic read {status_topic}",
                ) from error
            for filters in (announcement_filters(self.names.prefix), FILTERS_OF_EVERY_PREFIX, (fence,)):
                # A login that may not read there sees less, and waits longer without the fence, which is no fault.
                with suppress(BrokerError):
                    await connection.subscribe(filters)
            with suppress(PublishRefusedError):
                await self._deliver(connection, fence, b"fence", retain=False)
            heard = await _heard(connection, self.timings.echo_s, lambda message: message.topic == fence)
            heard += await _heard(connection, self.timings.quiet_s)
        kept = {message.topic: message.payload for message in heard if message.retain and message.payload}
        announcements = announcements_by_prefix(kept, self.names)
        return listening_verdict(announcements, self.names.prefix, kept.get(status_topic), status_topic)

    def _connect(self) -> AbstractAsyncContextManager[Connection]:
        return connect(self.mqtt, client_id=f"{self.mqtt.client_id}-{self.id}", clock=self.steps.clock)

    @asynccontextmanager
    async def _connected(self, advice: str) -> AsyncIterator[Connection]:
        """A connection that fails the step with this advice when it breaks: some brokers refuse that way."""
        try:
            async with self._connect() as connection:
                yield connection
        except BrokerError as error:
            raise StepFailedError(error.message, advice) from error
        except TimeoutError as error:
            raise StepFailedError("the broker does not answer", advice) from error

    async def _deliver(self, connection: Connection, topic: str, payload: bytes, *, retain: bool) -> None:
        """Returns when the broker has acknowledged the message."""
        async with asyncio.timeout(self.timings.echo_s):
            await (await connection.publish(topic, payload, retain=retain))


async def _heard(
    connection: Connection, seconds: float, is_last: Callable[[Received], bool] = lambda _: False
) -> list[Received]:
    """What arrives up to the last message, or within this time."""
    messages: list[Received] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            async for message in connection.received():
                messages.append(message)
                if is_last(message):
                    break
    return messages


def _on(topic: str, messages: list[Received]) -> list[Received]:
    return [message for message in messages if message.topic == topic]
