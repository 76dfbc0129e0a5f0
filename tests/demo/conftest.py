from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ts2mqtt.demo.screen import DemoSetup, Screen, with_message

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = datetime(2026, 10, 9, 19, 0, tzinfo=UTC)


def at(minutes: float) -> str:
    return (NOW + timedelta(minutes=minutes)).isoformat()


def hear(screen: Screen, topic: str, content: str | bytes | Mapping[str, object]) -> Screen:
    if isinstance(content, bytes):
        return with_message(screen, topic, content)
    return with_message(screen, topic, (content if isinstance(content, str) else json.dumps(content)).encode())


def project(name: str, **fields: object) -> dict[str, object]:
    return {
        "id": name,
        "name": name,
        "profile_name": "Refractor",
        "state": "active",
        "desired": 200,
        "accepted": 50,
        "pending": 0,
        "remaining_s": 36_000,
        "progress": 25.0,
    } | fields


STATE: dict[str, object] = {
    "name": "Backyard",
    "plugin_version": "5.9.3.0",
    "active_profile": {"id": "p", "name": "Refractor"},
    "activity": "imaging",
    "current_target": {"id": "t1", "name": "M 31", "project_id": "a", "start": at(-60), "end": at(30)},
    "next_target": {"id": "t2", "name": "NGC 891", "project_id": "b", "start": at(30), "end": at(150)},
    "tonight": {
        "exposures_acquired": 24,
        "exposures_accepted": 20,
        "integration_s": 7_200,
        "targets": [
            {
                "id": "t1",
                "name": "M 31",
                "filters": [{"filter": "L", "acquired": 20}, {"filter": None, "acquired": 4}],
            }
        ],
    },
}
PLAN: dict[str, object] = {
    "night": "2026-10-09",
    "imaging_s": 12_600,
    "blocks": [
        {"kind": "wait", "id": None, "name": None, "start": at(-120), "end": at(-90), "exposures": []},
        {
            "kind": "target",
            "id": "t3",
            "name": "M 33",
            "start": at(-90),
            "end": at(-60),
            "exposures": [{"filter": "R", "count": 9}],
        },
        {
            "kind": "target",
            "id": "t1",
            "name": "M 31",
            "start": at(-60),
            "end": at(30),
            "exposures": [
                {"filter": "L", "count": 10},
                {"filter": None, "count": 2},
                {"filter": "L", "count": 5},
            ],
        },
        {"kind": "target", "id": "t2", "name": "NGC 891", "start": at(30), "end": at(150), "exposures": []},
    ],
}


def entity(entity_id: str, topic: str, **fields: object) -> dict[str, object]:
    return {"platform": "sensor", "default_entity_id": entity_id, "state_topic": topic} | fields


@pytest.fixture
def empty() -> Screen:
    return Screen(
        setup=DemoSetup("127.0.0.1", 18_883, "http://127.0.0.1:8188", "ws://127.0.0.1:1888/v2/socket", 60),
        started=NOW,
        now=NOW,
    )


@pytest.fixture
def busy(empty: Screen) -> Screen:
    """One rig at work on the first of four active projects."""
    screen = hear(empty, "ts2mqtt/status", "online")
    screen = hear(screen, "ts2mqtt/backyard/status", "online")
    screen = hear(screen, "ts2mqtt/backyard/plan", PLAN)
    for key, content in {
        "b": project("NGC 891"),
        "c": project("M 45 Pleiades", progress=100, accepted=200, remaining_s=0),
        "a": project("M 31", pending=30),
        "d": project("Veil", profile_name="Reflector", progress=None, desired=None, accepted=None, remaining_s=None),
        "e": project("Later", state="draft"),
        "f": project("Old", state="closed"),
    }.items():
        screen = hear(screen, f"ts2mqtt/backyard/project/{key}", content)
    screen = hear(
        screen,
        "ts2mqtt/backyard/target/t1",
        {
            "id": "t1",
            "name": "M 31",
            "project_id": "a",
            "progress": 25.5,
            "accepted_s": 9_000,
            "exposure_plans": [
                {"key": "lum_120", "template": "Lum 120s", "desired": 100, "acquired": 49, "accepted": 40}
                | {"pending": 9, "progress": 40.0}
                | {"statistics": {"hfr_mean": 1.834}},
                {"key": "ha_300", "filter": "Ha", "desired": 100, "acquired": 10, "accepted": 10}
                | {"progress": 10.0, "statistics": None},
            ],
        },
    )
    state_topic = "ts2mqtt/backyard/state"
    screen = hear(
        screen,
        "homeassistant/device/ts2mqtt/backyard/config",
        {
            "device": {"name": "Backyard"},
            "components": {
                "activity": entity("sensor.backyard activity", state_topic),
                "current_target": entity("sensor.backyard current_target", state_topic),
                "exposures_tonight": entity("sensor.backyard exposures_tonight", state_topic),
                "api_version": entity("sensor.backyard api_version", state_topic, enabled_by_default=False),
                "gone": {"platform": "sensor"},
            },
        },
    )
    target_topic = "ts2mqtt/backyard/target/t1"
    screen = hear(
        screen,
        "homeassistant/device/ts2mqtt/backyard_target_t1/config",
        {
            "device": {"name": "M 31"},
            "components": {
                "completion": entity("sensor.backyard m 31 completion", target_topic),
                "accepted_integration": entity("sensor.backyard m 31 accepted_integration", target_topic),
            },
        },
    )
    return hear(screen, state_topic, STATE)
