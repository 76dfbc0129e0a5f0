"""What several parts of the pictures share: sizes, colours, and how a legend is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ts2mqtt.picture.lettering import text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ts2mqtt.picture.drawing import Drawing

WIDTH = 412.0
"""The width in units; it is the width of a phone's screen, and all sizes are chosen for that."""
MARGIN = 14.0
INDENT = 6.0
TEXT, DIM_TEXT = "#eef1f7", "#97a2b6"
CURVE = "#ffffff"
"""The colour of the altitude curves and of their scale."""
IMAGED = "#57c98a"
"""The colour of what has come true."""
MAXIMUM_ROWS = 14
"""Further targets are only counted, because the picture would be too high."""
AXIS_HEIGHT = 20.0
LEGEND_HEIGHT = 20.0
FOOT_HEIGHT = 12.0
MORE_HEIGHT = 24.0
BACKGROUND = "#0a0d14"
ACCENT = "#ffd27a"
SMALL = 12.5
"""The size of the smallest text."""


def draw_legend(drawing: Drawing, base: float, meanings: Sequence[tuple[str, str]]) -> float:
    """Colours and what they mean, in one line from the left; returns where it ends."""
    x = MARGIN
    for colour, text in meanings:
        drawing.rectangle(x, base - 9, 10, 9, colour, radius=2)
        drawing.text(x + 14, base, text, size=SMALL, colour=DIM_TEXT)
        x += 14 + text_width(text, SMALL) + 12
    return x
