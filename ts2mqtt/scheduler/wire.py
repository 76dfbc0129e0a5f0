"""The Target Scheduler API's answers as they travel: names and types of plugin 5.9, everything but ids optional."""

from __future__ import annotations

import math
from datetime import datetime
from functools import partial
from typing import Annotated, ClassVar, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from ts2mqtt.observatory.ids import THING_ID_PATTERN
from ts2mqtt.observatory.model import ACTIVE

T = TypeVar("T")

Id = Annotated[str, Field(pattern=f"^{THING_ID_PATTERN}$")]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
# Negative where the user has edited accepted above acquired, whose difference it is.
Ungraded = Annotated[int, Field(ge=-1_000_000_000, le=1_000_000_000)]
Setting = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]
Seconds = Annotated[float, Field(ge=0, le=1_000_000)]
# Rows inside an item: bounded, because a fault in each of a million would take seconds to tell.
Rows = Annotated[tuple[T, ...], Field(max_length=1_000, fail_fast=True)]
# The plugin begins a new run at each change of filter, and knows no limit: short exposures make thousands in a night.
Runs = Annotated[tuple[T, ...], Field(max_length=100_000, fail_fast=True)]
Angle = Annotated[float, Field(ge=-100_000, le=100_000)]

REAL_YEARS = range(1971, 3000)
"""The plugin stores "never" as the Unix epoch in the local time of the rig's PC, .NET as the first or last moment of
its calendar; no real date is near them. Windows knows the local time of the years 1970 to 3000 alone."""


def _real(moment: datetime) -> datetime:
    if moment.year not in REAL_YEARS:
        raise ValueError("the year is beyond reason")
    return moment


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


# The plugin's database takes texts of any length, and each of them stands in several payloads.
Text = Annotated[str, AfterValidator(partial(_shortened, longest=1_000))]
LongText = Annotated[str, AfterValidator(partial(_shortened, longest=10_000))]

RealTime = Annotated[datetime, AfterValidator(_real)]


def _fit_to_pass_on(value: JsonValue) -> JsonValue:
    """NaN and infinities as null: JSON has no such numbers, and the payloads shall be JSON; texts shortened."""
    if isinstance(value, str):
        return _shortened(value, 1_000)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_fit_to_pass_on(item) for item in value]
    if isinstance(value, dict):
        return {name: _fit_to_pass_on(item) for name, item in value.items()}
    return value


class Answer(BaseModel):
    # What a newer plugin adds is kept (pydantic's model_extra) and passed on under `extra`.
    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)
    __pydantic_extra__: dict[str, Annotated[JsonValue, BeforeValidator(_fit_to_pass_on)]]

    MAY_LACK_ID: ClassVar[bool] = False
    """Whether rows without an id are known to happen: those that are older than the plugin's ids have none."""

    @property
    def parent_id(self) -> str | None:
        """The id of what the row belongs to, if it says so."""
        return None

    @property
    def rank(self) -> int:
        """The lowest counts where one id stands in a list twice."""
        return 0


class Profile(Answer):
    id: Id = Field(alias="Id")
    name: Text | None = Field(None, alias="Name")
    active: bool | None = Field(None, alias="Active")

    @property
    def rank(self) -> int:
        return 0 if self.active else 1


class Project(Answer):
    """`MinimumTime` and `MeridianWindow` are minutes, altitudes and offsets degrees."""

    MAY_LACK_ID = True

    id: Id = Field(alias="Id")
    profile_id: Text | None = Field(None, alias="ProfileId")
    name: Text | None = Field(None, alias="Name")
    state: Text | None = Field(None, alias="State")
    priority: Setting | None = Field(None, alias="Priority")
    description: LongText | None = Field(None, alias="Description")
    create_date: datetime | None = Field(None, alias="CreateDate")
    active_date: datetime | None = Field(None, alias="ActiveDate")
    inactive_date: datetime | None = Field(None, alias="InactiveDate")
    minimum_time: Setting | None = Field(None, alias="MinimumTime")
    use_custom_horizon: bool | None = Field(None, alias="UseCustomHorizon")
    horizon_offset: Angle | None = Field(None, alias="HorizonOffset")
    meridian_window: Setting | None = Field(None, alias="MeridianWindow")
    filter_switch_frequency: Setting | None = Field(None, alias="FilterSwitchFrequency")
    dither_every: Setting | None = Field(None, alias="DitherEvery")
    enable_grader: bool | None = Field(None, alias="EnableGrader")
    mosaic: bool | None = Field(None, alias="Mosaic")
    flats_handling: Setting | None = Field(None, alias="FlatsHandling")
    minimum_altitude: Angle | None = Field(None, alias="MinimumAltitude")
    maximum_altitude: Angle | None = Field(None, alias="MaximumAltitude")
    smart_exposure_order: bool | None = Field(None, alias="SmartExposureOrder")

    @property
    def parent_id(self) -> str | None:
        return self.profile_id

    @property
    def rank(self) -> int:
        return 0 if (self.state or "").lower() == ACTIVE else 1


class ExposurePlan(Answer):
    template_name: Text | None = Field(None, alias="TemplateName")
    exposure: Seconds | None = Field(None, alias="Exposure")
    filter_name: Text | None = Field(None, alias="FilterName")
    desired: Count | None = Field(None, alias="Desired")
    acquired: Count | None = Field(None, alias="Acquired")
    accepted: Count | None = Field(None, alias="Accepted")
    ungraded: Ungraded | None = Field(None, alias="Ungraded")


class Target(Answer):
    """`RA` is in hours, `Dec` and `Rotation` in degrees, `ROI` in percent."""

    MAY_LACK_ID = True

    id: Id = Field(alias="Id")
    project_id: Text | None = Field(None, alias="ProjectId")
    name: Text | None = Field(None, alias="Name")
    active: bool | None = Field(None, alias="Active")
    ra: Angle | None = Field(None, alias="RA")
    dec: Angle | None = Field(None, alias="Dec")
    rotation: Angle | None = Field(None, alias="Rotation")
    epoch: Text | None = Field(None, alias="Epoch")
    roi: Angle | None = Field(None, alias="ROI")
    exposure_plan: Rows[ExposurePlan] | None = Field(None, alias="ExposurePlan")

    @property
    def parent_id(self) -> str | None:
        return self.project_id


class Statistics(Answer):
    """One exposure plan's image quality; mean 0 with level −1 means no images, level −1 alone that none is set."""

    exposure: Seconds | None = Field(None, alias="Exposure")
    filter_name: Text | None = Field(None, alias="FilterName")
    hfr_mean: float | None = Field(None, alias="HFRMean")
    hfr_std_dev: float | None = Field(None, alias="HFRStdDev")
    hfr_below_auto_accept_level: float | None = Field(None, alias="HFRBelowAutoAcceptLevel")
    fwhm_mean: float | None = Field(None, alias="FWHMMean")
    fwhm_std_dev: float | None = Field(None, alias="FWHMStdDev")
    fwhm_below_auto_accept_level: float | None = Field(None, alias="FWHMBelowAutoAcceptLevel")
    eccentricity_mean: float | None = Field(None, alias="EccentricityMean")
    eccentricity_std_dev: float | None = Field(None, alias="EccentricityStdDev")
    eccentricity_below_auto_accept_level: float | None = Field(None, alias="EccentricityBelowAutoAcceptLevel")


class PreviewExposure(Answer):
    filter_name: Text | None = Field(None, alias="FilterName")
    exposure: Seconds | None = Field(None, alias="Exposure")
    count: Count | None = Field(None, alias="Count")


class PreviewBlock(Answer):
    """A wait has `WaitPeriod` true, no id, no name and no exposures."""

    id: Id | None = Field(None, alias="Id")
    name: Text | None = Field(None, alias="Name")
    wait_period: bool | None = Field(None, alias="WaitPeriod")
    start_time: RealTime = Field(alias="StartTime")
    end_time: RealTime = Field(alias="EndTime")
    exposure_plan: Runs[PreviewExposure] | None = Field(None, alias="ExposurePlan")
