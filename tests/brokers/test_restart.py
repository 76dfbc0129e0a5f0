"""A broker that restarts, and a cluster that loses a node, while the bridge is at work."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any

import nats.errors
import pytest

from tests.brokers.conftest import need_broker
from tests.brokers.contract import bridging, everything_published, kept, login, new_place, watching
from tests.brokers.served import NatsServer
from tests.support import topics_of_example as of
from tests.support.mosquitto import free_port
from tests.support.running import running_bridge
from ts2mqtt.errors import BrokerUnreachableError
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.mqtt.connection import connect
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.example import documentation_example
from ts2mqtt.topics.names import PROFILE, PROJECT, TARGET, Subject, TopicNames

if TYPE_CHECKING:
    from pathlib import Path

    from tests.brokers.served import AnyServedBroker

pytestmark = pytest.mark.timeout(300)

# One name for three nodes, as a headless service of Kubernetes has it.
_NODES = ("127.0.0.2", "127.0.0.3", "127.0.0.1")
_NAME = "brokers.test"
# The survivors choose who leads each stream anew, and turn clients away meanwhile.
_ELECTION_S = 150.0


async def test_what_was_acknowledged_is_kept_over_a_restart(own_broker: AnyServedBroker) -> None:
    place = new_place()
    wanted = {f"{place}/{number}": b"%d" % number for number in range(300)}
    async with own_broker:
        async with connect(login(own_broker)) as connection:
            for topic, payload in wanted.items():
                await connection.publish(topic, payload, retain=True)
        await own_broker.stop()
        await own_broker.start(keep_retained=True)
        assert await kept(own_broker, f"{place}/#") == wanted


async def test_a_broker_that_forgot_everything_gets_it_back(own_broker: AnyServedBroker) -> None:
    place = new_place()
    async with (
        own_broker,
        SimulatedApi(documentation_example()) as api,
        running_bridge(bridging(own_broker, place, api)),
    ):
        async with watching(own_broker) as observer:
            await everything_published(observer, place)
        await own_broker.stop()
        await own_broker.start(keep_retained=False)
        async with watching(own_broker) as observer:
            await everything_published(observer, place)


@pytest.mark.xdist_group("cluster")
@pytest.mark.parametrize("victim", [0, 1], ids=["the-bridges-own-node", "another-node"])
async def test_a_cluster_that_loses_a_node_loses_nothing(
    victim: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three NATS servers; one is killed while the bridge is in the middle of its first publishes, and comes back."""
    need_broker("nats")
    place, port = new_place(), free_port()
    cluster = {address: free_port() for address in _NODES}
    nodes = {
        address: NatsServer(tmp_path / f"node-{number}", address=address, port=port, cluster=cluster)
        for number, address in enumerate(_NODES)
    }
    lost = nodes[_NODES[victim]]
    survivors = {address: node for address, node in nodes.items() if node is not lost}
    monkeypatch.setattr(socket, "getaddrinfo", _knowing_the_cluster(socket.getaddrinfo))
    async with AsyncExitStack() as stack:
        for node in nodes.values():
            await stack.enter_async_context(node)
        # Clients of every node, as a service that spreads them has: a node knows nothing of MQTT before its first.
        for address, node in nodes.items():
            await _first_client(node, address)
        api = await stack.enter_async_context(SimulatedApi(documentation_example()))
        observer = await stack.enter_async_context(watching(nodes[_NODES[-1]]))
        config = bridging(nodes[_NODES[-1]], place, api)
        config = config.model_copy(update={"mqtt": config.mqtt.model_copy(update={"host": _NAME})})
        await stack.enter_async_context(running_bridge(config))
        await observer.wait_until(lambda: len(observer.held_below(f"{place}/{of.RIG}/")) >= 3)
        await lost.kill()
        for address, node in survivors.items():
            if node.tells_every_node:
                await _gives_everything(node, address, place)
            else:
                await _retains_everything(node, place)
        await lost.start()
        # Who watches without acknowledgements may miss some; a newcomer has to get them all, from every node.
        for address, node in nodes.items():
            await _gives_everything(node, address, place)


async def _first_client(node: NatsServer, address: str) -> None:
    """Returns when the node has let one in, which it does not before the cluster has chosen its leaders."""
    async with asyncio.timeout(_ELECTION_S):
        while True:
            with suppress(BrokerUnreachableError, TimeoutError):
                await kept(node, "first/#", host=address)
                return


async def _retains_everything(node: NatsServer, place: str) -> None:
    """Waits until the cluster, asked by this node, retains all that the bridge has to publish."""
    wanted, there = _everything(place), set[str]()
    with suppress(TimeoutError):
        async with asyncio.timeout(_ELECTION_S):
            while not wanted <= there:
                # Nobody answers while the survivors choose who does.
                with suppress(nats.errors.Error):
                    there = await node.topics_in_its_stream()
    assert wanted - there == set()


async def _gives_everything(node: NatsServer, address: str, place: str) -> None:
    """Waits until a newcomer to this node is given all that the bridge has published."""
    wanted, status = _everything(place), TopicNames(place).status
    given: dict[str, bytes] = {}
    with suppress(TimeoutError):
        async with asyncio.timeout(_ELECTION_S):
            while not (wanted <= given.keys() and given[status] == b"online"):
                # Turned away, or given only a part, while the survivors choose.
                with suppress(BrokerUnreachableError, TimeoutError):
                    given = await kept(node, f"{place}/#", host=address)
                    given |= await kept(node, f"{place}-ha/#", host=address)
    assert wanted - given.keys() == set()
    assert given[status] == b"online"


def _everything(place: str) -> set[str]:
    topics = TopicNames(place)
    names = DiscoveryIds(f"{place}-ha", topics)
    wanted = {topics.status, topics.bridge, topics.rig_status(of.RIG), topics.rig_state(of.RIG)}
    for kind, things in (
        (PROFILE, (of.PROFILE_1, of.PROFILE_2, of.PROFILE_3)),
        (PROJECT, (of.P1, of.P2)),
        (TARGET, (of.M31,)),
    ):
        for thing in things:
            wanted |= {topics.thing(of.RIG, kind, thing), names.topic(Subject(of.RIG, kind, thing))}
    return wanted


def _knowing_the_cluster(getaddrinfo: Any) -> Any:
    def knowing(host: str | None, *rest: Any, **more: Any) -> Any:
        if host != _NAME:
            return getaddrinfo(host, *rest, **more)
        return [found for address in _NODES for found in getaddrinfo(address, *rest, **more)]

    return knowing
