"""Reads back what the bridge itself once published: the broker is its memory, there is no state file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field, JsonValue, ValidationError

from ts2mqtt.observatory.absence import Parents
from ts2mqtt.observatory.model import Statistics

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class RememberedTarget:
    """Counts as (exposure plan key, acquired, accepted), and the statistics that were read at those counts."""

    counts: tuple[tuple[str, int, int], ...]
    statistics: Mapping[str, Statistics]


class _Thing(BaseModel):
    id: str


class _Parents(BaseModel):
    profile_id: str | None = None
    project_id: str | None = None


class _Children(BaseModel):
    profiles: list[_Thing] | None = None
    projects: list[_Thing] | None = None
    targets: list[_Thing] | None = None


class _Statistics(BaseModel):
    hfr_mean: float | None = None
    hfr_std_dev: float | None = None
    hfr_below_auto_accept: float | None = None
    fwhm_mean: float | None = None
    fwhm_std_dev: float | None = None
    fwhm_below_auto_accept: float | None = None
    eccentricity_mean: float | None = None
    eccentricity_std_dev: float | None = None
    eccentricity_below_auto_accept: float | None = None
    extra: dict[str, JsonValue] = Field(default_factory=dict)


class _ExposurePlan(BaseModel):
    key: str
    acquired: int
    accepted: int
    statistics: _Statistics | None = None


class _Target(BaseModel):
    exposure_plans: list[_ExposurePlan] = Field(default_factory=list)


def parents(payload: bytes) -> Parents:
    """Where a published project or target belonged; nowhere if the payload cannot be read."""
    try:
        known = _Parents.model_validate_json(payload)
    except ValidationError:
        return Parents()
    return Parents(known.profile_id, known.project_id)


def children(payload: bytes) -> tuple[tuple[str, str], ...]:
    """(kind, id) of the things that a published rig state, profile or project names as its own."""
    try:
        named = _Children.model_validate_json(payload)
    except ValidationError:
        return ()
    return tuple(
        (kind, thing.id)
        for kind, things in (("profile", named.profiles), ("project", named.projects), ("target", named.targets))
        for thing in things or ()
    )


def target(payload: bytes) -> RememberedTarget | None:
    """A published target's counts and statistics; None if the payload cannot be read or has no statistics."""
    try:
        known = _Target.model_validate_json(payload)
    except ValidationError:
        return None
    statistics = {
        plan.key: Statistics(**plan.statistics.model_dump()) for plan in known.exposure_plans if plan.statistics
    }
    if not statistics:
        return None
    return RememberedTarget(
        tuple((plan.key, plan.acquired, plan.accepted) for plan in known.exposure_plans), statistics
    )
