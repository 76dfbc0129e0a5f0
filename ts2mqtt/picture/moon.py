"""Draws the moon above the rows: its altitude during the night and its phase."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ts2mqtt.observatory.sky import moon, moon_altitude_curve
from ts2mqtt.picture.lettering import text_width

if TYPE_CHECKING:
    from datetime import datetime

    from ts2mqtt.observatory.site import Site
    from ts2mqtt.observatory.sky import Moon
    from ts2mqtt.picture.axis import TimeAxis
    from ts2mqtt.picture.drawing import Drawing

MOON_HEIGHT = 46.0

_STEP = timedelta(minutes=15)
_LIGHT, _SHADE, _TEXT = "#f3e6b8", "#3a4256", "#d8cfae"
_RADIUS = 7.5
_FONT_SIZE = 12.5
_TOP_MARGIN, _BOTTOM_MARGIN = 6.0, 4.0


def draw_moon(drawing: Drawing, axis: TimeAxis, site: Site, top: float) -> None:
    """Draw the moon in a strip of MOON_HEIGHT; the lower edge is the horizon, the upper edge the zenith."""
    curve = moon_altitude_curve(site, axis.start, axis.end, _STEP)
    phase = moon(site, axis.start + (axis.end - axis.start) / 2)
    horizon = top + MOON_HEIGHT - _BOTTOM_MARGIN

    def position(moment: datetime, altitude: float) -> tuple[float, float]:
        return axis.x(moment), horizon - max(0.0, altitude) / 90 * (MOON_HEIGHT - _TOP_MARGIN - _BOTTOM_MARGIN)

    points = [position(moment, altitude) for moment, altitude in curve]
    outline = f"M{points[0][0]:.2f},{horizon:.2f}" + "".join(f"L{x:.2f},{y:.2f}" for x, y in points)
    drawing.path(f"{outline}L{points[-1][0]:.2f},{horizon:.2f}Z", _LIGHT, opacity=0.05 + 0.2 * phase.illuminated)
    drawing.line([(axis.left, horizon), (axis.right, horizon)], "#ffffff", thickness=0.8, opacity=0.18)
    highest, altitude = max(curve, key=lambda point: point[1])
    label = f"Moon {phase.illuminated * 100:.0f} %" + ("" if altitude > 0 else ", below the horizon")
    label_width = 2 * _RADIUS + 6 + text_width(label, _FONT_SIZE)
    # The disc is at the time of the highest altitude, but moved where its label would leave the strip.
    x = min(max(axis.x(highest), axis.left + _RADIUS + 6), axis.right - label_width)
    _draw_disc(drawing, x, top + MOON_HEIGHT / 2, phase, mirrored=site.latitude_deg < 0)
    drawing.text(x + _RADIUS + 6, top + MOON_HEIGHT / 2 + 4.3, label, size=_FONT_SIZE, colour=_TEXT)


def _draw_disc(drawing: Drawing, x: float, y: float, phase: Moon, *, mirrored: bool) -> None:
    """Draw the disc with its phase; a waxing moon is lit on the right, south of the equator on the left."""
    drawing.circle(x, y, _RADIUS, _SHADE)
    lit_right = phase.waxing is not mirrored
    terminator = _RADIUS * (1 - 2 * phase.illuminated)
    outer, inner = (1, 0 if terminator > 0 else 1) if lit_right else (0, 1 if terminator > 0 else 0)
    drawing.path(
        f"M{x:.2f},{y - _RADIUS:.2f}A{_RADIUS},{_RADIUS} 0 0 {outer} {x:.2f},{y + _RADIUS:.2f}"
        f"A{abs(terminator):.2f},{_RADIUS} 0 0 {inner} {x:.2f},{y - _RADIUS:.2f}Z",
        _LIGHT,
    )
