"""Draws one row of the picture: a target's name, blocks, altitude, times and exposures by filter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from ts2mqtt.observatory.site import is_position
from ts2mqtt.observatory.sky import altitude_curve
from ts2mqtt.picture.drawing import SEMIBOLD, Drawing
from ts2mqtt.picture.lettering import ELLIPSIS, shorten, text_width
from ts2mqtt.picture.page import CURVE, DIM_TEXT, IMAGED, INDENT, MARGIN, TEXT, WIDTH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, tzinfo

    from ts2mqtt.observatory.night_report import ImagedStretch
    from ts2mqtt.observatory.site import Site
    from ts2mqtt.picture.axis import TimeAxis
    from ts2mqtt.picture.filters import FilterLook
    from ts2mqtt.picture.rows import Bar, Row

_CURVE_STEP = timedelta(minutes=10)
_ALTITUDE_LINES = (30, 60)
_ZENITH = 90
_MINIMUM_BAR_WIDTH = 1.6
_CHIP_GAP = 8.0
_CHIP_SIZE = 12.5
_DOT = 11.0
_DROPPED_OPACITY = 0.3
_RANGE_DASH = "\N{EN DASH}"
_MORE_CHIPS = (None, ELLIPSIS)
IMAGED_HEIGHT = 3.0

Coordinates: TypeAlias = tuple[float, float, str | None]
"""Right ascension in hours, declination in degrees, and the epoch of both as the API calls it."""

AltitudeCurve: TypeAlias = "tuple[tuple[datetime, float], ...]"
"""Moments, each with the altitude in degrees."""


@dataclass(frozen=True, slots=True)
class RowStyle:
    """The heights of a row's parts.

    With `has_foot` the times and the counts are below the bars. Without it the counts are beside the name.
    """

    name_size: float
    name: float
    lane: float
    has_foot: bool
    foot: float
    gap: float

    @property
    def height(self) -> float:
        return self.name + self.lane + self.foot + self.gap


ROOMY = RowStyle(name_size=16, name=21, lane=26, has_foot=True, foot=18, gap=13)
COMPACT = RowStyle(name_size=14.5, name=19, lane=16, has_foot=False, foot=0, gap=11)


@dataclass(frozen=True, slots=True)
class Chart:
    """What all rows share; `zone` and `imaged` as for night_picture(), `curves` by target id."""

    axis: TimeAxis
    zone: tzinfo | None
    curves: Mapping[str, AltitudeCurve]
    imaged: Sequence[ImagedStretch] = ()


def altitude_curves(
    axis: TimeAxis, site: Site, coordinates: Mapping[str, Coordinates], rows: Sequence[Row]
) -> Mapping[str, AltitudeCurve]:
    """The altitude over the whole axis by target id; a target without usable coordinates has none."""
    curves: dict[str, AltitudeCurve] = {}
    for target_id in (row.target_id for row in rows if row.target_id in coordinates):
        ra_hours, dec_deg, epoch = coordinates[target_id]
        if is_position(ra_hours, dec_deg):
            curves[target_id] = altitude_curve(
                site, ra_hours, dec_deg, axis.start, axis.end, step=_CURVE_STEP, epoch=epoch
            )
    return curves


def draw_row(drawing: Drawing, chart: Chart, row: Row, style: RowStyle, top: float) -> None:
    axis = chart.axis
    left, room = MARGIN + INDENT, WIDTH - 2 * (MARGIN + INDENT)
    base = top + style.name - 5
    if style.has_foot:
        times = _times(row.bars, chart.zone)
        foot = top + style.name + style.lane + 14
        drawing.text(left, foot, times, size=_CHIP_SIZE, colour=DIM_TEXT)
        _draw_chips(drawing, row.exposures, left + room, foot, room - text_width(times, _CHIP_SIZE) - 12)
    else:
        name_needs = text_width(row.name, style.name_size) + 12
        room -= _draw_chips(drawing, row.exposures, left + room, base, max(room * 0.5, room - name_needs)) + 12
    name = shorten(row.name, style.name_size, room)
    drawing.text(left, base, name, size=style.name_size, colour=TEXT, weight=SEMIBOLD)
    lane = top + style.name
    drawing.rectangle(axis.left, lane, axis.right - axis.left, style.lane, "#ffffff", opacity=0.05)
    for bar in row.bars:
        start = axis.x(bar.start)
        width = max(_MINIMUM_BAR_WIDTH, axis.x(bar.end) - start)
        drawing.stripes(
            start,
            lane,
            width,
            style.lane,
            [(stripe.share, stripe.look.colour) for stripe in bar.stripes],
            radius=3,
            opacity=_DROPPED_OPACITY if bar.is_dropped else 1,
        )
    for stretch in (stretch for stretch in chart.imaged if stretch.id == row.target_id):
        start = axis.x(stretch.start)
        width = max(_MINIMUM_BAR_WIDTH, axis.x(stretch.end) - start)
        drawing.rectangle(start, lane + style.lane + 0.5, width, IMAGED_HEIGHT, IMAGED, radius=1.5)
    if curve := chart.curves.get(row.target_id):
        _draw_curve(drawing, axis, curve, lane, style.lane)


def _draw_chips(
    drawing: Drawing, exposures: Sequence[tuple[FilterLook, int]], right: float, base: float, room: float
) -> float:
    """Draw the counts by filter, aligned right, with an ellipsis for those that do not fit; returns their width."""
    chips: list[tuple[str | None, str]] = [(look.colour, f"{look.label} {count}") for look, count in exposures]
    total = _chips_width(chips)
    while chips and total > room:
        del chips[-2 if chips[-1] == _MORE_CHIPS else -1 :]
        chips += [_MORE_CHIPS] if chips else []
        total = _chips_width(chips)
    x = right - total
    for colour, text in chips:
        if colour:
            drawing.circle(x + 4, base - 4.2, 4, colour)
        drawing.text(x + (_DOT if colour else 0), base, text, size=_CHIP_SIZE, colour=TEXT if colour else DIM_TEXT)
        x += _chips_width([(colour, text)]) + _CHIP_GAP
    return total


def _chips_width(chips: Sequence[tuple[str | None, str]]) -> float:
    chips_only = sum((_DOT if colour else 0) + text_width(text, _CHIP_SIZE) for colour, text in chips)
    return chips_only + _CHIP_GAP * max(0, len(chips) - 1)


def _draw_curve(drawing: Drawing, axis: TimeAxis, curve: AltitudeCurve, top: float, height: float) -> None:
    """Draw the altitude over the bars, with a scale; the lane reaches from the horizon up to the zenith."""
    for line_altitude in _ALTITUDE_LINES:
        y = top + height * (1 - line_altitude / _ZENITH)
        drawing.line([(axis.left, y), (axis.right, y)], CURVE, thickness=0.6, opacity=0.3)
    risen: list[list[tuple[float, float]]] = [[]]
    for moment, altitude in curve:
        if altitude >= 0:
            risen[-1].append((axis.x(moment), top + height * (1 - altitude / _ZENITH)))
        elif risen[-1]:
            risen.append([])
    for points in risen:
        if len(points) > 1:
            drawing.line(points, "#000000", thickness=3, opacity=0.35)
            drawing.line(points, CURVE, thickness=1.2, opacity=0.8)


def _times(bars: Sequence[Bar], zone: tzinfo | None) -> str:
    first, last = bars[0].start.astimezone(zone), bars[-1].end.astimezone(zone)
    blocks = f"  ·  {len(bars)} blocks" if len(bars) > 1 else ""
    return f"{first:%H:%M}{_RANGE_DASH}{last:%H:%M}{blocks}"
