"""What N.I.N.A. itself tells, in Home Assistant: its entities are there, and say the same."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from tests.home_assistant.scene import Scene, scene
from ts2mqtt.simulator.nina.server import NinaServer
from ts2mqtt.simulator.observatory import SimulatedObservatory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.home_assistant.conftest import House


@asynccontextmanager
async def heard(house: House, observatory: SimulatedObservatory) -> AsyncIterator[tuple[Scene, NinaServer]]:
    """A rig whose N.I.N.A. is heard, and that Home Assistant shows."""
    async with scene(house, observatory) as backyard, NinaServer(observatory) as nina:
        rig = backyard.config.rigs[0].model_copy(update={"nina_urls": (nina.url,)})
        backyard.config = backyard.config.model_copy(update={"rigs": (rig,)})
        async with backyard.running():
            await backyard.published()
            await backyard.shown()
            yield backyard, nina


async def test_home_assistant_shows_what_nina_tells(house: House) -> None:
    now = datetime.now(UTC)
    # Wherever on Earth it is about 23 o'clock now.
    hours = (23 - now.hour + 12) % 24 - 12
    observatory = SimulatedObservatory(now=now, timezone=timezone(timedelta(hours=hours)))
    project = observatory.add_project(observatory.add_profile("Refractor"), "Autumn")
    target = observatory.add_target(project, "M 31", ra_hours=0.712, dec_deg=41.27)
    observatory.add_exposure_plan(target, "Ha", exposure_s=300, desired=20)
    async with heard(house, observatory) as (backyard, nina):
        hass = backyard.hass

        async def becomes(key: str, state: str) -> None:
            entity = backyard.unique_id(None, None, key)
            await hass.wait_until(
                lambda: hass.state_of(entity) == state, lambda: f"{key} to be {state}, it is {hass.state_of(entity)}"
            )

        # Of a device class "safety" on means unsafe.
        await becomes("safe", "off")
        safe = hass.states[hass.entity_id(backyard.unique_id(None, None, "safe"))]
        assert safe["attributes"]["device_class"] == "safety"
        await becomes("imaging", "off")

        nina.nina.announce("TS-TARGETSTART", TargetName="M 31", ProjectName="Autumn")
        await nina.send_due()
        await becomes("imaging", "on")
        await becomes("current_target", "M 31")
        await becomes("sequence_running", "on")

        nina.nina.set_safe(is_safe=False)
        await nina.send_due()
        await becomes("safe", "on")
        await becomes("imaging", "off")

        nina.nina.set_safe(is_safe=True)
        await nina.send_due()
        await becomes("safe", "off")
        await backyard.shown()
        backyard.nothing_to_complain_about()
