from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.simulator.raw_client import RawClient
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.observatory import SimulatedObservatory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
def observatory() -> SimulatedObservatory:
    """One profile, one project, one target with two exposure plans."""
    observatory = SimulatedObservatory()
    profile = observatory.add_profile("Backyard")
    project = observatory.add_project(profile, "Autumn")
    target = observatory.add_target(project, "M 31", ra_hours=0.712, dec_deg=41.27)
    observatory.add_exposure_plan(target, "Lum", exposure_s=60, desired=10)
    observatory.add_exposure_plan(target, "Red", exposure_s=120.5, desired=5)
    return observatory


@pytest.fixture
async def api(observatory: SimulatedObservatory) -> AsyncIterator[SimulatedApi]:
    async with SimulatedApi(observatory) as api:
        yield api


@pytest.fixture
async def client(api: SimulatedApi) -> AsyncIterator[RawClient]:
    async with RawClient.connected(api) as client:
        yield client
