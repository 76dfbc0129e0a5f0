"""Writes the API's answers as the plugin does: PascalCase names, local dates, the escapes of System.Text.Json."""

from __future__ import annotations

import math
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from ts2mqtt.simulator.grading import delay_percent, ungraded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ts2mqtt.simulator.planner import PreviewBlock
    from ts2mqtt.simulator.rows import (
        JsonValue,
        Row,
        SimulatedExposurePlan,
        SimulatedProfile,
        SimulatedProject,
        SimulatedTarget,
    )

JsonObject = dict[str, "JsonValue"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHORT_ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", "\\": "\\\\"}
_ESCAPED_ASCII = frozenset("\"&'+<>`\x7f")
_WHOLE_NUMBER_LIMIT = 1e15


def encode(value: JsonValue, *, pretty: bool = False) -> bytes:
    """JSON as System.Text.Json writes it; `pretty` indents by two spaces and breaks lines with CRLF."""
    return _encoded(value, "\r\n" if pretty else "").encode("ascii")


def profile_row(profile: SimulatedProfile) -> JsonObject:
    return _with_overrides(profile, {"Id": profile.id, "Name": profile.name, "Active": profile.active})


def project_row(project: SimulatedProject, profile: SimulatedProfile, timezone: tzinfo) -> JsonObject:
    return _with_overrides(
        project,
        {
            "Id": project.id,
            "ProfileId": profile.id,
            "Name": project.name,
            "State": project.state,
            "Priority": project.priority,
            "Description": project.description,
            "CreateDate": _date(project.create_date, timezone),
            "ActiveDate": _date(project.active_date, timezone),
            "InactiveDate": _date(project.inactive_date, timezone),
            "MinimumTime": project.minimum_time,
            "UseCustomHorizon": project.use_custom_horizon,
            "HorizonOffset": project.horizon_offset,
            "MeridianWindow": project.meridian_window,
            "FilterSwitchFrequency": project.filter_switch_frequency,
            "DitherEvery": project.dither_every,
            "EnableGrader": project.enable_grader,
            "Mosaic": project.mosaic,
            "FlatsHandling": project.flats_handling,
            "MinimumAltitude": project.minimum_altitude,
            "MaximumAltitude": project.maximum_altitude,
            "SmartExposureOrder": project.smart_exposure_order,
        },
    )


def target_row(target: SimulatedTarget, project: SimulatedProject, profile: SimulatedProfile) -> JsonObject:
    delay = delay_percent(profile, project)
    return _with_overrides(
        target,
        {
            "Id": target.id,
            "ProjectId": project.id,
            "Name": target.name,
            "Active": target.active,
            "RA": target.ra_hours,
            "Dec": target.dec_deg,
            "Rotation": target.rotation_deg,
            "Epoch": target.epoch,
            "ROI": target.roi_percent,
            "ExposurePlan": [_exposure_plan_row(plan, delay) for plan in target.exposure_plans],
        },
    )


def statistics_rows(target: SimulatedTarget, profile: SimulatedProfile) -> list[JsonValue] | None:
    """One row per exposure plan, over all images of the target with the plan's filter.

    None where the plugin throws an exception while it writes the answer: the images have no FWHM or no eccentricity,
    and the average of no values is an exception in .NET.
    """
    rows: list[JsonValue] = []
    for plan in target.exposure_plans:
        row: JsonObject = {"Exposure": plan.exposure_s, "FilterName": plan.filter_name}
        images = [
            image
            for other in target.exposure_plans
            if other.filter_name == plan.filter_name
            for image in other.images
        ]
        for name, values, level in (
            ("HFR", _measured([image.hfr for image in images]), profile.auto_accept_hfr),
            ("FWHM", _measured([image.fwhm for image in images]), profile.auto_accept_fwhm),
            (
                "Eccentricity",
                _measured([image.eccentricity for image in images]),
                profile.auto_accept_eccentricity,
            ),
        ):
            if images and not values:
                return None
            row |= _statistics_fields(name, values, level)
        rows.append(row)
    return rows


def preview_rows(blocks: Sequence[PreviewBlock], timezone: tzinfo, *, naive_start: bool) -> list[JsonValue]:
    """The night's blocks; with `naive_start` the first time has no offset, as in an answer to such a request."""
    rows: list[JsonValue] = []
    for index, block in enumerate(blocks):
        start = net_time(block.start, block.tick, timezone)
        if naive_start and index == 0:
            start = start[: -len("+00:00")]
        rows.append(
            {
                "Id": block.target_id,
                "Name": block.name,
                "WaitPeriod": block.target_id is None,
                "StartTime": start,
                "EndTime": net_time(block.end, block.tick, timezone),
                "ExposurePlan": [
                    {"FilterName": run.filter_name, "Exposure": run.exposure_s, "Count": run.count}
                    for run in block.exposures
                ],
            }
        )
    return rows


def net_time(time: datetime, tick: int, timezone: tzinfo) -> str:
    """Local time with its offset, as .NET writes it: it counts in 100 ns and leaves out a fraction's trailing zeros.

    `tick` is the seventh decimal, which Python lacks.
    """
    local = time.astimezone(timezone)
    whole = local.replace(microsecond=0).isoformat()
    date_and_time, offset = whole[:19], whole[19:]
    fraction = f"{local.microsecond:06}{tick}".rstrip("0") if local.microsecond else ""
    return f"{date_and_time}{'.' if fraction else ''}{fraction}{offset}"


def _exposure_plan_row(plan: SimulatedExposurePlan, delay: float) -> JsonObject:
    return _with_overrides(
        plan,
        {
            "TemplateName": plan.template_name,
            "Exposure": plan.exposure_s,
            "FilterName": plan.filter_name,
            "Desired": plan.desired,
            "Acquired": plan.acquired,
            "Accepted": plan.accepted,
            "Ungraded": ungraded(plan, delay),
        },
    )


def _with_overrides(row: Row, answer: JsonObject) -> JsonObject:
    return {name: value for name, value in (answer | row.raw).items() if name not in row.left_out}


def _measured(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _statistics_fields(name: str, values: Sequence[float], level: float) -> JsonObject:
    # The level field counts the images at or below the user's level; the plugin calculates the standard deviation
    # of the population.
    if not values:
        return {f"{name}Mean": 0, f"{name}StdDev": 0, f"{name}BelowAutoAcceptLevel": -1}
    mean = math.fsum(values) / len(values)
    variance = math.fsum((value - mean) ** 2 for value in values) / len(values)
    below = sum(value <= level for value in values) if level > 0 else -1
    return {f"{name}Mean": mean, f"{name}StdDev": math.sqrt(variance), f"{name}BelowAutoAcceptLevel": below}


def _date(date: datetime | None, timezone: tzinfo) -> str:
    return (date or _EPOCH).astimezone(timezone).isoformat(timespec="seconds")


def _encoded(value: JsonValue, line_break: str) -> str:
    deeper = line_break + "  " if line_break else ""
    if isinstance(value, dict):
        space = " " if line_break else ""
        items = [f"{_string(name)}:{space}{_encoded(item, deeper)}" for name, item in value.items()]
        return "{" + _joined(items, line_break, deeper) + "}"
    if isinstance(value, list):
        return "[" + _joined([_encoded(item, deeper) for item in value], line_break, deeper) + "]"
    if isinstance(value, str):
        return _string(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _number(value)


def _joined(items: Sequence[str], line_break: str, deeper: str) -> str:
    return deeper + f",{deeper}".join(items) + line_break if items else ""


def _number(number: float) -> str:
    if isinstance(number, int):
        return str(number)
    if number.is_integer() and abs(number) < _WHOLE_NUMBER_LIMIT:
        return str(int(number))
    return repr(number).upper()


def _string(text: str) -> str:
    return '"' + "".join(_character(character) for character in text) + '"'


def _character(character: str) -> str:
    if " " <= character <= "~" and character not in _ESCAPED_ASCII and character != "\\":
        return character
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    units = character.encode("utf-16-be", "surrogatepass").hex().upper()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))
