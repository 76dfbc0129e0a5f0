"""Draws a night that is over: when each target was planned and imaged on one time axis, and below what it got."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ts2mqtt.logs.wording import counted
from ts2mqtt.observatory.night import noon_of
from ts2mqtt.observatory.night_report import API_AWAY, NOT_DONE, NOTHING_PLANNED, UNKNOWN
from ts2mqtt.observatory.sky import sunset_to_sunrise
from ts2mqtt.picture.axis import TimeAxis
from ts2mqtt.picture.drawing import SEMIBOLD, Drawing
from ts2mqtt.picture.integration import draw_integration, integration_height
from ts2mqtt.picture.lettering import clean, duration, shorten, text_width
from ts2mqtt.picture.page import (
    ACCENT,
    AXIS_HEIGHT,
    BACKGROUND,
    DIM_TEXT,
    FOOT_HEIGHT,
    INDENT,
    LEGEND_HEIGHT,
    MARGIN,
    MAXIMUM_ROWS,
    MORE_HEIGHT,
    SMALL,
    TEXT,
    WIDTH,
    draw_legend,
)
from ts2mqtt.picture.sky import draw_hours, draw_sky

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from ts2mqtt.observatory.night_report import NightReport, PlannedStretch, Stretch, TargetReport
    from ts2mqtt.observatory.site import Site

_HEADER_HEIGHT, _TOTALS_HEIGHT = 60.0, 18.0
_EMPTY_HEIGHT = 110.0
_NAME_HEIGHT, _LANE, _LANE_GAP, _ROW_GAP = 20.0, 9.0, 2.0, 10.0
_PADDING = 5.0
_ROW_HEIGHT = _NAME_HEIGHT + 2 * _LANE + _LANE_GAP + _ROW_GAP
_MARGIN = timedelta(minutes=20)
_LONGEST = timedelta(hours=24)
_MINIMUM_SPAN = timedelta(hours=2)
_PLANNED, _DONE = "#5b6b8c", "#57c98a"
_TOTALS_SIZE, _BETWEEN_TOTALS = 14.0, " · "
_IN_WORDS = {
    API_AWAY: "N.I.N.A. did not answer",
    NOTHING_PLANNED: "Nothing was planned",
    NOT_DONE: "Planned, but nothing was imaged",
    UNKNOWN: "Not known what happened",
}


@dataclass(frozen=True, slots=True)
class _Row:
    """A target with what was planned and done; `target` is None where nothing was done."""

    name: str
    planned: tuple[PlannedStretch, ...]
    target: TargetReport | None


def last_night_picture(
    report: NightReport, *, zone: tzinfo | None, site: Site | None, rig_name: str, width: int = 824
) -> bytes:
    """The night as a PNG, `width` pixels wide; `zone` is the rig's, None for the bridge's own."""
    all_rows = _rows(report)
    rows = all_rows if len(all_rows) <= MAXIMUM_ROWS else all_rows[: MAXIMUM_ROWS - 1]
    axis = _axis(report, zone, site)
    targets = [row.target for row in rows if row.target is not None]
    totals = _totals_lines(report)
    body = _PADDING + len(rows) * _ROW_HEIGHT + (0.0 if report.acquired else _EMPTY_HEIGHT)
    more = MORE_HEIGHT if len(rows) < len(all_rows) else 0.0
    top = _HEADER_HEIGHT + len(totals) * _TOTALS_HEIGHT
    bottom = top + body + more
    below = bottom + (AXIS_HEIGHT if axis else 0.0) + LEGEND_HEIGHT
    height = below + integration_height(targets) + FOOT_HEIGHT
    drawing = Drawing(WIDTH, round(height))
    drawing.rectangle(0, 0, WIDTH, height, BACKGROUND)
    _draw_header(drawing, report, clean(rig_name), totals)
    if axis:
        draw_sky(drawing, axis, site, top, bottom)
        draw_hours(drawing, axis, zone, top, bottom)
    if report.reason:
        drawing.text(
            WIDTH / 2,
            top + _EMPTY_HEIGHT / 2 + 6,
            _IN_WORDS[report.reason],
            size=19,
            colour=TEXT,
            anchor="middle",
        )
        top += _EMPTY_HEIGHT
    top += _PADDING
    for row in rows:
        _draw_row(drawing, axis, row, top)
        top += _ROW_HEIGHT
    if more:
        left_out = len(all_rows) - len(rows)
        drawing.text(MARGIN + INDENT, top + 14, f"+ {left_out} more targets", size=14, colour=DIM_TEXT)
    _draw_legend_of_times(drawing, below - 6, axis.zone_names(zone) if axis else ())
    draw_integration(drawing, report, targets, below)
    return drawing.png(width)


def _rows(report: NightReport) -> tuple[_Row, ...]:
    """What was imaged in its order, then what was only planned."""
    planned: dict[str, list[PlannedStretch]] = {}
    for one in report.planned:
        planned.setdefault(one.id, []).append(one)
    done = [_Row(target.name, tuple(planned.pop(target.id, ())), target) for target in report.targets]
    return (*done, *(_Row(blocks[0].name, tuple(blocks), None) for blocks in planned.values()))


def _axis(report: NightReport, zone: tzinfo | None, site: Site | None) -> TimeAxis | None:
    noon = noon_of(report.night, zone)
    stretches: list[Stretch | PlannedStretch] = [*report.planned]
    stretches += [stretch for target in report.targets for stretch in target.stretches]
    edges = [edge for one in stretches for edge in (one.start - _MARGIN, one.end + _MARGIN)]
    edges = [edge for edge in edges if noon - _LONGEST / 2 <= edge <= noon + 1.5 * _LONGEST]
    if site:
        edges += sunset_to_sunrise(site, noon) or ()
    if not edges:
        return None
    start, end = min(edges), max(edges)
    missing = max(timedelta(0), _MINIMUM_SPAN - (end - start)) / 2
    return TimeAxis(start - missing, end + missing, MARGIN, WIDTH - MARGIN)


def _draw_header(drawing: Drawing, report: NightReport, rig_name: str, totals: Sequence[str]) -> None:
    night = report.night
    drawing.text(MARGIN, 27, f"Night of {night.day} {night:%B} {night.year}", size=20, colour=TEXT, weight=SEMIBOLD)
    if report.imaged_s is not None and report.acquired:
        drawing.text(
            WIDTH - MARGIN,
            27,
            duration(report.imaged_s),
            size=20,
            colour=ACCENT,
            weight=SEMIBOLD,
            anchor="end",
        )
    planned = "" if report.planned_s is None else f"of {duration(report.planned_s)} planned"
    drawing.text(WIDTH - MARGIN, 47, planned, size=14, colour=DIM_TEXT, anchor="end")
    room = WIDTH - 2 * MARGIN - text_width(planned, 14) - 12
    drawing.text(MARGIN, 47, shorten(rig_name, 14, room), size=14, colour=DIM_TEXT)
    for number, line in enumerate(totals):
        drawing.text(MARGIN, 67 + number * _TOTALS_HEIGHT, line, size=_TOTALS_SIZE, colour=TEXT)


def _totals_lines(report: NightReport) -> list[str]:
    """One line as a rule; what does not fit goes on in the next, and nothing is cut."""
    if not report.acquired:
        return ["No exposures"]
    first, *parts = [counted(report.acquired, "exposure"), duration(report.integration_s), *_fates(report)]
    lines = [first]
    for part in parts:
        longer = f"{lines[-1]}{_BETWEEN_TOTALS}{part}"
        if text_width(longer, _TOTALS_SIZE) <= WIDTH - 2 * MARGIN:
            lines[-1] = longer
        else:
            lines.append(part)
    return lines


def _fates(report: NightReport) -> list[str]:
    if report.accepted is None:
        parts = [f"at least {report.accepted_at_least} good"]
    else:
        parts = [f"{report.accepted} good"] if report.accepted else []
    parts += [f"{report.rejected} rejected"] if report.rejected else []
    return parts + ([f"{report.pending} to grade"] if report.pending else [])


def _draw_row(drawing: Drawing, axis: TimeAxis | None, row: _Row, top: float) -> None:
    left, right = MARGIN + INDENT, WIDTH - MARGIN - INDENT
    status = "not imaged" if row.target is None else "completed" if row.target.completed else ""
    colour = DIM_TEXT if row.target is None else ACCENT
    drawing.text(right, top + 14, status, size=SMALL, colour=colour, anchor="end")
    name = shorten(clean(row.name) or "Unnamed target", 15, right - left - text_width(status, SMALL) - 12)
    drawing.text(left, top + 14, name, size=15, colour=TEXT, weight=SEMIBOLD)
    lane = top + _NAME_HEIGHT
    _draw_lane(drawing, axis, row.planned, lane, _PLANNED)
    _draw_lane(drawing, axis, row.target.stretches if row.target else (), lane + _LANE + _LANE_GAP, _DONE)


def _draw_lane(
    drawing: Drawing,
    axis: TimeAxis | None,
    stretches: Sequence[Stretch | PlannedStretch],
    top: float,
    colour: str,
) -> None:
    drawing.rectangle(MARGIN, top, WIDTH - 2 * MARGIN, _LANE, "#ffffff", opacity=0.05)
    for one in stretches if axis else ():
        x = axis.x(one.start) if axis else 0.0
        width = max(1.6, (axis.x(one.end) if axis else 0.0) - x)
        drawing.rectangle(x, top, width, _LANE, colour, radius=2)


def _draw_legend_of_times(drawing: Drawing, base: float, zone_names: Sequence[str]) -> None:
    x = draw_legend(drawing, base, ((_PLANNED, "planned"), (_DONE, "imaged")))
    fitting = [name for name in zone_names if text_width(name, SMALL) <= WIDTH - MARGIN - x]
    for name in fitting[:1]:
        drawing.text(WIDTH - MARGIN, base, name, size=SMALL, colour=ACCENT, anchor="end")
