"""From wire models to the observatory's: units into names, sentinels into None, text into the domain's words."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, TypeGuard

from ts2mqtt.observatory.exposure_plan_keys import exposure_plan_keys
from ts2mqtt.observatory.model import (
    PRIORITIES,
    ExposurePlan,
    JsonValue,
    PlanBlock,
    PlannedExposures,
    Profile,
    Project,
    Statistics,
    Target,
)
from ts2mqtt.observatory.night import with_fixed_offset
from ts2mqtt.scheduler.wire import REAL_YEARS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, tzinfo

    from pydantic import BaseModel

    from ts2mqtt.scheduler import wire

_LONGEST_FLATS_PERIOD_DAYS = 14
_LONGEST_STATE = 40


def profile(answer: wire.Profile) -> Profile:
    return Profile(id=answer.id, name=answer.name or "", active=answer.active or False, extra=_unknown_fields(answer))


def project(answer: wire.Project, zone: tzinfo | None) -> Project:
    """A project without its targets; `zone` is what a date without an offset is taken to be in (None: ours)."""
    extra = dict(_unknown_fields(answer))
    priority = None
    if answer.priority is not None:
        if 0 <= answer.priority < len(PRIORITIES):
            priority = PRIORITIES[answer.priority]
        else:
            extra["Priority"] = answer.priority
    flats_handling, flats_period_days = _flats(answer.flats_handling)
    if flats_handling is None and answer.flats_handling is not None:
        extra["FlatsHandling"] = answer.flats_handling
    return Project(
        id=answer.id,
        name=answer.name or "",
        state=_word(answer.state),
        priority=priority,
        description=answer.description,
        created=_date(answer.create_date, zone),
        activated=_date(answer.active_date, zone),
        deactivated=_date(answer.inactive_date, zone),
        minimum_time_min=answer.minimum_time,
        use_custom_horizon=answer.use_custom_horizon,
        horizon_offset_deg=answer.horizon_offset,
        meridian_window_min=answer.meridian_window,
        filter_switch_frequency=answer.filter_switch_frequency,
        dither_every=answer.dither_every,
        enable_grader=answer.enable_grader,
        mosaic=answer.mosaic,
        flats_handling=flats_handling,
        flats_period_days=flats_period_days,
        minimum_altitude_deg=answer.minimum_altitude,
        maximum_altitude_deg=answer.maximum_altitude,
        smart_exposure_order=answer.smart_exposure_order,
        extra=extra,
    )


def target(answer: wire.Target, known: Target | None = None) -> Target:
    """A target whose exposure plans have no statistics yet.

    What cannot be read of its exposure plans is as it was in `known`, the target of an earlier look.
    """
    if answer.exposure_plan is None:
        plans: tuple[ExposurePlan, ...] = tuple(replace(plan, statistics=None) for plan in _plans(known))
    else:
        plans = _exposure_plans(answer.exposure_plan, _plans(known))
    return Target(
        id=answer.id,
        name=answer.name or "",
        active=answer.active,
        ra_hours=answer.ra,
        dec_deg=answer.dec,
        rotation_deg=answer.rotation,
        epoch=answer.epoch,
        roi_percent=answer.roi,
        exposure_plans=plans,
        extra=_unknown_fields(answer),
    )


def statistics_by_plan(plans: Sequence[ExposurePlan], answers: Iterable[wire.Statistics]) -> Mapping[str, Statistics]:
    """Statistics by exposure plan key; a plan without images has none.

    They come one for each plan and in the plans' order, but a plan may have been added or removed between the
    two answers: filter and exposure decide, the order only among equals.
    """
    waiting = list(plans)
    found: dict[str, Statistics] = {}
    for answer in answers:
        plan = next((p for p in waiting if (p.filter, p.exposure_s) == (answer.filter_name, answer.exposure)), None)
        if plan is None:
            continue
        waiting.remove(plan)
        statistics = _statistics(answer)
        if statistics is not None:
            found[plan.key] = statistics
    return found


def plan_block(answer: wire.PreviewBlock, zone: tzinfo | None) -> PlanBlock:
    is_wait = bool(answer.wait_period) or answer.id is None
    return PlanBlock(
        target_id=None if is_wait else answer.id,
        name=None if is_wait else answer.name or "",
        start=with_offset(answer.start_time, zone),
        end=with_offset(answer.end_time, zone),
        exposures=tuple(
            PlannedExposures(exposures.filter_name, exposures.exposure, exposures.count or 0)
            for exposures in answer.exposure_plan or ()
        ),
        extra=_unknown_fields(answer),
    )


def is_real(moment: datetime) -> bool:
    """Whether this is a date, and not the plugin's way to write "never"."""
    return moment.year in REAL_YEARS


def is_dated(moment: datetime | None) -> TypeGuard[datetime]:
    """Whether this is a real date with an offset."""
    return moment is not None and moment.tzinfo is not None and moment.year in REAL_YEARS


def with_offset(moment: datetime, zone: tzinfo | None) -> datetime:
    """The same wall clock time in `zone` (None: the bridge's own) where the API left the offset out."""
    if moment.tzinfo is not None:
        return moment
    return with_fixed_offset(moment.replace(tzinfo=zone)) if zone else moment.astimezone()


def _plans(known: Target | None) -> tuple[ExposurePlan, ...]:
    return known.exposure_plans if known else ()


def _exposure_plans(
    answers: Sequence[wire.ExposurePlan], known: tuple[ExposurePlan, ...]
) -> tuple[ExposurePlan, ...]:
    recognized, missing = _recognized(answers, known)
    by_key = {plan.key: plan for plan in known}
    keys = exposure_plan_keys((answer.template_name, answer.exposure) for answer in recognized)
    plans = tuple(_exposure_plan(answer, key, by_key.get(key)) for answer, key in zip(recognized, keys, strict=True))
    if not any(map(_says_nothing, answers)):
        return plans
    # A row that says nothing may be any of those that were there.
    read = {plan.key for plan in plans}
    return (*plans, *(replace(plan, statistics=None) for plan in missing if plan.key not in read))


def _recognized(
    answers: Sequence[wire.ExposurePlan], known: tuple[ExposurePlan, ...]
) -> tuple[list[wire.ExposurePlan], list[ExposurePlan]]:
    """The rows, and the known plans that none of them is.

    A row whose template or exposure cannot be read has that of a known plan that no other row is: they make up an
    exposure plan's key, and with it the ids of its entities.
    """
    free = list(known)
    for answer in filter(_has_identity, answers):
        same = next((p for p in free if (p.template, p.exposure_s) == (answer.template_name, answer.exposure)), None)
        if same:
            free.remove(same)
    recognized: list[wire.ExposurePlan] = []
    for answer in answers:
        plan = None if _has_identity(answer) else next((plan for plan in free if _may_be(answer, plan)), None)
        if plan is None:
            recognized.append(answer)
            continue
        free.remove(plan)
        names = {"template_name": plan.template, "exposure": plan.exposure_s, "filter_name": plan.filter}
        recognized.append(answer.model_copy(update=names))
    return recognized, free


def _says_nothing(answer: wire.ExposurePlan) -> bool:
    return answer.template_name is None and answer.exposure is None and answer.filter_name is None


def _has_identity(answer: wire.ExposurePlan) -> bool:
    return answer.template_name is not None and answer.exposure is not None


def _may_be(answer: wire.ExposurePlan, plan: ExposurePlan) -> bool:
    told = (
        (answer.template_name, plan.template),
        (answer.exposure, plan.exposure_s),
        (answer.filter_name, plan.filter),
    )
    return all(value is None or value == known for value, known in told)


def _exposure_plan(answer: wire.ExposurePlan, key: str, known: ExposurePlan | None) -> ExposurePlan:
    def count(value: int | None, before: int) -> int:
        return before if value is None else value

    return ExposurePlan(
        key=key,
        template=answer.template_name,
        filter=answer.filter_name,
        exposure_s=answer.exposure,
        desired=count(answer.desired, known.desired if known else 0),
        acquired=count(answer.acquired, known.acquired if known else 0),
        accepted=count(answer.accepted, known.accepted if known else 0),
        ungraded=count(answer.ungraded, known.ungraded if known else 0),
        extra=_unknown_fields(answer),
    )


def _statistics(answer: wire.Statistics) -> Statistics | None:
    hfr = _measured(answer.hfr_mean, answer.hfr_std_dev)
    fwhm = _measured(answer.fwhm_mean, answer.fwhm_std_dev)
    eccentricity = _measured(answer.eccentricity_mean, answer.eccentricity_std_dev)
    if hfr is fwhm is eccentricity is _NOT_MEASURED:
        return None
    return Statistics(
        hfr_mean=hfr[0],
        hfr_std_dev=hfr[1],
        hfr_below_auto_accept=_level(answer.hfr_below_auto_accept_level),
        fwhm_mean=fwhm[0],
        fwhm_std_dev=fwhm[1],
        fwhm_below_auto_accept=_level(answer.fwhm_below_auto_accept_level),
        eccentricity_mean=eccentricity[0],
        eccentricity_std_dev=eccentricity[1],
        eccentricity_below_auto_accept=_level(answer.eccentricity_below_auto_accept_level),
        extra=_unknown_fields(answer),
    )


_NOT_MEASURED: tuple[float | None, float | None] = (None, None)


def _measured(mean: float | None, std_dev: float | None) -> tuple[float | None, float | None]:
    # No star has an HFR, an FWHM or an eccentricity of exactly 0: the plugin's mean over no images.
    return (mean, std_dev) if mean is not None and mean > 0 else _NOT_MEASURED


def _level(level: float | None) -> float | None:
    return level if level is not None and level >= 0 else None


def _date(moment: datetime | None, zone: tzinfo | None) -> datetime | None:
    if moment is None or moment.year not in REAL_YEARS:
        return None
    return with_offset(moment, zone)


def _word(text: str | None) -> str | None:
    """An enumeration's value as one lower-case word, whatever a later plugin may send."""
    if text is None:
        return None
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:_LONGEST_STATE] or None


def _flats(handling: int | None) -> tuple[str | None, int | None]:
    named = {0: "off", 100: "on_target_completion", 200: "immediately"}
    if handling is None or handling in named:
        return named.get(handling) if handling is not None else None, None
    if 1 <= handling <= _LONGEST_FLATS_PERIOD_DAYS:
        return "periodically", handling
    return None, None


def _unknown_fields(answer: BaseModel) -> Mapping[str, JsonValue]:
    return answer.model_extra or {}
