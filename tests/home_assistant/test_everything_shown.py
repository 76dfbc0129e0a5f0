"""Every device and every entity, as the bridge tells them: names, places, units, classes and states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.home_assistant.scene import scene

if TYPE_CHECKING:
    from tests.home_assistant.conftest import House
    from ts2mqtt.simulator.observatory import SimulatedObservatory


async def test_the_example_is_shown_as_it_is_told(house: House, example: SimulatedObservatory) -> None:
    async with scene(house, example) as backyard, backyard.running():
        await backyard.published()
        await backyard.shown()
        backyard.nothing_to_complain_about()
