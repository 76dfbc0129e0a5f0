"""Discovery of a whole simulated observatory, read through the API and the poller as in real life."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.discovery.home_assistant import ID, entities_in, shown
from tests.support.build import polling, rig_config
from tests.support.sample_rig import HOSTILE_TEXTS, view_of
from ts2mqtt.home_assistant.devices import device_messages
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.observatory.tree import distinct_projects, distinct_targets
from ts2mqtt.scheduler.poller import RigPoller
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.busy_observatory import busy_observatory
from ts2mqtt.simulator.observatory import SimulatedObservatory
from ts2mqtt.topics.encode import rig_messages
from ts2mqtt.topics.names import TARGET, Subject, TopicNames

if TYPE_CHECKING:
    from ts2mqtt.observatory.model import Rig
    from ts2mqtt.scheduler.report import RigReport

NAMES = DiscoveryIds("homeassistant", TopicNames("ts2mqtt"))
ALL_STATES = frozenset({"draft", "active", "inactive", "closed"})

_LONGEST = 1_000
"""Characters of a name; a longer one is cut where it is read."""


def everything_is_read(rig: Rig) -> bool:
    profiles = rig.known_profiles
    return bool(profiles) and all(
        profile.projects and all(project.targets for project in profile.projects.items) for profile in profiles
    )


async def read_through_the_api(observatory: SimulatedObservatory) -> Rig:
    reports: asyncio.Queue[RigReport] = asyncio.Queue()
    async with SimulatedApi(observatory) as api:
        poller = RigPoller(rig_config(api), polling(), reports)
        running = asyncio.create_task(poller.run())
        try:
            async with asyncio.timeout(20):
                while not everything_is_read(rig := (await reports.get()).rig):
                    pass
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    return rig


def states_of_all(rig: Rig) -> dict[str, object]:
    """What every entity shows, by unique id; asserts that Home Assistant takes each."""
    messages = rig_messages(NAMES.topics, view_of(rig))
    states: dict[str, object] = {}
    for message in device_messages(NAMES, rig, ALL_STATES).values():
        components: dict[str, dict[str, Any]] = entities_in(json.loads(message.payload))
        for key, component in components.items():
            assert ID.fullmatch(key)
            assert component["unique_id"] not in states
            has_state = component["platform"] in {"sensor", "binary_sensor"}
            payload = messages[component["state_topic"]].payload if has_state else b""
            states[component["unique_id"]] = shown(component, payload) if has_state else None
    return states


async def test_every_entity_of_a_lively_observatory_shows_what_home_assistant_takes() -> None:
    rig = await read_through_the_api(busy_observatory(start=datetime(2026, 2, 27, 17, tzinfo=UTC)))
    states = states_of_all(rig)
    things = len(rig.known_profiles) + len(list(distinct_projects(rig))) + len(list(distinct_targets(rig)))
    assert things > 20
    assert len(states) > 10 * things
    for place in distinct_targets(rig):
        stem = f"ts2mqtt_backyard_target_{place.target.id}"
        for plan in place.target.exposure_plans:
            assert states[f"{stem}_{plan.key}_accepted"] == plan.accepted
        assert states[f"{stem}_completion"] is not None


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=lambda text: ascii(text[:12]))
async def test_hostile_names_come_through_the_api_and_break_nothing(text: str) -> None:
    observatory = SimulatedObservatory()
    profile = observatory.add_profile(text)
    project = observatory.add_project(profile, text, description=text)
    target = observatory.add_target(project, text)
    observatory.add_exposure_plan(target, text, exposure_s=60, desired=10, filter_name=text)
    observatory.acquire(target, 0, accepted=True, hfr=2.5)
    observatory.add_exposure_plan(target, text, exposure_s=60, desired=10, filter_name=text)
    rig = await read_through_the_api(observatory)
    states = states_of_all(rig)
    counts = [state for unique_id, state in states.items() if unique_id.endswith("_accepted") and TARGET in unique_id]
    assert sorted(counts, key=str) == [0, 1]
    payload = rig_messages(NAMES.topics, view_of(rig))[NAMES.topics.thing("backyard", TARGET, target.id)].payload
    assert json.loads(payload)["name"] == (text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")
    assert NAMES.topic(Subject("backyard", TARGET, target.id)) in device_messages(NAMES, rig, ALL_STATES)
