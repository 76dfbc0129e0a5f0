"""Draws the picture of a night plan: time runs from left to right, each target has a row, filters have colours."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ts2mqtt.logs.wording import counted
from ts2mqtt.observatory.sky import sunset_to_sunrise
from ts2mqtt.picture.axis import TimeAxis
from ts2mqtt.picture.drawing import SEMIBOLD, Drawing
from ts2mqtt.picture.lettering import clean, duration, shorten, text_width
from ts2mqtt.picture.moon import MOON_HEIGHT, draw_moon
from ts2mqtt.picture.page import (
    ACCENT,
    AXIS_HEIGHT,
    BACKGROUND,
    CURVE,
    DIM_TEXT,
    FOOT_HEIGHT,
    IMAGED,
    INDENT,
    LEGEND_HEIGHT,
    MARGIN,
    MAXIMUM_ROWS,
    MORE_HEIGHT,
    TEXT,
    WIDTH,
)
from ts2mqtt.picture.rows import Night, night_of_plan, noon_of
from ts2mqtt.picture.sky import draw_hours, draw_sky
from ts2mqtt.picture.target_row import COMPACT, IMAGED_HEIGHT, ROOMY, Chart, altitude_curves, draw_row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, tzinfo

    from ts2mqtt.observatory.model import NightPlan
    from ts2mqtt.observatory.night_report import ImagedStretch
    from ts2mqtt.observatory.site import Site
    from ts2mqtt.picture.target_row import Coordinates

_HEADER_HEIGHT = 62.0
_EMPTY_HEIGHT = 110.0
_PLAN_MARGIN = timedelta(minutes=20)
_MINIMUM_SPAN = timedelta(hours=2)
_MAXIMUM_ROOMY_ROWS = 5
_LEGEND_SIZE = 12.5
_CURVE_NOTE = "Altitude: lines at 30° and 60°"
_IMAGED_NOTE = "Imaged"
_SAMPLE_WIDTH = 18.0


def night_picture(  # noqa: PLR0913 (independent facts, passed by name)
    plan: NightPlan,
    *,
    zone: tzinfo | None,
    site: Site | None,
    coordinates: Mapping[str, Coordinates],
    rig_name: str,
    imaged: Sequence[ImagedStretch] = (),
    width: int = 824,
) -> bytes:
    """The night plan as a PNG, `width` pixels wide; equal arguments give equal bytes on one machine.

    `zone` is the rig's time zone; None means the bridge's. The picture names a time zone that is not the bridge's.
    `coordinates` are by target id; with a `site` they give the altitude curves. `imaged` is drawn below the blocks.

    The picture has no mark for the present time. The mark would change the picture every minute, and each change
    is work for Home Assistant, its recorder and every phone that shows the picture.
    """
    night = night_of_plan(plan, zone)
    axis = _axis(plan, night, zone, site)
    rows = night.rows if len(night.rows) <= MAXIMUM_ROWS else night.rows[: MAXIMUM_ROWS - 1]
    style = ROOMY if len(rows) <= _MAXIMUM_ROOMY_ROWS else COMPACT
    moon = MOON_HEIGHT if site and axis else 0.0
    body = style.height * len(rows) if rows else _EMPTY_HEIGHT
    more = MORE_HEIGHT if len(rows) < len(night.rows) else 0.0
    curves = altitude_curves(axis, site, coordinates, rows) if axis and site else {}
    zone_names = axis.zone_names(zone) if axis else ()
    imaged = [stretch for stretch in imaged if any(stretch.id == row.target_id for row in rows)]
    legend = LEGEND_HEIGHT if curves or zone_names or imaged else 0.0
    height = _HEADER_HEIGHT + moon + body + more + (AXIS_HEIGHT if axis else 0.0) + legend + FOOT_HEIGHT
    drawing = Drawing(WIDTH, round(height))
    drawing.rectangle(0, 0, WIDTH, height, BACKGROUND)
    _draw_header(drawing, plan.night, night, clean(rig_name))
    top = _HEADER_HEIGHT
    if axis:
        bottom = top + moon + body + more
        draw_sky(drawing, axis, site, top, bottom)
        _draw_waits(drawing, axis, night, top + moon, bottom)
        draw_hours(drawing, axis, zone, top + moon if rows else bottom - 4, bottom)
        if site:
            draw_moon(drawing, axis, site, top)
        samples = [(CURVE, 1.2, _CURVE_NOTE)] if curves else []
        samples += [(IMAGED, IMAGED_HEIGHT, _IMAGED_NOTE)] if imaged else []
        _draw_legend(drawing, bottom + AXIS_HEIGHT + 14, zone_names, samples)
    top += moon
    if not rows:
        _draw_empty(drawing, top)
    for row in rows:
        if axis:
            draw_row(drawing, Chart(axis, zone, curves, imaged), row, style, top)
        top += style.height
    if more:
        left_out = len(night.rows) - len(rows)
        drawing.text(MARGIN + INDENT, top + 14, f"+ {left_out} more targets", size=14, colour=DIM_TEXT)
    return drawing.png(width)


def _axis(plan: NightPlan, night: Night, zone: tzinfo | None, site: Site | None) -> TimeAxis | None:
    """The axis from sunset to sunrise (with a site) and over all blocks; None without a site and without blocks."""
    edges = [
        moment
        for row in night.rows
        for bar in row.bars
        for moment in (bar.start - _PLAN_MARGIN, bar.end + _PLAN_MARGIN)
    ]
    if site:
        edges += sunset_to_sunrise(site, noon_of(plan, zone)) or ()
    if not edges:
        return None
    start, end = min(edges), max(edges)
    missing = max(timedelta(0), _MINIMUM_SPAN - (end - start)) / 2
    return TimeAxis(start - missing, end + missing, MARGIN, WIDTH - MARGIN)


def _draw_header(drawing: Drawing, night: date, planned: Night, rig_name: str) -> None:
    drawing.text(MARGIN, 27, f"Night of {night.day} {night:%B} {night.year}", size=20, colour=TEXT, weight=SEMIBOLD)
    totals = ""
    if planned.rows:
        if planned.integration_s:
            drawing.text(
                WIDTH - MARGIN,
                27,
                duration(planned.integration_s),
                size=20,
                colour=ACCENT,
                weight=SEMIBOLD,
                anchor="end",
            )
        totals = f"{counted(planned.exposures, 'exposure')} · {counted(len(planned.rows), 'target')}"
        drawing.text(WIDTH - MARGIN, 47, totals, size=14, colour=DIM_TEXT, anchor="end")
    room = WIDTH - 2 * MARGIN - text_width(totals, 14) - 12
    drawing.text(MARGIN, 47, shorten(rig_name, 14, room), size=14, colour=DIM_TEXT)


def _draw_waits(drawing: Drawing, axis: TimeAxis, night: Night, top: float, bottom: float) -> None:
    drawing.define(
        '<pattern id="wait" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect width="1.6" height="7" fill="#8b96ab" fill-opacity="0.2"/></pattern>'
    )
    for start, end in night.waits:
        left, right = axis.x(start), axis.x(end)
        if night.rows and right > left:
            drawing.rectangle(left, top, right - left, bottom - top, "url(#wait)")


def _draw_legend(
    drawing: Drawing, base: float, zone_names: Sequence[str], samples: Sequence[tuple[str, float, str]]
) -> None:
    """Draw what the lines mean (colour, thickness, note), and the first of the time zone's names that fits."""
    x = MARGIN
    for colour, thickness, note in samples:
        drawing.line([(x, base - 4), (x + _SAMPLE_WIDTH, base - 4)], colour, thickness=thickness, opacity=0.8)
        drawing.text(x + _SAMPLE_WIDTH + 6, base, note, size=_LEGEND_SIZE, colour=DIM_TEXT)
        x += _SAMPLE_WIDTH + 6 + text_width(note, _LEGEND_SIZE) + 12
    room = WIDTH - MARGIN - x
    notes = [f"Times: {name}" for name in zone_names]
    fitting = [note for note in notes if text_width(note, _LEGEND_SIZE) <= room] or notes[-1:]
    for note in fitting[:1]:
        drawing.text(WIDTH - MARGIN, base, note, size=_LEGEND_SIZE, colour=ACCENT, anchor="end")


def _draw_empty(drawing: Drawing, top: float) -> None:
    drawing.text(
        WIDTH / 2,
        top + _EMPTY_HEIGHT / 2 + 6,
        "Nothing planned for this night",
        size=19,
        colour=TEXT,
        anchor="middle",
    )
