"""The ids in the observatory of the API's documentation, and the topics that stand for it on the broker."""

from __future__ import annotations

from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.topics.names import PROFILE, PROJECT, TARGET, Subject, TopicNames

RIG = "backyard"
PROFILE_1 = "c0e1645f-4d4c-4cff-b6f8-c66a58be9cd4"
PROFILE_2 = "c86232f4-4952-41c6-b83f-69aa749e401f"
PROFILE_3 = "53d28ce2-f175-40d9-b765-3ab410efb1de"
P1 = "d900ba4a-5f70-4eb1-bd30-cd4c9b45d1c4"
P2 = "da436a23-a700-402b-aea5-db438f7ce565"
M31 = "134973bf-f949-462d-9c4b-8baad53d75a8"

NAMES = DiscoveryIds("homeassistant", TopicNames("ts2mqtt"))
STATUS, BRIDGE, HEARTBEAT = "ts2mqtt/status", "ts2mqtt/bridge", "ts2mqtt/bridge/heartbeat"
RIG_STATUS, RIG_STATE = f"ts2mqtt/{RIG}/status", f"ts2mqtt/{RIG}/state"
DEVICES = "homeassistant/device/"
BRIDGE_DEVICE = "homeassistant/device/ts2mqtt/config"


def profile(thing_id: str, rig: str = RIG) -> str:
    return f"ts2mqtt/{rig}/profile/{thing_id}"


def project(thing_id: str, rig: str = RIG) -> str:
    return f"ts2mqtt/{rig}/project/{thing_id}"


def target(thing_id: str, rig: str = RIG) -> str:
    return f"ts2mqtt/{rig}/target/{thing_id}"


def rig_device(rig: str = RIG) -> str:
    return f"{DEVICES}ts2mqtt/{rig}/config"


def profile_device(thing_id: str, rig: str = RIG) -> str:
    return NAMES.topic(Subject(rig, PROFILE, thing_id))


def project_device(thing_id: str, rig: str = RIG) -> str:
    return NAMES.topic(Subject(rig, PROJECT, thing_id))


def target_device(thing_id: str, rig: str = RIG) -> str:
    return NAMES.topic(Subject(rig, TARGET, thing_id))


def all_devices(rig: str = RIG) -> set[str]:
    """Of a rig and its things; the bridge has one more."""
    return {
        rig_device(rig),
        *(profile_device(one, rig) for one in (PROFILE_1, PROFILE_2, PROFILE_3)),
        *(project_device(one, rig) for one in (P1, P2)),
        target_device(M31, rig),
    }


def all_states(rig: str = RIG) -> set[str]:
    return {
        *(f"ts2mqtt/{rig}/{leaf}" for leaf in ("status", "state", "plan")),
        *(profile(one, rig) for one in (PROFILE_1, PROFILE_2, PROFILE_3)),
        *(project(one, rig) for one in (P1, P2)),
        target(M31, rig),
    }
