"""What Target Scheduler's events tell of a target."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ts2mqtt.simulator.nina.v2 import naive_time
from ts2mqtt.simulator.planner import DEFAULT_MINIMUM_ALTITUDE_DEG

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from ts2mqtt.simulator.planner import NextExposure
    from ts2mqtt.simulator.rows import SimulatedTarget
    from ts2mqtt.simulator.sky import Sky
    from ts2mqtt.simulator.wire import JsonObject

_EPOCHS = {"JNOW": 0, "B1950": 1, "J2000": 2, "J2050": 3}
_STEP = timedelta(minutes=10)
_LONGEST = timedelta(hours=14)


def target_fields(exposure: NextExposure, end: datetime, timezone: tzinfo) -> JsonObject:
    """The names as they stand in the database; `end` is when the target loses visibility, in naive local time."""
    target = exposure.target
    return {
        "TargetName": target.name,
        "ProjectName": exposure.project.name,
        "Coordinates": coordinates(target),
        "Rotation": float(target.rotation_deg),
        "TargetEndTime": naive_time(end, end.microsecond % 10, timezone),
    }


def coordinates(target: SimulatedTarget) -> JsonObject:
    """Right ascension in hours and in degrees, declination in degrees, and both as N.I.N.A. shows them."""
    return {
        "RA": float(target.ra_hours),
        "RADegrees": float(target.ra_hours * 15),
        "Dec": float(target.dec_deg),
        "RAString": _sexagesimal(target.ra_hours, "{:02}:{:02}:{:02}"),
        "DecString": _sexagesimal(target.dec_deg, "{:02}° {:02}' {:02}\""),
        "Epoch": _EPOCHS.get(target.epoch, _EPOCHS["J2000"]),
    }


def visible_until(exposure: NextExposure, sky: Sky, at: datetime, dawn: datetime) -> datetime:
    """When the target sinks below its project's minimum altitude, or dawn; it may yet have to rise."""
    lowest = exposure.project.minimum_altitude or DEFAULT_MINIMUM_ALTITUDE_DEG
    target, end, has_risen = exposure.target, at, False
    while end < min(dawn, at + _LONGEST):
        is_up = sky.altitude(target.ra_hours, target.dec_deg, end) >= lowest
        if has_risen and not is_up:
            break
        has_risen = has_risen or is_up
        end += _STEP
    return min(end, dawn)


def _sexagesimal(value: float, form: str) -> str:
    seconds = round(abs(value) * 3600)
    minutes, seconds = divmod(seconds, 60)
    whole, minutes = divmod(minutes, 60)
    return ("-" if value < 0 else "") + form.format(whole, minutes, seconds)
