"""Brokers and rigs that tests of every kind meet: a real Mosquitto, the embedded broker, a simulated API."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.support.certificates import Certificates, make_certificates, openssl_is_installed
from tests.support.mosquitto import Mosquitto, mosquitto_is_installed
from tests.support.observer import Observer, observing
from tests.support.quick import is_quick, leads_to_quick, refuse_sockets
from tests.support.running import Log
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.broker import EmbeddedBroker
from ts2mqtt.simulator.example import documentation_example

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from ts2mqtt.simulator.observatory import SimulatedObservatory


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="only the tests of pure code: tests/support/quick.py")


def pytest_configure() -> None:
    """Tests hear Ctrl-C and a hangup also where a shell in the background, or nohup, has them ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With --quick what is not quick is not even imported."""
    if config.getoption("--quick") and not leads_to_quick(collection_path):
        return True
    return None


@pytest.fixture(autouse=True)
def _no_socket_in_a_quick_test(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if is_quick(request.node.path):
        refuse_sockets(monkeypatch)


if sys.platform == "win32":

    def pytest_asyncio_loop_factories() -> dict[str, type[asyncio.SelectorEventLoop]]:
        """The event loop of ts2mqtt/network/event_loop.py."""
        return {"selector": asyncio.SelectorEventLoop}


class AnyBroker(Protocol):
    """What the two brokers have in common."""

    @property
    def port(self) -> int: ...

    async def stop(self) -> None: ...

    async def start(self, *, keep_retained: bool = ...) -> None: ...


def need(what: str, *, is_there: bool) -> None:
    """Skips the test where something is not installed, unless TEST_REQUIRE=all."""
    if is_there:
        return
    if os.environ.get("TEST_REQUIRE") == "all":
        pytest.fail(f"{what} is not installed, and TEST_REQUIRE=all")
    pytest.skip(f"{what} is not installed")


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    need("openssl", is_there=openssl_is_installed())
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def mosquitto_with(tmp_path: Path) -> Callable[..., Mosquitto]:
    """Makes a Mosquitto that is not started yet, with what its constructor takes."""
    need("Mosquitto", is_there=mosquitto_is_installed())
    return partial(Mosquitto, tmp_path / "broker")


@pytest.fixture
async def mosquitto(mosquitto_with: Callable[..., Mosquitto]) -> AsyncIterator[Mosquitto]:
    """Open to everybody, with Mosquitto's default limits."""
    async with mosquitto_with() as broker:
        yield broker


@pytest.fixture(params=["mosquitto", "embedded"])
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[AnyBroker]:
    """Each test twice: with a real Mosquitto, and with the embedded broker of the demo."""
    if request.param == "embedded":
        async with EmbeddedBroker() as embedded:
            yield embedded
    else:
        async with request.getfixturevalue("mosquitto_with")() as mosquitto:
            yield mosquitto


@pytest.fixture
async def observer(mosquitto: Mosquitto) -> AsyncIterator[Observer]:
    """Sees everything on the Mosquitto."""
    async with observing(mosquitto.port) as observer:
        yield observer


@pytest.fixture
def example() -> SimulatedObservatory:
    """The observatory of the API's documentation."""
    return documentation_example()


@pytest.fixture
async def example_api(example: SimulatedObservatory) -> AsyncIterator[SimulatedApi]:
    async with SimulatedApi(example) as api:
        yield api


@pytest.fixture
def log() -> Iterator[Log]:
    """All that ts2mqtt says during the test."""
    logger, handler = logging.getLogger("ts2mqtt"), Log()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(level)
