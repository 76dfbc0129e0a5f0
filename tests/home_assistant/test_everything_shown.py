"""Every device and every entity as the bridge tells them: names, places, units, classes and states."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.home_assistant.expected import components
from tests.home_assistant.scene import scene, shown_scene
from tests.support import topics_of_example as of
from ts2mqtt.home_assistant import entities
from ts2mqtt.simulator.busy_observatory import busy_observatory
from ts2mqtt.topics.names import PROFILE, PROJECT, TARGET

if TYPE_CHECKING:
    from tests.home_assistant.conftest import House
    from ts2mqtt.simulator.observatory import SimulatedObservatory


async def test_the_documented_observatory_stands_there_as_it_was_told(
    house: House, example: SimulatedObservatory
) -> None:
    async with shown_scene(house, example) as backyard:
        told = list(components(backyard.observer.held, backyard.base))
        of_target = [row for row in entities.TARGET if not row.needs_site]
        of_rig = [row for row in entities.RIG if not (row.needs_site or row.needs_nina)]
        rows = len(of_rig) + 3 * len(entities.PROFILE) + 2 * len(entities.PROJECT) + len(of_target)
        assert len(told) >= rows + 4 * len(entities.EXPOSURE_PLAN)
        for _, component in told:
            proposed = component["default_entity_id"]
            domain, _, name = proposed.partition(".")
            slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
            assert backyard.hass.entity_id(component["unique_id"]) == f"{domain}.{slug}"
        backyard.nothing_to_complain_about()


async def test_a_target_hangs_on_its_project_which_hangs_on_its_profile_which_hangs_on_the_rig(
    house: House, example: SimulatedObservatory
) -> None:
    async with shown_scene(house, example) as backyard:
        by_id = {device["id"]: device for device in backyard.hass.devices.values()}
        device = backyard.hass.devices[f"{backyard.base}_backyard_target_{of.M31}"]
        names = [device["name"]]
        for _ in range(3):
            device = by_id[device["via_device_id"]]
            names.append(device["name"])
        assert names == ["M 31", "P1", "Profile 1", "Backyard"]


async def test_a_lively_observatory_with_all_it_has_ever_imaged(house: House) -> None:
    observatory = busy_observatory(start=datetime(2026, 2, 27, 17, tzinfo=UTC))
    async with scene(house, observatory) as backyard, backyard.running():
        await backyard.published()
        imaged = [
            target
            for project in observatory.active_profile.projects
            for target in project.targets
            if any(plan.images for plan in target.exposure_plans)
        ]
        for target in imaged:
            await backyard.observer.wait_for(
                backyard.topic(f"backyard/target/{target.id}"),
                lambda told: any(plan["statistics"] for plan in told["exposure_plans"]),
            )
        await backyard.shown()
        hass = backyard.hass
        for target in observatory.targets():
            project = observatory.project_of(target)
            if project.state == "Closed":
                continue
            done = hass.state_of(backyard.unique_id(TARGET, target.id, "completion"))
            assert done is not None
            assert 0 <= float(done) <= 100
        things = dict.fromkeys((PROFILE, PROJECT, TARGET), 0)
        for identifier in hass.devices:
            for kind in things:
                things[kind] += identifier.startswith(f"{backyard.base}_backyard_{kind}_")
        shown = [project for project in observatory.projects() if project.state != "Closed"]
        assert things == {
            PROFILE: len(observatory.profiles),
            PROJECT: len(shown),
            TARGET: sum(len(project.targets) for project in shown),
        }
        backyard.nothing_to_complain_about()
