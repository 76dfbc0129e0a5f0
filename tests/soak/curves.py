"""Draws what a soak has measured, each figure in a strip of its own over the same days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ts2mqtt.picture.drawing import Drawing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.soak.__main__ import Measured

_STRIPS = (
    ("resident_mb", "resident memory, MB"),
    ("objects", "objects of ts2mqtt"),
    ("retained", "retained topics"),
    ("descriptors", "file descriptors"),
    ("tasks", "tasks"),
    ("threads", "threads"),
)
_WIDTH, _STRIP, _LEFT, _RIGHT, _MARGIN = 900, 90, 190, 880, 20
_INK, _FAINT, _CURVE = "#222222", "#777777", "#1565c0"


def curves(measured: Sequence[Measured]) -> bytes:
    """As PNG; every strip begins at zero."""
    height = 2 * _MARGIN + _STRIP * len(_STRIPS)
    drawing = Drawing(_WIDTH, height)
    drawing.rectangle(0, 0, _WIDTH, height, "#ffffff")
    for number, (name, label) in enumerate(_STRIPS):
        _strip(drawing, [float(getattr(one, name)) for one in measured], label, _MARGIN + number * _STRIP)
    drawing.text(_RIGHT, height - 8, f"day {measured[-1].day}", size=13, colour=_FAINT, anchor="end")
    return drawing.png(_WIDTH)


def _strip(drawing: Drawing, values: Sequence[float], label: str, top: float) -> None:
    most = max(*values, 1.0)
    bottom, room = top + _STRIP - 15, _STRIP - 25
    across = (_RIGHT - _LEFT) / max(1, len(values) - 1)
    points = [(_LEFT + number * across, bottom - value / most * room) for number, value in enumerate(values)]
    drawing.line([(_LEFT, bottom), (_RIGHT, bottom)], _FAINT, thickness=0.5)
    drawing.line(points, _CURVE, thickness=1.5)
    drawing.text(10, top + 30, label, size=14, colour=_INK)
    told = f"{values[0]:,.0f} to {values[-1]:,.0f}, most {most:,.0f}"
    drawing.text(10, top + 50, told, size=13, colour=_FAINT)
