"""The one table of what Home Assistant gets: an entity is a row, naming the payload's key it shows."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ts2mqtt.config.words import LOG_LEVELS
from ts2mqtt.observatory.events import EVENT_TYPES, LIVE_EVENT_TYPES
from ts2mqtt.observatory.model import PRIORITIES, PROJECT_STATES
from ts2mqtt.observatory.present import ACTIVITIES

# Home Assistant drops a sensor's state over 255 characters, with a warning (core/const.py).
_LONGEST_STATE = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """`key` ends the unique id and never changes; `why` it exists; `live` is unavailable while the rig's API is.

    What `needs_site` is announced only where the configuration says where the rig stands, what `needs_nina` only
    where it says where to hear N.I.N.A. itself.
    """

    key: str
    name: str
    why: str
    device_class: str | None = None
    category: str | None = None
    icon: str | None = None
    enabled: bool = True
    live: bool = False
    needs_site: bool = False
    needs_nina: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown(Entity):
    """Shows a key of a payload; `path` leads to it, `topic` says on which of the rig's topics (None: its own)."""

    path: str
    topic: str | None = None

    def template(self, value: str) -> str:
        raise NotImplementedError

    def attributes_template(self) -> str | None:
        """The entity's attributes as JSON, for a row that has any; none of a payload that was cleared."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure(Shown):
    """A number with an optional unit.

    `counts` says in a few words what the number is of; it stands with the values of the payload's keys `attributes`
    in the entity's attributes.
    """

    unit: str | None = None
    state_class: str | None = "measurement"
    precision: int | None = None
    counts: str | None = None
    attributes: tuple[str, ...] = ()

    def attributes_template(self) -> str | None:
        if self.counts is None:
            return None
        values = "".join(f", '{key}': value_json.{key} | default(none)" for key in self.attributes)
        return f"{{{{ {{'counts': '{self.counts}'{values}}} | tojson if value_json is defined else '{{}}' }}}}"

    def template(self, value: str) -> str:
        return f"{{{{ {value} }}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureByPlan(Measure):
    """A number of a target; its attribute `exposure_plans` has the keys `by_plan` of each exposure plan, by plan key.

    A dashboard draws them. Sensors of their own for each would flood the device's page, and are off at first.
    """

    by_plan: tuple[str, ...]

    def attributes_template(self) -> str | None:
        values = ", ".join(f"'{key}': p.{key} | default(none)" for key in self.by_plan)
        return (
            "{% set ns = namespace(plans={}) %}"
            "{% for p in (value_json.exposure_plans | default(none) or []) if value_json is defined %}"
            f"{{% set ns.plans = dict(ns.plans, **{{p.key: {{{values}}}}}) %}}"
            "{% endfor %}{{ {'exposure_plans': ns.plans} | tojson if value_json is defined else '{}' }}"
        )


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
    """A time, which Home Assistant turns into UTC; if it `says_local_time`, an attribute keeps the rig's offset."""

    device_class: str | None = "timestamp"
    says_local_time: bool = False

    def template(self, value: str) -> str:
        return f"{{{{ {value} }}}}"

    def attributes_template(self) -> str | None:
        if not self.says_local_time:
            return None
        value = f"value_json.{self.path} | default(none)"
        return f"{{{{ {{'local_time': {value}}} | tojson if value_json is defined else '{{}}' }}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Shown):
    def template(self, value: str) -> str:
        return f"{{% set t = ({value} or '') | trim %}}{{{{ t[:{_LONGEST_STATE}] if t else none }}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Shown):
    """One of the payload's `options`, shown as the word in the same place of `words`, or as it is.

    A word that a later plugin adds shows as unknown, not as a warning in the log.
    """

    options: tuple[str, ...]
    words: tuple[str, ...] = ()
    device_class: str | None = "enum"

    def template(self, value: str) -> str:
        shown = dict(zip(self.options, self.words or self.options, strict=True))
        return f"{{{{ {shown}.get({value}) }}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth(Shown):
    """Yes or no; `is_on_when` says which of them Home Assistant calls on, as for "safety" on means unsafe."""

    is_on_when: bool = True

    def template(self, value: str) -> str:
        yes, no = ("ON", "OFF") if self.is_on_when else ("OFF", "ON")
        return f"{{% set b = {value} %}}{{{{ none if b is none else '{yes}' if b else '{no}' }}}}"


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
    """A PNG; `topic` says on which of the rig's topics."""

    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening(Entity):
    """The rig's events, as one event entity; `nina_event_types` come only where N.I.N.A. itself is heard."""

    event_types: tuple[str, ...]
    nina_event_types: tuple[str, ...] = ()

    def types(self, *, has_nina: bool) -> tuple[str, ...]:
        return (*self.event_types, *self.nina_event_types) if has_nina else self.event_types


DIAGNOSTIC, CONFIG = "diagnostic", "config"
STATE, PLAN, NIGHT = "state", "plan", "night"
PLAN_IMAGE, NIGHT_IMAGE = "plan/image", "night/image"

BRIDGE: tuple[Entity, ...] = (
    Connectivity(
        key="connection",
        name="Connection",
        why="tells a bridge that is down from rigs that are",
        category=DIAGNOSTIC,
        always=True,
    ),
    Text(
        key="version",
        name="Version",
        why="says what runs, for a report or after an update",
        path="version",
        category=DIAGNOSTIC,
        icon="mdi:tag-outline",
    ),
    Measure(
        key="rigs_online",
        name="Rigs online",
        why="one number for a badge or an alert, however many rigs there are",
        path="rigs_online",
        unit="rigs",
        icon="mdi:telescope",
    ),
    Text(
        key="last_problem",
        name="Last problem",
        why="says what to look at without opening a log",
        path="last_problem",
        category=DIAGNOSTIC,
        icon="mdi:alert-circle-outline",
    ),
    Selection(
        key="log_level",
        name="Log level",
        why="more in the log for as long as something is looked for, without a restart",
        path="log_level",
        options=LOG_LEVELS,
        command="log_level",
        category=CONFIG,
        icon="mdi:text-box-outline",
    ),
    Press(
        key="rediscover",
        name="Restart discovery",
        why="brings back devices and entities that were deleted by mistake",
        command="rediscover",
        category=CONFIG,
        icon="mdi:restart",
    ),
)

RIG: tuple[Entity, ...] = (
    Connectivity(key="api", name="API", why="tells a PC that is off from a sky that is cloudy", category=DIAGNOSTIC),
    Truth(
        key="imaging",
        name="Imaging",
        why="what lights and sprinklers have to respect, in no word of any language",
        topic=STATE,
        path="imaging",
        device_class="running",
        live=True,
    ),
    Choice(
        key="activity",
        name="Activity",
        why="tells a rig that waits for dark from one with nothing to do",
        topic=STATE,
        path="activity",
        options=ACTIVITIES,
        icon="mdi:telescope",
        live=True,
    ),
    Text(
        key="active_profile",
        name="Active profile",
        why="which telescope is in use, where a rig has several",
        topic=STATE,
        path="active_profile.name",
        icon="mdi:account-hard-hat",
    ),
    Text(
        key="current_target",
        name="Current target",
        why="what is being imaged",
        topic=STATE,
        path="current_target.name",
        icon="mdi:target",
        live=True,
    ),
    Moment(
        key="current_target_ends",
        name="Current target ends",
        why="when the telescope will slew away",
        topic=STATE,
        path="current_target.end",
        live=True,
    ),
    Text(
        key="next_target",
        name="Next target",
        why="what comes after it",
        topic=STATE,
        path="next_target.name",
        icon="mdi:page-next-outline",
        live=True,
    ),
    Moment(
        key="next_target_starts",
        name="Next target starts",
        why="until when nothing moves",
        topic=STATE,
        path="next_target.start",
        live=True,
    ),
    Moment(
        key="night_plan_start",
        name="Night plan start",
        why="by when the roof has to be open",
        topic=PLAN,
        path="start",
        says_local_time=True,
    ),
    Moment(
        key="night_plan_end",
        name="Night plan end",
        why="when the night is done and the roof can close",
        topic=PLAN,
        path="end",
    ),
    Hours(
        key="planned_imaging",
        name="Planned imaging",
        why="whether the night is worth setting up for",
        topic=PLAN,
        path="imaging_s",
    ),
    Measure(
        key="exposures_tonight",
        name="Exposures tonight",
        why="grows while all is well: that it stands still is the simplest alarm",
        topic=STATE,
        path="tonight.exposures_acquired",
        unit="exposures",
        state_class="total_increasing",
        icon="mdi:camera-burst",
    ),
    Hours(
        key="integration_tonight",
        name="Integration tonight",
        why="the night's harvest",
        topic=STATE,
        path="tonight.integration_s",
        state_class="total_increasing",
    ),
    Picture(
        key="night_plan",
        name="Night plan",
        why="the night at one glance, for a dashboard or a notification",
        topic=PLAN_IMAGE,
        icon="mdi:weather-night",
    ),
    Hours(
        key="imaged_last_night",
        name="Imaged last night",
        why="whether the night was used, at breakfast",
        topic=NIGHT,
        path="imaged_s",
    ),
    Measure(
        key="accepted_last_night",
        name="Accepted last night",
        why="what of it there is to stack",
        topic=NIGHT,
        path="accepted_at_least",
        unit="exposures",
        icon="mdi:image-check-outline",
    ),
    Picture(
        key="last_night",
        name="Last night",
        why="what came of the plan at one glance, for a dashboard or a notification in the morning",
        topic=NIGHT_IMAGE,
        icon="mdi:weather-sunset-up",
    ),
    Happening(
        key="session",
        name="Session",
        why="what just happened, to begin an automation with",
        event_types=EVENT_TYPES,
        nina_event_types=LIVE_EVENT_TYPES,
        icon="mdi:star-shooting",
    ),
    Truth(
        key="safe",
        name="Safety",
        why="what the safety monitor says, to close a roof or to be woken",
        topic=STATE,
        path="safe",
        device_class="safety",
        is_on_when=False,
        needs_nina=True,
    ),
    Truth(
        key="sequence_running",
        name="Sequence running",
        why="whether N.I.N.A. works at all, also while it focuses or waits",
        topic=STATE,
        path="sequence_running",
        device_class="running",
        needs_nina=True,
    ),
    Moment(
        key="waiting_until",
        name="Waiting until",
        why="when the Target Scheduler goes on, by its own word",
        topic=STATE,
        path="waiting_until",
        live=True,
        needs_nina=True,
    ),
    Measure(
        key="last_image_hfr",
        name="Last image HFR",
        why="whether the stars are sharp, frame by frame",
        topic=STATE,
        path="last_image.hfr",
        unit="px",
        precision=2,
        icon="mdi:image-filter-center-focus",
        needs_nina=True,
    ),
    Measure(
        key="last_image_stars",
        name="Last image stars",
        why="falls when clouds or dew come",
        topic=STATE,
        path="last_image.stars",
        unit="stars",
        icon="mdi:star-four-points-outline",
        needs_nina=True,
    ),
    Measure(
        key="last_image_guiding",
        name="Last image guiding",
        why="rises with wind, or when the mount needs care",
        topic=STATE,
        path="last_image.guide_rms_arcsec",
        unit='"',
        precision=2,
        icon="mdi:crosshairs-gps",
        needs_nina=True,
    ),
    Truth(
        key="live",
        name="Live",
        why="whether N.I.N.A. itself is heard, or the database alone",
        topic=STATE,
        path="live.connected",
        device_class="connectivity",
        category=DIAGNOSTIC,
        needs_nina=True,
    ),
    Text(
        key="live_version",
        name="Advanced API version",
        why="which version of N.I.N.A.'s plugin is heard, for a report",
        topic=STATE,
        path="live.version",
        category=DIAGNOSTIC,
        icon="mdi:tag-outline",
        enabled=False,
        needs_nina=True,
    ),
    Press(
        key="refresh",
        name="Refresh",
        why="reads everything now, after an edit in the Target Scheduler",
        command="refresh",
        icon="mdi:refresh",
    ),
    Press(
        key="refresh_plan",
        name="Refresh plan",
        why="asks for the night plan now, also when the bridge would not by itself",
        command="refresh_plan",
        icon="mdi:calendar-refresh",
    ),
    Text(
        key="plugin_version",
        name="Target Scheduler version",
        why="says what runs at the telescope, for a report or after an update",
        topic=STATE,
        path="plugin_version",
        category=DIAGNOSTIC,
        icon="mdi:tag-outline",
    ),
    Text(
        key="api_version",
        name="API version",
        why="which interface is spoken, for a report",
        topic=STATE,
        path="api_version",
        category=DIAGNOSTIC,
        icon="mdi:tag-outline",
        enabled=False,
    ),
)

_COMPLETION = Measure(
    key="completion",
    name="Completion",
    why="how far it is, the first thing that anybody asks",
    path="progress",
    unit="%",
    precision=1,
    icon="mdi:progress-star",
)
# The plugin shows a project's percent by what is accepted, and a filter's by what is acquired until it is graded.
_COMPLETION_BY_ACCEPTED = replace(
    _COMPLETION,
    counts="accepted of desired exposures",
    attributes=("accepted", "desired", "pending", "rejected"),
)
_ACCEPTED_INTEGRATION = Hours(
    key="accepted_integration",
    name="Accepted integration",
    why="how long the telescope has looked, which is what decides about a picture",
    path="accepted_s",
)
_REMAINING_INTEGRATION = Hours(
    key="remaining_integration",
    name="Remaining integration",
    why="how much of it is still missing",
    path="remaining_s",
)
_NIGHTS_TO_GO = Measure(
    key="nights_to_go",
    name="Clear nights to go",
    why="how long it will still take, judged by the nights of late",
    path="nights_left",
    unit="nights",
    icon="mdi:weather-night",
)

PROFILE: tuple[Entity, ...] = (
    Truth(
        key="active",
        name="Active",
        why="which of the profiles N.I.N.A. runs with",
        path="active",
        icon="mdi:account-check",
    ),
    Measure(
        key="active_projects",
        name="Active projects",
        why="whether there is still something to do",
        path="project_counts.active",
        unit="projects",
        icon="mdi:folder-star",
    ),
    _COMPLETION_BY_ACCEPTED,
    _REMAINING_INTEGRATION,
)

PROJECT: tuple[Entity, ...] = (
    Choice(
        key="state",
        name="State",
        why="whether it is planned at all",
        path="state",
        options=PROJECT_STATES,
        icon="mdi:list-status",
    ),
    Choice(
        key="priority",
        name="Priority",
        why="which of the projects comes first",
        path="priority",
        options=PRIORITIES,
        icon="mdi:priority-high",
    ),
    _COMPLETION_BY_ACCEPTED,
    Measure(
        key="accepted",
        name="Accepted exposures",
        why="what there is to stack",
        path="accepted",
        unit="exposures",
        icon="mdi:image-check-outline",
    ),
    Measure(
        key="desired",
        name="Desired exposures",
        why="what it is measured against",
        path="desired",
        unit="exposures",
        icon="mdi:image-multiple-outline",
    ),
    _ACCEPTED_INTEGRATION,
    _REMAINING_INTEGRATION,
    _NIGHTS_TO_GO,
    Measure(
        key="minimum_time",
        name="Minimum time",
        why="why a short gap in the night is not used",
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
        why="why it is only imaged at some hours",
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
        why="why it starts late or ends early",
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
        why="why it pauses near the zenith",
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
        why="whether trees and roofs count",
        path="use_custom_horizon",
        category=DIAGNOSTIC,
        icon="mdi:image-filter-hdr",
        enabled=False,
    ),
    Measure(
        key="horizon_offset",
        name="Horizon offset",
        why="how far it keeps above them",
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
        why="why filters change as they do",
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
        why="why there are pauses between exposures",
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
        why="why accepted may lag behind acquired, or never does",
        path="enable_grader",
        category=DIAGNOSTIC,
        icon="mdi:check-decagram-outline",
        enabled=False,
    ),
    Truth(
        key="mosaic",
        name="Mosaic",
        why="whether its targets belong together as panels",
        path="mosaic",
        category=DIAGNOSTIC,
        icon="mdi:view-grid",
        enabled=False,
    ),
    Choice(
        key="flats_handling",
        name="Flats handling",
        why="when the rig takes flats",
        path="flats_handling",
        options=("off", "on_target_completion", "immediately", "periodically"),
        category=DIAGNOSTIC,
        icon="mdi:lightbulb-on-outline",
        enabled=False,
    ),
    Measure(
        key="flats_period",
        name="Flats period",
        why="how often it takes them, where that is periodical",
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
        why="why another filter than expected comes first",
        path="smart_exposure_order",
        category=DIAGNOSTIC,
        icon="mdi:sort-variant",
        enabled=False,
    ),
)

TARGET: tuple[Entity, ...] = (
    Truth(key="active", name="Active", why="whether it takes part in the planning", path="active", icon="mdi:target"),
    _COMPLETION,
    _ACCEPTED_INTEGRATION,
    _REMAINING_INTEGRATION,
    _NIGHTS_TO_GO,
    MeasureByPlan(
        key="acquired",
        name="Acquired",
        why="what was taken, whether or not it is graded yet",
        path="acquired",
        unit="exposures",
        icon="mdi:camera-burst",
        by_plan=("desired", "accepted", "pending", "rejected"),
    ),
    Moment(key="scheduled_start", name="Scheduled start", why="when it is imaged tonight", path="scheduled.start"),
    Moment(key="scheduled_end", name="Scheduled end", why="until when", path="scheduled.end"),
    Measure(
        key="moon_separation",
        name="Moon separation",
        why="whether the moon spoils it this night",
        path="moon_separation_deg",
        unit="°",
        precision=0,
        icon="mdi:moon-waning-crescent",
        needs_site=True,
    ),
    Measure(
        key="maximum_altitude",
        name="Maximum altitude",
        why="how high it gets while it is dark this night",
        path="altitude_max_deg",
        unit="°",
        precision=0,
        icon="mdi:angle-acute",
        needs_site=True,
    ),
    Moment(
        key="transit",
        name="Transit",
        why="when it is highest, and a mount may have to flip",
        path="transit",
        needs_site=True,
    ),
    Text(
        key="ra",
        name="Right ascension",
        why="to point something else at it, or to look it up",
        path="ra",
        category=DIAGNOSTIC,
        icon="mdi:crosshairs",
    ),
    Text(
        key="dec",
        name="Declination",
        why="to point something else at it, or to look it up",
        path="dec",
        category=DIAGNOSTIC,
        icon="mdi:crosshairs",
    ),
    Measure(
        key="rotation",
        name="Rotation",
        why="how the camera has to be turned, for rigs without a rotator",
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
    Measure(
        key="completion",
        name="completion",
        why="how far this filter is, as the plugin counts it",
        path="progress",
        unit="%",
        precision=1,
        icon="mdi:progress-star",
    ),
    Measure(
        key="accepted",
        name="accepted",
        why="what there is to stack in this filter",
        path="accepted",
        unit="exposures",
        icon="mdi:image-check-outline",
    ),
    # Of every filter these would flood a device's page; who wants one enables it.
    Measure(
        key="pending",
        name="pending",
        why="what delayed grading has still to look at",
        path="pending",
        unit="exposures",
        icon="mdi:image-search-outline",
        enabled=False,
    ),
    Measure(
        key="rejected",
        name="rejected",
        why="what clouds, wind and planes have cost in this filter",
        path="rejected",
        unit="exposures",
        icon="mdi:image-remove-outline",
        enabled=False,
    ),
    Measure(
        key="acceptance",
        name="acceptance",
        why="how many of the graded images are good",
        path="acceptance",
        unit="%",
        precision=0,
        icon="mdi:check-decagram-outline",
        enabled=False,
    ),
    Hours(key="remaining", name="remaining", why="which filter still lacks how much", path="remaining_s"),
    Measure(
        key="hfr",
        name="HFR",
        why="how sharp the images are: focus, seeing, clouds",
        path="statistics.hfr_mean",
        unit="px",
        precision=2,
        icon="mdi:star-outline",
    ),
    # Both need the Hocus Focus plugin; without it they would stand there as unknown for ever.
    Measure(
        key="fwhm",
        name="FWHM",
        why="how sharp the images are, in the unit that Hocus Focus is set to",
        path="statistics.fwhm_mean",
        precision=2,
        icon="mdi:star-outline",
        enabled=False,
    ),
    Measure(
        key="eccentricity",
        name="eccentricity",
        why="how round the stars are: guiding, tilt, wind",
        path="statistics.eccentricity_mean",
        precision=2,
        icon="mdi:ellipse-outline",
        enabled=False,
    ),
)
"""For each exposure plan of a target; the plan's template and exposure go before key and name."""
