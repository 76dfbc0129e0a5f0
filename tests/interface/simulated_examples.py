"""Makes the interface's examples: what the bridge published in one night of a simulated observatory.

`python -m tests.interface.simulated_examples` writes them where the document is made from; `make docs` calls it.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from tests.support.bridge_zone import bridge_in
from tests.support.simulated_night import BERLIN, NAMES, RIG_ID, WatchedRig, play
from ts2mqtt.home_assistant.devices import bridge_device_message, device_messages
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.home_assistant.transition import Presence, next_step
from ts2mqtt.interface import asyncapi
from ts2mqtt.simulator.busy_observatory import busy_observatory
from ts2mqtt.topics import payloads
from ts2mqtt.topics.encode import RigView, event_payload, rig_messages
from ts2mqtt.topics.names import BRIDGE, PROFILE, PROJECT, TARGET, Subject

if TYPE_CHECKING:
    from collections.abc import Iterable

Examples: TypeAlias = dict[str, list[JsonValue]]

FILE = Path(asyncapi.__file__).with_name("examples.json")
ZONE = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 10, 10, 12, tzinfo=ZONE)
NIGHT = timedelta(hours=19)
_VERSION = "1.0.0"
_ANNOUNCED = frozenset({"draft", "active", "inactive"})


def night() -> WatchedRig:
    """From noon until after dawn: the same night whenever and wherever it is played."""

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        await rig.until(NOON + NIGHT)

    with bridge_in("Europe/Berlin"):
        return play(busy_observatory(seed=3, start=NOON, site=BERLIN, timezone=ZONE), script)


def examples_of(rig: WatchedRig) -> Examples:
    """One of each message, of a moment at which the rig images, and an event of each type that happened."""
    view = next(view for view in reversed(rig.views) if _is_telling(view))
    current = view.present.current_target
    assert current
    assert current.project_id
    assert view.rig.active_profile
    published = {topic: message.payload for topic, message in rig_messages(NAMES, view).items()}
    published_in_the_end = {topic: message.payload for topic, message in rig_messages(NAMES, rig.views[-1]).items()}
    discovery = DiscoveryIds("homeassistant", NAMES)
    devices = device_messages(discovery, view.rig, _ANNOUNCED)
    of_profile = _read(devices[discovery.topic(Subject(RIG_ID, PROFILE, view.rig.active_profile.id))].payload)
    assert isinstance(of_profile, dict)
    assert isinstance(of_profile["components"], dict)
    lost = of_profile | {"components": {"completion": of_profile["components"]["completion"]}}
    step = next_step(None, json.dumps(_of_some_version(lost)).encode(), None, Presence.DOWN, NOON)
    assert step.record
    return {
        "BridgeStatus": ["online"],
        "Bridge": [_read(_bridge().to_bytes())],
        "Heartbeat": [_read(payloads.Heartbeat(instance=_INSTANCE, number=7, returned=6, working=True).to_bytes())],
        "HeartbeatQuestion": [_read(payloads.Question(ask=True).to_bytes())],
        "RemovalRecord": [_read(step.record)],
        "BridgeCommand": ["rediscover", "reload", "log_level debug"],
        "RigStatus": ["online"],
        "State": [_read(published[NAMES.rig_state(RIG_ID)])],
        "Profile": [_read(published[NAMES.thing(RIG_ID, PROFILE, view.rig.active_profile.id)])],
        "Project": [_read(published[NAMES.thing(RIG_ID, PROJECT, current.project_id)])],
        "Target": [_read(published[NAMES.thing(RIG_ID, TARGET, current.target_id)])],
        "Plan": [_read(published[NAMES.rig_plan(RIG_ID)])],
        "Night": [_read(published_in_the_end[NAMES.rig_night(RIG_ID)])],
        "Event": [_read(payload) for payload in _one_of_each_type(rig)],
        "RigCommand": ["refresh", "refresh_plan"],
        "BridgeDevice": [_of_some_version(_read(bridge_device_message(discovery)[discovery.topic(BRIDGE)].payload))],
        "Device": [_of_some_version(of_profile)],
    }


def as_text(examples: Examples) -> str:
    """As it stands in the file."""
    return json.dumps(examples, indent=1, ensure_ascii=False) + "\n"


_INSTANCE = "0199d0c5a8c00-5f1e9a2b"


def _bridge() -> payloads.Bridge:
    return payloads.Bridge(
        version=_VERSION,
        instance=_INSTANCE,
        since=NOON,
        protocol="3.1.1",
        log_level="info",
        last_problem=None,
        rigs_online=1,
        rigs=[payloads.BridgeRig(id=RIG_ID, name="Backyard", url="http://192.168.1.50:8188")],
    )


def _of_some_version(device: JsonValue) -> JsonValue:
    """A new version of ts2mqtt must not make the examples stale."""
    assert isinstance(device, dict)
    return {
        part: {**inside, "sw_version": _VERSION} if isinstance(inside, dict) and "sw_version" in inside else inside
        for part, inside in device.items()
    }


def _is_telling(view: RigView) -> bool:
    """Whether something is imaged, something follows, and the target's images have been measured."""
    current, following = view.present.current_target, view.present.next_target
    if view.present.activity != "imaging" or not current or not following:
        return False
    target = json.loads(rig_messages(NAMES, view)[NAMES.thing(RIG_ID, TARGET, current.target_id)].payload)
    return any((plan["statistics"] or {}).get("hfr_mean") for plan in target["exposure_plans"])


def _one_of_each_type(rig: WatchedRig) -> Iterable[bytes]:
    first = {event.event_type: event for event in reversed(rig.events)}
    return (event_payload(rig.views[-1].rig, event) for _, event in sorted(first.items()))


def _read(payload: bytes) -> JsonValue:
    read: JsonValue = json.loads(payload)
    return read


if __name__ == "__main__":
    FILE.write_text(as_text(examples_of(night())), encoding="utf-8")
