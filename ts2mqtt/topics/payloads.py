"""The payloads under the base topic, key by key; the interface's documentation is made from these models."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, PlainSerializer, WithJsonSchema

from ts2mqtt.config.words import LOG_LEVELS, PROTOCOLS
from ts2mqtt.observatory.events import (
    BECAME_SAFE,
    BECAME_UNSAFE,
    EXPOSURE_ACCEPTED,
    EXPOSURE_ACQUIRED,
    IMAGE_SAVED,
    MERIDIAN_FLIP_FINISHED,
    MERIDIAN_FLIP_STARTED,
    NIGHT_FINISHED,
    PLAN_CHANGED,
    PROFILE_CHANGED,
    PROJECT_ADDED,
    PROJECT_COMPLETED,
    PROJECT_REMOVED,
    PROJECT_STATE_CHANGED,
    RIG_OFFLINE,
    RIG_ONLINE,
    TARGET_ADDED,
    TARGET_COMPLETED,
    TARGET_FINISHED,
    TARGET_REMOVED,
    TARGET_STARTED,
)
from ts2mqtt.observatory.evidence import LIVE, OBSERVED, PLANNED
from ts2mqtt.observatory.night_report import REASONS
from ts2mqtt.observatory.present import ACTIVITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

_TARGET, _WAIT = "target", "wait"
BLOCK_KINDS = (_TARGET, _WAIT)
EVENTS: Mapping[str, str] = {
    RIG_ONLINE: "the rig's API answers again",
    RIG_OFFLINE: "the rig's API no longer answers",
    PROFILE_CHANGED: "N.I.N.A. runs with another profile",
    TARGET_STARTED: "exposures of a target began to come, or N.I.N.A. said that they are about to",
    TARGET_FINISHED: "they come no more, or another target's do",
    EXPOSURE_ACQUIRED: "exposures were taken; `count` of one filter since the last look",
    EXPOSURE_ACCEPTED: "exposures were graded as good; with delayed grading long after they were taken",
    TARGET_COMPLETED: "all exposure plans of a target are complete, as the plugin counts them",
    PROJECT_COMPLETED: "all exposure plans of a project's targets are complete, as the plugin counts them",
    PROJECT_STATE_CHANGED: "a project went from `previous_state` to `state`",
    PROJECT_ADDED: "there is a new project",
    PROJECT_REMOVED: "a project is gone",
    TARGET_ADDED: "there is a new target",
    TARGET_REMOVED: "a target is gone",
    PLAN_CHANGED: "there is another night plan",
    NIGHT_FINISHED: "a night is over: its report stands on the topic `night`; `count` exposures were taken",
    IMAGE_SAVED: "N.I.N.A. saved a light frame; with `nina_url`, as all that follow",
    MERIDIAN_FLIP_STARTED: "the mount is about to flip at the meridian",
    MERIDIAN_FLIP_FINISHED: "the mount has flipped",
    BECAME_UNSAFE: "the safety monitor says that it is unsafe now",
    BECAME_SAFE: "the safety monitor says that it is safe again",
}
"""What each type of event tells."""

UNIT = "x-unit"
"""The keyword of a schema that holds a number's unit."""


def _rounded(number: float) -> float:
    """Hides the last digit of a sum of floats, and writes whole numbers whole."""
    number = round(number, 6)
    return int(number) if number.is_integer() else number


def _number(unit: str | None = None) -> WithJsonSchema:
    return WithJsonSchema({"type": "number"} | ({UNIT: unit} if unit else {}))


def _whole(unit: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "integer", UNIT: unit})


def _one_of(*words: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": list(words)})


_ROUNDED = PlainSerializer(_rounded, return_type=int | float)
Number = Annotated[float, _ROUNDED, _number()]
Seconds = Annotated[float, _ROUNDED, _number("s")]
Degrees = Annotated[float, _ROUNDED, _number("°")]
ExactDegrees = Annotated[float, _number("°")]
ExactHours = Annotated[float, _number("h")]
Pixels = Annotated[float, _ROUNDED, _number("px")]
Minutes = Annotated[int, _whole("min")]
Days = Annotated[int, _whole("d")]
Exposures = Annotated[int, _whole("exposures")]
Percent = Annotated[
    float,
    Field(ge=0, le=100),
    PlainSerializer(lambda value: _rounded(round(value, 2))),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 100, UNIT: "%"}),
]
Throttle = Annotated[int, _whole("%")]
Extra = Annotated[
    dict[str, JsonValue],
    Field(
        default_factory=dict,
        description="what the API says beyond this, in its own words: fields that this version does not know",
    ),
]


# Described once, for exposure plans as for their sums.
_UNGRADED = (
    "exposures taken less exposures accepted, while delayed grading has not begun; "
    "below 0 where accepted was edited above acquired"
)
_PENDING = "exposures taken that still wait for delayed grading"
_REJECTED = "exposures graded as bad: taken, neither accepted nor pending"
_GRADED_OF_NIGHT = "those graded as {} since; null where images of earlier nights were graded together with these"
_HFR_MEDIAN = (
    "median half-flux radius of its images of the night, of more than forty different values within some hundredths; "
    "null where N.I.N.A. was not heard"
)
_REMAINING = (
    "integration time still wanted, never below 0: of what is not yet accepted, "
    "or with grading off of what is not yet taken"
)
_THROTTLE = "with grading off the exposures taken count against so much of those wanted; null with grading on"


def _without_defaults(schema: dict[str, JsonValue]) -> None:
    keys = schema.get("properties")
    for key in keys.values() if isinstance(keys, dict) else ():
        if isinstance(key, dict):
            key.pop("default", None)


class Payload(BaseModel):
    """What stands on a topic, or a part of it.

    Every key is always written: mypy asks for it, as it knows no default that stands first and without its name.
    A default is what a key is read as that an earlier version did not write, or whose value cannot be read. A key
    without a default is one without which the rest would say something wrong.
    """

    # A key that is unknown is null; it never hides.
    model_config = ConfigDict(
        frozen=True, json_schema_serialization_defaults_required=True, json_schema_extra=_without_defaults
    )

    def to_bytes(self) -> bytes:
        return self.model_dump_json().encode()


class Identity(Payload):
    """Whose payload it is, whichever it is: each says so in some of these keys."""

    id: str | None = Field(None, description="id of what it is about")
    rig_id: str | None = Field(None, description="id of the rig of that")
    instance: str | None = Field(None, description="which running bridge it is about")


class Named(Payload):
    id: str = Field(description="GUID, as the API gives it; it survives a new name")
    name: str = Field("", description="name, free text")


class Totals(Payload):
    """Sums over exposure plans; all null until they could be read."""

    desired: Exposures | None = Field(None, description="exposures wanted")
    acquired: Exposures | None = Field(None, description="exposures taken")
    accepted: Exposures | None = Field(None, description="exposures graded as good")
    ungraded: Exposures | None = Field(None, description=_UNGRADED)
    pending: Exposures | None = Field(None, description=_PENDING)
    rejected: Exposures | None = Field(None, description=_REJECTED)
    desired_s: Seconds | None = Field(None, description="integration time wanted")
    acquired_s: Seconds | None = Field(None, description="integration time taken")
    accepted_s: Seconds | None = Field(None, description="integration time graded as good")
    remaining_s: Seconds | None = Field(None, description=_REMAINING)
    progress: Percent | None = Field(None, description="how much is done, as the plugin shows it")


class Completes(Payload):
    """When something is complete if nights are used as of late."""

    earliest: dt.date | None = Field(None, description="if every night from tonight on is one of them")
    latest: dt.date | None = Field(None, description="if as few nights are as of late")


class Ahead(Payload):
    """How long it still takes, judged by the last ten nights in which it was imaged."""

    nights_left: Annotated[int, _whole("nights")] | None = Field(
        None,
        description="what is still to be imaged, by the median integration of those nights, rounded up; what waits "
        "for grading counts as good; 0 when nothing is left to image, null with fewer than three such nights",
    )
    completes: Completes | None = Field(
        None, description="the dates on which its last night begins; null where nights_left is null or 0"
    )


class NightGained(Payload):
    """A night in which a target was imaged."""

    night: dt.date = Field(description="the date on which it began")
    integration_s: Seconds = Field(0.0, description="integration time taken in it")


class OfRig(Named):
    rig_id: str = Field("", description="the rig's id, part of the topic")
    rig_name: str = Field("", description="the rig's name, from the bridge's configuration")


class OfProfile(OfRig):
    profile_id: str = Field("", description="GUID of the N.I.N.A. profile that it belongs to")
    profile_name: str = Field("", description="name of that profile")


class OfProject(OfProfile):
    project_id: str = Field("", description="GUID of the project that it belongs to")
    project_name: str = Field("", description="name of that project")


class Appointment(Named):
    """A target at work, or the next one."""

    project_id: str | None = Field(
        None, description="GUID of the target's project; null if the rig no longer names it"
    )
    project_name: str | None = Field(None, description="name of that project")
    start: AwareDatetime | None = Field(None, description="planned start")
    end: AwareDatetime | None = Field(None, description="planned end")
    source: Annotated[str, _one_of(LIVE, OBSERVED, PLANNED)] = Field(
        "",
        description="live: N.I.N.A. said so; observed: counts were seen to rise; planned: by the night plan and the "
        "clock",
    )


class Children(Payload):
    """What a payload, whichever it is, names as belonging to what it is about."""

    rigs: list[Named] | None = Field(None, description="those of a bridge")
    profiles: list[Named] | None = Field(None, description="those of a rig")
    projects: list[Named] | None = Field(None, description="those of a profile")
    targets: list[Named] | None = Field(None, description="those of a project")


class LastExposure(Payload):
    """The latest exposure that was seen."""

    time: AwareDatetime = Field(description="when it ended, as near as can be known")
    target_id: str = Field(description="GUID of its target")
    target_name: str = Field("", description="name of its target")
    filter: str | None = Field(None, description="name of the filter")
    exposure_s: Seconds | None = Field(None, description="length of the exposure")


class LastImage(Payload):
    """The latest light frame that N.I.N.A. has saved."""

    time: AwareDatetime = Field(description="when it was taken, by the clock of the rig's PC")
    target_id: str | None = Field(None, description="GUID of its target; null where its name tells no target")
    filter: str | None = Field(None, description="name of the filter")
    exposure_s: Seconds | None = Field(None, description="length of the exposure")
    hfr: Pixels | None = Field(None, description="half-flux radius; null where no star was found")
    stars: Annotated[int, _whole("stars")] | None = Field(None, description="how many stars were found")
    guide_rms_arcsec: Annotated[float, _ROUNDED, _number('"')] | None = Field(
        None, description="guiding error while it was exposed; null without guiding"
    )


class Live(Payload):
    """The connection to N.I.N.A.'s plugin Advanced API."""

    connected: bool = Field(False, description="whether N.I.N.A. is heard")
    version: str | None = Field(None, description="version of the plugin; null until it was heard")


class FilterTonight(Payload):
    """The exposures of one target through one filter."""

    filter: str | None = Field(None, description="the filter's name")
    acquired: Exposures = Field(0, description="exposures taken tonight")
    accepted: Exposures = Field(0, description="exposures graded as good tonight")
    integration_s: Seconds = Field(0.0, description="integration time taken tonight")


class TargetTonight(Named):
    """What a target got."""

    filters: list[FilterTonight] = Field([], description="filter by filter")


class NightCounts(Payload):
    """Exposures that were taken in a night, and what has become of them since."""

    acquired: Exposures = Field(0, description="exposures taken in the night")
    accepted: Exposures | None = Field(0, description=_GRADED_OF_NIGHT.format("good"))
    accepted_at_least: Exposures = Field(
        0, description="as accepted; where that is null, the part of it that is certain"
    )
    rejected: Exposures | None = Field(0, description=_GRADED_OF_NIGHT.format("bad"))
    pending: Exposures = Field(0, description="those that still wait for delayed grading")
    integration_s: Seconds = Field(0.0, description="integration time taken in the night")


class FilterOfNight(NightCounts):
    """The exposures of one exposure plan; two plans of a target may have the same filter."""

    filter: str | None = Field(None, description="the filter's name")
    exposure_s: Seconds | None = Field(None, description="length of an exposure")
    hfr_median: Pixels | None = Field(None, description=_HFR_MEDIAN)
    key: str = Field(description="the exposure plan's key, as in the target's payload")
    acquired_before: Exposures = Field(description="exposures taken before this night")
    accepted_before: Exposures = Field(description="exposures graded as good before this night")
    pending_before: Exposures = Field(0, description="exposures that waited for grading before this night")


class Stretch(Payload):
    """A time in which a target was imaged, pauses for focusing and the like included."""

    start: AwareDatetime = Field(description="when its first exposure began, as near as can be known")
    end: AwareDatetime = Field(description="when its last exposure ended, as near as can be known")


class TargetOfNight(NightCounts, Named):
    """What a target got in the night."""

    project_id: str = Field("", description="GUID of its project")
    project_name: str = Field("", description="name of its project")
    hfr_median: Pixels | None = Field(None, description=_HFR_MEDIAN)
    completed: bool = Field(False, description="whether it was completed by this night's exposures")
    filters: list[FilterOfNight] = Field([], description="exposure plan by exposure plan")
    imaged: list[Stretch] = Field([], description="when it was imaged")


class HfrCounts(Payload):
    """The half-flux radii of the images of one exposure plan, of which at most forty values are kept."""

    target_id: str = Field(description="GUID of the target")
    key: str | None = Field(None, description="the exposure plan's key; null for images that fit none or several")
    counts: list[tuple[Annotated[Pixels, Field(gt=0, le=1_000)], Annotated[Exposures, Field(ge=1)]]] = Field(
        [], description="half-flux radius, and how many images had it"
    )


class PlannedOfNight(Named):
    """A time for which the night plan had a target."""

    start: AwareDatetime = Field(description="planned start")
    end: AwareDatetime = Field(description="planned end")


class NightReport(NightCounts):
    """What a night has brought."""

    night: dt.date = Field(description="the date on which the night began")
    start: AwareDatetime | None = Field(
        None, description="when its first exposure began; null without one, or if that cannot be known"
    )
    end: AwareDatetime | None = Field(
        None, description="when its last exposure ended; null without one, or if that cannot be known"
    )
    planned_s: Seconds | None = Field(
        None, description="the time that the night plan had targets for, also if they were dropped later"
    )
    imaged_s: Seconds | None = Field(
        None, description="the time in which the rig imaged; null where it cannot be known when it did"
    )
    reason: Annotated[str, _one_of(*REASONS)] | None = Field(
        None,
        description="why nothing was imaged, null if something was. api_away: the API did not answer; "
        "nothing_planned: the night plan was empty; not_done: planned and not done, as under clouds; "
        "unknown: the bridge did not see it",
    )
    targets: list[TargetOfNight] = Field([], description="in the order in which they were imaged")
    planned: list[PlannedOfNight] = Field([], description="what was planned, in its order")
    plan_fetched: AwareDatetime | None = Field(None, description="when the latest of its plans was fetched")
    seen_from: AwareDatetime = Field(description="since when the bridge has watched this night")
    complete: bool = Field(
        True, description="whether the bridge has seen the night's end; if not, more may have come"
    )
    answered: bool = Field(False, description="whether the API answered while something was planned")
    unplaced: Exposures = Field(0, description="exposures of which it cannot be known when they were taken")
    last_image: LastImage | None = Field(
        None, description="the night's last light frame; null where N.I.N.A. was not heard"
    )
    hfr_counts: list[HfrCounts] = Field([], description="what the medians are made of")


class Night(NightReport):
    """What the last night that is over has brought. Grading that comes later still corrects the numbers."""

    rig_id: str = Field("", description="the rig's id, part of the topic")
    rig_name: str = Field("", description="the rig's name, from the bridge's configuration")


class Tonight(Payload):
    """From local noon to local noon at the rig."""

    date: dt.date | None = Field(None, description="the date on which the night begins")
    exposures_acquired: Exposures | None = Field(None, description="exposures taken tonight")
    exposures_accepted: Exposures | None = Field(None, description="exposures graded as good tonight")
    integration_s: Seconds | None = Field(None, description="integration time taken tonight")
    targets: list[TargetTonight] = Field([], description="the same by target and filter")
    report: NightReport | None = Field(
        None, description="the night so far in full, as it will stand on the topic `night` when it is over"
    )


class WithoutId(Payload):
    """What the API names without an id: it cannot be shown until it is copied and pasted in the plugin."""

    projects: list[str] = Field([], description="names of projects without an id; a name may be empty")
    targets: int = Field(0, description="how many targets without an id there are in projects that have one")


class State(Payload):
    """What a rig is and does now."""

    id: str = Field("", description="the rig's id, part of the topic")
    name: str = Field("", description="the rig's name, from the bridge's configuration")
    plugin_version: str | None = Field(
        None, description="version of the Target Scheduler; null until it could be read"
    )
    api_version: str = Field("", description="version in the API's address")
    profiles: list[Named] | None = Field(
        None, description="the rig's N.I.N.A. profiles; null until they could be read"
    )
    active_profile: Named | None = Field(None, description="the profile that N.I.N.A. runs with")
    without_id: WithoutId | None = Field(
        None, description="what is too old to have an id, and so cannot be shown; null until projects could be read"
    )
    activity: Annotated[str, _one_of(*ACTIVITIES)] = Field(
        "",
        description="imaging: exposures are seen to come, or a planned target follows at once; waiting: more is "
        "planned and may still happen; idle: nothing is; offline: the API does not answer",
    )
    activity_since: AwareDatetime | None = Field(None, description="since when the activity is told")
    imaging: bool | None = Field(None, description="whether the rig images; null while that cannot be known")
    evidence: Annotated[str, _one_of(LIVE, OBSERVED, PLANNED)] | None = Field(
        None,
        description="what the current target rests on: N.I.N.A.'s own word, counts that were seen to rise, or the "
        "night plan",
    )
    current_target: Appointment | None = Field(
        None, description="the target at work, or whose time it is by the plan"
    )
    next_target: Appointment | None = Field(
        None, description="the next target by the night plan that may still happen, also if its time has begun"
    )
    last_exposure: LastExposure | None = Field(
        None, description="the latest exposure, whenever that was; null before the first"
    )
    tonight: Tonight = Field(
        Tonight.model_validate({}), description="tonight's tally, as far as the bridge has seen it"
    )
    waiting_until: AwareDatetime | None = Field(
        None, description="until when N.I.N.A. said that the Target Scheduler waits"
    )
    sequence_running: bool | None = Field(
        None, description="whether the sequence of N.I.N.A. runs, inside which the Target Scheduler works"
    )
    safe: bool | None = Field(None, description="what the safety monitor says; null without one")
    last_image: LastImage | None = Field(None, description="the latest light frame; null before the first")
    live: Live | None = Field(
        None, description="the connection to N.I.N.A. itself; this and the four before it are null without nina_url"
    )


class ProjectCounts(Payload):
    """How many projects a profile has in each state."""

    draft: int = Field(description="projects that are drafts")
    active: int = Field(description="projects that are Active")
    inactive: int = Field(description="projects that are Inactive")
    closed: int = Field(description="projects that are Closed")


class Profile(Totals, OfRig):
    """A N.I.N.A. profile. Totals are over its Active projects."""

    active: bool = Field(False, description="whether N.I.N.A. runs with this profile now")
    projects: list[Named] | None = Field(None, description="the profile's projects; null until they could be read")
    project_counts: ProjectCounts | None = Field(None, description="how many of them are in which state")
    extra: Extra


class Project(Ahead, Totals, OfProfile):
    """A project. Totals are over all its targets; 0 switches a planning setting off."""

    targets: list[Named] | None = Field(None, description="the project's targets; null until they could be read")
    first_seen: AwareDatetime | None = Field(None, description="since when the bridge knows it")
    state: str | None = Field(description="draft, active, inactive or closed; a later plugin may have other words")
    priority: str | None = Field(None, description="low, normal or high; a later plugin may have other words")
    description: str | None = Field(None, description="what its owner wrote about it, free text")
    created: AwareDatetime | None = Field(None, description="when it was created")
    activated: AwareDatetime | None = Field(None, description="when it became Active; null: never")
    deactivated: AwareDatetime | None = Field(None, description="when it ceased to be Active; null: never")
    minimum_time_min: Minutes | None = Field(None, description="shortest imaging run")
    use_custom_horizon: bool | None = Field(None, description="whether the profile's own horizon counts")
    horizon_offset_deg: Degrees | None = Field(None, description="so far above the custom horizon a target has to be")
    meridian_window_min: Minutes | None = Field(None, description="only so long before and after the meridian")
    filter_switch_frequency: Exposures | None = Field(None, description="exposures before the filter changes")
    dither_every: Exposures | None = Field(None, description="exposures between dithers")
    enable_grader: bool | None = Field(
        None, description="whether images are graded; if not, every saved one is accepted"
    )
    exposure_throttle: Throttle | None = Field(None, description=_THROTTLE)
    mosaic: bool | None = Field(None, description="whether the targets are panels of a mosaic")
    flats_handling: str | None = Field(
        None,
        description="off, on_target_completion, immediately or periodically; a later plugin may have other words",
    )
    flats_period_days: Days | None = Field(None, description="flats every so often; null unless periodically")
    minimum_altitude_deg: Degrees | None = Field(None, description="only above this altitude")
    maximum_altitude_deg: Degrees | None = Field(None, description="only below this altitude")
    smart_exposure_order: bool | None = Field(
        None, description="whether the planner chooses the order of filters by the moon"
    )
    extra: Extra


class Statistics(Payload):
    """Of the images of one exposure plan; null where nothing was measured, or no level is set."""

    hfr_mean: Pixels | None = Field(None, description="half flux radius, mean")
    hfr_std_dev: Pixels | None = Field(None, description="half flux radius, standard deviation")
    hfr_below_auto_accept: Number | None = Field(None, description="images at or under the grader's auto-accept HFR")
    fwhm_mean: Number | None = Field(None, description="full width at half maximum, mean, as Hocus Focus measured it")
    fwhm_std_dev: Number | None = Field(None, description="full width at half maximum, standard deviation")
    fwhm_below_auto_accept: Number | None = Field(
        None, description="images at or under the grader's auto-accept FWHM"
    )
    eccentricity_mean: Number | None = Field(
        None, description="from 0, round, to 1, mean, as Hocus Focus measured it"
    )
    eccentricity_std_dev: Number | None = Field(None, description="eccentricity, standard deviation")
    eccentricity_below_auto_accept: Number | None = Field(
        None, description="images at or under the grader's auto-accept eccentricity"
    )
    extra: Extra


class ExposurePlan(Payload):
    """So many exposures of a target with one template."""

    key: str = Field(description="stable and unique within the target, made from template and exposure")
    template: str | None = Field(None, description="name of the exposure template")
    filter: str | None = Field(None, description="name of the filter")
    exposure_s: Seconds | None = Field(None, description="length of an exposure")
    desired: Exposures = Field(description="exposures wanted")
    acquired: Exposures = Field(description="exposures taken")
    accepted: Exposures = Field(description="exposures graded as good")
    ungraded: Exposures = Field(0, description=_UNGRADED)
    pending: Exposures = Field(0, description=_PENDING)
    rejected: Exposures = Field(0, description=_REJECTED)
    accepted_peak: Exposures | None = Field(
        None, description="the most that was ever accepted, while fewer are since; null otherwise"
    )
    acceptance: Percent | None = Field(
        None, description="how many of the graded exposures are good; null until one is graded"
    )
    progress: Percent = Field(0.0, description="how much is done, as the plugin shows it")
    remaining_s: Seconds = Field(0.0, description=_REMAINING)
    statistics: Statistics | None = Field(None, description="image statistics; null until they could be read")
    extra: Extra


class Scheduled(Payload):
    """A target's place in the night plan."""

    start: AwareDatetime = Field(description="start of its first block")
    end: AwareDatetime = Field(description="end of its last block")


class Target(Ahead, Totals, OfProject):
    """One field of the sky; progress is the mean over its exposure plans."""

    first_seen: AwareDatetime | None = Field(None, description="since when the bridge knows it")
    active: bool | None = Field(None, description="whether it takes part in the planning")
    ra_hours: ExactHours | None = Field(None, description="right ascension, in hours as the API has it")
    ra_deg: ExactDegrees | None = Field(None, description="right ascension")
    dec_deg: ExactDegrees | None = Field(None, description="declination")
    ra: str | None = Field(None, description="right ascension, sexagesimal, such as 00h42m44.3s")
    dec: str | None = Field(None, description="declination, sexagesimal, such as +41°16'08\"")
    rotation_deg: Degrees | None = Field(None, description="rotation of the camera")
    epoch: str | None = Field(None, description="J2000, JNOW, B1950 or J2050; a later plugin may have other words")
    roi_percent: Annotated[float, _ROUNDED, _number("%")] | None = Field(
        None, description="the part of the sensor that is read"
    )
    altitude_max_deg: ExactDegrees | None = Field(
        None, description="highest altitude in this night; null without a site"
    )
    transit: AwareDatetime | None = Field(None, description="when it culminates in this night; null without a site")
    moon_separation_deg: ExactDegrees | None = Field(
        None, description="distance from the moon in this night; null without a site"
    )
    exposure_throttle: Throttle | None = Field(None, description=_THROTTLE)
    scheduled: Scheduled | None = Field(None, description="when it stands in the night plan, first start to last end")
    exposure_plans: list[ExposurePlan] = Field(description="in the plugin's order")
    nights: list[NightGained] = Field([], description="up to thirty nights in which it was imaged, the latest last")
    extra: Extra


class PlannedExposures(Payload):
    """Exposures of one kind in a row."""

    filter: str | None = Field(None, description="name of the filter")
    exposure_s: Seconds | None = Field(None, description="length of an exposure")
    count: Exposures = Field(description="how many of them")


class PlanBlock(Payload):
    """A stretch of the night: a target, or a wait."""

    kind: Annotated[str, _one_of(*BLOCK_KINDS)] = Field("", description="target, or wait for the next one")
    id: str | None = Field(description="the target's GUID; null for a wait")
    name: str | None = Field(None, description="the target's name; null for a wait")
    start: AwareDatetime = Field(description="planned start")
    end: AwareDatetime = Field(description="planned end")
    dropped: bool = Field(
        False,
        description="whether it cannot happen any more, because its target is gone, not active or complete, or its "
        "project is not Active",
    )
    exposures: list[PlannedExposures] = Field(description="in their order; a filter may come several times")
    extra: Extra


class Plan(Payload):
    """The night plan of the active profile; all null and without blocks while there is none."""

    rig_id: str = Field("", description="the rig's id, part of the topic")
    rig_name: str = Field("", description="the rig's name, from the bridge's configuration")
    profile_id: str | None = Field(None, description="GUID of the profile that the plan is for")
    profile_name: str | None = Field(None, description="name of that profile")
    night: dt.date | None = Field(None, description="the date on which the night begins")
    fetched: AwareDatetime | None = Field(None, description="when the rig was asked for it")
    start: AwareDatetime | None = Field(None, description="the first target's start, of those that are not dropped")
    end: AwareDatetime | None = Field(None, description="the last target's end, of those that are not dropped")
    imaging_s: Seconds | None = Field(None, description="planned imaging, without what is dropped")
    waiting_s: Seconds | None = Field(None, description="waits between the first target and the last")
    blocks: list[PlanBlock] = Field(description="the night in its order")
    outdated: bool | None = Field(
        None,
        description="whether something that the planning depends on has changed since; nothing is planned anew while "
        "the rig images",
    )
    inputs: str | None = Field(None, description="changes with anything that the planning depended on")


class Event(Payload):
    """What just happened; what it does not concern is null."""

    event_type: Annotated[str, _one_of(*EVENTS)] = Field(description="what kind of thing happened")
    time: AwareDatetime = Field(description="when it happened, as near as can be known")
    noticed: AwareDatetime = Field(description="when it was noticed")
    rig_id: str = Field(description="the rig's id, part of the topic")
    rig_name: str = Field(description="the rig's name, from the bridge's configuration")
    profile_id: str | None = Field(description="GUID of the profile")
    profile_name: str | None = Field(description="name of the profile")
    project_id: str | None = Field(description="GUID of the project")
    project_name: str | None = Field(description="name of the project")
    target_id: str | None = Field(description="GUID of the target")
    target_name: str | None = Field(description="name of the target")
    filter: str | None = Field(description="name of the filter")
    exposure_s: Seconds | None = Field(description="length of an exposure")
    count: Exposures | None = Field(
        description="exposures acquired or accepted since the last look, or taken in a night"
    )
    state: str | None = Field(description="a project's new state, in the words of the project's payload")
    previous_state: str | None = Field(description="the state that it had before")
    took_s: Seconds | None = Field(description="from first seen to completed")
    accepted_s: Seconds | None = Field(description="integration time that was completed")
    night: dt.date | None = Field(description="the night that it is about, by the date on which it begins")


class BridgeRig(Payload):
    """A rig as it is configured."""

    id: str = Field(description="the rig's id, part of every topic of it")
    name: str = Field(description="the rig's name")
    url: str | None = Field(description="address of its API, the first if it has several")


class BridgeRigs(Payload):
    """What an earlier bridge, of whichever version, has told about its rigs."""

    rigs: list[BridgeRig] = Field(description="as they were configured")


class Bridge(Payload):
    """About the bridge itself; published when one of its keys has changed."""

    version: str = Field(description="version of ts2mqtt")
    instance: str = Field(description="tells one running bridge from another; of two the earlier sorts first")
    since: AwareDatetime = Field(description="when it started")
    protocol: Annotated[str, _one_of(*PROTOCOLS)] = Field(description="MQTT protocol towards the broker")
    log_level: Annotated[str, _one_of(*LOG_LEVELS)] = Field(description="how much the bridge's log says")
    last_problem: str | None = Field(
        description="of all that fails now what was noticed last; null while all is well"
    )
    rigs_online: Annotated[int, _whole("rigs")] = Field(description="rigs whose API answers")
    rigs: list[BridgeRig] = Field(description="the rigs of its configuration")


class Question(Payload):
    """Makes a bridge that is at work answer with a heartbeat at once."""

    ask: bool = Field(description="true")


class Heartbeat(Payload):
    """A sign of life that the bridge hears back through the broker."""

    instance: str = Field(description="which running bridge it is from")
    number: int = Field(description="counts the heartbeats of one connection")
    returned: int = Field(description="number of the last one that came back")
    working: bool = Field(description="false while it only listens: at the start, or beside another bridge")
