"""The picture of a night plan: time from left to right, one row for each target, filters by their colours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ts2mqtt.logs.wording import counted
from ts2mqtt.observatory.sky import Darkness, altitude_curve, is_position, sunset_to_sunrise, twilight
from ts2mqtt.picture.axis import TimeAxis
from ts2mqtt.picture.drawing import SEMIBOLD, Drawing
from ts2mqtt.picture.lettering import ELLIPSIS, clean, shorten, text_width
from ts2mqtt.picture.moonlight import MOON_HEIGHT, draw_moon
from ts2mqtt.picture.rows import Night, Row, night_of_plan, noon_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime, tzinfo

    from ts2mqtt.observatory.model import NightPlan
    from ts2mqtt.observatory.sky import Site
    from ts2mqtt.picture.filters import FilterLook
    from ts2mqtt.picture.rows import Bar

WIDTH = 412.0
"""Units across, the width of a phone's screen; all sizes are made to be read there."""
MARGIN = 14.0
MOST_ROWS = 14
"""More targets are only counted, or the picture would be too high to take in."""

_HEADER = 62.0
_AXIS = 20.0
_LEGEND = 20.0
_LEGEND_SIZE = 12.5
_ALTITUDES = "Altitude: lines at 30° and 60°"
_ALTITUDE_LINES = (30, 60)
_ZENITH = 90
_SAMPLE = 18.0
_FOOT = 12.0
_INDENT = 6.0
_EMPTY_HEIGHT = 110.0
_MORE = 24.0
_GROUND = "#0a0d14"
_INK, _DIM, _FAINT = "#eef1f7", "#97a2b6", "#2a3345"
_ACCENT = "#ffd27a"
_CURVE = "#ffffff"
_SKIES = {
    Darkness.DAY: "#2c4a78",
    Darkness.CIVIL_TWILIGHT: "#23385e",
    Darkness.NAUTICAL_TWILIGHT: "#1a2846",
    Darkness.ASTRONOMICAL_TWILIGHT: "#131c31",
    Darkness.NIGHT: "#0e1421",
}
_PADDING = timedelta(minutes=20)
_SHORTEST_SPAN = timedelta(hours=2)
_STEP = timedelta(minutes=10)
_THINNEST_BAR = 1.6
_CHIP_GAP = 8.0
_CHIP_SIZE = 12.5
_DOT = 11.0
_TO = "\N{EN DASH}"
_LEFT_OUT = (None, ELLIPSIS)

Coordinates = tuple[float, float, str | None]
"""Right ascension in hours, declination in degrees, and the epoch of both as the API calls it."""
AltitudeCurve = tuple[tuple["datetime", float], ...]
"""Moments and degrees above the horizon."""


@dataclass(frozen=True, slots=True)
class _RowStyle:
    """Heights of a row's parts; `has_foot` puts times and counts below the bars instead of beside the name."""

    name_size: float
    name: float
    lane: float
    has_foot: bool
    foot: float
    gap: float

    @property
    def height(self) -> float:
        return self.name + self.lane + self.foot + self.gap


_ROOMY = _RowStyle(name_size=16, name=21, lane=26, has_foot=True, foot=18, gap=13)
_COMPACT = _RowStyle(name_size=14.5, name=19, lane=16, has_foot=False, foot=0, gap=11)
_MOST_ROOMY_ROWS = 5


@dataclass(frozen=True, slots=True)
class _Chart:
    """What the rows share."""

    axis: TimeAxis
    zone: tzinfo | None
    curves: Mapping[str, AltitudeCurve]


def night_picture(  # noqa: PLR0913 (each is a fact of its own, all are named)
    plan: NightPlan,
    *,
    zone: tzinfo | None,
    site: Site | None,
    coordinates: Mapping[str, Coordinates],
    rig_name: str,
    width: int = 824,
) -> bytes:
    """A PNG, `width` pixels wide; equal arguments give equal bytes on one machine.

    `zone` is the rig's, None means the bridge's own: another one than the bridge's is named. `coordinates` are by
    target id; with a `site` they give the altitude curves.

    There is no mark for "now": it would change the picture every minute, and every change wakes Home Assistant,
    its recorder and each phone that shows the picture, for something the clock on that phone says as well.
    """
    night = night_of_plan(plan, zone)
    axis = _axis(plan, night, zone, site)
    rows = night.rows if len(night.rows) <= MOST_ROWS else night.rows[: MOST_ROWS - 1]
    style = _ROOMY if len(rows) <= _MOST_ROOMY_ROWS else _COMPACT
    moon = MOON_HEIGHT if site and axis else 0.0
    body = style.height * len(rows) if rows else _EMPTY_HEIGHT
    more = _MORE if len(rows) < len(night.rows) else 0.0
    curves = _altitude_curves(axis, site, coordinates, rows) if axis and site else {}
    zone_names = axis.zone_names(zone) if axis else ()
    legend = _LEGEND if curves or zone_names else 0.0
    height = _HEADER + moon + body + more + (_AXIS if axis else 0.0) + legend + _FOOT
    drawing = Drawing(WIDTH, round(height))
    drawing.rectangle(0, 0, WIDTH, height, _GROUND)
    _draw_header(drawing, plan.night, night, clean(rig_name))
    top = _HEADER
    if axis:
        bottom = top + moon + body + more
        _draw_sky(drawing, axis, site, top, bottom)
        _draw_waits(drawing, axis, night, top + moon, bottom)
        _draw_hours(drawing, axis, zone, top + moon if rows else bottom - 4, bottom)
        if site:
            draw_moon(drawing, axis, site, top)
        _draw_legend(drawing, bottom + _AXIS + 14, zone_names, has_curves=bool(curves))
    top += moon
    if not rows:
        _draw_empty(drawing, top)
    for row in rows:
        if axis:
            _draw_row(drawing, _Chart(axis, zone, curves), row, style, top)
        top += style.height
    if more:
        left_out = len(night.rows) - len(rows)
        drawing.text(MARGIN + _INDENT, top + 14, f"+ {left_out} more targets", size=14, colour=_DIM)
    return drawing.png(width)


def _altitude_curves(
    axis: TimeAxis, site: Site, coordinates: Mapping[str, Coordinates], rows: Sequence[Row]
) -> Mapping[str, AltitudeCurve]:
    """By target id, the altitude over the whole axis; none for a target whose place is unknown."""
    curves: dict[str, AltitudeCurve] = {}
    for target_id in (row.target_id for row in rows if row.target_id in coordinates):
        ra_hours, dec_deg, epoch = coordinates[target_id]
        if is_position(ra_hours, dec_deg):
            curves[target_id] = altitude_curve(site, ra_hours, dec_deg, axis.start, axis.end, step=_STEP, epoch=epoch)
    return curves


def _axis(plan: NightPlan, night: Night, zone: tzinfo | None, site: Site | None) -> TimeAxis | None:
    """From dusk to dawn where that is known, and in any case over all that is imaged; None if there is neither."""
    edges = [
        moment for row in night.rows for bar in row.bars for moment in (bar.start - _PADDING, bar.end + _PADDING)
    ]
    if site:
        edges += sunset_to_sunrise(site, noon_of(plan, zone)) or ()
    if not edges:
        return None
    start, end = min(edges), max(edges)
    lacking = max(timedelta(0), _SHORTEST_SPAN - (end - start)) / 2
    return TimeAxis(start - lacking, end + lacking, MARGIN, WIDTH - MARGIN)


def _draw_header(drawing: Drawing, night: date, planned: Night, rig_name: str) -> None:
    drawing.text(MARGIN, 27, f"Night of {night.day} {night:%B} {night.year}", size=20, colour=_INK, weight=SEMIBOLD)
    totals = ""
    if planned.rows:
        if planned.integration_s:
            drawing.text(
                WIDTH - MARGIN,
                27,
                _duration(planned.integration_s),
                size=20,
                colour=_ACCENT,
                weight=SEMIBOLD,
                anchor="end",
            )
        totals = f"{counted(planned.exposures, 'exposure')} · {counted(len(planned.rows), 'target')}"
        drawing.text(WIDTH - MARGIN, 47, totals, size=14, colour=_DIM, anchor="end")
    room = WIDTH - 2 * MARGIN - text_width(totals, 14) - 12
    drawing.text(MARGIN, 47, shorten(rig_name, 14, room), size=14, colour=_DIM)


def _draw_sky(drawing: Drawing, axis: TimeAxis, site: Site | None, top: float, bottom: float) -> None:
    stretches = twilight(site, axis.start, axis.end) if site else ()
    for stretch in stretches:
        left, right = axis.x(stretch.start), axis.x(stretch.end)
        drawing.rectangle(left, top, right - left, bottom - top, _SKIES[stretch.darkness])
    if not stretches:
        drawing.rectangle(axis.left, top, axis.right - axis.left, bottom - top, _SKIES[Darkness.NIGHT])


def _draw_waits(drawing: Drawing, axis: TimeAxis, night: Night, top: float, bottom: float) -> None:
    drawing.define(
        '<pattern id="wait" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect width="1.6" height="7" fill="#8b96ab" fill-opacity="0.2"/></pattern>'
    )
    for start, end in night.waits:
        left, right = axis.x(start), axis.x(end)
        if night.rows and right > left:
            drawing.rectangle(left, top, right - left, bottom - top, "url(#wait)")


def _draw_hours(drawing: Drawing, axis: TimeAxis, zone: tzinfo | None, top: float, bottom: float) -> None:
    for x, local in axis.hours(zone):
        midnight = local.hour == 0
        drawing.line([(x, top), (x, bottom + 3)], "#ffffff", thickness=1, opacity=0.22 if midnight else 0.09)
        half = text_width("00:00", 12.5) / 2
        drawing.text(
            min(max(x, MARGIN + half), WIDTH - MARGIN - half),
            bottom + 16,
            f"{local:%H:%M}",
            size=12.5,
            colour=_INK if midnight else _DIM,
            anchor="middle",
        )


def _draw_legend(drawing: Drawing, base: float, zone_names: Sequence[str], *, has_curves: bool) -> None:
    """What the curves are, and in which zone the hours are: of its names the first for which there is room."""
    room: float = WIDTH - 2 * MARGIN
    if has_curves:
        drawing.line([(MARGIN, base - 4), (MARGIN + _SAMPLE, base - 4)], _CURVE, thickness=1.2, opacity=0.8)
        drawing.text(MARGIN + _SAMPLE + 6, base, _ALTITUDES, size=_LEGEND_SIZE, colour=_DIM)
        room -= _SAMPLE + 6 + text_width(_ALTITUDES, _LEGEND_SIZE) + 12
    notes = [f"Times: {name}" for name in zone_names]
    fitting = [note for note in notes if text_width(note, _LEGEND_SIZE) <= room] or notes[-1:]
    for note in fitting[:1]:
        drawing.text(WIDTH - MARGIN, base, note, size=_LEGEND_SIZE, colour=_ACCENT, anchor="end")


def _draw_empty(drawing: Drawing, top: float) -> None:
    drawing.text(
        WIDTH / 2,
        top + _EMPTY_HEIGHT / 2 + 6,
        "Nothing planned for this night",
        size=19,
        colour=_INK,
        anchor="middle",
    )


def _draw_row(drawing: Drawing, chart: _Chart, row: Row, style: _RowStyle, top: float) -> None:
    axis = chart.axis
    left, room = MARGIN + _INDENT, WIDTH - 2 * (MARGIN + _INDENT)
    base = top + style.name - 5
    if style.has_foot:
        times = _times(row.bars, chart.zone)
        foot = top + style.name + style.lane + 14
        drawing.text(left, foot, times, size=_CHIP_SIZE, colour=_DIM)
        _draw_chips(drawing, row.exposures, left + room, foot, room - text_width(times, _CHIP_SIZE) - 12)
    else:
        name_needs = text_width(row.name, style.name_size) + 12
        room -= _draw_chips(drawing, row.exposures, left + room, base, max(room * 0.5, room - name_needs)) + 12
    name = shorten(row.name, style.name_size, room)
    drawing.text(left, base, name, size=style.name_size, colour=_INK, weight=SEMIBOLD)
    lane = top + style.name
    drawing.rectangle(axis.left, lane, axis.right - axis.left, style.lane, "#ffffff", opacity=0.05)
    for bar in row.bars:
        start = axis.x(bar.start)
        width = max(_THINNEST_BAR, axis.x(bar.end) - start)
        drawing.stripes(
            start,
            lane,
            width,
            style.lane,
            [(stripe.share, stripe.look.colour) for stripe in bar.stripes],
            radius=3,
        )
    if curve := chart.curves.get(row.target_id):
        _draw_curve(drawing, axis, curve, lane, style.lane)


def _draw_chips(
    drawing: Drawing, exposures: Sequence[tuple[FilterLook, int]], right: float, base: float, room: float
) -> float:
    """Counts by filter, flush right; gives the width they took. An ellipsis stands for what does not fit."""
    chips: list[tuple[str | None, str]] = [(look.colour, f"{look.label} {count}") for look, count in exposures]
    total = _chips_width(chips)
    while chips and total > room:
        del chips[-2 if chips[-1] == _LEFT_OUT else -1 :]
        chips += [_LEFT_OUT] if chips else []
        total = _chips_width(chips)
    x = right - total
    for colour, text in chips:
        if colour:
            drawing.circle(x + 4, base - 4.2, 4, colour)
        drawing.text(x + (_DOT if colour else 0), base, text, size=_CHIP_SIZE, colour=_INK if colour else _DIM)
        x += _chips_width([(colour, text)]) + _CHIP_GAP
    return total


def _chips_width(chips: Sequence[tuple[str | None, str]]) -> float:
    letters = sum((_DOT if colour else 0) + text_width(text, _CHIP_SIZE) for colour, text in chips)
    return letters + _CHIP_GAP * max(0, len(chips) - 1)


def _draw_curve(drawing: Drawing, axis: TimeAxis, curve: AltitudeCurve, top: float, height: float) -> None:
    """The horizon is the lane's lower edge, the zenith its upper one; lines between them are the scale."""
    for limit in _ALTITUDE_LINES:
        y = top + height * (1 - limit / _ZENITH)
        drawing.line([(axis.left, y), (axis.right, y)], _CURVE, thickness=0.6, opacity=0.3)
    risen: list[list[tuple[float, float]]] = [[]]
    for moment, altitude in curve:
        if altitude >= 0:
            risen[-1].append((axis.x(moment), top + height * (1 - altitude / _ZENITH)))
        elif risen[-1]:
            risen.append([])
    for points in risen:
        if len(points) > 1:
            drawing.line(points, "#000000", thickness=3, opacity=0.35)
            drawing.line(points, _CURVE, thickness=1.2, opacity=0.8)


def _times(bars: Sequence[Bar], zone: tzinfo | None) -> str:
    first, last = bars[0].start.astimezone(zone), bars[-1].end.astimezone(zone)
    blocks = f"  ·  {len(bars)} blocks" if len(bars) > 1 else ""
    return f"{first:%H:%M}{_TO}{last:%H:%M}{blocks}"


def _duration(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"
