"""A prepared Home Assistant beside a Mosquitto, one pair for all tests of a release."""

from __future__ import annotations

import os
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.conftest import need
from tests.home_assistant.hass import HomeAssistant
from tests.home_assistant.prepare import is_ready, why_not
from tests.home_assistant.releases import RELEASES
from tests.support.mosquitto import Mosquitto, mosquitto_is_installed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.home_assistant.releases import Release


@dataclass(frozen=True, slots=True)
class House:
    """A home's broker, and its Home Assistant."""

    broker: Mosquitto
    hass: HomeAssistant


def pytest_itemcollected(item: pytest.Item) -> None:
    if isinstance(item, pytest.Function) and iscoroutinefunction(item.obj):
        item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
        # A Home Assistant takes its time to start, and one that shares two cores with others takes more.
        item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session", params=RELEASES, ids=lambda release: release.version)
def release(request: pytest.FixtureRequest) -> Release:
    """Each test once for each release that is prepared."""
    wanted: Release = request.param
    need("Mosquitto", is_there=mosquitto_is_installed())
    if not is_ready(wanted):
        reason = f"Home Assistant {wanted.version} is not prepared: {why_not(wanted)}"
        if os.environ.get("TEST_REQUIRE") == "all":
            pytest.fail(reason)
        pytest.skip(reason)
    return wanted


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(release: Release, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    directory = tmp_path_factory.mktemp("house")
    async with (
        Mosquitto(directory / "broker") as broker,
        HomeAssistant(release, directory / "config", broker.port) as hass,
    ):
        yield House(broker, hass)


@pytest.fixture
def hass(house: House) -> HomeAssistant:
    return house.hass


@pytest.fixture(autouse=True)
def no_unit_changes(request: pytest.FixtureRequest) -> Iterator[None]:
    """An entity has one unit in all tests of a release.

    Each five minutes the recorder warns of an entity whose unit has changed, whichever test runs then.
    """
    yield
    if "house" in request.fixturenames:
        house: House = request.getfixturevalue("house")
        assert {entity_id: units for entity_id, units in house.hass.units.items() if len(units) > 1} == {}
