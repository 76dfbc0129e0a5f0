"""What is available while the rig, the bridge or the broker is away, and that all of it comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.home_assistant.scene import scene, shown_scene
from tests.support import topics_of_example as of
from ts2mqtt.home_assistant import entities
from ts2mqtt.topics.names import TARGET

if TYPE_CHECKING:
    from tests.home_assistant.conftest import House
    from tests.home_assistant.scene import Scene
    from ts2mqtt.simulator.observatory import SimulatedObservatory

_LIVE = [row.key for row in entities.RIG if row.live and not row.needs_nina]


def unavailable(backyard: Scene) -> set[str]:
    """Unique ids of the bridge's entities that are."""
    hass = backyard.hass
    return {
        unique_id
        for unique_id in hass.entities
        if unique_id.startswith(f"{backyard.base}_") and hass.state_of(unique_id) == "unavailable"
    }


async def test_while_the_rig_is_silent_what_is_live_is_unavailable_and_what_is_known_stays(
    house: House, example: SimulatedObservatory
) -> None:
    async with shown_scene(house, example) as backyard:
        api, completion = backyard.unique_id(None, None, "api"), backyard.unique_id(TARGET, of.M31, "completion")
        assert backyard.hass.state_of(api) == "on"
        assert unavailable(backyard) == set()
        mark = backyard.observer.mark()
        await backyard.api.stop()
        await backyard.observer.wait_for(backyard.topic("backyard/status"), b"offline", after=mark)
        await backyard.shown()
        assert unavailable(backyard) == {backyard.unique_id(None, None, key) for key in _LIVE}
        assert backyard.hass.state_of(api) == "off"
        assert backyard.hass.state_of(completion) == "0"
        await backyard.api.start()
        await backyard.observer.wait_for(backyard.topic("backyard/status"), b"online", after=mark)
        await backyard.shown()
        assert unavailable(backyard) == set()
        assert backyard.hass.state_of(api) == "on"
        backyard.nothing_to_complain_about()


async def test_without_the_bridge_nothing_of_a_rig_is_available_and_with_the_next_all_is(
    house: House, example: SimulatedObservatory
) -> None:
    async with scene(house, example) as backyard:
        async with backyard.running():
            await backyard.published()
            await backyard.shown()
            assert unavailable(backyard) == set()
        await backyard.observer.wait_until(
            lambda: backyard.observer.held[backyard.topic("status")] == b"offline", "the bridge's last word"
        )
        await backyard.shown()
        gone = unavailable(backyard)
        of_rig = [row for row in entities.RIG if row.enabled and not row.needs_nina]
        assert {backyard.unique_id(None, None, row.key) for row in of_rig} <= gone
        assert backyard.unique_id(TARGET, of.M31, "completion") in gone
        async with backyard.running():
            await backyard.published()
            await backyard.shown()
            assert unavailable(backyard) == set()
        backyard.nothing_to_complain_about()


async def test_when_the_broker_comes_back_so_does_everything(house: House, example: SimulatedObservatory) -> None:
    async with shown_scene(house, example) as backyard:
        activity = backyard.unique_id(None, None, "activity")
        idle = backyard.hass.state_of(activity)
        await backyard.broker.stop()
        await backyard.hass.wait_until(
            lambda: backyard.hass.state_of(activity) == "unavailable", "everything to be unavailable"
        )
        mark = backyard.observer.mark()
        await backyard.broker.start()
        await backyard.observer.wait_for(backyard.topic("status"), b"online", after=mark)
        await backyard.hass.wait_until(lambda: backyard.hass.state_of(activity) == idle, "everything to be back")
        await backyard.published()
        await backyard.shown()
        # It complains of the broker, and of nothing that comes from the bridge.
        assert all("[homeassistant.components.mqtt.client]" in line for line in backyard.problems)
