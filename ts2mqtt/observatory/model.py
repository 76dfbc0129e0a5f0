"""What a rig's Target Scheduler knows: rig → profile → project → target → exposure plan, all immutable."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]
"""Any JSON, for fields of the API that this version does not know."""

T = TypeVar("T")

DRAFT, ACTIVE, INACTIVE, CLOSED = "draft", "active", "inactive", "closed"
PROJECT_STATES = (DRAFT, ACTIVE, INACTIVE, CLOSED)
PRIORITIES = ("low", "normal", "high")
DEFAULT_THROTTLE_PERCENT = 125
"""The plugin's own default of its exposure throttle."""


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """The children that one answer of the API named.

    Absence from a listing means deletion only if the listing is complete: an item that was named but could
    not be read is no deletion. `without_id` has the names of items without an id: nothing more is known of them.
    """

    items: tuple[T, ...]
    complete: bool = True
    without_id: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Image quality over all images of one exposure plan's filter; None where nothing was measured.

    HFR in pixels, eccentricity from 0 (round) to 1. `…_below_auto_accept` is the number of images at or under the
    level that the grader accepts without looking further, None when the user set no such level.
    """

    hfr_mean: float | None = None
    hfr_std_dev: float | None = None
    hfr_below_auto_accept: float | None = None
    fwhm_mean: float | None = None
    fwhm_std_dev: float | None = None
    fwhm_below_auto_accept: float | None = None
    eccentricity_mean: float | None = None
    eccentricity_std_dev: float | None = None
    eccentricity_below_auto_accept: float | None = None
    extra: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposurePlan:
    """So many exposures of one template (and with it of one filter) for a target.

    `ungraded` counts acquired images that the plugin's delayed grading has not looked at yet. It is acquired less
    accepted, and so negative where the user has edited accepted above acquired.
    """

    key: str
    template: str | None
    filter: str | None
    exposure_s: float | None
    desired: int
    acquired: int
    accepted: int
    ungraded: int
    statistics: Statistics | None = None
    extra: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One field of the sky that is imaged; `ra_hours` runs from 0 to 24, angles are in degrees."""

    id: str
    name: str
    active: bool | None = None
    ra_hours: float | None = None
    dec_deg: float | None = None
    rotation_deg: float | None = None
    epoch: str | None = None
    roi_percent: float | None = None
    exposure_plans: tuple[ExposurePlan, ...] = ()
    extra: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A group of targets with common planning settings; `targets` is None until they were read once.

    `state` is one of PROJECT_STATES, what a later version of the plugin calls it, in lower case, or None where the
    API says nothing that can be understood.
    `flats_handling` is "off", "on_target_completion", "immediately" or "periodically" (every
    `flats_period_days`). 0 switches off: meridian window, altitudes, dithering, filter switching.
    """

    id: str
    name: str
    state: str | None = None
    priority: str | None = None
    description: str | None = None
    created: datetime | None = None
    activated: datetime | None = None
    deactivated: datetime | None = None
    minimum_time_min: int | None = None
    use_custom_horizon: bool | None = None
    horizon_offset_deg: float | None = None
    meridian_window_min: int | None = None
    filter_switch_frequency: int | None = None
    dither_every: int | None = None
    enable_grader: bool | None = None
    mosaic: bool | None = None
    flats_handling: str | None = None
    flats_period_days: int | None = None
    minimum_altitude_deg: float | None = None
    maximum_altitude_deg: float | None = None
    smart_exposure_order: bool | None = None
    targets: Listing[Target] | None = None
    extra: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A N.I.N.A. profile, that is a set of equipment; `projects` is None until they were read once."""

    id: str
    name: str
    active: bool
    projects: Listing[Project] | None = None
    extra: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedExposures:
    """A run of equal exposures inside a block of the night plan."""

    filter: str | None
    exposure_s: float | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanBlock:
    """A stretch of the night: a target being imaged, or a wait (then `target_id` and `name` are None).

    `dropped`: it was planned, and cannot happen any more, by what the rig has become since.
    """

    target_id: str | None
    name: str | None
    start: datetime
    end: datetime
    exposures: tuple[PlannedExposures, ...] = ()
    dropped: bool = False
    extra: Mapping[str, JsonValue] = field(default_factory=dict)

    @property
    def is_wait(self) -> bool:
        return self.target_id is None


@dataclass(frozen=True, slots=True, kw_only=True)
class NightPlan:
    """What the scheduler would do in the night that begins on `night`; `blocks` follow one another.

    `inputs` changes when anything changes that the planning depended on; None if that was not known then.
    """

    profile_id: str
    night: date
    fetched: datetime
    blocks: tuple[PlanBlock, ...]
    inputs: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """One N.I.N.A. with its Target Scheduler, as far as it has answered; what was never read is None.

    `online` is None until it was tried once. `exposure_throttle_percent` is a preference of the plugin that its API
    does not tell: from the user's configuration. `places` is what `tree.places_of()` keeps here.
    """

    id: str
    name: str
    api_version: str
    url: str
    online: bool | None = None
    plugin_version: str | None = None
    exposure_throttle_percent: int = DEFAULT_THROTTLE_PERCENT
    profiles: Listing[Profile] | None = None
    places: object = field(default=None, init=False, repr=False, compare=False)

    @property
    def active_profile(self) -> Profile | None:
        return next((profile for profile in self.known_profiles if profile.active), None)

    @property
    def known_profiles(self) -> tuple[Profile, ...]:
        return self.profiles.items if self.profiles else ()
