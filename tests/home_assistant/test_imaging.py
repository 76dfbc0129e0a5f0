"""*Imaging* through a night in which the bridge is restarted: lights that hang on it do not flicker."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from tests.home_assistant.scene import scene
from ts2mqtt.simulator.observatory import SimulatedObservatory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.home_assistant.conftest import House
    from tests.home_assistant.scene import Scene

_RESTARTS = 5
_TOLD = "imaging_told"


@asynccontextmanager
async def lights(backyard: Scene) -> AsyncIterator[None]:
    """An automation that tells as an event when *Imaging* goes on, and when it goes off."""
    imaging = backyard.hass.entity_id(backyard.unique_id(None, None, "imaging"))
    automation = await backyard.hass.create_automation(
        {
            "triggers": [
                {"trigger": "state", "entity_id": imaging, "from": "off", "to": "on"},
                {"trigger": "state", "entity_id": imaging, "from": "on", "to": "off"},
            ],
            "actions": [{"event": _TOLD, "event_data": {"to": "{{ trigger.to_state.state }}"}}],
            "mode": "queued",
        }
    )
    try:
        yield
    finally:
        await backyard.hass.remove_automation(automation)


async def test_an_automation_fires_exactly_twice_though_the_bridge_is_restarted_five_times(house: House) -> None:
    now = datetime.now(UTC)
    # Wherever on Earth it is about 23 o'clock now.
    hours = (23 - now.hour + 12) % 24 - 12
    observatory = SimulatedObservatory(now=now, timezone=timezone(timedelta(hours=hours)))
    project = observatory.add_project(observatory.add_profile("Refractor"), "Autumn")
    target = observatory.add_target(project, "M 31", ra_hours=0.712, dec_deg=41.27)
    observatory.add_exposure_plan(target, "Ha", exposure_s=300, desired=_RESTARTS + 1)
    async with scene(house, observatory) as backyard:
        hass = backyard.hass
        began = len(hass.events)
        imaging = backyard.unique_id(None, None, "imaging")

        def told() -> list[str]:
            return [event["data"]["to"] for event in hass.events[began:] if event["event_type"] == _TOLD]

        async def becomes(state: str) -> None:
            await hass.wait_until(lambda: hass.state_of(imaging) == state, f"Imaging to be {state}")

        async def exposes() -> None:
            mark = backyard.observer.mark()
            observatory.acquire(target, accepted=True)
            await backyard.observer.wait_for(
                backyard.topic("backyard/event"), lambda told: told["event_type"] == "exposure_acquired", after=mark
            )

        async with AsyncExitStack() as house_at_night:
            async with backyard.running():
                await backyard.published()
                await backyard.shown()
                await becomes("off")
                await house_at_night.enter_async_context(lights(backyard))
                await exposes()
                await becomes("on")
            for _ in range(_RESTARTS - 1):
                await becomes("unavailable")
                async with backyard.running():
                    await becomes("on")
                    await exposes()
            await becomes("unavailable")
            async with backyard.running():
                await becomes("on")
                # The last that was desired: there is nothing more to image.
                await exposes()
                await becomes("off")
                await hass.wait_until(lambda: len(told()) >= 2, "both to be told")
            assert told() == ["on", "off"]
        backyard.nothing_to_complain_about()
