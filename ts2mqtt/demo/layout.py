"""Arranges the sections into a whole screen, for any size of terminal; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from ts2mqtt.demo.section import Section, full_height, rule, stack
from ts2mqtt.demo.sections.current_targets import current_targets_section
from ts2mqtt.demo.sections.home_assistant import home_assistant_section
from ts2mqtt.demo.sections.messages import messages_section
from ts2mqtt.demo.sections.plan import plan_section
from ts2mqtt.demo.sections.projects import projects_section
from ts2mqtt.demo.sections.rigs import rigs_section
from ts2mqtt.demo.sections.tonight import tonight_section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from ts2mqtt.demo.screen import Screen

_MINIMUM_WIDTH_FOR_TWO_COLUMNS = 130
_GAP = 3
_MINIMUM_MESSAGES = 4
_MESSAGES_SHARE = 4
"""With two columns the messages get a quarter of the height."""


def render(screen: Screen, width: int, height: int) -> RenderableType:
    """The screen in at most `height` lines of at most `width` columns."""
    lines = [_header(screen, width)]
    body = _two_columns if width >= _MINIMUM_WIDTH_FOR_TWO_COLUMNS else _one_column
    lines += body(screen, width, height - 1)
    for line in lines:
        line.no_wrap = True
        line.overflow = "crop"
    return Group(*lines[:height])


def _header(screen: Screen, width: int) -> Text:
    speed = f"{screen.setup.speed:g} ×"
    if screen.bridge_online is False:
        notes = ["the bridge is offline   Ctrl-C ends", "bridge offline"]
    else:
        notes = [
            f"simulated: {screen.now:%a %d %b %Y %H:%M:%S}, {speed} real time   Ctrl-C ends",
            f"simulated: {screen.now:%a %d %b %H:%M:%S}, {speed}   Ctrl-C ends",
            f"{screen.now:%H:%M:%S}, {speed}   Ctrl-C ends",
            f"{screen.now:%H:%M:%S}, {speed}",
        ]
    return rule("ts2mqtt demo", notes, width)


def _one_column(screen: Screen, width: int, height: int) -> list[Text]:
    rigs = rigs_section(screen)
    projects = projects_section(screen, count_others=False)
    plan = plan_section(screen)
    messages = messages_section(screen)
    home_assistant = home_assistant_section(screen, width)
    current_targets, tonight = _if_any(current_targets_section(screen)), _if_any(tonight_section(screen))
    return stack(
        [rigs, projects, *current_targets, plan, *tonight, messages, home_assistant],
        [rigs, projects, messages, plan, home_assistant, *current_targets, *tonight],
        width,
        height,
    )


def _two_columns(screen: Screen, width: int, height: int) -> list[Text]:
    """Two columns, and below them the messages over the whole width."""
    left_width = (width - _GAP) // 2
    right_width = width - _GAP - left_width
    left = [rigs_section(screen), projects_section(screen, count_others=True), plan_section(screen)]
    home_assistant = home_assistant_section(screen, right_width)
    right = [*_if_any(current_targets_section(screen)), *_if_any(tonight_section(screen)), home_assistant]
    room = height - max(_MINIMUM_MESSAGES, height // _MESSAGES_SHARE)
    columns_height = max(min(room, max(full_height(left), full_height(right))), 0)
    lines = _side_by_side(
        stack(left, left, left_width, columns_height),
        stack(right, [home_assistant, *right[:-1]], right_width, columns_height),
        left_width,
    )
    messages = messages_section(screen)
    return lines + stack([messages], [messages], width, height - len(lines))


def _if_any(section: Section | None) -> list[Section]:
    return [section] if section else []


def _side_by_side(left: Sequence[Text], right: Sequence[Text], left_width: int) -> list[Text]:
    lines = []
    for number in range(max(len(left), len(right))):
        line = left[number].copy() if number < len(left) else Text()
        line.pad_right(left_width - line.cell_len + _GAP)
        if number < len(right):
            line.append_text(right[number])
        lines.append(line)
    return lines
