"""The payloads under the base topic, key by key; the interface's documentation is made from these models."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, PlainSerializer

LOG_LEVELS = ("debug", "info", "warning", "error")


def _rounded(number: float) -> float:
    """Hides the last digit of a sum of floats, and writes whole numbers whole."""
    number = round(number, 6)
    return int(number) if number.is_integer() else number


Number = Annotated[float, PlainSerializer(_rounded, return_type=int | float)]
Percent = Annotated[float, Field(ge=0, le=100), PlainSerializer(lambda value: _rounded(round(value, 2)))]


class Payload(BaseModel):
    model_config = ConfigDict(frozen=True)

    def to_bytes(self) -> bytes:
        return self.model_dump_json().encode()


class Named(Payload):
    id: str = Field(description="GUID, as the API gives it")
    name: str = Field(description="name, free text")


class Totals(Payload):
    """Sums over exposure plans; all null until they could be read."""

    desired: int | None = Field(None, description="exposures wanted")
    acquired: int | None = Field(None, description="exposures taken")
    accepted: int | None = Field(None, description="exposures graded as good")
    ungraded: int | None = Field(None, description="exposures taken that still wait for delayed grading")
    desired_s: Number | None = Field(None, description="integration time wanted, in seconds")
    acquired_s: Number | None = Field(None, description="integration time taken, in seconds")
    accepted_s: Number | None = Field(None, description="integration time graded as good, in seconds")
    remaining_s: Number | None = Field(
        None, description="integration time wanted and not yet accepted, in seconds, never below 0"
    )
    progress: Percent | None = Field(None, description="percent done, as the plugin shows it")


class OfRig(Named):
    rig_id: str
    rig_name: str


class OfProfile(OfRig):
    profile_id: str
    profile_name: str


class OfProject(OfProfile):
    project_id: str
    project_name: str


class Appointment(Named):
    """A target at work, or the next one."""

    project_id: str | None
    project_name: str | None
    start: dt.datetime | None = Field(description="planned start")
    end: dt.datetime | None = Field(description="planned end")
    source: str = Field(description="observed: counts were seen to rise; planned: by the night plan and the clock")


class FilterTonight(Payload):
    filter: str | None
    acquired: int
    accepted: int
    integration_s: Number = Field(description="integration time acquired, in seconds")


class TargetTonight(Named):
    filters: list[FilterTonight]


class Tonight(Payload):
    """From local noon to local noon at the rig."""

    date: dt.date | None = Field(description="the date on which the night begins")
    exposures_acquired: int | None
    exposures_accepted: int | None
    integration_s: Number | None = Field(description="integration time acquired, in seconds")
    targets: list[TargetTonight] = Field(description="the same by target and filter")


class State(Payload):
    id: str = Field(description="the rig's id")
    name: str = Field(description="the rig's name")
    plugin_version: str | None
    api_version: str
    profiles: list[Named] | None = Field(description="the rig's N.I.N.A. profiles")
    active_profile: Named | None
    activity: str = Field(description="imaging, waiting, idle or offline")
    current_target: Appointment | None
    next_target: Appointment | None
    tonight: Tonight


class ProjectCounts(Payload):
    draft: int
    active: int
    inactive: int
    closed: int


class Profile(Totals, OfRig):
    """Totals are over the Active projects of the profile."""

    active: bool = Field(description="whether N.I.N.A. runs with this profile now")
    projects: list[Named] | None = Field(description="the profile's projects")
    project_counts: ProjectCounts | None
    extra: dict[str, JsonValue]


class Project(Totals, OfProfile):
    """Totals are over all targets of the project; 0 switches a setting off."""

    targets: list[Named] | None = Field(description="the project's targets")
    first_seen: dt.datetime | None = Field(description="since when the bridge knows it")
    state: str | None = Field(description="draft, active, inactive or closed")
    priority: str | None = Field(description="low, normal or high")
    description: str | None
    created: dt.datetime | None
    activated: dt.datetime | None = Field(description="null: never")
    deactivated: dt.datetime | None = Field(description="null: never")
    minimum_time_min: int | None = Field(description="shortest imaging run, in minutes")
    use_custom_horizon: bool | None
    horizon_offset_deg: Number | None
    meridian_window_min: int | None = Field(description="only so many minutes around the meridian")
    filter_switch_frequency: int | None = Field(description="exposures before the filter changes")
    dither_every: int | None = Field(description="exposures between dithers")
    enable_grader: bool | None
    mosaic: bool | None
    flats_handling: str | None = Field(description="off, on_target_completion, immediately or periodically")
    flats_period_days: int | None = Field(description="every so many days, when flats_handling is periodically")
    minimum_altitude_deg: Number | None
    maximum_altitude_deg: Number | None
    smart_exposure_order: bool | None
    extra: dict[str, JsonValue]


class Statistics(Payload):
    """HFR in pixels; `…_below_auto_accept` counts images at or under the grader's auto-accept level.

    Null where nothing was measured, or no level is set.
    """

    hfr_mean: Number | None
    hfr_std_dev: Number | None
    hfr_below_auto_accept: Number | None
    fwhm_mean: Number | None
    fwhm_std_dev: Number | None
    fwhm_below_auto_accept: Number | None
    eccentricity_mean: Number | None
    eccentricity_std_dev: Number | None
    eccentricity_below_auto_accept: Number | None
    extra: dict[str, JsonValue]


class ExposurePlan(Payload):
    key: str = Field(description="stable and unique within the target, made from template and exposure")
    template: str | None
    filter: str | None
    exposure_s: Number | None = Field(description="seconds")
    desired: int
    acquired: int
    accepted: int
    ungraded: int
    progress: Percent
    remaining_s: Number
    statistics: Statistics | None
    extra: dict[str, JsonValue]


class Scheduled(Payload):
    start: dt.datetime
    end: dt.datetime


class Target(Totals, OfProject):
    """One field of the sky; progress is the mean over its exposure plans."""

    first_seen: dt.datetime | None = Field(description="since when the bridge knows it")
    active: bool | None
    ra_hours: float | None
    ra_deg: float | None
    dec_deg: float | None
    ra: str | None = Field(description="sexagesimal, such as 00h42m44.3s")
    dec: str | None = Field(description="sexagesimal, such as +41°16'08\"")
    rotation_deg: Number | None
    epoch: str | None = Field(description="J2000, JNOW, B1950 or J2050")
    roi_percent: Number | None = Field(description="the part of the sensor that is read")
    altitude_max_deg: float | None = Field(description="highest altitude in this night; null without a site")
    transit: dt.datetime | None = Field(description="when it culminates in this night; null without a site")
    moon_separation_deg: float | None = Field(description="from the moon in this night; null without a site")
    scheduled: Scheduled | None = Field(description="when it stands in the night plan, first start to last end")
    exposure_plans: list[ExposurePlan]
    extra: dict[str, JsonValue]


class PlannedExposures(Payload):
    filter: str | None
    exposure_s: Number | None
    count: int


class PlanBlock(Payload):
    kind: str = Field(description="target or wait")
    id: str | None = Field(description="the target's id")
    name: str | None = Field(description="the target's name")
    start: dt.datetime
    end: dt.datetime
    exposures: list[PlannedExposures]
    extra: dict[str, JsonValue]


class Plan(Payload):
    """The night plan; all null and without blocks while there is none."""

    rig_id: str
    rig_name: str
    profile_id: str | None
    profile_name: str | None
    night: dt.date | None = Field(description="the date on which the night begins")
    fetched: dt.datetime | None
    start: dt.datetime | None = Field(description="the first target's start")
    end: dt.datetime | None = Field(description="the last target's end")
    imaging_s: Number | None
    waiting_s: Number | None = Field(description="waits between the first target and the last")
    blocks: list[PlanBlock]
    inputs: str | None = Field(description="changes with anything that the planning depended on")


class Event(Payload):
    """What just happened; what it does not concern is null."""

    event_type: str
    time: dt.datetime
    rig_id: str
    rig_name: str
    profile_id: str | None
    profile_name: str | None
    project_id: str | None
    project_name: str | None
    target_id: str | None
    target_name: str | None
    filter: str | None
    exposure_s: Number | None
    count: int | None = Field(description="exposures acquired or accepted since the last look")
    state: str | None = Field(description="a project's new state")
    previous_state: str | None
    took_s: Number | None = Field(description="from first seen to completed, in seconds")
    accepted_s: Number | None = Field(description="integration time that was completed, in seconds")
    night: dt.date | None = Field(description="the night that a plan is for")


class BridgeRig(Payload):
    id: str
    name: str
    url: str | None


class Bridge(Payload):
    """About the bridge itself; published when one of its keys has changed."""

    version: str
    instance: str = Field(description="tells one running bridge from another")
    since: dt.datetime = Field(description="when it started")
    protocol: str = Field(description="MQTT protocol towards the broker")
    log_level: str = Field(description="how much the bridge's log says: debug, info, warning or error")
    last_problem: str | None = Field(
        description="of all that fails now what was noticed last; null while all is well"
    )
    rigs_online: int = Field(description="rigs whose API answers")
    rigs: list[BridgeRig]


class Replica(Bridge):
    """About one of several replicas that share the rigs; `rigs` are those that it serves now."""

    replica: int = Field(description="its number, from 0")
    replicas: int = Field(description="how many there are, as it knows it")


class Heartbeat(Payload):
    """`returned` is the number of the last heartbeat that came back through the broker."""

    instance: str
    number: int
    returned: int
    working: bool = Field(description="false while it only listens: at the start, or beside another bridge")
