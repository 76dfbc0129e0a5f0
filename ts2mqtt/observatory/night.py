"""The night: when one begins at the rig, and what its plan depends on."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, time, timedelta, timezone
from functools import cache
from hashlib import blake2b
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ts2mqtt.observatory.model import ACTIVE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, tzinfo

    from ts2mqtt.observatory.model import ExposurePlan, Profile, Project, Target

_API_START = time(13)
_HALF_A_DAY = timedelta(hours=12)
_SEASONAL_ZONES = (
    "Europe/Berlin",
    "Europe/London",
    "Europe/Athens",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Anchorage",
    "America/Halifax",
    "America/St_Johns",
    "America/Santiago",
    "America/Havana",
    "America/Asuncion",
    "Atlantic/Azores",
    "Australia/Sydney",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Asia/Jerusalem",
    "Asia/Beirut",
    "Africa/Cairo",
)
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
    return _at(day, time(12), zone)


def preview_start(moment: datetime, zone: tzinfo | None) -> datetime:
    """From when on the night of `moment` is to be planned, aware: after midnight from now on, else from 13:00.

    Without a start the API describes the night that begins today, from 13:00, not the one in progress.
    """
    now = moment.astimezone(zone)
    return with_fixed_offset(now) if is_past_midnight(moment, zone) else _at(now.date(), _API_START, zone)


def with_fixed_offset(moment: datetime) -> datetime:
    """The same moment, whose differences from others are true across a change of the clocks; `moment` is aware."""
    offset = moment.utcoffset()
    return moment if offset is None else moment.replace(tzinfo=timezone(offset))


def _at(day: date, hour: time, zone: tzinfo | None) -> datetime:
    local = datetime.combine(day, hour, zone)
    return with_fixed_offset(local) if zone else local.astimezone()


def is_past_midnight(moment: datetime, zone: tzinfo | None) -> bool:
    """Whether the night that `moment` belongs to began yesterday."""
    return moment.astimezone(zone).date() != night_of(moment, zone)


def is_midday(moment: datetime, zone: tzinfo | None) -> bool:
    """Whether nobody images deep sky at this hour, at any season, outside the polar circles."""
    return moment.astimezone(zone).hour in _MIDDAY_HOURS


def rig_zone(samples: Iterable[datetime], now: datetime) -> tzinfo | None:
    """The rig's time zone, as far as the offsets of its dates tell; the latest that is past counts most.

    None, that is the bridge's own zone with its daylight-saving rules, if that explains every date: most rigs
    stand where their bridge does. Dates of two offsets tell one of the zones that change their clocks. Else it is
    the fixed offset of the latest date that does not lie ahead: a plan's dates may be of the next season.
    """
    dated = sorted((sample for sample in samples if sample.tzinfo), key=lambda sample: sample.timestamp())
    if not dated or all(sample.utcoffset() == sample.astimezone().utcoffset() for sample in dated):
        return None
    if len({sample.utcoffset() for sample in dated}) > 1:
        for zone in _seasonal_zones():
            if all(sample.utcoffset() == sample.astimezone(zone).utcoffset() for sample in dated):
                return zone
    return ([sample for sample in dated if sample <= now] or dated)[-1].tzinfo


@cache
def _seasonal_zones() -> tuple[ZoneInfo, ...]:
    """One zone for each rule by which clocks change, as far as this machine knows it."""
    zones = []
    for name in _SEASONAL_ZONES:
        with suppress(ZoneInfoNotFoundError):
            zones.append(ZoneInfo(name))
    return tuple(zones)


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
