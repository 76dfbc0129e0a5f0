"""The table of all topics of the bridge: the name, the payload, and who publishes there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ts2mqtt.config.words import LOG_LEVELS
from ts2mqtt.home_assistant.discovery import DevicePayload
from ts2mqtt.home_assistant.transition import RemovalRecord
from ts2mqtt.topics import payloads
from ts2mqtt.topics.encode import OFFLINE, ONLINE
from ts2mqtt.topics.names import PROFILE, PROJECT, TARGET, TopicNames

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

_JSON, _TEXT, _PNG = "application/json", "text/plain", "image/png"
_NAMES = TopicNames("{base}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """One kind of message: JSON of a model, one of some `words`, text that matches a `pattern`, or a picture."""

    name: str
    model: type[BaseModel] | None = None
    words: tuple[str, ...] = ()
    pattern: str = ""
    content_type: str = _JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A topic with `{parameters}` in its name; others publish on an `inbound` one, the bridge on all others."""

    key: str
    address: str
    title: str
    meaning: str
    contents: tuple[Content, ...]
    retained: bool = True
    inbound: bool = False

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(re.findall(r"{(\w+)}", self.address))


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A variable part of a topic's name."""

    meaning: str
    default: str | None = None
    examples: tuple[str, ...] = ()


_GUID = "134973bf-f949-462d-9c4b-8baad53d75a8"

PARAMETERS: Mapping[str, Parameter] = {
    "base": Parameter(meaning="mqtt.base_topic of the configuration", default="ts2mqtt"),
    "prefix": Parameter(meaning="home_assistant.discovery_prefix of the configuration", default="homeassistant"),
    "node": Parameter(
        meaning="the base topic, with _ for what Home Assistant allows in no id, such as /", default="ts2mqtt"
    ),
    "rig": Parameter(meaning="the rig's id, by default made from its name", examples=("backyard",)),
    "profile_id": Parameter(meaning="the profile's GUID, as the API gives it", examples=(_GUID,)),
    "project_id": Parameter(meaning="the project's GUID, as the API gives it", examples=(_GUID,)),
    "target_id": Parameter(meaning="the target's GUID, as the API gives it", examples=(_GUID,)),
    "device": Parameter(
        meaning="the rig's id, for a thing of the rig followed by its kind and GUID; bridge for the bridge itself",
        examples=("backyard", f"backyard_target_{_GUID}"),
    ),
}

_STATUS = (ONLINE.decode(), OFFLINE.decode())

CHANNELS: tuple[Channel, ...] = (
    Channel(
        key="bridgeStatus",
        address=_NAMES.status,
        title="Bridge status",
        meaning="Whether the bridge runs; `offline` is its last will.",
        contents=(Content(name="BridgeStatus", words=_STATUS, content_type=_TEXT),),
    ),
    Channel(
        key="bridge",
        address=_NAMES.bridge,
        title="Bridge",
        meaning="What the bridge says of itself.",
        contents=(Content(name="Bridge", model=payloads.Bridge),),
    ),
    Channel(
        key="heartbeat",
        address=_NAMES.heartbeat,
        title="Heartbeat",
        meaning="A sign of life every ten seconds, which the bridge hears back itself: what `healthcheck --ready` "
        "looks at. Whoever sends the question there gets a heartbeat at once.",
        contents=(
            Content(name="Heartbeat", model=payloads.Heartbeat),
            Content(name="HeartbeatQuestion", model=payloads.Question),
        ),
        retained=False,
    ),
    Channel(
        key="removed",
        address=_NAMES.removed("{device}"),
        title="Removed devices",
        meaning="The bridge's own note of what was removed while Home Assistant may have been down; it goes when "
        "Home Assistant has seen the removal.",
        contents=(Content(name="RemovalRecord", model=RemovalRecord),),
    ),
    Channel(
        key="command",
        address=_NAMES.command,
        title="Commands to the bridge",
        meaning="`rediscover` tells Home Assistant every device again; `reload` reads the configuration again; "
        "`log_level debug`, `info`, `warning` or `error` changes how much the log says until the next start or "
        "reload. Not to be retained.",
        contents=(
            Content(
                name="BridgeCommand",
                pattern=f"^(rediscover|reload|log_level ({'|'.join(LOG_LEVELS)}))$",
                content_type=_TEXT,
            ),
        ),
        retained=False,
        inbound=True,
    ),
    Channel(
        key="rigStatus",
        address=_NAMES.rig_status("{rig}"),
        title="Rig status",
        meaning="Whether the rig's API answers.",
        contents=(Content(name="RigStatus", words=_STATUS, content_type=_TEXT),),
    ),
    Channel(
        key="rigState",
        address=_NAMES.rig_state("{rig}"),
        title="Rig state",
        meaning="Versions, active profile, activity, current and next target, tonight's tally.",
        contents=(Content(name="State", model=payloads.State),),
    ),
    Channel(
        key="profile",
        address=_NAMES.thing("{rig}", PROFILE, "{profile_id}"),
        title="Profile",
        meaning="One for each profile of N.I.N.A.",
        contents=(Content(name="Profile", model=payloads.Profile),),
    ),
    Channel(
        key="project",
        address=_NAMES.thing("{rig}", PROJECT, "{project_id}"),
        title="Project",
        meaning="One for each project, in whatever state.",
        contents=(Content(name="Project", model=payloads.Project),),
    ),
    Channel(
        key="target",
        address=_NAMES.thing("{rig}", TARGET, "{target_id}"),
        title="Target",
        meaning="One for each target, with its exposure plans and their image statistics. `nights_left` is a "
        "forecast. In three simulated seasons of 120 nights its median error was one night. Where four or more "
        "nights were still to come it was three to four nights, and most forecasts were too high. One forecast in "
        "twenty was wrong by twenty nights or more. The last night lay in the range of `completes` in 45 of 100 "
        "cases. The same is true of projects.",
        contents=(Content(name="Target", model=payloads.Target),),
    ),
    Channel(
        key="plan",
        address=_NAMES.rig_plan("{rig}"),
        title="Night plan",
        meaning="The night plan of the active profile.",
        contents=(Content(name="Plan", model=payloads.Plan),),
    ),
    Channel(
        key="planImage",
        address=_NAMES.rig_plan_image("{rig}"),
        title="Night plan, the picture",
        meaning="The night plan as a picture.",
        contents=(Content(name="PlanImage", content_type=_PNG),),
    ),
    Channel(
        key="night",
        address=_NAMES.rig_night("{rig}"),
        title="Last night",
        meaning="What the last night has brought. It is told when that night is over, and stays until the next one "
        "is; before the first there is none. A night is over when its plan has ended and the rig does not image any "
        "more, at noon at the latest. Without a plan it is over at sunrise if the rig has a `site` in the "
        "configuration, and else at noon: the API does not tell when the sun rises.",
        contents=(Content(name="Night", model=payloads.Night),),
    ),
    Channel(
        key="nightImage",
        address=_NAMES.rig_night_image("{rig}"),
        title="Last night, the picture",
        meaning="The last night as a picture: on one time axis what was planned and what was imaged, and below that "
        "the integration of each filter, on a scale of its own.",
        contents=(Content(name="NightImage", content_type=_PNG),),
    ),
    Channel(
        key="event",
        address=_NAMES.rig_event("{rig}"),
        title="Events",
        meaning="What just happened.",
        contents=(Content(name="Event", model=payloads.Event),),
        retained=False,
    ),
    Channel(
        key="rigCommand",
        address=_NAMES.rig_command("{rig}"),
        title="Commands to a rig",
        meaning="`refresh` reads everything of the rig now; `refresh_plan` asks for the night plan, whatever the rig "
        "is doing. Not to be retained.",
        contents=(Content(name="RigCommand", words=("refresh", "refresh_plan"), content_type=_TEXT),),
        retained=False,
        inbound=True,
    ),
    Channel(
        key="bridgeDevice",
        address="{prefix}/device/{node}/config",
        title="Home Assistant: the bridge",
        meaning="The bridge's own device, for Home Assistant's MQTT integration.",
        contents=(Content(name="BridgeDevice", model=DevicePayload),),
    ),
    Channel(
        key="device",
        address="{prefix}/device/{node}/{device}/config",
        title="Home Assistant: rigs and their things",
        meaning="One device for each rig, profile, project and target, for Home Assistant's MQTT integration.",
        contents=(Content(name="Device", model=DevicePayload),),
    ),
)
