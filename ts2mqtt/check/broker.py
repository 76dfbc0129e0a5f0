"""Checks the broker: the way there, the login, what it allows and keeps, and who else is at work on it."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ts2mqtt.bridge import heartbeat
from ts2mqtt.check.announcements import FILTERS_OF_ANY_PREFIX, announced, filters_of, judge
from ts2mqtt.check.findings import StepFailedError, Steps, Verdict, as_told, what_happened
from ts2mqtt.check.network import Peer, address_text, look_up, looked_up, reach, speaks_tls, tls_failure
from ts2mqtt.errors import BrokerError, BrokerUnreachableError, LoginRefusedError, PublishRefusedError
from ts2mqtt.home_assistant.discovery import Availability, Device, DevicePayload
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.mqtt.connection import connect
from ts2mqtt.topics.encode import ONLINE
from ts2mqtt.topics.names import Subject, TopicNames

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from ts2mqtt.check.findings import Finding
    from ts2mqtt.config import HomeAssistantConfig, MqttConfig
    from ts2mqtt.mqtt.connection import Connection
    from ts2mqtt.mqtt.message import Received

_LOGIN_S = 15.0
_ECHO_S = 3.0
_ANSWER_S = 2.0
"""How long a bridge may take to answer a question; as long as one bridge waits for another."""

# Nothing marks the end of what a broker retains: our own echo comes after it on most, this pause catches the rest.
_QUIET_S = 0.2


async def check_broker(
    mqtt: MqttConfig,
    home_assistant: HomeAssistantConfig,
    tell: Callable[[Finding], None],
    *,
    replica: int | None = None,
) -> None:
    """What is published on the way is not retained, or cleared again, and makes nobody do anything."""
    names = DiscoveryIds(home_assistant.discovery_prefix, TopicNames(mqtt.base_topic, replica))
    await _BrokerCheck(mqtt, home_assistant, names, f"check-{secrets.token_hex(4)}", Steps("broker", tell)).run()


@dataclass(frozen=True, slots=True)
class _BrokerCheck:
    """Each step has a connection of its own: some brokers end one on which something forbidden was tried."""

    mqtt: MqttConfig
    home_assistant: HomeAssistantConfig
    names: DiscoveryIds
    id: str
    steps: Steps

    async def run(self) -> None:
        try:
            await self._get_in()
        except StepFailedError:
            return
        with suppress(StepFailedError):
            await self._check_base_topic()
        if self.home_assistant.enabled:
            with suppress(StepFailedError):
                await self._check_discovery()

    async def _get_in(self) -> None:
        steps, peer, tls = self.steps, self._peer(), self.mqtt.tls
        addresses = await steps.take("name", look_up(peer), lambda found: looked_up(peer, found))
        address = await steps.take(
            "TCP", reach(peer, addresses), lambda at: f"{address_text(at, peer.port)} takes connections"
        )
        # The MQTT client does both in one go, so the time of both is told with TLS.
        attempt = asyncio.create_task(self._attempt())
        if tls.enabled:
            trust = "not looked at" if tls.insecure else "trusted"
            await steps.take(
                "TLS", self._tls_of(attempt, peer, address), lambda _: f"the broker's certificate is {trust}"
            )
        user = "without a user name" if self.mqtt.username is None else f"as '{self.mqtt.username}'"
        await steps.take(
            "login",
            self._login_of(attempt, peer, address),
            lambda _: f"{user}, with MQTT {self.mqtt.protocol}",
        )

    async def _check_base_topic(self) -> None:
        base = self.mqtt.base_topic
        probe = f"{base}/bridge/{self.id}"
        await self.steps.take(
            "base topic",
            self._try(probe, b"probe", f"{base}/#"),
            lambda _: f"may publish and subscribe under '{base}'",
        )
        await self.steps.look("retained", self._try_retained(probe))
        await self.steps.look("bridge", self._find_bridges())

    async def _check_discovery(self) -> None:
        prefix = self.names.prefix
        # Home Assistant takes a device without components in silence, and makes nothing of it; anything that is
        # no such payload would be a warning in its log.
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
        await self.steps.take(
            "discovery",
            self._try(self.names.topic(subject), payload, f"{prefix}/device/{self.names.node_id}/#"),
            lambda _: f"may publish and subscribe under '{prefix}'",
        )
        await self.steps.look("Home Assistant", self._find_home_assistant())

    def _peer(self) -> Peer:
        return Peer(
            host=self.mqtt.host,
            port=self.mqtt.port,
            if_refused="The broker is not running there, or listens on another port than mqtt.port. A Mosquitto "
            "without a 'listener' line in its configuration takes connections from its own machine only.",
            if_silent="The computer with the broker is off, it has another address now, or a firewall on it drops "
            f"the connection: allow incoming TCP on port {self.mqtt.port} there.",
            ca_key="mqtt.tls.ca_file",
        )

    async def _attempt(self) -> BrokerError | None:
        """Logs in, with a client id of our own: with the bridge's we would end its connection."""
        try:
            async with asyncio.timeout(_LOGIN_S), self._connect():
                return None
        except TimeoutError as error:
            timed_out = BrokerUnreachableError("takes the connection and never answers")
            timed_out.__cause__ = error
            return timed_out
        except BrokerError as error:
            return error

    async def _tls_of(self, attempt: asyncio.Task[BrokerError | None], peer: Peer, address: str) -> None:
        error = await attempt
        cause = error.__cause__ if error else None
        if isinstance(cause, TimeoutError) and await speaks_tls(peer, address):
            return
        if isinstance(error, BrokerUnreachableError) or isinstance(cause, ssl.SSLCertVerificationError):
            if isinstance(cause, OSError):
                raise tls_failure(peer, cause)
        elif error and isinstance(cause, OSError):
            raise StepFailedError(
                what_happened(error), "The files below mqtt.tls must hold certificates and their key in PEM format."
            )

    async def _login_of(self, attempt: asyncio.Task[BrokerError | None], peer: Peer, address: str) -> None:
        error = await attempt
        if error is None:
            return
        if not self.mqtt.tls.enabled and await speaks_tls(peer, address):
            raise StepFailedError(f"{peer} wants TLS", "Write 'enabled: true' below mqtt.tls.")
        if isinstance(error, LoginRefusedError):
            known = (
                "It wants a login: write mqtt.username and mqtt.password."
                if self.mqtt.username is None
                else "Compare mqtt.username and mqtt.password with the broker's users (for Home Assistant's "
                "Mosquitto app: a user of Home Assistant); its own log tells more."
            )
            raise StepFailedError(what_happened(error), known)
        if isinstance(error.__cause__, TimeoutError):
            raise StepFailedError(
                f"{peer} takes the connection and never answers",
                "Another program than an MQTT broker owns this port, or the broker hangs: check mqtt.port, and look "
                "at the broker.",
            )
        if self.mqtt.transport == "websockets":
            raise StepFailedError(
                what_happened(error),
                "Compare mqtt.port and mqtt.websocket_path with the broker's listener for WebSockets.",
            )
        if self.mqtt.tls.enabled and self.mqtt.tls.cert_file is None:
            raise StepFailedError(
                what_happened(error),
                "If the broker wants a client certificate, write mqtt.tls.cert_file and key_file.",
            )
        raise as_told(error)

    async def _try(self, topic: str, payload: bytes, allow: str) -> None:
        """Publishes, not retained, and returns when that has come back."""
        advice = (
            f"Let this user read and write '{allow}' in the broker's access rules; in Mosquitto's acl_file: "
            f"topic readwrite {allow}"
        )
        async with self._connected(advice) as connection:
            try:
                await connection.subscribe([topic])
            except BrokerUnreachableError:
                raise
            except BrokerError as error:
                raise StepFailedError(f"the broker does not let us subscribe to '{topic}'", advice) from error
            try:
                await _delivered(connection, topic, payload, retain=False)
            except PublishRefusedError as error:
                raise StepFailedError(f"the broker does not let us publish on '{topic}'", advice) from error
            if not _on(topic, await _hear(connection, _ECHO_S, lambda message: message.topic == topic)):
                raise StepFailedError(
                    f"what we publish on '{topic}' does not come back: publishing or reading is forbidden there",
                    advice,
                )

    async def _try_retained(self, topic: str) -> Verdict:
        """Leaves something behind, sees that a newcomer gets it, and takes it away."""
        advice = (
            "Allow retained messages on the broker (in Mosquitto: retain_available true): without them Home "
            "Assistant knows nothing after a restart."
        )
        try:
            async with self._connected(advice) as connection:
                await _delivered(connection, topic, b"probe", retain=True)
                try:
                    await connection.subscribe([topic])
                    heard = await _hear(connection, _ECHO_S, lambda message: message.retain)
                finally:
                    await _delivered(connection, topic, b"", retain=True)
        except StepFailedError:
            heard = []
        if any(message.retain and message.payload for message in heard):
            return Verdict(ok=True, message="the broker keeps retained messages")
        return Verdict(ok=False, message="the broker does not keep retained messages", advice=advice)

    async def _find_bridges(self) -> Verdict:
        topics, base = self.names.topics, self.mqtt.base_topic
        async with self._connected("") as connection:
            await connection.subscribe([topics.heartbeat, topics.status])
            await _delivered(connection, topics.heartbeat, heartbeat.ASK, retain=False)
            heard = await _hear(connection, _ANSWER_S)
        beats = [beat for message in _on(topics.heartbeat, heard) if (beat := heartbeat.read(message.payload))]
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

    async def _find_home_assistant(self) -> Verdict:
        """Home Assistant does not answer on MQTT: what others leave for it has to tell."""
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
            for filters in (filters_of(self.names.prefix), FILTERS_OF_ANY_PREFIX, (fence,)):
                # Who may not look around there sees less, and without the fence waits longer: no fault of this step.
                with suppress(BrokerError):
                    await connection.subscribe(filters)
            with suppress(PublishRefusedError):
                await _delivered(connection, fence, b"fence", retain=False)
            heard = await _hear(connection, _ECHO_S, lambda message: message.topic == fence)
            heard += await _hear(connection, _QUIET_S)
        kept = {message.topic: message.payload for message in heard if message.retain and message.payload}
        return judge(announced(kept, self.names), self.names.prefix, kept.get(status_topic), status_topic)

    def _connect(self) -> AbstractAsyncContextManager[Connection]:
        return connect(self.mqtt, client_id=f"{self.mqtt.client_id}-{self.id}")

    @asynccontextmanager
    async def _connected(self, advice: str) -> AsyncIterator[Connection]:
        """A connection whose end is the failure of the step: it is how some brokers say no."""
        try:
            async with self._connect() as connection:
                yield connection
        except (BrokerError, TimeoutError) as error:
            raise StepFailedError(_words(error), advice) from error


def _words(error: BrokerError | TimeoutError) -> str:
    return what_happened(error) if isinstance(error, BrokerError) else "the broker does not answer"


async def _delivered(connection: Connection, topic: str, payload: bytes, *, retain: bool) -> None:
    async with asyncio.timeout(_ECHO_S):
        await (await connection.publish(topic, payload, retain=retain))


async def _hear(
    connection: Connection, seconds: float, is_last: Callable[[Received], bool] = lambda _: False
) -> list[Received]:
    """What arrives up to the last message, or within this time."""
    heard: list[Received] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            async for message in connection.received():
                heard.append(message)
                if is_last(message):
                    break
    return heard


def _on(topic: str, messages: list[Received]) -> list[Received]:
    return [message for message in messages if message.topic == topic]
