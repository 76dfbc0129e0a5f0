"""Renaming keeps entities and their history; what is removed disappears, whoever was away when it was removed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.bridge.test_bridge import named
from tests.home_assistant.expected import differences
from tests.home_assistant.scene import scene, shown_scene
from tests.support import topics_of_example as of
from ts2mqtt.topics.names import PROFILE, PROJECT, TARGET

if TYPE_CHECKING:
    from tests.home_assistant.conftest import House
    from tests.home_assistant.scene import Scene
    from ts2mqtt.simulator.observatory import SimulatedObservatory


async def gone(backyard: Scene, kind: str, thing_id: str) -> None:
    """Returns when neither the broker nor Home Assistant knows a thing any more."""
    thing = f"{kind}/{thing_id}"
    await backyard.observer.wait_until_gone(
        backyard.topic(f"backyard/{thing}"),
        f"homeassistant/device/{backyard.base}/backyard_{kind}_{thing_id}/config",
    )
    await backyard.shown()
    assert not [one for one in backyard.hass.states if thing_id in one]


async def test_a_rename_keeps_entities_with_their_ids_and_their_history(
    house: House, example: SimulatedObservatory
) -> None:
    target = example.target(of.M31)
    async with shown_scene(house, example) as backyard:
        hass, observer = backyard.hass, backyard.observer
        unique_id = backyard.unique_id(TARGET, of.M31, "lum_60_accepted")
        before = {key: entry["entity_id"] for key, entry in hass.entities.items() if key.startswith(backyard.base)}
        example.acquire(target, 0, accepted=True)
        await hass.wait_until(lambda: hass.state_of(unique_id) == "1", "the accepted exposure")
        mark = observer.mark()
        example.rename(target, "Andromeda Galaxy")
        example.rename(example.project(of.P1), "Autumn")
        for thing, name in ((f"target_{of.M31}", "Andromeda Galaxy"), (f"project_{of.P1}", "Autumn")):
            topic = f"homeassistant/device/{backyard.base}/backyard_{thing}/config"
            await observer.wait_for(topic, named(name), after=mark)
        await backyard.shown()
        after = {key: entry["entity_id"] for key, entry in hass.entities.items() if key.startswith(backyard.base)}
        assert after == before
        example.acquire(target, 0, accepted=True)
        await hass.wait_until(lambda: hass.state_of(unique_id) == "2", "the next one")
        async with asyncio.timeout(30):
            while (states := await hass.history(before[unique_id]))[-1] != "2":
                pass
        assert states[-3:] == ["0", "1", "2"]
        backyard.nothing_to_complain_about()


async def test_what_is_removed_goes_and_nothing_else(house: House, example: SimulatedObservatory) -> None:
    target, project = example.target(of.M31), example.project(of.P1)
    async with shown_scene(house, example) as backyard:
        hass = backyard.hass
        plan = backyard.unique_id(TARGET, of.M31, "blue_60_accepted")
        assert hass.state_of(plan) == "0"
        mark = backyard.observer.mark()
        example.remove_exposure_plan(target, 3)
        await backyard.observer.wait_for(
            backyard.topic(f"backyard/target/{of.M31}"), lambda told: len(told["exposure_plans"]) == 3, after=mark
        )
        await hass.wait_until(lambda: plan not in hass.entities, "the exposure plan to go")
        assert hass.state_of(backyard.unique_id(TARGET, of.M31, "lum_60_accepted")) == "0"
        example.remove_target(target)
        await gone(backyard, TARGET, of.M31)
        example.remove_project(project)
        await gone(backyard, PROJECT, of.P1)
        example.remove_profile(example.profile(of.PROFILE_3))
        await gone(backyard, PROFILE, of.PROFILE_3)
        backyard.nothing_to_complain_about()


async def test_what_is_removed_while_the_bridge_is_off_goes_when_it_is_back(
    house: House, example: SimulatedObservatory
) -> None:
    async with scene(house, example) as backyard:
        async with backyard.running():
            await backyard.published()
            await backyard.shown()
        example.remove_target(example.target(of.M31))
        example.remove_profile(example.profile(of.PROFILE_2))
        async with backyard.running():
            await gone(backyard, TARGET, of.M31)
            await gone(backyard, PROFILE, of.PROFILE_2)
        backyard.nothing_to_complain_about()


async def test_what_is_removed_while_home_assistant_is_off_goes_when_it_is_back(
    house: House, example: SimulatedObservatory
) -> None:
    target_topic = f"homeassistant/device/%s/backyard_target_{of.M31}/config"
    async with shown_scene(house, example) as backyard:
        hass, observer = backyard.hass, backyard.observer
        before = {key: entry["entity_id"] for key, entry in hass.entities.items() if key.startswith(backyard.base)}
        await hass.stop()
        await observer.wait_for("homeassistant/status", b"offline")
        example.remove_exposure_plan(example.target(of.M31), 3)
        await observer.wait_for(
            target_topic % backyard.base, lambda device: len(device["components"]["blue_60_accepted"]) == 1
        )
        example.remove_project(example.project(of.P2))
        await observer.wait_until_gone(f"homeassistant/device/{backyard.base}/backyard_project_{of.P2}/config")
        await hass.start()
        # A bridge lets a Home Assistant that has started settle before it shows it what is gone.
        await observer.wait_until(lambda: not observer.held_below(f"{backyard.base}/bridge/removed/"), "it was shown")
        await gone(backyard, PROJECT, of.P2)
        await observer.wait_for(
            target_topic % backyard.base, lambda device: "blue_60_accepted" not in device["components"]
        )
        await backyard.shown()
        assert differences(hass, observer.held, backyard.base) == []
        left = {key: entry["entity_id"] for key, entry in hass.entities.items() if key.startswith(backyard.base)}
        assert left.items() <= before.items()
        backyard.nothing_to_complain_about()
