"""Draws a night's requests over time, by kind, before and after: the picture of docs/kind-to-the-rig.md."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tests.support.night_delays import kind_of
from ts2mqtt.picture.drawing import Drawing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.api_in_memory import RequestInMemory

_HOURS = 24
_A_BAR = timedelta(minutes=15)
_BARS = _HOURS * 4
_COLOURS = {
    "profiles": "#b0bec5",
    "projects": "#66bb6a",
    "targets": "#1565c0",
    "statistics": "#ef6c00",
}
_LABELS = {
    "profiles": "profiles (no database)",
    "projects": "projects",
    "targets": "targets",
    "statistics": "statistics",
}
_WIDTH, _STRIP, _LEFT, _RIGHT, _MARGIN = 900, 190, 70, 880, 20
_INK, _FAINT, _PAPER = "#222222", "#777777", "#ffffff"
_NAMES = ("a full look every 30 s", "ts2mqtt")


def curves(start: datetime, before: Sequence[RequestInMemory], after: Sequence[RequestInMemory]) -> bytes:
    """As PNG: requests in each quarter of an hour, from `start` on, in one scale for both."""
    bars = [_bars(start, requests) for requests in (before, after)]
    most = max(sum(bar.values()) for strip in bars for bar in strip)
    height = 2 * _MARGIN + 2 * _STRIP + 30
    drawing = Drawing(_WIDTH, height)
    drawing.rectangle(0, 0, _WIDTH, height, _PAPER)
    for number, (name, strip) in enumerate(zip(_NAMES, bars, strict=True)):
        _draw_strip(drawing, name, strip, most, _MARGIN + number * _STRIP)
    _draw_hours(drawing, _MARGIN + 2 * _STRIP)
    _draw_legend(drawing, height - 8)
    return drawing.png(_WIDTH)


def _bars(start: datetime, requests: Sequence[RequestInMemory]) -> list[Counter[str]]:
    bars: list[Counter[str]] = [Counter() for _ in range(_BARS)]
    for request in requests:
        number = int((request.time - start) / _A_BAR)
        if number < _BARS:
            bars[number][kind_of(request.path)] += 1
    return bars


def _draw_strip(drawing: Drawing, name: str, bars: Sequence[Counter[str]], most: int, top: float) -> None:
    bottom, room = top + _STRIP - 15, _STRIP - 45
    across = (_RIGHT - _LEFT) / _BARS
    drawing.text(
        _LEFT, top + 14, f"{name}: {sum(sum(bar.values()) for bar in bars):,} requests", size=15, colour=_INK
    )
    for number, bar in enumerate(bars):
        base = bottom
        for kind, colour in _COLOURS.items():
            length = bar[kind] / most * room
            if length:
                x = _LEFT + number * across
                drawing.rectangle(x, base - length, across - 1, length, colour)
            base -= length
    drawing.line([(_LEFT, bottom), (_RIGHT, bottom)], _FAINT, thickness=0.5)
    drawing.text(_LEFT - 8, bottom - room + 5, f"{most}", size=12, colour=_FAINT, anchor="end")
    drawing.text(_LEFT - 8, bottom, "0", size=12, colour=_FAINT, anchor="end")


def _draw_hours(drawing: Drawing, top: float) -> None:
    for hour in range(0, _HOURS + 1, 3):
        x = _LEFT + hour * (_RIGHT - _LEFT) / _HOURS
        drawing.text(x, top, f"{(12 + hour) % 24}:00", size=12, colour=_FAINT, anchor="middle")


def _draw_legend(drawing: Drawing, baseline: float) -> None:
    x = float(_LEFT)
    for kind, colour in _COLOURS.items():
        drawing.rectangle(x, baseline - 11, 12, 12, colour)
        drawing.text(x + 18, baseline, _LABELS[kind], size=13, colour=_INK)
        x += 200
