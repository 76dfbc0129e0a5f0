"""The night: when one begins at the rig, and what its plan depends on."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING

from ts2mqtt.observatory.model import ACTIVE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, tzinfo

    from ts2mqtt.observatory.model import ExposurePlan, Profile, Project, Target

_HALF_A_DAY = timedelta(hours=12)
_MIDDAY_HOURS = range(10, 15)


def night_of(moment: datetime, zone: tzinfo | None) -> date:
    """The date on which the night begins that `moment` belongs to, from local noon to local noon.

    `zone` is the rig's; None means that of the bridge, with its changes to and from daylight-saving time.
    """
    return (moment.astimezone(zone).replace(tzinfo=None) - _HALF_A_DAY).date()


def next_noon(moment: datetime, zone: tzinfo | None) -> datetime:
    """When the next night begins to count, aware."""
    return noon_of(night_of(moment, zone) + timedelta(days=1), zone)


def noon_of(day: date, zone: tzinfo | None) -> datetime:
    """Local noon of a day, aware."""
    noon = datetime.combine(day, time(12), zone)
    return noon if zone else noon.astimezone()


def is_past_midnight(moment: datetime, zone: tzinfo | None) -> bool:
    """Whether the night that `moment` belongs to began yesterday."""
    return moment.astimezone(zone).date() != night_of(moment, zone)


def is_midday(moment: datetime, zone: tzinfo | None) -> bool:
    """Whether nobody images deep sky at this hour, at any season, outside the polar circles."""
    return moment.astimezone(zone).hour in _MIDDAY_HOURS


def rig_zone(samples: Iterable[datetime]) -> tzinfo | None:
    """The rig's time zone, as far as the offsets of its dates tell; the latest of them counts most.

    None, that is the bridge's own zone with its daylight-saving rules, if that explains every date: most rigs
    stand where their bridge does. Else the fixed offset of the latest date.
    """
    dated = sorted((sample for sample in samples if sample.tzinfo), key=lambda sample: sample.timestamp())
    if not dated or all(sample.utcoffset() == sample.astimezone().utcoffset() for sample in dated):
        return None
    return dated[-1].tzinfo


def planning_inputs(profile: Profile) -> str | None:
    """A short text that changes when anything changes that planning depends on; None until all of it was read.

    Counts are left out: a plan is not asked for again because it comes true.
    """
    if profile.projects is None:
        return None
    active = [project for project in profile.projects.items if project.state == ACTIVE]
    if any(project.targets is None for project in active):
        return None
    facts = repr(sorted(_project_facts(project) for project in active))
    return blake2b(facts.encode(errors="surrogatepass"), digest_size=8).hexdigest()


def _project_facts(project: Project) -> tuple[object, ...]:
    targets = project.targets.items if project.targets else ()
    return (
        project.id,
        str(project.priority),
        str(project.minimum_time_min),
        str(project.use_custom_horizon),
        str(project.horizon_offset_deg),
        str(project.meridian_window_min),
        str(project.filter_switch_frequency),
        str(project.minimum_altitude_deg),
        str(project.maximum_altitude_deg),
        str(project.smart_exposure_order),
        sorted(_target_facts(target) for target in targets if target.active is not False),
    )


def _target_facts(target: Target) -> tuple[object, ...]:
    return (
        target.id,
        str(target.ra_hours),
        str(target.dec_deg),
        [_plan_facts(plan) for plan in target.exposure_plans],
    )


def _plan_facts(plan: ExposurePlan) -> tuple[object, ...]:
    return (str(plan.template), str(plan.filter), str(plan.exposure_s), plan.desired)
