"""What N.I.N.A. itself tells, in Node-RED: the notifier has its events, and a flow its fields of the rig's state."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.node_red.node_red import Flow
from tests.support.running import bridge_config, running_bridge
from ts2mqtt.observatory.events import LIVE_EVENT_TYPES
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.nina import images
from ts2mqtt.simulator.nina.announcement import AFTER_FLIP, BEFORE_FLIP, IMAGE_SAVE, TARGET_START, WAIT_START
from ts2mqtt.simulator.nina.server import NinaServer
from ts2mqtt.simulator.observatory import SimulatedObservatory
from ts2mqtt.simulator.random_numbers import random_numbers

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.node_red.conftest import Deploy
    from tests.node_red.node_red import NodeRed
    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]

TELLS, STATES = "Connect your notifier here", "states of all rigs"
NOW = datetime(2026, 1, 10, 22, tzinfo=UTC)


def notifier() -> Flow:
    settings = {"tell": list(LIVE_EVENT_TYPES), "quiet_from": "00:00", "quiet_until": "00:00"}
    return Flow("notifier").set("What to tell, and when", **settings).tap(TELLS)


def listener_to_states() -> Flow:
    """The notifier's way in, which a user has copied into a tab of its own and pointed at the states of the rigs."""
    flow = Flow("notifier")
    way_in = flow.node("events of all rigs")
    way_in |= {"id": "states", "z": "states-tab", "name": STATES, "topic": "ts2mqtt/+/state", "wires": [[]]}
    broker = next(node for node in flow.nodes if node["type"] == "mqtt-broker")
    flow.nodes = [{"id": "states-tab", "type": "tab", "label": STATES}, broker, way_in]
    return flow.tap(STATES)


async def the_state(node_red: NodeRed, is_meant: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first one of which that is true, as soon as the flow has it."""

    def heard() -> list[dict[str, Any]]:
        return [told["payload"] for told in node_red.tapped(STATES) if is_meant(told["payload"])]

    await node_red.until(lambda: bool(heard()), "such a state")
    return heard()[0]


async def test_what_nina_tells(deploy: Deploy, mosquitto: Mosquitto, observer: Observer) -> None:
    observatory = SimulatedObservatory(timezone=UTC, now=NOW)
    project = observatory.add_project(observatory.add_profile("Refractor"), "Autumn")
    target = observatory.add_target(project, "M 31", ra_hours=0.712, dec_deg=41.27)
    observatory.add_exposure_plan(target, "Ha", exposure_s=300, desired=20)
    node_red = await deploy(notifier(), listener_to_states())
    async with SimulatedApi(observatory) as api, NinaServer(observatory) as nina:
        config = bridge_config(mosquitto.port, api)
        rig = config.rigs[0].model_copy(update={"nina_urls": (nina.url,)})
        async with running_bridge(config.model_copy(update={"rigs": (rig,)})):
            await observer.wait_until(lambda: f"ts2mqtt/backyard/target/{target.id}" in observer.held)
            caught_up = await the_state(node_red, lambda state: state["safe"])
            assert caught_up["live"] == {"connected": True, "version": "2.2.15.2"}

            nina.nina.announce(TARGET_START, TargetName="M 31", ProjectName="Autumn")
            await nina.send_due()
            imaging = await the_state(node_red, lambda state: state["evidence"] == "live")
            assert (imaging["current_target"]["name"], imaging["sequence_running"]) == ("M 31", True)

            light = images.light("M 31", "Ha", 300.0, {"hfr": 2.4}, random_numbers(1))
            nina.nina.announce(IMAGE_SAVE, ImageStatistics=images.dated(light, observatory.now, 0, UTC))
            await nina.send_due()
            last = (await the_state(node_red, lambda state: state["last_image"]))["last_image"]
            assert (last["target_id"], last["filter"], last["exposure_s"], last["hfr"]) == (target.id, "Ha", 300, 2.4)

            for event in (BEFORE_FLIP, AFTER_FLIP):
                nina.nina.announce(event)
            nina.nina.set_safe(is_safe=False)
            await nina.send_due()
            assert (await the_state(node_red, lambda state: state["safe"] is False))["imaging"] is False

            nina.nina.set_safe(is_safe=True)
            nina.nina.announce(WAIT_START, WaitEndTime="2036-01-10T23:30:00+00:00")
            await nina.send_due()
            waiting = await the_state(node_red, lambda state: state["waiting_until"])
            assert waiting["activity"] == "waiting"
            await node_red.tells(TELLS, after=len(LIVE_EVENT_TYPES) - 1)
    assert [sentence["payload"] for sentence in node_red.tapped(TELLS)] == [
        "Backyard image saved.",
        "Backyard meridian flip started.",
        "Backyard meridian flip finished.",
        "Backyard became unsafe.",
        "Backyard became safe.",
    ]
