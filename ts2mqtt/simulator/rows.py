"""The rows of a simulated Target Scheduler database. They are mutable, so that tests can change them.

Every row has `raw` (JSON fields that replace or extend the API's answer) and `left_out` (names of JSON fields that
the answer lacks):

    project.raw["MoonPhase"] = 0.5
    project.left_out.add("Priority")
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from datetime import datetime

    from ts2mqtt.simulator.sky import Site

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]
"""Any JSON."""

Grading = Literal["pending", "accepted", "rejected"]


@dataclass(eq=False, kw_only=True)
class Row:
    """Base of the rows: fields that change the API's answer."""

    raw: dict[str, JsonValue] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)


@dataclass(eq=False, kw_only=True)
class SimulatedImage:
    """One saved image: HFR in pixels, FWHM in arc seconds; None where it was not measured.

    `good` says whether the grader will accept the image.
    """

    hfr: float | None = 2.0
    fwhm: float | None = None
    eccentricity: float | None = None
    good: bool = True
    grading: Grading = "pending"


@dataclass(eq=False, kw_only=True)
class SimulatedExposurePlan(Row):
    """The exposures of one template that a user desires for a target; the statistics come from `images`."""

    template_name: str
    exposure_s: float
    filter_name: str
    desired: int
    acquired: int = 0
    accepted: int = 0
    images: list[SimulatedImage] = field(default_factory=list)


@dataclass(eq=False, kw_only=True)
class SimulatedTarget(Row):
    """A target: right ascension in hours, angles in degrees."""

    id: str
    name: str
    active: bool = True
    ra_hours: float = 0.0
    dec_deg: float = 0.0
    rotation_deg: float = 0.0
    epoch: str = "J2000"
    roi_percent: float = 100.0
    exposure_plans: list[SimulatedExposurePlan] = field(default_factory=list)


@dataclass(eq=False, kw_only=True)
class SimulatedProject(Row):
    """A project with the plugin's defaults; times in minutes, angles in degrees, a date of None means never."""

    id: str
    name: str
    state: str = "Active"
    priority: int = 1
    description: str | None = None
    create_date: datetime | None = None
    active_date: datetime | None = None
    inactive_date: datetime | None = None
    minimum_time: int = 30
    use_custom_horizon: bool = False
    horizon_offset: float = 0.0
    meridian_window: int = 0
    filter_switch_frequency: int = 0
    dither_every: int = 0
    enable_grader: bool = True
    mosaic: bool = False
    flats_handling: int = 0
    minimum_altitude: float = 0.0
    maximum_altitude: float = 0.0
    smart_exposure_order: bool = False
    targets: list[SimulatedTarget] = field(default_factory=list)


@dataclass(eq=False, kw_only=True)
class SimulatedProfile(Row):
    """A N.I.N.A. profile; an auto-accept level of 0 means that the user set none.

    `site` replaces the observatory's site. The preview always plans with the site of the active profile.
    """

    id: str
    name: str
    active: bool = False
    site: Site | None = None
    delay_grading_percent: float = 80.0
    exposure_throttle_percent: float = 125.0
    auto_accept_hfr: float = 0.0
    auto_accept_fwhm: float = 0.0
    auto_accept_eccentricity: float = 0.0
    projects: list[SimulatedProject] = field(default_factory=list)


class ProfileFields(TypedDict, total=False):
    """What `add_profile` takes besides the name."""

    id: str
    active: bool
    site: Site | None
    delay_grading_percent: float
    exposure_throttle_percent: float
    auto_accept_hfr: float
    auto_accept_fwhm: float
    auto_accept_eccentricity: float
    raw: dict[str, JsonValue]


class ProjectFields(TypedDict, total=False):
    """What `add_project` takes besides the name."""

    id: str
    state: str
    priority: int
    description: str | None
    create_date: datetime | None
    active_date: datetime | None
    inactive_date: datetime | None
    minimum_time: int
    use_custom_horizon: bool
    horizon_offset: float
    meridian_window: int
    filter_switch_frequency: int
    dither_every: int
    enable_grader: bool
    mosaic: bool
    flats_handling: int
    minimum_altitude: float
    maximum_altitude: float
    smart_exposure_order: bool
    raw: dict[str, JsonValue]


class TargetFields(TypedDict, total=False):
    """What `add_target` takes besides the name."""

    id: str
    active: bool
    ra_hours: float
    dec_deg: float
    rotation_deg: float
    epoch: str
    roi_percent: float
    raw: dict[str, JsonValue]


class ExposurePlanFields(TypedDict, total=False):
    """What `add_exposure_plan` takes besides the template's name."""

    exposure_s: float
    filter_name: str
    desired: int
    acquired: int
    accepted: int
    raw: dict[str, JsonValue]


class ImageFields(TypedDict, total=False):
    """What `acquire` takes to describe an image."""

    hfr: float | None
    fwhm: float | None
    eccentricity: float | None
    good: bool
