"""Events, device triggers, buttons and the picture of the night plan, each as a user meets it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.home_assistant.scene import shown_scene
from tests.support import topics_of_example as of
from ts2mqtt.observatory.events import EVENT_TYPES
from ts2mqtt.topics.names import PROJECT

if TYPE_CHECKING:
    from tests.home_assistant.conftest import House
    from ts2mqtt.simulator.observatory import SimulatedObservatory


async def test_an_exposure_shows_in_the_event_entity_and_sets_off_an_automation(
    house: House, example: SimulatedObservatory
) -> None:
    async with shown_scene(house, example) as backyard:
        hass = backyard.hass
        device_id = hass.devices[f"{backyard.base}_backyard"]["id"]
        offered = await hass.command("device_automation/trigger/list", device_id=device_id)
        triggers = {one["type"]: one for one in offered if one["domain"] == "mqtt"}
        assert triggers.keys() == set(EVENT_TYPES)
        trigger = {key: value for key, value in triggers["exposure_acquired"].items() if key != "metadata"}
        automation = await hass.create_automation(
            {"triggers": [trigger], "conditions": [], "actions": [{"event": f"{backyard.base}_heard"}]}
        )
        mark, seen = len(hass.events), backyard.observer.mark()
        example.acquire(example.target(of.M31), 0)
        await hass.wait_for_event(f"{backyard.base}_heard", after=mark)
        session = hass.entity_id(backyard.unique_id(None, None, "session"))

        def told() -> list[str]:
            since = backyard.observer.since(seen)
            return [one.json["event_type"] for one in since if one.topic == backyard.topic("backyard/event")]

        def shown() -> list[str]:
            return shown_by(hass.events[mark:], session)

        await backyard.wait_until(
            lambda: "exposure_acquired" in shown() and shown() == told(), lambda: (shown(), told())
        )
        assert len(await hass.traces(automation)) == 1
        await hass.remove_automation(automation)
        backyard.nothing_to_complain_about()


def shown_by(events: list[dict[str, Any]], entity_id: str) -> list[str]:
    """The types that an event entity showed one after the other."""
    return [
        event["data"]["new_state"]["attributes"]["event_type"]
        for event in events
        if event["event_type"] == "state_changed" and event["data"]["entity_id"] == entity_id
    ]


async def test_the_button_has_the_night_planned_and_its_picture_is_shown(
    house: House, example: SimulatedObservatory
) -> None:
    async with shown_scene(house, example) as backyard:
        hass = backyard.hass
        picture = hass.entity_id(backyard.unique_id(None, None, "night_plan"))
        assert hass.state(picture) == "unknown"
        await hass.call_service("button.press", hass.entity_id(backyard.unique_id(None, None, "refresh_plan")))
        seen = await backyard.observer.wait_for(backyard.topic("backyard/plan/image"))
        await hass.wait_until(lambda: hass.state(picture) != "unknown", "the picture")
        assert seen.payload.startswith(b"\x89PNG")
        assert await hass.image(picture) == ("image/png", seen.payload)
        await backyard.shown()
        backyard.nothing_to_complain_about()


async def test_a_project_that_is_closed_goes_and_one_that_is_new_comes(
    house: House, example: SimulatedObservatory
) -> None:
    async with shown_scene(house, example) as backyard:
        hass = backyard.hass
        closed = backyard.unique_id(PROJECT, of.P2, "state")
        assert hass.state_of(closed) == "draft"
        example.set_project_state(example.project(of.P2), "Closed")
        await hass.wait_until(lambda: closed not in hass.entities, "the closed project to go")
        project = example.add_project(example.profile(of.PROFILE_1), "P3")
        target = example.add_target(project, "M 33")
        example.add_exposure_plan(target, "Lum", exposure_s=60, desired=2)
        new = backyard.unique_id(PROJECT, project.id, "desired")
        await hass.wait_until(lambda: hass.state_of(new) == "2", "the new project")
        await backyard.published()
        await backyard.shown()
        backyard.nothing_to_complain_about()
