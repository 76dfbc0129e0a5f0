"""Bridges with base topics of their own on one broker: a rig that moves from the one to the other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.support import topics_of_example as of
from tests.support.running import bridge_config, mqtt_config, running_bridge

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer
    from tests.support.running import Log
    from ts2mqtt.simulator.api import SimulatedApi

_NOBODY = "http://127.0.0.1:9"


async def test_a_rig_that_moves_is_cleared_by_the_one_bridge_and_published_by_the_other(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi, log: Log
) -> None:
    """As docs/kubernetes.md says: first it leaves the one configuration, then it joins the other."""
    north = mqtt_config(mosquitto.port, client_id="n", base_topic="north")
    south = mqtt_config(mosquitto.port, client_id="s", base_topic="south")
    of_north, of_south = (
        (f"{base}/{of.RIG}/", f"homeassistant/device/{base}/{of.RIG}") for base in ("north", "south")
    )
    both = bridge_config(north, example_api, _NOBODY)
    remote_alone = both.model_copy(update={"rigs": both.rigs[1:]})
    async with running_bridge(both):
        await observer.wait_until(lambda: len(observer.held_below(*of_north)) == _topics_of_a_rig())
        entity_ids = _entity_ids(observer, "north")
    async with running_bridge(remote_alone):
        await observer.wait_until(lambda: not observer.held_below(*of_north))
        async with running_bridge(bridge_config(south, example_api)):
            await observer.wait_until(lambda: len(observer.held_below(*of_south)) == _topics_of_a_rig())
            assert _entity_ids(observer, "south") == entity_ids
            await observer.catch_up()
            assert not observer.held_below(*of_north)
            assert observer.held_below("north/remote/")
    assert not log.about("another bridge")


def _topics_of_a_rig() -> int:
    return len(of.all_states() | of.all_devices())


def _entity_ids(observer: Observer, base: str) -> set[str]:
    """Those that are proposed to Home Assistant for the rig and its things."""
    return {
        component["default_entity_id"]
        for topic in observer.held_below(f"homeassistant/device/{base}/{of.RIG}")
        for component in json.loads(observer.held[topic])["components"].values()
        if "default_entity_id" in component
    }
