"""Draws how much integration a night has brought through each filter: a panel of bars with a scale of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ts2mqtt.picture.drawing import SEMIBOLD
from ts2mqtt.picture.filters import filter_look
from ts2mqtt.picture.lettering import clean, duration, shorten, text_width
from ts2mqtt.picture.page import DIM_TEXT, INDENT, LEGEND_HEIGHT, MARGIN, SMALL, TEXT, WIDTH, draw_legend

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ts2mqtt.observatory.night_report import NightReport, PlanReport, TargetReport
    from ts2mqtt.picture.drawing import Drawing

_PANEL = "#151a26"
_PENDING, _REJECTED = "#8b93a3", "#454c5c"
_TITLE = "Integration by filter"
_GAP, _TITLE_HEIGHT, _SCALE_HEIGHT, _NAME_HEIGHT, _BAR_HEIGHT, _ROW_GAP = 10.0, 22.0, 16.0, 18.0, 15.0, 7.0
_MOST_FILTERS = 8
_LEFT, _RIGHT = MARGIN + INDENT + 68.0, WIDTH - MARGIN - INDENT - 84.0
_MOST_MARKS = 4
_STEPS_MIN = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440)
_MINUTE_S = 60.0


def integration_height(targets: Sequence[TargetReport]) -> float:
    """How high the panel is with these targets; 0 without any."""
    if not targets:
        return 0.0
    rows = sum(_row_height(target) for target in targets)
    return _GAP + _TITLE_HEIGHT + _SCALE_HEIGHT + rows + LEGEND_HEIGHT


def draw_integration(drawing: Drawing, report: NightReport, targets: Sequence[TargetReport], top: float) -> None:
    """The panel of these targets of the report, from `top` down."""
    if not targets:
        return
    bottom = top + integration_height(targets)
    top += _GAP
    drawing.rectangle(0, top, WIDTH, bottom - top, _PANEL)
    drawing.text(MARGIN, top + 16, _TITLE, size=14, colour=TEXT, weight=SEMIBOLD)
    top += _TITLE_HEIGHT + _SCALE_HEIGHT
    most_s = max((plan.integration_s for target in targets for plan in target.plans), default=0.0)
    for seconds in _marks(most_s):
        x = _x(seconds, most_s)
        drawing.line([(x, top - 2), (x, bottom - LEGEND_HEIGHT)], "#ffffff", thickness=1, opacity=0.12)
        drawing.text(x, top - 6, _mark_text(seconds), size=SMALL, colour=DIM_TEXT, anchor="middle")
    for target in targets:
        _draw_target(drawing, report, target, top, most_s)
        top += _row_height(target)
    draw_legend(drawing, bottom - 6, ((_PENDING, "to grade"), (_REJECTED, "rejected")))


def _row_height(target: TargetReport) -> float:
    return _NAME_HEIGHT + min(_MOST_FILTERS, len(target.plans)) * _BAR_HEIGHT + _ROW_GAP


def _marks(most_s: float) -> Iterator[float]:
    """Seconds to mark on the scale, from 0 on."""
    fitting = (step for step in _STEPS_MIN if most_s <= step * _MINUTE_S * _MOST_MARKS)
    step_s = next(fitting, _STEPS_MIN[-1]) * _MINUTE_S
    for number in range(_MOST_MARKS + 1):
        if number * step_s <= most_s:
            yield number * step_s


def _mark_text(seconds: float) -> str:
    minutes = round(seconds / _MINUTE_S)
    if minutes % 60 == 0:
        return f"{minutes // 60} h" if minutes else "0"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60}½ h"  # noqa: PLR2004 - of an hour


def _x(seconds: float, most_s: float) -> float:
    return _LEFT + (_RIGHT - _LEFT) * seconds / most_s if most_s else _LEFT


def _draw_target(drawing: Drawing, report: NightReport, target: TargetReport, top: float, most_s: float) -> None:
    left, right = MARGIN + INDENT, WIDTH - MARGIN - INDENT
    hfr = report.hfr_median(target.id)
    sums = duration(target.integration_s) + ("" if hfr is None else f" · HFR {hfr:.2f}")
    drawing.text(right, top + 13, sums, size=SMALL, colour=DIM_TEXT, anchor="end")
    name = shorten(clean(target.name) or "Unnamed target", SMALL, right - left - text_width(sums, SMALL) - 12)
    drawing.text(left, top + 13, name, size=SMALL, colour=TEXT)
    top += _NAME_HEIGHT
    for plan in target.plans[:_MOST_FILTERS]:
        _draw_bar(drawing, plan, top + 11, _x(plan.integration_s, most_s) - _LEFT)
        top += _BAR_HEIGHT


def _draw_bar(drawing: Drawing, plan: PlanReport, base: float, width: float) -> None:
    look, left = filter_look(plan.filter), MARGIN + INDENT
    drawing.circle(left + 4, base - 4.2, 4, look.colour)
    drawing.text(left + 11, base, shorten(look.label, SMALL, _LEFT - left - 15), size=SMALL, colour=TEXT)
    rejected, pending = ((number or 0) / max(1, plan.acquired) for number in (plan.rejected, plan.pending))
    parts = ((1 - rejected - pending, look.colour), (pending, _PENDING), (rejected, _REJECTED))
    stripes = [part for part in parts if part[0] > 0]
    drawing.stripes(_LEFT, base - 9, max(1.6, width), 9, stripes, radius=2)
    of = f"{plan.acquired} × {plan.exposure_s:g} s" if plan.exposure_s else f"{plan.acquired}"
    drawing.text(WIDTH - MARGIN - INDENT, base, of, size=SMALL, colour=DIM_TEXT, anchor="end")
