"""What is drawn behind the rows: how dark it is, and the hours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ts2mqtt.observatory.sky import Darkness, twilight
from ts2mqtt.picture.lettering import text_width
from ts2mqtt.picture.page import DIM_TEXT, MARGIN, TEXT, WIDTH

if TYPE_CHECKING:
    from datetime import tzinfo

    from ts2mqtt.observatory.site import Site
    from ts2mqtt.picture.axis import TimeAxis
    from ts2mqtt.picture.drawing import Drawing

_SKIES = {
    Darkness.DAY: "#2c4a78",
    Darkness.CIVIL_TWILIGHT: "#23385e",
    Darkness.NAUTICAL_TWILIGHT: "#1a2846",
    Darkness.ASTRONOMICAL_TWILIGHT: "#131c31",
    Darkness.NIGHT: "#0e1421",
}


def draw_sky(drawing: Drawing, axis: TimeAxis, site: Site | None, top: float, bottom: float) -> None:
    parts = twilight(site, axis.start, axis.end) if site else ()
    for part in parts:
        left, right = axis.x(part.start), axis.x(part.end)
        drawing.rectangle(left, top, right - left, bottom - top, _SKIES[part.darkness])
    if not parts:
        drawing.rectangle(axis.left, top, axis.right - axis.left, bottom - top, _SKIES[Darkness.NIGHT])


def draw_hours(drawing: Drawing, axis: TimeAxis, zone: tzinfo | None, top: float, bottom: float) -> None:
    for x, local in axis.hours(zone):
        midnight = local.hour == 0
        drawing.line([(x, top), (x, bottom + 3)], "#ffffff", thickness=1, opacity=0.22 if midnight else 0.09)
        half = text_width("00:00", 12.5) / 2
        drawing.text(
            min(max(x, MARGIN + half), WIDTH - MARGIN - half),
            bottom + 16,
            f"{local:%H:%M}",
            size=12.5,
            colour=TEXT if midnight else DIM_TEXT,
            anchor="middle",
        )
