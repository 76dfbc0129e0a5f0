"""The dashboard in a real Home Assistant and a real browser: it finds what there is, whatever it is called."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import yaml

from tests.conftest import need
from tests.home_assistant.browser import PHONE, TABLET, chromium, elements_of, page, pictures_of, text_of
from tests.home_assistant.scene import scene
from tests.support.project import ROOT
from ts2mqtt.simulator.busy_observatory import busy_observatory
from ts2mqtt.simulator.sky import Site

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.home_assistant.conftest import House
    from tests.home_assistant.scene import Scene

FILE = ROOT / "homeassistant" / "dashboards" / "observatory.yaml"
ADDRESS = "ts2mqtt-observatory"
_PATIENCE_MS = 45_000


async def shows(shown: Page, *texts: str) -> None:
    for text in texts:
        await shown.get_by_text(text).first.wait_for(state="visible", timeout=_PATIENCE_MS)


async def add_plan(backyard: Scene) -> None:
    await backyard.hass.call_service(
        "button.press", backyard.hass.entity_id(backyard.unique_id(None, None, "refresh_plan"))
    )
    picture = backyard.unique_id(None, None, "night_plan")
    await backyard.hass.wait_until(
        lambda: backyard.hass.state_of(picture) not in (None, "unknown"), "the night plan's picture"
    )


async def test_it_shows_every_active_project_on_a_tablet_and_a_problem_on_a_phone(house: House) -> None:
    need("Chromium", is_there=chromium() is not None)
    hass = house.hass
    began = hass.mark()
    now = datetime.now(UTC)
    # Wherever on Earth it is about 23 o'clock now.
    hours = (23 - now.hour + 12) % 24 - 12
    site = Site(latitude_deg=47, longitude_deg=hours * 15.0)
    observatory = busy_observatory(seed=3, start=now, site=site, timezone=timezone(timedelta(hours=hours)))
    await hass.create_dashboard(FILE, ADDRESS)
    async with scene(house, observatory) as backyard, backyard.running():
        await backyard.published()
        await backyard.shown()
        await add_plan(backyard)
        projects = list(observatory.projects())
        renamed = next(project for project in projects if project.state == "Active")
        device = hass.devices[f"{backyard.base}_backyard_project_{renamed.id}"]
        await hass.command("config/device_registry/update", device_id=device["id"], name_by_user="My favourite")

        async with page(hass, f"/{ADDRESS}/observatory", TABLET) as shown:
            await shows(shown, "Tonight", "Projects", "Image quality", "My favourite", "Night plan")
            text = await text_of(shown)
            elements = await elements_of(shown)
            pictures = await pictures_of(shown)

        for project in projects:
            name = "My favourite" if project is renamed else project.name
            assert (f"\n{name}\n" in text) == (project.state == "Active"), name
            if project.state == "Active":
                plans = [plan for target in project.targets for plan in target.exposure_plans]
                assert [plan.template_name for plan in plans if plan.template_name not in text] == []
        # With delayed grading, what was acquired is not in the project's percent yet.
        assert "to be graded" in text
        assert not {"hui-error-card", "hui-warning", "hui-unavailable-card"} & set(elements)
        assert pictures["The night plan of Backyard"] > 0

        await backyard.api.stop()
        api = backyard.unique_id(None, None, "api")
        await hass.wait_until(lambda: hass.state_of(api) == "off", "the rig to be off")
        async with page(hass, f"/{ADDRESS}/observatory", PHONE, dark=True) as shown:
            await shows(shown, "has not answered since")
            assert "No problems" not in await text_of(shown)
            assert await shown.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        assert [line for line in hass.problems(began) if "emplate" in line] == []


async def test_without_a_rig_it_says_what_to_look_at(house: House) -> None:
    sections = yaml.safe_load(FILE.read_text())["views"][0]["sections"]
    contents = [card["content"] for section in sections for card in section["cards"] if card["type"] == "markdown"]
    shown = [(await house.hass.render(content)).strip() for content in contents]
    assert any(text.startswith("No rig of ts2mqtt has been found.") for text in shown)
    assert "No project is active." in shown
