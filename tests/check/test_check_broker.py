"""Each cause why a broker cannot be used, produced by a real one, is told apart from the others."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest

from tests.bridge.test_retained_reader import retain
from tests.check.impatience import IMPATIENT
from tests.check.peers import behind_tls, expired, full_backlog, refusing_subscription, say_nothing, serving
from tests.support.mosquitto import free_port
from tests.support.observer import observing, retained_on
from tests.support.running import Log, bridge_config, mqtt_config, running_bridge
from tests.support.websocket_gate import websocket_gate
from ts2mqtt.bridge import heartbeat
from ts2mqtt.check.broker import check_broker
from ts2mqtt.config import HomeAssistantConfig, MqttConfig, TlsConfig
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.simulator.broker import EmbeddedBroker
from ts2mqtt.timing import SystemClock
from ts2mqtt.topics.names import Subject, TopicNames
from ts2mqtt.topics.payloads import Heartbeat

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.certificates import Certificates
    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer
    from ts2mqtt.check import Finding
    from ts2mqtt.simulator.api import SimulatedApi

    BrokerMaker = Callable[..., Mosquitto]

PASSWORD = "never-shown-9f3"  # noqa: S105 - the point is to look for it
LOGIN = {"username": "ts2mqtt", "password": PASSWORD}
EVERY_STEP = ["name", "TCP", "login", "base topic", "retained", "bridge", "discovery", "Home Assistant"]
PROTOCOLS = pytest.mark.parametrize("protocol", ["3.1.1", "5"])


async def found(mqtt: MqttConfig | int, prefix: str = "homeassistant", *, enabled: bool = True) -> list[Finding]:
    findings: list[Finding] = []
    home_assistant = HomeAssistantConfig(discovery_prefix=prefix, enabled=enabled)
    config = mqtt_config(mqtt) if isinstance(mqtt, int) else mqtt
    await check_broker(config, home_assistant, findings.append, timings=IMPATIENT)
    assert PASSWORD not in str(findings)
    assert {finding.subject for finding in findings} == {"broker"}
    return findings


async def only_fault(mqtt: MqttConfig | int) -> Finding:
    """The one fault, behind which no further step was taken."""
    findings = await found(mqtt)
    assert [finding.ok for finding in findings[:-1]] == [True] * (len(findings) - 1)
    assert findings[-1].ok is False
    assert findings[-1].advice
    return findings[-1]


def step(name: str, findings: list[Finding]) -> Finding:
    (one,) = [finding for finding in findings if finding.step == name]
    return one


def faults(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.step: finding for finding in findings if finding.ok is False}


@PROTOCOLS
async def test_a_broker_that_works(mosquitto: Mosquitto, protocol: str) -> None:
    findings = await found(mqtt_config(mosquitto.port, protocol=protocol))

    assert [finding.step for finding in findings] == EVERY_STEP
    assert [finding.ok for finding in findings] == [True] * 7 + [None]
    assert "no bridge is at work" in step("bridge", findings).message
    assert "prefix 'homeassistant'" in step("Home Assistant", findings).advice


@pytest.mark.parametrize("qos", [0, 1])
async def test_the_embedded_broker_works_too(qos: int) -> None:
    async with EmbeddedBroker() as broker:
        assert not faults(await found(mqtt_config(broker.port, qos=qos)))


async def test_it_leaves_nothing_behind(mosquitto: Mosquitto) -> None:
    async with observing(mosquitto.port) as observer:
        await found(mosquitto.port)
        await observer.catch_up()
        topics = {seen.topic for seen in observer.seen}

    assert not await retained_on(mosquitto.port)
    probe, deep = sorted(topic for topic in topics if topic.startswith("ts2mqtt/bridge/check-"))
    (device,) = [topic for topic in topics if topic.startswith("homeassistant/")]
    assert deep == f"{probe}/probe"
    assert topics == {probe, deep, device, "ts2mqtt/bridge/heartbeat"}


async def test_what_home_assistant_sees_is_a_device_without_components(
    mosquitto: Mosquitto, observer: Observer
) -> None:
    """Which it takes without a word, and makes nothing of."""
    await found(mosquitto.port)
    await observer.catch_up()

    seen = [seen for seen in observer.seen if seen.topic.startswith("homeassistant/")]
    assert {message.payload for message in seen[:-1]} == {seen[0].payload}
    assert seen[0].json["components"] == {}
    assert seen[-1].payload == b""


async def test_without_home_assistant_its_prefix_is_left_alone(mosquitto: Mosquitto) -> None:
    findings = await found(mqtt_config(mosquitto.port), enabled=False)

    assert [finding.step for finding in findings] == EVERY_STEP[:6]


class TestAcknowledgedAndNotKept:
    """As a broker may do with MQTT 3.1.1, which has no word for a refusal."""

    async def test_discovery(self, mosquitto_with: Callable[..., Mosquitto]) -> None:
        acl = ["topic readwrite ts2mqtt/#", "topic read homeassistant/#"]
        async with mosquitto_with(acl=acl) as broker:
            fault = faults(await found(broker.port))["discovery"]
        assert "does not come back" in fault.message
        assert "topic readwrite homeassistant/device/ts2mqtt/#" in fault.advice

    async def test_deep_topics(self, mosquitto_with: Callable[..., Mosquitto]) -> None:
        acl = ["topic readwrite ts2mqtt/+/+", "topic readwrite homeassistant/#"]
        async with mosquitto_with(acl=acl) as broker:
            fault = faults(await found(broker.port))["retained"]
        assert "does not keep what is published on 'ts2mqtt/bridge/check-" in fault.message
        assert "topic readwrite ts2mqtt/#" in fault.advice

    @pytest.mark.parametrize("protocol", ["3.1.1", "5"])
    @pytest.mark.parametrize("limit", ["message_size_limit 100000", "max_packet_size 100000"])
    async def test_large_messages(self, mosquitto_with: Callable[..., Mosquitto], limit: str, protocol: str) -> None:
        async with mosquitto_with(options=[limit]) as broker:
            fault = faults(await found(mqtt_config(broker.port, protocol=protocol)))["retained"]
        assert fault.message == "the broker does not keep a message of 128 kB, as large as a night plan"
        assert "message_size_limit" in fault.advice


async def test_the_limit_of_a_brokers_queue_is_told_where_a_bridge_has_more_topics(mosquitto: Mosquitto) -> None:
    names = DiscoveryIds("homeassistant", TopicNames("ts2mqtt"))
    things = [Subject("backyard", "target", f"{number:08}") for number in range(600)]
    held = {names.topics.thing("backyard", "target", thing.thing_id or ""): "{}" for thing in things}
    await retain(mosquitto.port, held | {"other/topic": "1"})
    few = await found(mosquitto.port)
    await retain(mosquitto.port, {names.topic(thing): "{}" for thing in things})
    many = await found(mosquitto.port)

    assert [finding.step for finding in few] == EVERY_STEP
    told = step("queue", many)
    assert (told.ok, "1,200 topics" in told.message) == (None, True)
    assert "max_queued_messages 0" in told.advice


class TestNoWay:
    async def test_a_name_that_nobody_knows(self) -> None:
        fault = await only_fault(MqttConfig(host="broker.invalid"))
        assert (fault.step, "'broker.invalid'" in fault.message) == ("name", True)

    async def test_no_broker(self) -> None:
        port = free_port()
        fault = await only_fault(port)
        assert (fault.step, fault.message) == ("TCP", f"127.0.0.1:{port} refuses the connection")
        assert "broker is not running" in fault.advice

    async def test_a_firewall_that_drops(self) -> None:
        with full_backlog() as port:
            fault = await only_fault(port)
        assert (fault.step, "does not answer" in fault.message) == ("TCP", True)

    async def test_a_port_that_never_answers(self) -> None:
        async with serving(say_nothing) as port:
            fault = await only_fault(port)
        assert (fault.step, "never answers" in fault.message) == ("login", True)

    async def test_a_web_server(self, example_api: SimulatedApi) -> None:
        fault = await only_fault(example_api.port)
        assert fault.step == "login"

    # paho leaves the socket of a refused WebSocket to the garbage collector.
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    async def test_a_wrong_websocket_path(self, mosquitto: Mosquitto) -> None:
        async with websocket_gate(mosquitto.port, "/broker") as gate:
            right = await found(mqtt_config(gate.port, transport="websockets", websocket_path="/broker"))
            fault = await only_fault(mqtt_config(gate.port, transport="websockets"))
        gc.collect()
        assert not faults(right)
        assert (fault.step, "websocket_path" in fault.advice) == ("login", True)

    async def test_a_broker_without_this_protocol(self) -> None:
        async with EmbeddedBroker() as broker:
            fault = await only_fault(mqtt_config(broker.port, protocol="5"))
        assert (fault.step, "mqtt.protocol" in fault.advice) == ("login", True)


@PROTOCOLS
class TestLogin:
    async def test_a_wrong_password(self, mosquitto_with: BrokerMaker, protocol: str) -> None:
        async with mosquitto_with(users={"ts2mqtt": "another"}) as broker:
            wrong = await only_fault(mqtt_config(broker.port, protocol=protocol, **LOGIN))
            none = await only_fault(mqtt_config(broker.port, protocol=protocol))

        assert (wrong.step, "refuses" in wrong.message) == ("login", True)
        assert "Compare mqtt.username" in wrong.advice
        assert "wants a login" in none.advice

    async def test_the_right_password(self, mosquitto_with: BrokerMaker, protocol: str) -> None:
        async with mosquitto_with(users={"ts2mqtt": PASSWORD}) as broker:
            findings = await found(mqtt_config(broker.port, protocol=protocol, **LOGIN))

        assert not faults(findings)
        assert step("login", findings).message == f"as 'ts2mqtt', with MQTT {protocol}"


@PROTOCOLS
class TestAccessRules:
    async def forbidden(self, mosquitto_with: BrokerMaker, protocol: str, *rules: str) -> dict[str, Finding]:
        acl = ("user ts2mqtt", *rules)
        async with mosquitto_with(users={"ts2mqtt": PASSWORD}, acl=acl) as broker:
            return faults(await found(mqtt_config(broker.port, protocol=protocol, **LOGIN)))

    async def test_the_least_that_is_needed(self, mosquitto_with: BrokerMaker, protocol: str) -> None:
        rules = ("topic readwrite ts2mqtt/#", "topic readwrite homeassistant/device/ts2mqtt/#")
        assert not await self.forbidden(mosquitto_with, protocol, *rules, "topic read homeassistant/status")

    async def test_a_forbidden_prefix(self, mosquitto_with: BrokerMaker, protocol: str) -> None:
        found = await self.forbidden(mosquitto_with, protocol, "topic readwrite ts2mqtt/#")
        assert set(found) == {"discovery"}
        assert "topic readwrite homeassistant/device/ts2mqtt/#" in found["discovery"].advice

    async def test_a_forbidden_base_topic(self, mosquitto_with: BrokerMaker, protocol: str) -> None:
        found = await self.forbidden(mosquitto_with, protocol, "topic readwrite homeassistant/#")
        assert set(found) == {"base topic"}
        assert "topic readwrite ts2mqtt/#" in found["base topic"].advice

    async def test_publishing_alone_is_forbidden(self, mosquitto_with: BrokerMaker, protocol: str) -> None:
        found = await self.forbidden(mosquitto_with, protocol, "topic read ts2mqtt/#", "topic read homeassistant/#")
        assert set(found) == {"base topic", "discovery"}
        # MQTT 3.1.1 has no words for a refused message.
        words = "does not let us publish" if protocol == "5" else "does not come back"
        assert words in found["base topic"].message

    async def test_reading_alone_is_forbidden(self, mosquitto_with: BrokerMaker, protocol: str) -> None:
        found = await self.forbidden(
            mosquitto_with, protocol, "topic write ts2mqtt/#", "topic readwrite homeassistant/#"
        )
        assert set(found) == {"base topic"}
        assert "does not come back" in found["base topic"].message

    async def test_a_refused_subscription(self, mosquitto: Mosquitto, protocol: str) -> None:
        """Mosquitto's rules grant every subscription and then deliver nothing; other brokers say no."""
        for topic, refused_step in (
            ("ts2mqtt/bridge/check", "base topic"),
            ("homeassistant/status", "Home Assistant"),
        ):
            async with refusing_subscription(mosquitto.port, topic, protocol) as port:
                (fault,) = faults(await found(mqtt_config(port, protocol=protocol))).values()
            assert fault.step == refused_step
            assert f"does not let us subscribe to '{topic}" in fault.message

    async def test_no_retained_messages(self, mosquitto_with: BrokerMaker, protocol: str) -> None:
        async with mosquitto_with(options=("retain_available false",)) as broker:
            (fault,) = faults(await found(mqtt_config(broker.port, protocol=protocol))).values()
        # With MQTT 5 the broker says so in its answer to the login.
        assert fault.step == {"3.1.1": "retained", "5": "login"}[protocol]
        assert "does not keep retained messages" in fault.message
        assert "retain_available true" in fault.advice


class TestTls:
    async def fault(self, broker: Mosquitto, **keys: Any) -> Finding:
        return await only_fault(mqtt_config(broker.port, tls=TlsConfig(enabled=True, **keys)))

    async def test_one_that_is_trusted(self, certificates: Certificates, mosquitto_with: BrokerMaker) -> None:
        async with mosquitto_with(tls=certificates) as broker:
            trusting = await found(mqtt_config(broker.port, tls=TlsConfig(enabled=True, ca_file=certificates.ca)))
            blind = await found(mqtt_config(broker.port, tls=TlsConfig(enabled=True, insecure=True)))

        assert not faults(trusting)
        assert [finding.step for finding in trusting] == [*EVERY_STEP[:2], "TLS", *EVERY_STEP[2:]]
        assert "certificate is not looked at" in step("TLS", blind).message

    async def test_a_foreign_authority(self, certificates: Certificates, mosquitto_with: BrokerMaker) -> None:
        async with mosquitto_with(tls=certificates) as broker:
            fault = await self.fault(broker, ca_file=certificates.other_ca)
        assert (fault.step, "authority is one that this machine does not know" in fault.message) == ("TLS", True)
        assert "mqtt.tls.ca_file" in fault.advice

    async def test_another_name(self, certificates: Certificates, mosquitto_with: BrokerMaker) -> None:
        async with mosquitto_with(tls=certificates.of_a_stranger()) as broker:
            fault = await self.fault(broker, ca_file=certificates.ca)
        assert (fault.step, "is for another name" in fault.message) == ("TLS", True)

    async def test_an_expired_one(
        self, certificates: Certificates, mosquitto_with: BrokerMaker, tmp_path: Path
    ) -> None:
        async with mosquitto_with(tls=expired(certificates, tmp_path)) as broker:
            fault = await self.fault(broker, ca_file=certificates.ca)
        assert (fault.step, "has expired" in fault.message, "Renew it" in fault.advice) == ("TLS", True, True)

    async def test_a_file_that_is_no_certificate(self, mosquitto: Mosquitto, tmp_path: Path) -> None:
        (tmp_path / "ca.crt").write_text("nothing")
        fault = await self.fault(mosquitto, ca_file=tmp_path / "ca.crt")
        assert (fault.step, "cannot be used" in fault.message) == ("TLS", True)

    async def test_a_client_certificate_that_is_wanted(
        self, certificates: Certificates, mosquitto_with: BrokerMaker
    ) -> None:
        async with mosquitto_with(tls=certificates, client_certificates=True) as broker:
            fault = await self.fault(broker, ca_file=certificates.ca)
        assert (fault.step, "client certificate" in fault.advice) == ("login", True)

    async def test_tls_where_none_is_spoken(self, mosquitto: Mosquitto) -> None:
        fault = await self.fault(mosquitto)
        assert (fault.step, "TLS" in fault.message) == ("TLS", True)

    async def test_tls_where_nobody_answers(self) -> None:
        async with serving(say_nothing) as port:
            fault = await only_fault(mqtt_config(port, tls=TlsConfig(enabled=True)))
        assert (fault.step, "does not answer the TLS handshake" in fault.message) == ("TLS", True)

    async def test_tls_and_then_silence(self, certificates: Certificates) -> None:
        async with serving(say_nothing) as port, behind_tls(port, certificates) as tls_port:
            tls = TlsConfig(enabled=True, ca_file=certificates.ca)
            fault = await only_fault(mqtt_config(tls_port, tls=tls))
        assert (fault.step, "never answers" in fault.message) == ("login", True)

    async def test_no_tls_where_it_is_wanted(self, certificates: Certificates, mosquitto_with: BrokerMaker) -> None:
        async with mosquitto_with(tls=certificates) as broker:
            fault = await only_fault(broker.port)
        assert (fault.step, fault.message) == ("login", f"127.0.0.1:{broker.port} wants TLS")


class TestBridges:
    async def test_one_at_work_is_seen_and_not_disturbed(
        self, mosquitto: Mosquitto, example_api: SimulatedApi, observer: Observer, log: Log
    ) -> None:
        async with running_bridge(bridge_config(mosquitto.port, example_api)):
            await observer.wait_for("ts2mqtt/status", b"online")
            findings = await found(mosquitto.port)

            assert not faults(findings)
            assert step("bridge", findings).message == "a bridge is at work under 'ts2mqtt'"
            assert not log.problems

    async def test_two_on_one_base_topic(
        self, mosquitto: Mosquitto, example_api: SimulatedApi, observer: Observer
    ) -> None:
        async with running_bridge(bridge_config(mosquitto.port, example_api)):
            await observer.wait_for("ts2mqtt/status", b"online")
            instance = heartbeat.new_instance(SystemClock())
            later = Heartbeat(instance=instance, number=1, returned=1, working=True).to_bytes()
            await observer.publish("ts2mqtt/bridge/heartbeat", later, retain=True)
            findings = await found(mosquitto.port)

        assert faults(findings)["bridge"].message == "2 bridges use the base topic 'ts2mqtt'"

    async def test_one_that_is_gone_without_a_word(self, mosquitto: Mosquitto, observer: Observer) -> None:
        await observer.publish("ts2mqtt/status", b"online", retain=True)

        assert step("bridge", await found(mosquitto.port)).ok is None


class TestHomeAssistant:
    async def seen(self, mosquitto: Mosquitto, prefix: str = "homeassistant") -> Finding:
        return step("Home Assistant", await found(mqtt_config(mosquitto.port), prefix))

    async def test_one_that_retains_its_birth(self, mosquitto: Mosquitto, observer: Observer) -> None:
        await observer.publish("homeassistant/status", b"online", retain=True)
        assert (await self.seen(mosquitto)).ok is True

        await observer.publish("homeassistant/status", b"offline", retain=True)
        assert (await self.seen(mosquitto)).ok is None

    async def test_others_announce_under_the_same_prefix(self, mosquitto: Mosquitto, observer: Observer) -> None:
        for topic in (
            "sensor/a/config",
            "sensor/node/b/config",
            "device/zigbee2mqtt/c/config",
            "sensor/a/b/c/config",
        ):
            await observer.publish(f"homeassistant/{topic}", b"{}", retain=True)

        seen = await self.seen(mosquitto)
        assert seen.ok is None
        assert "3 things under 'homeassistant'" in seen.message

    @pytest.mark.parametrize("prefix", ["ha", "home/assistant"])
    async def test_others_announce_under_another_prefix(
        self, mosquitto: Mosquitto, observer: Observer, prefix: str
    ) -> None:
        await observer.publish("homeassistant/sensor/a/config", b"{}", retain=True)
        await observer.publish("frigate/some/thing/config", b"{}", retain=True)

        seen = await self.seen(mosquitto, prefix)
        assert seen.ok is False
        assert f"nothing under '{prefix}', but 1 thing under 'homeassistant'" in seen.message
        assert "home_assistant.discovery_prefix" in seen.advice

        await observer.publish(f"{prefix}/sensor/b/config", b"{}", retain=True)
        assert (await self.seen(mosquitto, prefix)).ok is None

    async def test_what_a_bridge_of_ours_left_proves_nothing(self, mosquitto: Mosquitto, observer: Observer) -> None:
        await observer.publish("homeassistant/device/ts2mqtt/backyard/config", b"{}", retain=True)

        assert (await self.seen(mosquitto)).message == "the broker cannot tell whether it listens"
