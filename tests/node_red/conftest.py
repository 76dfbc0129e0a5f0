"""One Node-RED for all tests of the flows, and for each test a Mosquitto that starts empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from tests.conftest import need
from tests.node_red.node_red import NODE_RED_4, Flow, NodeRed
from tests.support.observer import Observer, observing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import pytest

    from tests.support.mosquitto import Mosquitto

    Deploy = Callable[..., Awaitable[NodeRed]]


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def only_node_red(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[NodeRed]:
    """Node-RED 4; another one for a test that is parametrized with its release."""
    release = getattr(request, "param", NODE_RED_4)
    need("Node-RED (tests/node_red/install.sh fetches it)", is_there=release.is_installed())
    async with NodeRed(tmp_path_factory.mktemp("node-red"), release) as node_red:
        yield node_red


@pytest_asyncio.fixture(loop_scope="session")
async def mosquitto(mosquitto_with: Callable[..., Mosquitto]) -> AsyncIterator[Mosquitto]:
    """In the event loop that all tests of the flows share."""
    async with mosquitto_with() as broker:
        yield broker


@pytest_asyncio.fixture(loop_scope="session")
async def observer(mosquitto: Mosquitto) -> AsyncIterator[Observer]:
    async with observing(mosquitto.port) as observer:
        yield observer


@pytest_asyncio.fixture(loop_scope="session")
async def deploy(only_node_red: NodeRed, mosquitto: Mosquitto) -> AsyncIterator[Deploy]:
    """Has flows run in Node-RED until the test ends, and listen to the test's Mosquitto; no node may complain."""

    async def deployed(*flows: Flow) -> NodeRed:
        subscriptions = [f" 1 {topic}" for topic in {topic for flow in flows for topic in flow.topics()}]
        before = {subscription: len(mosquitto.lines(subscription)) for subscription in subscriptions}
        await only_node_red.deploy(flows, mosquitto.port)
        for subscription in subscriptions:
            await mosquitto.says(subscription, after=before[subscription])
        return only_node_red

    yield deployed
    problems = only_node_red.problems
    await only_node_red.deploy((), mosquitto.port)
    assert problems == []
