"""Two rigs that image the same things, and databases that are odd: every device has a name of its own."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.home_assistant.scene import scene
from tests.support import topics_of_example as of
from tests.support.running import bridge_config, mqtt_config, polling
from ts2mqtt.config import SiteConfig
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.topics.names import PROJECT, TARGET

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.home_assistant.conftest import House
    from tests.home_assistant.hass import HomeAssistant
    from ts2mqtt.simulator.observatory import SimulatedObservatory


def repeated(names: Iterable[str | None]) -> list[str | None]:
    """Those that stand there twice, and those that are none."""
    return [name for name, times in Counter(names).items() if times > 1 or not name]


def friendly_names(hass: HomeAssistant, base: str) -> list[str]:
    """Of all entities of a bridge that are shown."""
    entity_ids = {entry["entity_id"] for key, entry in hass.entities.items() if key.startswith(f"{base}_")}
    return [
        state["attributes"]["friendly_name"] for entity_id, state in hass.states.items() if entity_id in entity_ids
    ]


async def test_no_two_devices_and_no_two_entities_have_one_name(house: House, example: SimulatedObservatory) -> None:
    project = example.project(of.P1)
    project.enable_grader = False
    example.rename(project, "M 31")
    twin = example.add_target(project, "M 31", ra_hours=0.712, dec_deg=41.27)
    example.add_exposure_plan(twin, "Lum", exposure_s=60, desired=10)
    async with scene(house, example) as backyard, SimulatedApi(example) as shared_database:
        hass, base = backyard.hass, backyard.base
        looks = polling(interval=0.5, slow_interval=0.5)
        config = bridge_config(
            mqtt_config(house.broker.port, base_topic=base), backyard.api, shared_database, looks=looks
        )
        rigs = tuple(rig.model_copy(update={"site": SiteConfig(latitude=47, longitude=8)}) for rig in config.rigs)
        backyard.config = config.model_copy(update={"rigs": rigs})
        async with backyard.running():
            await backyard.published()
            await backyard.observer.wait_for(
                backyard.topic(f"remote/target/{twin.id}"), lambda told: told["transit"] is not None
            )
            await backyard.shown()

            devices = {key: one for key, one in hass.devices.items() if key.startswith((f"{base}_", base))}
            assert repeated(device["name"] for device in devices.values()) == []
            for rig in ("Backyard", "Remote"):
                rig_id = rig.lower()
                of_project = devices[f"{base}_{rig_id}_{PROJECT}_{of.P1}"]["name"]
                of_twin = devices[f"{base}_{rig_id}_{TARGET}_{twin.id}"]["name"]
                assert (of_project, of_twin) == (
                    f"M 31 (project) · {rig}",
                    f"M 31 (target {twin.id[:8]}) · {rig}",
                )
            assert repeated(friendly_names(hass, base)) == []
            for key in ("moon_separation", "maximum_altitude", "transit"):
                assert hass.state_of(backyard.unique_id(TARGET, twin.id, key)) not in {None, "unknown", "unavailable"}
            completion = hass.entity_id(backyard.unique_id(PROJECT, of.P1, "completion"))
            assert hass.states[completion]["attributes"]["counts"] == "accepted of desired exposures"
            assert hass.state_of(backyard.unique_id(None, None, "imaging")) == "off"
            backyard.nothing_to_complain_about()


async def test_an_imported_profile_and_things_without_an_id(house: House, example: SimulatedObservatory) -> None:
    """A new camera's profile was imported, and the database was updated from a plugin that gave no ids."""
    project = example.project(of.P1)
    imported = example.add_profile("New camera")
    imported.projects.append(project)
    old = example.add_project(example.profiles[0], "Too old")
    old.raw["Id"] = None
    nobody = example.add_target(project, "Nobody", ra_hours=0.712, dec_deg=41.27)
    nobody.raw["Id"] = None
    async with scene(house, example) as backyard, backyard.running():
        hass, base = backyard.hass, backyard.base
        told = await backyard.observer.wait_for(
            backyard.topic("backyard/state"), lambda told: told["without_id"] is not None
        )
        assert told.json["without_id"] == {"projects": ["Too old"], "targets": 1}
        known = {target.id for target in project.targets} - {nobody.id}
        await backyard.observer.wait_until(
            lambda: (
                {backyard.topic(f"backyard/target/{target}") for target in known} <= backyard.observer.held.keys()
            ),
            "the targets",
        )
        await backyard.shown()

        devices = {key: device for key, device in hass.devices.items() if key.startswith((f"{base}_", base))}
        assert repeated(device["name"] for device in devices.values()) == []
        assert not {device["name"] for device in devices.values()} & {"Too old", "Nobody"}
        assert f"{base}_backyard_{PROJECT}_{of.P1}" in devices
        assert repeated(friendly_names(hass, base)) == []
        backyard.nothing_to_complain_about()
