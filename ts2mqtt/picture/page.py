"""Sizes and colours that several parts of the picture share."""

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
