"""Reports of nights to draw."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from ts2mqtt.observatory.night_report import NightReport, PlannedStretch, PlanReport, Stretch, TargetReport

DUSK = datetime(2026, 11, 22, 17, tzinfo=UTC)
EMPTY = NightReport(night=date(2026, 11, 22), seen_from=DUSK - timedelta(hours=6), answered=True)
_HOUR = timedelta(hours=1)


def plan_done(
    key: str, acquired: int = 10, *, exposure_s: float = 300.0, rejected: int | None = 0, pending: int = 0
) -> PlanReport:
    """Of the filter that is called as its key; all others were accepted."""
    accepted = None if rejected is None else acquired - rejected - pending
    return PlanReport(
        key=key,
        filter=key,
        exposure_s=exposure_s,
        acquired=acquired,
        accepted=accepted,
        accepted_at_least=accepted or 0,
        rejected=rejected,
        pending=pending,
        acquired_before=0,
        accepted_before=0,
        pending_before=0,
    )


def target_done(name: str, start_h: float, hours: float, *plans: PlanReport, completed: bool = False) -> TargetReport:
    """Imaged from so many hours after dusk on."""
    start = DUSK + start_h * _HOUR
    return TargetReport(
        id=name,
        name=name,
        project_id="project",
        project_name="Project",
        completed=completed,
        plans=plans,
        stretches=(Stretch(start, start + hours * _HOUR),),
    )


def planned(name: str, start_h: float, hours: float) -> PlannedStretch:
    start = DUSK + start_h * _HOUR
    return PlannedStretch(id=name, name=name, start=start, end=start + hours * _HOUR)
