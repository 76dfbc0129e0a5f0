"""A broker that restarts, and a cluster that loses a node, while the bridge is at work."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests import topics_of_example as of
from tests.brokers.conftest import need_broker
from tests.brokers.contract import bridging, everything_published, kept, login, new_place, watching
from tests.brokers.served import NatsServer
from tests.mosquitto import free_port
from tests.running import running_bridge
from ts2mqtt.mqtt import connect
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.example import documentation_example

if TYPE_CHECKING:
    from pathlib import Path

    from tests.brokers.served import AnyServedBroker

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("impatient")]

# One name for three nodes, as a headless service of Kubernetes has it.
_NODES = ("127.0.0.2", "127.0.0.3", "127.0.0.1")
_NAME = "brokers.test"
# The survivors choose who leads each stream anew, and turn clients away meanwhile.
_ELECTION_S = 100.0


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


@pytest.mark.parametrize("victim", [0, 1], ids=["the-bridges-own-node", "another-node"])
async def test_a_cluster_that_loses_a_node_loses_nothing(
    victim: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three NATS servers; one is killed while the bridge is in the middle of its first publishes."""
    need_broker("nats")
    place, port = new_place(), free_port()
    cluster = {address: free_port() for address in _NODES}
    nodes = [
        NatsServer(tmp_path / f"node-{number}", address=address, port=port, cluster=cluster)
        for number, address in enumerate(_NODES)
    ]
    monkeypatch.setattr(socket, "getaddrinfo", _knowing_the_cluster(socket.getaddrinfo))
    async with AsyncExitStack() as stack:
        for node in nodes:
            await stack.enter_async_context(node)
        api = await stack.enter_async_context(SimulatedApi(documentation_example()))
        survivor = nodes[-1]
        observer = await stack.enter_async_context(watching(survivor))
        config = bridging(survivor, place, api)
        config = config.model_copy(update={"mqtt": config.mqtt.model_copy(update={"host": _NAME})})
        await stack.enter_async_context(running_bridge(config))
        await observer.wait_until(lambda: len(observer.held_below(f"{place}/{of.RIG}/")) >= 3)
        await nodes[victim].kill()
        await everything_published(observer, place, patience_s=_ELECTION_S)
        await observer.catch_up()
        held = {topic: observer.held[topic] for topic in observer.held_below(f"{place}/", f"{place}-ha/")}
        # The survivors agree on what is kept a little after they have passed it on.
        missing = set(held)
        given: dict[str, bytes] = {}
        until = asyncio.get_running_loop().time() + 30
        while missing and asyncio.get_running_loop().time() < until:
            given = await kept(survivor, f"{place}/#") | await kept(survivor, f"{place}-ha/#")
            missing = {topic for topic in held.keys() | given.keys() if given.get(topic) != held.get(topic)}
        assert not missing, [(topic, given.get(topic), held.get(topic)) for topic in missing]


def _knowing_the_cluster(getaddrinfo: Any) -> Any:
    def knowing(host: str | None, *rest: Any, **more: Any) -> Any:
        if host != _NAME:
            return getaddrinfo(host, *rest, **more)
        return [found for address in _NODES for found in getaddrinfo(address, *rest, **more)]

    return knowing
