"""What the log says of a rig that answers for the first time, and how little it says from then on."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.support import topics_of_example as of
from tests.support.build import profile, project, rig, target
from tests.support.mosquitto import free_port
from tests.support.running import bridge_config, polling, running_bridge
from ts2mqtt.bridge.bridge import Bridge
from ts2mqtt.bridge.rig_summary import rig_summary
from ts2mqtt.config import HomeAssistantConfig
from ts2mqtt.home_assistant.devices import device_messages
from ts2mqtt.home_assistant.discovery import Announced, announced
from ts2mqtt.observatory.model import ACTIVE, CLOSED, Listing
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.busy_observatory import busy_observatory
from ts2mqtt.simulator.sky import Site
from ts2mqtt.timing import PacedClock

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer
    from tests.support.running import Log

GREENWICH = Site(latitude_deg=51.5, longitude_deg=0.0)
EMPTY = replace(rig(Listing(())), name="Backyard", url="http://rig:8188", plugin_version="5.9.3.0")


def told(log: Log) -> list[str]:
    """The log at level info."""
    return [line for line in log.lines if not line.startswith("DEBUG")]


class TestTheLine:
    def test_of_a_rig_with_nothing(self) -> None:
        assert rig_summary(EMPTY, None) == (
            "Target Scheduler 5.9.3.0 (API v0) at http://rig:8188; 0 profiles, no profile is active; "
            "0 projects with 0 targets"
        )

    def test_counts_what_there_is(self) -> None:
        wide = profile(
            "Wide", Listing((project("a", Listing((target(),)), state=ACTIVE), project("b", None, state=CLOSED)))
        )
        other = profile("Other", Listing((project("c", Listing(()), state="archived"),)), active=False)
        line = rig_summary(replace(EMPTY, profiles=Listing((wide, other))), Announced(1, 1, 0))
        assert "2 profiles, profile 'Wide' is active; 3 projects (1 active, 1 closed) with 1 target; " in line
        assert line.endswith("; Home Assistant gets 1 device with 1 entity")

    def test_tells_of_entities_that_hide(self) -> None:
        assert rig_summary(EMPTY, Announced(28, 627, 260)).endswith(
            "; Home Assistant gets 28 devices with 627 entities (260 of them disabled at first)"
        )

    def test_a_name_from_outside_is_quoted(self) -> None:
        line = rig_summary(replace(EMPTY, profiles=Listing((profile("a'\n\x1b[0m", Listing(())),))), None)
        assert 'profile "a\'\\n\\x1b[0m" is active' in line


def test_device_triggers_are_no_entities() -> None:
    (payload,) = (message.payload for message in device_messages(of.NAMES, EMPTY, frozenset()).values())
    counted = announced(payload) + announced(payload)
    assert counted.devices == 2
    assert b'"device_automation"' in payload
    entities = [one for one in json.loads(payload)["components"].values() if "unique_id" in one]
    assert counted.entities == 2 * len(entities)
    assert counted.disabled == 2 * sum(one.get("enabled_by_default") is False for one in entities) > 0


def test_a_name_cannot_pass_for_an_entity() -> None:
    rig = replace(EMPTY, name='a "unique_id": "b","enabled_by_default":false')
    plain, odd = (device_messages(of.NAMES, one, frozenset()).values() for one in (EMPTY, rig))
    assert [announced(message.payload) for message in odd] == [announced(message.payload) for message in plain]


async def test_every_rig_is_told_once_when_it_answers_first(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi, log: Log
) -> None:
    silent = f"http://127.0.0.1:{free_port()}"
    config = bridge_config(
        mosquitto.port, example_api, silent, home_assistant=HomeAssistantConfig(enabled=False), looks=polling()
    )
    async with running_bridge(config):
        await log.says("Remote: the API does not answer")
        line = await log.says("Backyard: Target Scheduler")
        assert line == (
            f"INFO Backyard: Target Scheduler 5.9.3.0 (API v0) at {example_api.url}; 3 profiles, profile "
            "'Profile 1' is active; 2 projects (1 draft, 1 active) with 1 target"
        )
        await example_api.stop()
        await observer.wait_for(of.RIG_STATUS, b"offline")
        mark = observer.mark()
        await example_api.start()
        await observer.wait_for(of.RIG_STATUS, b"online", after=mark)
        await log.says("Backyard: recovered after")
        assert [line] == log.about("Backyard: Target Scheduler")


async def test_a_rig_that_was_off_at_the_start_is_told_when_it_comes(
    mosquitto: Mosquitto, example_api: SimulatedApi, log: Log
) -> None:
    await example_api.stop()
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await log.says("Backyard: the API does not answer")
        await example_api.start()
        assert (await log.says("Backyard: Target Scheduler")).endswith("disabled at first)")


async def test_an_ordinary_night_is_told_in_four_lines(mosquitto: Mosquitto, observer: Observer, log: Log) -> None:
    """From noon to noon, on a clock that runs 3,600 times as fast."""
    noon = datetime(2026, 1, 10, 12, 15, tzinfo=UTC)
    clock = PacedClock(noon, 3_600.0)
    observatory = busy_observatory(seed=4, start=noon, site=GREENWICH, timezone=UTC)
    async with SimulatedApi(observatory, clock=clock.now) as api:
        config = bridge_config(mosquitto.port, api, looks=polling(plan="auto"))
        bridge = Bridge(config, clock=clock)
        running = asyncio.create_task(bridge.run())
        tonight = (await observer.wait_for("ts2mqtt/backyard/plan", lambda plan: plan["blocks"])).json["night"]
        await observer.wait_for(of.RIG_STATE, lambda state: state["activity"] == "imaging")
        await observer.wait_for(of.RIG_STATE, lambda state: state["tonight"]["exposures_acquired"] > 50)
        await observer.wait_for("ts2mqtt/backyard/plan", lambda plan: (plan["night"] or "") > tonight)
        bridge.stop()
        await running

    events = {seen.json["event_type"] for seen in observer.seen if seen.topic == "ts2mqtt/backyard/event"}
    assert events >= {"target_started", "exposure_acquired", "exposure_accepted", "target_finished"}
    assert [line[:30] for line in told(log)] == [
        "INFO ts2mqtt 0.1.0 starts: Bac",
        "INFO connected to the broker a",
        "INFO Backyard: Target Schedule",
        "INFO ts2mqtt has stopped",
    ]
