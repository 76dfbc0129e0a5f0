"""What the screen reads in the payloads; every key may be missing, and no text in them is trusted."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from ts2mqtt.demo.wording import harmless

Words = Annotated[str, AfterValidator(harmless)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
Seconds = Annotated[float, Field(ge=0, le=1e12)]
Percent = Annotated[float, Field(ge=0, le=100)]
Model = TypeVar("Model", bound="Told")


class Told(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Named(Told):
    name: Words = ""


class Appointment(Named):
    id: str | None = None
    project_id: str | None = None
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None


class FilterTonight(Told):
    filter: Words | None = None
    acquired: Count = 0


class TargetTonight(Named):
    filters: tuple[FilterTonight, ...] = ()


class Tonight(Told):
    exposures_acquired: Count | None = None
    exposures_accepted: Count | None = None
    integration_s: Seconds | None = None
    targets: tuple[TargetTonight, ...] = ()


class State(Named):
    plugin_version: Words | None = None
    active_profile: Named | None = None
    activity: Words = ""
    current_target: Appointment | None = None
    next_target: Appointment | None = None
    tonight: Tonight | None = None


class Project(Named):
    profile_name: Words = ""
    state: Words | None = None
    desired: Count | None = None
    accepted: Count | None = None
    pending: Count | None = None
    remaining_s: Seconds | None = None
    progress: Percent | None = None


class Statistics(Told):
    hfr_mean: float | None = None


class ExposurePlan(Told):
    template: Words | None = None
    filter: Words | None = None
    desired: Count = 0
    accepted: Count = 0
    pending: Count = 0
    remaining_s: Seconds = 0.0
    progress: Percent = 0.0
    statistics: Statistics | None = None


class Target(Named):
    project_id: str | None = None
    exposure_plans: tuple[ExposurePlan, ...] = ()


class PlannedExposures(Told):
    filter: Words | None = None
    count: Count = 0


class Block(Told):
    kind: Words = ""
    name: Words | None = None
    start: AwareDatetime
    end: AwareDatetime
    exposures: tuple[PlannedExposures, ...] = ()


class Plan(Told):
    night: dt.date | None = None
    imaging_s: Seconds | None = None
    blocks: tuple[Block, ...] = ()


class Component(Told):
    """One of a device's parts; without an entity id it is no entity, but a device trigger or a tombstone."""

    default_entity_id: str | None = None
    enabled_by_default: bool = True
    state_topic: str | None = None


class Device(Told):
    device: Named = Named()
    components: dict[str, Component] = {}


def read(model: type[Model], payload: JsonValue) -> Model | None:
    """None for what is no such payload: anybody may publish on an open broker."""
    try:
        return model.model_validate(payload)
    except ValidationError:
        return None
