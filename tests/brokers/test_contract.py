"""What the bridge needs of a broker, one need a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.brokers.contract import bridging, everything_published, heard, kept, login, new_place, watching
from tests.faults.gate import Gate
from tests.support import topics_of_example as of
from tests.support.running import running_bridge
from ts2mqtt.bridge.clean import clean
from ts2mqtt.bridge.healthcheck import check_health
from ts2mqtt.errors import LoginRefusedError, OtherBridgeError
from ts2mqtt.mqtt.connection import connect
from ts2mqtt.mqtt.message import Received, Will
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.example import documentation_example

if TYPE_CHECKING:
    from tests.brokers.served import AnyServedBroker

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]


@pytest.fixture
def place() -> str:
    return new_place()


async def test_a_wrong_password_is_told(shared_broker: AnyServedBroker) -> None:
    with pytest.raises(LoginRefusedError, match=r"mqtt\.password"):
        async with connect(login(shared_broker, password="wrong")):  # noqa: S106
            pytest.fail("it was let in")


async def test_ones_own_messages_come_back(shared_broker: AnyServedBroker, place: str) -> None:
    """The heartbeat, by which a bridge knows that it is heard."""
    async with connect(login(shared_broker)) as connection:
        await connection.subscribe([f"{place}/echo"])
        await (await connection.publish(f"{place}/echo", b"here", retain=False))
        assert await heard(connection, 1) == [Received(f"{place}/echo", b"here", retain=False)]


async def test_a_retained_message_is_kept_for_a_newcomer(shared_broker: AnyServedBroker, place: str) -> None:
    async with connect(login(shared_broker)) as connection:
        await (await connection.publish(f"{place}/kept", b"1", retain=True))
        await (await connection.publish(f"{place}/not-kept", b"1", retain=False))
    assert await kept(shared_broker, f"{place}/kept") == {f"{place}/kept": b"1"}
    assert await kept(shared_broker, f"{place}/not-kept") == {}


@pytest.mark.parametrize("wildcard", ["#", "+/state"])
async def test_retained_messages_are_given_for_a_wildcard(
    shared_broker: AnyServedBroker, place: str, wildcard: str
) -> None:
    """How a bridge learns what it left, and how Home Assistant finds its devices."""
    wanted = {f"{place}/{rig}/state": b"%d" % rig for rig in range(50)}
    async with connect(login(shared_broker)) as connection:
        for topic, payload in wanted.items():
            await connection.publish(topic, payload, retain=True)
    assert await kept(shared_broker, f"{place}/{wildcard}") == wanted


async def test_a_cleared_topic_is_forgotten(shared_broker: AnyServedBroker, place: str) -> None:
    async with connect(login(shared_broker)) as connection:
        for payload in (b"1", b"2", b""):
            await (await connection.publish(f"{place}/kept", payload, retain=True))
    assert await kept(shared_broker, f"{place}/kept") == {}


async def test_only_what_was_kept_is_called_retained(shared_broker: AnyServedBroker, place: str) -> None:
    """Else a bridge would take a command that just came for an old one."""
    async with watching(shared_broker) as other, connect(login(shared_broker)) as connection:
        await connection.subscribe([f"{place}/command"])
        await other.publish(f"{place}/command", "refresh", retain=True)
        assert await heard(connection, 1) == [Received(f"{place}/command", b"refresh", retain=False)]


async def test_a_broken_connection_leaves_its_last_will(shared_broker: AnyServedBroker, place: str) -> None:
    will = Will(f"{place}/status", b"offline")
    gate = Gate(shared_broker.port)
    await gate.open()
    behind_gate = login(shared_broker).model_copy(update={"port": gate.port})
    async with watching(shared_broker) as other, connect(behind_gate, will=will):
        gate.closed()
        await other.wait_for(will.topic, will.payload)
    assert await kept(shared_broker, will.topic) == {will.topic: will.payload}


async def test_a_goodbye_leaves_none(shared_broker: AnyServedBroker, place: str) -> None:
    async with watching(shared_broker) as other:
        async with connect(login(shared_broker), will=Will(f"{place}/status", b"offline")) as connection:
            await (await connection.publish(f"{place}/status", b"online", retain=True))
        await other.catch_up()
        assert other.held[f"{place}/status"] == b"online"


async def test_a_burst_is_kept_whole(shared_broker: AnyServedBroker, place: str) -> None:
    """Two thousand acknowledged messages as fast as they go, ten times what one rig has."""
    wanted = {f"{place}/thing/{number}": b"%d" % number * 100 for number in range(2_000)}
    async with connect(login(shared_broker)) as connection:
        for topic, payload in wanted.items():
            await connection.publish(topic, payload, retain=True)
        await connection.drain()
    given: dict[str, bytes] = {}
    for digit in range(10):
        numbers = [f"{place}/thing/{number}" for number in range(digit, 2_000, 10)]
        async with connect(login(shared_broker)) as connection:
            await connection.subscribe(numbers)
            given |= {message.topic: message.payload for message in await heard(connection, len(numbers))}
    assert given == wanted


async def test_a_picture_is_kept_whole(shared_broker: AnyServedBroker, place: str) -> None:
    picture = bytes(range(256)) * 1_024
    async with connect(login(shared_broker)) as connection:
        await (await connection.publish(f"{place}/image", picture, retain=True))
    assert await kept(shared_broker, f"{place}/image") == {f"{place}/image": picture}


async def test_a_topic_may_have_a_dot(shared_broker: AnyServedBroker) -> None:
    """As in a base topic such as site.north."""
    topic = f"site.north/{new_place()}.5/status"
    async with connect(login(shared_broker)) as connection:
        await connection.subscribe(["site.north/#"])
        await (await connection.publish(topic, b"online", retain=True))
        assert await heard(connection, 1) == [Received(topic, b"online", retain=False)]
    assert await kept(shared_broker, topic) == {topic: b"online"}


async def test_mqtt_5_may_be_spoken(shared_broker: AnyServedBroker, place: str) -> None:
    async with connect(login(shared_broker, protocol="5")) as connection:
        await connection.subscribe([f"{place}/echo"])
        await (await connection.publish(f"{place}/echo", b"here", retain=False))
        assert await heard(connection, 1) == [Received(f"{place}/echo", b"here", retain=False)]


async def test_a_bridge_publishes_everything_and_what_goes_upstream_goes_here(
    shared_broker: AnyServedBroker, place: str
) -> None:
    observatory = documentation_example()
    async with SimulatedApi(observatory) as api, watching(shared_broker) as observer:
        async with running_bridge(bridging(shared_broker, place, api)):
            await everything_published(observer, place)
            observatory.project(of.P1).targets.clear()
            await observer.wait_until_gone(f"{place}/{of.RIG}/target/{of.M31}")
        await observer.catch_up()
        assert observer.held[f"{place}/status"] == b"offline"


async def test_a_bridge_is_healthy_and_alone(shared_broker: AnyServedBroker, place: str) -> None:
    async with SimulatedApi(documentation_example()) as api, watching(shared_broker) as observer:
        config = bridging(shared_broker, place, api)
        async with running_bridge(config):
            await everything_published(observer, place)
            await check_health(config.mqtt)
            with pytest.raises(OtherBridgeError):
                await clean(config)


async def test_a_second_start_publishes_nothing_twice(shared_broker: AnyServedBroker, place: str) -> None:
    async with SimulatedApi(documentation_example()) as api, watching(shared_broker) as observer:
        config = bridging(shared_broker, place, api)
        async with running_bridge(config):
            await everything_published(observer, place)
        mark = observer.mark()
        async with running_bridge(config):
            await observer.wait_for(f"{place}/bridge", lambda about: about["version"], after=mark)
            await observer.wait_for(f"{place}/{of.RIG}/status", b"online")
            await check_health(config.mqtt)
        own = {f"{place}/status", f"{place}/bridge"}
        again = {topic for topic in observer.topics_since(mark) if topic.startswith(place)} - own
        assert again == set()


async def test_what_was_deleted_while_the_bridge_was_off_goes(shared_broker: AnyServedBroker, place: str) -> None:
    observatory = documentation_example()
    async with SimulatedApi(observatory) as api, watching(shared_broker) as observer:
        config = bridging(shared_broker, place, api)
        async with running_bridge(config):
            await everything_published(observer, place)
        observatory.project(of.P1).targets.clear()
        async with running_bridge(config):
            await observer.wait_until_gone(f"{place}/{of.RIG}/target/{of.M31}")


async def test_clean_leaves_nothing(shared_broker: AnyServedBroker, place: str) -> None:
    async with SimulatedApi(documentation_example()) as api, watching(shared_broker) as observer:
        config = bridging(shared_broker, place, api)
        async with running_bridge(config):
            await everything_published(observer, place)
        await observer.catch_up()
        held = observer.held_below(f"{place}/", f"{place}-ha/")
        assert await clean(config) == len(held)
        await observer.catch_up()
        assert observer.held_below(f"{place}/", f"{place}-ha/") == set()
        assert await kept(shared_broker, f"{place}/#") == {}
