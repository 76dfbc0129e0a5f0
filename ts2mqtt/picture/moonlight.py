"""The moon over the night: its altitude through the hours and its phase."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ts2mqtt.observatory.sky import moon, moon_altitude_curve
from ts2mqtt.picture.lettering import text_width

if TYPE_CHECKING:
    from datetime import datetime

    from ts2mqtt.observatory.sky import Moon, Site
    from ts2mqtt.picture.axis import TimeAxis
    from ts2mqtt.picture.drawing import Drawing

MOON_HEIGHT = 46.0

_STEP = timedelta(minutes=15)
_LIGHT, _SHADE, _LETTERS = "#f3e6b8", "#3a4256", "#d8cfae"
_RADIUS = 7.5
_SIZE = 12.5
_TOP, _BOTTOM = 6.0, 4.0


def draw_moon(drawing: Drawing, axis: TimeAxis, site: Site, top: float) -> None:
    """In a strip of MOON_HEIGHT whose lower edge is the horizon and whose upper one is the zenith."""
    curve = moon_altitude_curve(site, axis.start, axis.end, _STEP)
    seen = moon(site, axis.start + (axis.end - axis.start) / 2)
    floor = top + MOON_HEIGHT - _BOTTOM

    def place(moment: datetime, altitude: float) -> tuple[float, float]:
        return axis.x(moment), floor - max(0.0, altitude) / 90 * (MOON_HEIGHT - _TOP - _BOTTOM)

    points = [place(moment, altitude) for moment, altitude in curve]
    outline = f"M{points[0][0]:.2f},{floor:.2f}" + "".join(f"L{x:.2f},{y:.2f}" for x, y in points)
    drawing.path(f"{outline}L{points[-1][0]:.2f},{floor:.2f}Z", _LIGHT, opacity=0.05 + 0.2 * seen.illuminated)
    drawing.line([(axis.left, floor), (axis.right, floor)], "#ffffff", thickness=0.8, opacity=0.18)
    highest, altitude = max(curve, key=lambda point: point[1])
    label = f"Moon {seen.illuminated * 100:.0f} %" + ("" if altitude > 0 else ", below the horizon")
    needs = 2 * _RADIUS + 6 + text_width(label, _SIZE)
    # The disc stands at the moon's highest, moved in where its label would leave the strip.
    x = min(max(axis.x(highest), axis.left + _RADIUS + 6), axis.right - needs)
    _draw_disc(drawing, x, top + MOON_HEIGHT / 2, seen, mirrored=site.latitude_deg < 0)
    drawing.text(x + _RADIUS + 6, top + MOON_HEIGHT / 2 + 4.3, label, size=_SIZE, colour=_LETTERS)


def _draw_disc(drawing: Drawing, x: float, y: float, seen: Moon, *, mirrored: bool) -> None:
    """North of the equator a waxing moon is lit on its right, south of it on its left."""
    drawing.circle(x, y, _RADIUS, _SHADE)
    lit_right = seen.waxing is not mirrored
    terminator = _RADIUS * (1 - 2 * seen.illuminated)
    outer, inner = (1, 0 if terminator > 0 else 1) if lit_right else (0, 1 if terminator > 0 else 0)
    drawing.path(
        f"M{x:.2f},{y - _RADIUS:.2f}A{_RADIUS},{_RADIUS} 0 0 {outer} {x:.2f},{y + _RADIUS:.2f}"
        f"A{abs(terminator):.2f},{_RADIUS} 0 0 {inner} {x:.2f},{y - _RADIUS:.2f}Z",
        _LIGHT,
    )
