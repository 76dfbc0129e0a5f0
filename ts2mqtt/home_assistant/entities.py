"""The one table of what Home Assistant gets: an entity is a row, naming the payload's key it shows."""

from __future__ import annotations

from dataclasses import dataclass

from ts2mqtt.observatory.events import EVENT_TYPES
from ts2mqtt.observatory.live import ACTIVITIES
from ts2mqtt.observatory.model import PRIORITIES, PROJECT_STATES
from ts2mqtt.topics.payloads import LOG_LEVELS

# Home Assistant drops a sensor's state over 255 characters, with a warning (core/const.py).
_LONGEST_STATE = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """`key` ends the unique id and never changes; `live` is unavailable while the rig's API is."""

    key: str
    name: str
    device_class: str | None = None
    category: str | None = None
    icon: str | None = None
    enabled: bool = True
    live: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown(Entity):
    """Shows a key of a payload; `path` leads to it, `topic` says on which of the rig's topics (None: its own)."""

    path: str
    topic: str | None = None

    def template(self, value: str) -> str:
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure(Shown):
    """A number with an optional unit."""

    unit: str | None = None
    state_class: str | None = "measurement"
    precision: int | None = None

    def template(self, value: str) -> str:
        return f"{{{{ {value} }}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours(Measure):
    """Seconds in the payload, hours on the screen: Home Assistant lets no MQTT sensor suggest another unit."""

    unit: str | None = "h"
    device_class: str | None = "duration"
    precision: int | None = 1

    def template(self, value: str) -> str:
        return f"{{% set s = {value} %}}{{{{ none if s is none else (s / 3600) | round(3) }}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment(Shown):
    device_class: str | None = "timestamp"

    def template(self, value: str) -> str:
        return f"{{{{ {value} }}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Shown):
    def template(self, value: str) -> str:
        return f"{{% set t = ({value} or '') | trim %}}{{{{ t[:{_LONGEST_STATE}] if t else none }}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Shown):
    """One of a few words; a word that a later plugin adds shows as unknown, not as a warning in the log."""

    options: tuple[str, ...]
    device_class: str | None = "enum"

    def template(self, value: str) -> str:
        return f"{{% set c = {value} %}}{{{{ c if c in {list(self.options)} else none }}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth(Shown):
    def template(self, value: str) -> str:
        return f"{{% set b = {value} %}}{{{{ none if b is none else 'ON' if b else 'OFF' }}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connectivity(Entity):
    """Whether the device answers, from the plain text of its status topic; `always` also while the bridge is down."""

    device_class: str | None = "connectivity"
    always: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Press(Entity):
    """A button that sends a command to the device's command topic."""

    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection(Shown):
    """A choice of words that can be made here: the command is sent with the chosen word after it."""

    options: tuple[str, ...]
    command: str

    def template(self, value: str) -> str:
        return f"{{{{ {value} }}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture(Entity):
    """The PNG on the rig's plan/image topic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening(Entity):
    """The rig's events, as one event entity."""

    event_types: tuple[str, ...]


DIAGNOSTIC, CONFIG = "diagnostic", "config"
STATE, PLAN = "state", "plan"

BRIDGE: tuple[Entity, ...] = (
    Connectivity(key="connection", name="Connection", category=DIAGNOSTIC, always=True),
    Text(key="version", name="Version", path="version", category=DIAGNOSTIC, icon="mdi:tag-outline"),
    Measure(key="rigs_online", name="Rigs online", path="rigs_online", unit="rigs", icon="mdi:telescope"),
    Text(
        key="last_problem",
        name="Last problem",
        path="last_problem",
        category=DIAGNOSTIC,
        icon="mdi:alert-circle-outline",
    ),
    Selection(
        key="log_level",
        name="Log level",
        path="log_level",
        options=LOG_LEVELS,
        command="log_level",
        category=CONFIG,
        icon="mdi:text-box-outline",
    ),
    Press(key="rediscover", name="Restart discovery", command="rediscover", category=CONFIG, icon="mdi:restart"),
)

RIG: tuple[Entity, ...] = (
    Connectivity(key="api", name="API", category=DIAGNOSTIC),
    Choice(
        key="activity",
        name="Activity",
        topic=STATE,
        path="activity",
        options=ACTIVITIES,
        icon="mdi:telescope",
        live=True,
    ),
    Text(
        key="active_profile",
        name="Active profile",
        topic=STATE,
        path="active_profile.name",
        icon="mdi:account-hard-hat",
    ),
    Text(
        key="current_target",
        name="Current target",
        topic=STATE,
        path="current_target.name",
        icon="mdi:target",
        live=True,
    ),
    Moment(key="current_target_ends", name="Current target ends", topic=STATE, path="current_target.end", live=True),
    Text(
        key="next_target",
        name="Next target",
        topic=STATE,
        path="next_target.name",
        icon="mdi:page-next-outline",
        live=True,
    ),
    Moment(key="next_target_starts", name="Next target starts", topic=STATE, path="next_target.start", live=True),
    Moment(key="night_plan_start", name="Night plan start", topic=PLAN, path="start"),
    Moment(key="night_plan_end", name="Night plan end", topic=PLAN, path="end"),
    Hours(key="planned_imaging", name="Planned imaging", topic=PLAN, path="imaging_s"),
    Measure(
        key="exposures_tonight",
        name="Exposures tonight",
        topic=STATE,
        path="tonight.exposures_acquired",
        unit="exposures",
        state_class="total_increasing",
        icon="mdi:camera-burst",
    ),
    Hours(
        key="integration_tonight",
        name="Integration tonight",
        topic=STATE,
        path="tonight.integration_s",
        state_class="total_increasing",
    ),
    Picture(key="night_plan", name="Night plan", icon="mdi:weather-night"),
    Happening(key="session", name="Session", event_types=EVENT_TYPES, icon="mdi:star-shooting"),
    Press(key="refresh", name="Refresh", command="refresh", icon="mdi:refresh"),
    Press(key="refresh_plan", name="Refresh plan", command="refresh_plan", icon="mdi:calendar-refresh"),
    Text(
        key="plugin_version",
        name="Target Scheduler version",
        topic=STATE,
        path="plugin_version",
        category=DIAGNOSTIC,
        icon="mdi:tag-outline",
    ),
    Text(
        key="api_version",
        name="API version",
        topic=STATE,
        path="api_version",
        category=DIAGNOSTIC,
        icon="mdi:tag-outline",
        enabled=False,
    ),
)

_COMPLETION = Measure(
    key="completion", name="Completion", path="progress", unit="%", precision=1, icon="mdi:progress-star"
)
_ACCEPTED_INTEGRATION = Hours(key="accepted_integration", name="Accepted integration", path="accepted_s")
_REMAINING_INTEGRATION = Hours(key="remaining_integration", name="Remaining integration", path="remaining_s")

PROFILE: tuple[Entity, ...] = (
    Truth(key="active", name="Active", path="active", icon="mdi:account-check"),
    Measure(
        key="active_projects",
        name="Active projects",
        path="project_counts.active",
        unit="projects",
        icon="mdi:folder-star",
    ),
    _COMPLETION,
    _REMAINING_INTEGRATION,
)

PROJECT: tuple[Entity, ...] = (
    Choice(key="state", name="State", path="state", options=PROJECT_STATES, icon="mdi:list-status"),
    Choice(key="priority", name="Priority", path="priority", options=PRIORITIES, icon="mdi:priority-high"),
    _COMPLETION,
    Measure(
        key="accepted", name="Accepted exposures", path="accepted", unit="exposures", icon="mdi:image-check-outline"
    ),
    Measure(
        key="desired", name="Desired exposures", path="desired", unit="exposures", icon="mdi:image-multiple-outline"
    ),
    _ACCEPTED_INTEGRATION,
    _REMAINING_INTEGRATION,
    Measure(
        key="minimum_time",
        name="Minimum time",
        path="minimum_time_min",
        unit="min",
        device_class="duration",
        state_class=None,
        category=DIAGNOSTIC,
        enabled=False,
    ),
    Measure(
        key="meridian_window",
        name="Meridian window",
        path="meridian_window_min",
        unit="min",
        device_class="duration",
        state_class=None,
        category=DIAGNOSTIC,
        enabled=False,
    ),
    Measure(
        key="minimum_altitude",
        name="Minimum altitude",
        path="minimum_altitude_deg",
        unit="°",
        state_class=None,
        category=DIAGNOSTIC,
        icon="mdi:angle-acute",
        enabled=False,
    ),
    Measure(
        key="maximum_altitude",
        name="Maximum altitude",
        path="maximum_altitude_deg",
        unit="°",
        state_class=None,
        category=DIAGNOSTIC,
        icon="mdi:angle-obtuse",
        enabled=False,
    ),
    Truth(
        key="use_custom_horizon",
        name="Custom horizon",
        path="use_custom_horizon",
        category=DIAGNOSTIC,
        icon="mdi:image-filter-hdr",
        enabled=False,
    ),
    Measure(
        key="horizon_offset",
        name="Horizon offset",
        path="horizon_offset_deg",
        unit="°",
        state_class=None,
        category=DIAGNOSTIC,
        icon="mdi:angle-acute",
        enabled=False,
    ),
    Measure(
        key="filter_switch_frequency",
        name="Filter switch frequency",
        path="filter_switch_frequency",
        unit="exposures",
        state_class=None,
        category=DIAGNOSTIC,
        icon="mdi:camera-iris",
        enabled=False,
    ),
    Measure(
        key="dither_every",
        name="Dither every",
        path="dither_every",
        unit="exposures",
        state_class=None,
        category=DIAGNOSTIC,
        icon="mdi:arrow-decision",
        enabled=False,
    ),
    Truth(
        key="enable_grader",
        name="Grader",
        path="enable_grader",
        category=DIAGNOSTIC,
        icon="mdi:check-decagram-outline",
        enabled=False,
    ),
    Truth(key="mosaic", name="Mosaic", path="mosaic", category=DIAGNOSTIC, icon="mdi:view-grid", enabled=False),
    Choice(
        key="flats_handling",
        name="Flats handling",
        path="flats_handling",
        options=("off", "on_target_completion", "immediately", "periodically"),
        category=DIAGNOSTIC,
        icon="mdi:lightbulb-on-outline",
        enabled=False,
    ),
    Measure(
        key="flats_period",
        name="Flats period",
        path="flats_period_days",
        unit="d",
        device_class="duration",
        state_class=None,
        category=DIAGNOSTIC,
        enabled=False,
    ),
    Truth(
        key="smart_exposure_order",
        name="Smart exposure order",
        path="smart_exposure_order",
        category=DIAGNOSTIC,
        icon="mdi:sort-variant",
        enabled=False,
    ),
)

TARGET: tuple[Entity, ...] = (
    Truth(key="active", name="Active", path="active", icon="mdi:target"),
    _COMPLETION,
    _ACCEPTED_INTEGRATION,
    _REMAINING_INTEGRATION,
    Moment(key="scheduled_start", name="Scheduled start", path="scheduled.start"),
    Moment(key="scheduled_end", name="Scheduled end", path="scheduled.end"),
    Text(key="ra", name="Right ascension", path="ra", category=DIAGNOSTIC, icon="mdi:crosshairs"),
    Text(key="dec", name="Declination", path="dec", category=DIAGNOSTIC, icon="mdi:crosshairs"),
    Measure(
        key="rotation",
        name="Rotation",
        path="rotation_deg",
        unit="°",
        state_class=None,
        precision=1,
        category=DIAGNOSTIC,
        icon="mdi:rotate-right",
        enabled=False,
    ),
)

EXPOSURE_PLAN: tuple[Shown, ...] = (
    Measure(key="accepted", name="accepted", path="accepted", unit="exposures", icon="mdi:image-check-outline"),
    Hours(key="remaining", name="remaining", path="remaining_s"),
    Measure(key="hfr", name="HFR", path="statistics.hfr_mean", unit="px", precision=2, icon="mdi:star-outline"),
    # Both need the Hocus Focus plugin; without it they would stand there as unknown for ever.
    Measure(
        key="fwhm", name="FWHM", path="statistics.fwhm_mean", precision=2, icon="mdi:star-outline", enabled=False
    ),
    Measure(
        key="eccentricity",
        name="eccentricity",
        path="statistics.eccentricity_mean",
        precision=2,
        icon="mdi:ellipse-outline",
        enabled=False,
    ),
)
"""For each exposure plan of a target; the plan's template and exposure go before key and name."""
