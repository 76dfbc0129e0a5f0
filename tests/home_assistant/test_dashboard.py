"""The dashboard in a real Home Assistant and a real browser: it finds what there is, whatever it is called."""

from __future__ import annotations

import base64
import json
import re
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from tests.conftest import need
from tests.home_assistant.browser import PHONE, TABLET, chromium, elements_of, page, pictures_of, text_of
from tests.home_assistant.expected import differences
from tests.home_assistant.scene import scene
from tests.interface.dashboards import FOLDER, cards
from tests.support.observer import observing
from tests.support.sample_rig import AUTUMN, BACKYARD, M31, TONIGHT, rig_of, view_of
from ts2mqtt.home_assistant.devices import DeviceWriter, RigDevices, bridge_device_message
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.home_assistant.languages import LANGUAGES
from ts2mqtt.observatory.live import LightFrame, LiveFacts
from ts2mqtt.observatory.model import Listing, PlanBlock
from ts2mqtt.observatory.present import IMAGING, Present
from ts2mqtt.observatory.sky import NightSky
from ts2mqtt.simulator.busy_observatory import busy_observatory
from ts2mqtt.simulator.sky import Site
from ts2mqtt.topics.encode import ONLINE, rig_messages
from ts2mqtt.topics.names import TARGET, TopicNames
from ts2mqtt.topics.payloads import Bridge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

    from tests.home_assistant.conftest import House
    from tests.home_assistant.scene import Scene
    from ts2mqtt.observatory.model import Rig

ENGLISH, GERMAN = "observatory.yaml", "observatory.de.yaml"
FILE = FOLDER / ENGLISH
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


async def rendered(house: House, file: str = ENGLISH) -> dict[str, str]:
    """What stands below each heading, with its markup and without the spaces of the template."""
    shown: dict[str, str] = {}
    heading = ""
    for card in cards(file):
        heading = card.get("heading", heading)
        if card["type"] == "markdown":
            shown[heading] = shown.get(heading, "") + " ".join((await house.hass.render(card["content"])).split())
    return shown


def words(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", markup).split())


def bars(markup: str) -> list[list[tuple[float, str]]]:
    """The width in percent and the colour of each part of each bar."""
    drawn = [base64.b64decode(found).decode() for found in re.findall(r"svg\+xml;base64,([\w+/=]+)", markup)]
    part = re.compile(r'<rect x="[\d.]+%" width="([\d.]+)%"[^>]*fill="([^"]+)"')
    return [[(float(width), fill) for width, fill in part.findall(bar)] for bar in drawn]


RIG_ZONE = timezone(timedelta(hours=-3))


@asynccontextmanager
async def told(
    house: House, language: str, *, rig: Rig = BACKYARD, targets: int = 1, has_nina: bool = True
) -> AsyncIterator[datetime]:
    """A rig that has a plan from an hour ago to two hours from now, and a last night; yields the plan's beginning."""
    if language != "en":
        # Its units are other words, and an entity of Home Assistant's statistics keeps one unit.
        rig = replace(rig, id=f"{rig.id}_{language}")
    names = TopicNames(f"told{rig.id}{targets}{language}")
    began = datetime.now(RIG_ZONE).replace(microsecond=0) - timedelta(hours=1)
    rest = [replace(M31, id=f"{n:08}-0000-0000-0000-000000000000", name=f"NGC {n}") for n in range(1, targets)]
    autumn = replace(AUTUMN, targets=Listing((M31, *rest)))
    block = PlanBlock(target_id=M31.id, name=M31.name, start=began, end=began + timedelta(hours=3))
    plan = replace(TONIGHT, night=began.date(), fetched=began, blocks=(block,))
    image = LightFrame(
        time=began, target_id=M31.id, filter="L", exposure_s=60.0, hfr=1.874, stars=1432, guide_rms_arcsec=0.58
    )
    live = LiveFacts(connected=True, version="2.2.13.0", sequence_running=True, safe=True, last_image=image)
    view = replace(
        view_of(rig_of(autumn, rig=rig), plan, Present(activity=IMAGING)),
        picture=b"png",
        last_picture=b"png",
        skies={M31.id: NightSky(altitude_max_deg=61.3, transit=began, moon_separation_deg=88.8)},
        live=live if has_nina else None,
    )
    ids = DiscoveryIds("homeassistant", names)
    said = LANGUAGES[language]
    devices = RigDevices(DeviceWriter(ids, said), has_site=True, has_nina=has_nina)
    messages = {
        **bridge_device_message(ids, said),
        **devices.messages(view.rig, frozenset({"active"})),
        **rig_messages(names, view),
    }
    bridge = Bridge(
        version="1",
        instance="1",
        since=began,
        protocol="5",
        log_level="info",
        last_problem=None,
        rigs_online=1,
        rigs=[],
    )
    of_bridge = {names.status: ONLINE, names.bridge: bridge.to_bytes()}
    payloads = {topic: message.payload for topic, message in messages.items()} | of_bridge
    of_target = names.thing(rig.id, TARGET, M31.id)
    payloads[of_target] = json.dumps(json.loads(payloads[of_target]) | {"nights_left": 5}).encode()
    async with observing(house.broker.port) as observer:
        for topic, payload in payloads.items():
            await observer.publish(topic, payload, retain=True)

        def missing() -> object:
            return differences(house.hass, payloads, names.base)[:5]

        try:
            await house.hass.wait_until(lambda: not missing(), missing)
            picture = f"{names.base}_{rig.id}_last_night"
            await house.hass.wait_until(lambda: house.hass.state_of(picture) not in (None, "unknown"), "the picture")
            yield began
        finally:
            for topic in payloads:
                await observer.publish(topic, b"", retain=True)
            await house.hass.wait_until(
                lambda: not differences(house.hass, {}, names.base), lambda: differences(house.hass, {}, names.base)
            )


async def test_it_tells_a_night_at_a_distant_rig_by_the_rig_s_clock(house: House) -> None:
    async with told(house, "en") as began:
        shown = await rendered(house)
        plan = f"{began:%H:%M} – {began + timedelta(hours=3):%H:%M}"

        now = words(shown["Now"])
        assert f"Night plan {plan}" in now
        assert "Times UTC-03:00, as at the rig" in now
        assert "Safety safe" in now
        assert 'Last image HFR 1.87 px, 1432 stars, 0.58"' in now
        assert 'alt="Imaging"' in shown["Now"]
        assert words(shown["Tonight"]) == f"{plan} M 31 89°"
        assert words(shown["Last night"]).startswith("0.6 h imaged · 28 exposures accepted")
        assert "/api/image_proxy/image." in shown["Last night"]
        projects = words(shown["Projects"])
        assert "10 of 30 accepted, 4 to be graded, 2 rejected" in projects
        assert f"tonight {plan}" in projects
        # Of the project, of Lum with its rejected images, and of Ha with those that nobody has graded.
        of_project, of_lum, of_ha = bars(shown["Projects"])
        assert [round(width) for width, _ in of_project] == [33, 13, 7]
        assert of_lum == [(50, "#8fa1bd"), (10, "url(#r)")]
        assert of_ha == [(40, "#c2253f73")]


async def test_what_it_says_in_german(house: House) -> None:
    async with told(house, "de"):
        shown = await rendered(house, GERMAN)
        assert 'alt="Belichtet"' in shown["Jetzt"]
        assert 'Letztes Bild HFR 1,87 px, 1432 Sterne, 0,58"' in words(shown["Jetzt"])
        assert "wie am Rig" in words(shown["Jetzt"])
        assert "10 von 30 akzeptiert, 4 unbewertet, 2 verworfen" in words(shown["Projekte"])
        assert "28 Aufnahmen akzeptiert" in words(shown["Letzte Nacht"])


async def test_without_live_events_there_is_no_row_of_them(house: House) -> None:
    async with told(house, "en", has_nina=False):
        now = words((await rendered(house))["Now"])
        assert "Night plan" in now
        assert [word for word in ("Safety", "Waits", "Last image") if word in now] == []


async def test_many_targets_are_folded_but_for_tonight_s(house: House) -> None:
    async with told(house, "en", targets=14):
        shown = await rendered(house)
        assert "Targets that are not planned tonight · 13" in words(shown["Projects"])
        unfolded = shown["Projects"][: shown["Projects"].index("Targets that are not")]
        assert "M 31 · " in unfolded
        assert "5&nbsp;clear&nbsp;nights" in unfolded
        assert "NGC 1 " not in unfolded
        quality = shown["Image quality"]
        assert quality.startswith("<details open><summary>M 31 · HFR")
        # Four of them, and the one that holds the rest.
        assert quality[: quality.index("More targets · 10")].count("<details") == 5


async def test_several_rigs_are_told_apart(house: House) -> None:
    remote = replace(BACKYARD, id="remote", name="Remote")
    async with told(house, "en"), told(house, "en", rig=remote):
        shown = await rendered(house)
        for rig in ("Backyard", "Remote"):
            assert [shown[card].count(f"<b>{rig}</b>") for card in ("Tonight", "Last night")] == [1, 1]
            assert words(shown["Projects"]).count(f"Autumn {rig}") == 1
        assert shown["Last night"].count("<img ") == 2


async def test_without_a_rig_it_says_what_to_look_at(house: House) -> None:
    shown = await rendered(house)
    assert shown["Tonight"].startswith("No rig of ts2mqtt has been found.")
    assert shown["Last night"] == "No night has been watched to its end yet."
    assert shown["Projects"] == "No project is active."
    assert shown["Image quality"] == "No image of an active project has been measured yet."
