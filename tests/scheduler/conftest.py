from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.asking import asking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ts2mqtt.scheduler.client import TargetSchedulerClient
    from ts2mqtt.simulator.api import SimulatedApi


@pytest.fixture
async def client(example_api: SimulatedApi) -> AsyncIterator[TargetSchedulerClient]:
    """Asks the observatory of the API's documentation."""
    async with asking(example_api.url) as client:
        yield client
