"""The dashboard's page, in a real browser: what every rig does, and no name from outside that does anything."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import need
from tests.node_red.events import NO_EVENTS
from tests.node_red.night import night
from tests.node_red.node_red import Flow
from tests.node_red.page import PHONE, TABLET, chromium_is_installed, looking_at
from tests.support.sample_rig import HOSTILE_TEXTS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.node_red.conftest import Deploy
    from tests.node_red.node_red import NodeRed
    from tests.node_red.page import Seen
    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer
    from ts2mqtt.simulator.observatory import SimulatedObservatory

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]

PAGE = "/dashboard/observatory"
INJECTED = "<img src=x onerror=\"document.title='injected'\">"
"""What a title shows if a name is taken for HTML."""


@pytest.fixture(autouse=True)
def _a_browser() -> None:
    need("Chromium", is_there=chromium_is_installed())


@asynccontextmanager
async def page_of(node_red: NodeRed, size: tuple[int, int] = TABLET) -> AsyncIterator[Seen]:
    async with looking_at(node_red.url + PAGE, size) as seen:
        yield seen
        assert seen.complaints == []
        assert seen.elsewhere == []


async def card(seen: Seen, rig: str) -> str:
    """The text of a rig's card, once it is there."""
    return await seen.page.locator(".rig", has=seen.page.get_by_role("heading", name=rig)).inner_text()


async def tell(observer: Observer, topic: str, payload: dict[str, Any] | str) -> None:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    await observer.publish(f"ts2mqtt/{topic}", text, retain=True)


async def test_a_night_of_two_rigs_on_phone_and_tablet(
    deploy: Deploy, mosquitto: Mosquitto, observer: Observer
) -> None:
    def prepared(observatory: SimulatedObservatory) -> None:
        """One whose name goes the whole way from the Target Scheduler's database to the screen."""
        project = next(project for project in observatory.projects() if project.state == "Active")
        observatory.rename(project, INJECTED)

    node_red = await deploy(Flow("dashboard"))
    async with night(mosquitto.port, prepared=prepared) as time:
        await time.until(hours=4.5)
    await observer.catch_up()
    # The bridge is gone, and the page shows what it left.
    async with page_of(node_red) as seen:
        await seen.page.get_by_text("ts2mqtt is not running").wait_for()
        text, state = await card(seen, "Backyard"), observer.json("ts2mqtt/backyard/state")
        assert state["activity"] == "imaging"
        assert "imaging" in text
        assert await seen.page.locator(".rig dd b").first.inner_text() == state["current_target"]["name"]
        assert f"{state['tonight']['exposures_acquired']} exposures" in text
        assert state["next_target"]["name"] in text
        assert "Remote" in await card(seen, "Remote")

        topics = observer.held_below("ts2mqtt/backyard/project/", "ts2mqtt/remote/project/")
        active = [project for topic in topics if (project := observer.json(topic))["state"] == "active"]
        shown = await seen.page.locator("summary").all_inner_texts()
        assert len(shown) == len(active) > 4
        for project in active:
            counts = f"{project['accepted']} of {project['desired']} accepted"
            assert any(project["name"] in line and counts in line for line in shown)
        assert sum(INJECTED in line for line in shown) == 1

        plans = [observer.json(f"ts2mqtt/{rig}/plan") for rig in ("backyard", "remote")]
        blocks = [block for plan in plans for block in plan["blocks"] if block["kind"] == "target"]
        assert await seen.page.locator(".plan i").count() == len(blocks) > 2
        for width, height in (TABLET, PHONE):
            await seen.page.set_viewport_size({"width": width, "height": height})
            assert await seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_name_is_shown_as_text_and_nothing_else(deploy: Deploy, observer: Observer) -> None:
    """In every place where a text from outside stands."""
    target = {"id": INJECTED, "name": INJECTED, "project_name": f"of {INJECTED}", "start": INJECTED, "end": INJECTED}
    row = {"filter": INJECTED, "acquired": INJECTED, "accepted": INJECTED}
    tonight = {
        "exposures_acquired": INJECTED,
        "exposures_accepted": INJECTED,
        "targets": [target | {"filters": [row]}],
    }
    state = {"name": INJECTED, "activity": INJECTED, "active_profile": target, "current_target": target}
    plan = row | {"key": INJECTED, "desired": INJECTED, "exposure_s": INJECTED, "progress": INJECTED}
    node_red = await deploy(Flow("dashboard"))
    await tell(observer, "pier1/status", "online")
    await tell(observer, "pier1/state", state | {"next_target": target, "tonight": tonight})
    await tell(observer, "pier1/plan", {"blocks": [target | {"kind": "target"}]})
    await tell(observer, "pier1/project/p", plan | target | {"id": "p", "state": "active", "priority": INJECTED})
    scheduled = {"project_id": "p", "scheduled": {}, "exposure_plans": [plan]}
    await tell(observer, "pier1/target/t", plan | target | scheduled)
    async with page_of(node_red) as seen:
        await seen.page.locator("summary", has_text=INJECTED).wait_for()
        assert (await card(seen, INJECTED)).count(INJECTED) > 10
        assert (await seen.page.locator("details").inner_text()).count(INJECTED) > 5
        assert await seen.page.locator(".ts2mqtt-tonight img, .ts2mqtt-progress img").count() == 0
        assert await seen.page.title() != "injected"


async def test_a_page_that_is_open_follows(deploy: Deploy, observer: Observer) -> None:
    node_red = await deploy(Flow("dashboard"))
    async with page_of(node_red) as seen:
        await seen.page.get_by_text("ts2mqtt is not running").wait_for()
        await tell(observer, "status", "online")
        await seen.page.get_by_text("No rig has been heard yet.").wait_for()
        for rig_id, name in (("pier1", "One"), ("pier2", "Two")):
            await tell(observer, f"{rig_id}/status", "online")
            await tell(observer, f"{rig_id}/state", {"name": name, "activity": "idle"})
        await seen.page.locator(".rig", has_text="Two").get_by_text("idle").wait_for()

        await tell(observer, "pier1/status", "offline")
        await seen.page.locator(".rig", has_text="One").get_by_text("offline").wait_for()
        for topic in ("pier1/status", "pier1/state"):
            await tell(observer, topic, "")
        await seen.page.locator(".rig", has_text="One").wait_for(state="detached")
        assert "idle" in await card(seen, "Two")


async def test_what_went_while_the_broker_was_away_is_gone_afterwards(
    deploy: Deploy, observer: Observer, mosquitto: Mosquitto
) -> None:
    node_red = await deploy(Flow("dashboard"))
    await tell(observer, "status", "online")
    await tell(observer, "pier1/state", {"name": "One", "activity": "idle"})
    async with page_of(node_red) as seen:
        await seen.page.locator(".rig", has_text="One").wait_for()
        await mosquitto.stop()
        await seen.page.get_by_text("not connected to the MQTT broker").wait_for()
        await mosquitto.start(keep_retained=False)
        await seen.page.locator(".rig", has_text="One").wait_for(state="detached")


async def test_hostile_payloads_leave_the_page_whole(deploy: Deploy, observer: Observer) -> None:
    node_red = await deploy(Flow("dashboard"))
    await tell(observer, "status", "online")
    for kind in ("status", "state", "plan", "project/1", "target/1"):
        for payload in (*NO_EVENTS, b'{"tonight": 3, "blocks": [null], "exposure_plans": {}}'):
            await observer.publish(f"ts2mqtt/odd/{kind}", payload, retain=True)
            await observer.publish(f"ts2mqtt/__proto__/{kind}", payload, retain=True)
    for number, name in enumerate(HOSTILE_TEXTS):
        await tell(observer, f"pier{number}/state", {"name": name, "activity": name})
    await tell(observer, "last/state", {"name": "Last", "activity": "idle"})
    async with page_of(node_red) as seen:
        await seen.page.locator(".rig", has_text="Last").wait_for()
        assert await seen.page.locator(".rig").count() == len(HOSTILE_TEXTS) + 3
        assert await seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
