"""The parts of the bridge's payloads that the demo's screen shows, each as a model.

Any client may publish on the demo's broker. So every key may be missing, and no text is trusted.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from ts2mqtt.demo.short_text import terminal_safe

SafeText = Annotated[str, AfterValidator(terminal_safe)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
Seconds = Annotated[float, Field(ge=0, le=1e12)]
Percent = Annotated[float, Field(ge=0, le=100)]
Payload = TypeVar("Payload", bound="ShownPayload")


def read_payload(model: type[Payload], content: JsonValue) -> Payload | None:
    """The JSON as this model, or None if it does not fit the model."""
    try:
        return model.model_validate(content)
    except ValidationError:
        return None


class ShownPayload(BaseModel):
    """Base of the models here."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Named(ShownPayload):
    """Anything with a name."""

    name: SafeText = ""


class ScheduledTarget(Named):
    """The current or the next target of a rig, with its times in the night plan."""

    id: str | None = None
    project_id: str | None = None
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None


class FilterTonight(ShownPayload):
    """The exposures of tonight with one filter; `filter` is None without a filter wheel."""

    filter: SafeText | None = None
    acquired: Count = 0


class TargetTonight(Named):
    """The exposures of tonight of one target."""

    filters: tuple[FilterTonight, ...] = ()


class Tonight(ShownPayload):
    """What a rig has imaged tonight."""

    exposures_acquired: Count | None = None
    exposures_accepted: Count | None = None
    integration_s: Seconds | None = None
    targets: tuple[TargetTonight, ...] = ()


class RigState(Named):
    """The payload of a rig's `state` topic."""

    plugin_version: SafeText | None = None
    active_profile: Named | None = None
    activity: SafeText = ""
    current_target: ScheduledTarget | None = None
    next_target: ScheduledTarget | None = None
    tonight: Tonight | None = None


class Project(Named):
    """The payload of a `project` topic."""

    profile_name: SafeText = ""
    state: SafeText | None = None
    desired: Count | None = None
    accepted: Count | None = None
    ungraded: Count | None = None
    remaining_s: Seconds | None = None
    progress: Percent | None = None


class Statistics(ShownPayload):
    """The image statistics of an exposure plan; HFR in pixels."""

    hfr_mean: float | None = None


class ExposurePlan(ShownPayload):
    """One exposure plan of a target."""

    template: SafeText | None = None
    filter: SafeText | None = None
    desired: Count = 0
    accepted: Count = 0
    ungraded: Count = 0
    remaining_s: Seconds = 0.0
    progress: Percent = 0.0
    statistics: Statistics | None = None


class Target(Named):
    """The payload of a `target` topic."""

    project_id: str | None = None
    exposure_plans: tuple[ExposurePlan, ...] = ()


class PlannedExposures(ShownPayload):
    """Exposures with one filter in a block of the night plan."""

    filter: SafeText | None = None
    count: Count = 0


class PlanBlock(ShownPayload):
    """One block of the night plan: a target or a wait."""

    kind: SafeText = ""
    name: SafeText | None = None
    start: AwareDatetime
    end: AwareDatetime
    exposures: tuple[PlannedExposures, ...] = ()


class NightPlan(ShownPayload):
    """The payload of a rig's `plan` topic."""

    night: dt.date | None = None
    imaging_s: Seconds | None = None
    blocks: tuple[PlanBlock, ...] = ()


class Component(ShownPayload):
    """One component of a discovery payload; a device trigger and a removed component have no entity id."""

    default_entity_id: str | None = None
    enabled_by_default: bool = True
    state_topic: str | None = None


class Device(ShownPayload):
    """A discovery payload of Home Assistant."""

    device: Named = Named()
    components: dict[str, Component] = {}
