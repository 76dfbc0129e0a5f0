"""Each test with each broker: Mosquitto and the embedded one always, the others where they are installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.brokers.served import SERVED, broker_named, is_installed
from tests.brokers.shortfalls import SHORTFALLS
from tests.conftest import need

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.brokers.served import AnyServedBroker

NAMES = ("mosquitto", "embedded", *SERVED)
# All tests with one broker in one process, if several run side by side.
_PARAMS = tuple(pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in NAMES)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    known = {(shortfall.broker, shortfall.test): shortfall for shortfall in SHORTFALLS}
    for item in items:
        if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
            params = item.callspec.params
            broker = params.get("shared_broker", params.get("own_broker"))
            if shortfall := known.get((str(broker), item.originalname)):
                item.add_marker(pytest.mark.xfail(reason=shortfall.reason, strict=not shortfall.newer_can))


def need_broker(name: str) -> None:
    """Skips where it is not installed; Mosquitto has to be there if TEST_REQUIRE says so."""
    if name in SERVED and not is_installed(name):
        pytest.skip(f"{name} is not installed")
    need(name, is_there=is_installed(name))


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=_PARAMS)
async def shared_broker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AnyServedBroker]:
    """One for all tests of a module, which keep to topics of their own: some take long to start."""
    need_broker(request.param)
    async with broker_named(request.param, tmp_path_factory.mktemp(request.param) / "broker") as broker:
        yield broker


@pytest.fixture(params=_PARAMS)
def own_broker(request: pytest.FixtureRequest, tmp_path: Path) -> AnyServedBroker:
    """Not started yet."""
    need_broker(request.param)
    return broker_named(request.param, tmp_path / "broker")
