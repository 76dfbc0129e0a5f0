"""The whole screen as lines of text, for any size of terminal; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from ts2mqtt.demo import sections
from ts2mqtt.demo.section import Section, natural_height, rule, stack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from ts2mqtt.demo.screen import Screen

_TWO_COLUMNS = 130
_GUTTER = 3
_LEAST_MESSAGES = 4
_MESSAGES_SHARE = 4


def render(screen: Screen, width: int, height: int) -> RenderableType:
    """At most `height` lines of at most `width` columns each."""
    lines = [_header(screen, width)]
    body = _two_columns if width >= _TWO_COLUMNS else _one_column
    lines += body(screen, width, height - 1)
    for line in lines:
        line.no_wrap = True
        line.overflow = "crop"
    return Group(*lines[:height])


def _header(screen: Screen, width: int) -> Text:
    speed = f"{screen.demo.speed:g} ×"
    if screen.bridge_online is False:
        notes = ["the bridge is offline   Ctrl-C ends", "bridge offline"]
    else:
        notes = [
            f"simulated: {screen.time:%a %d %b %Y %H:%M:%S}, {speed} real time   Ctrl-C ends",
            f"simulated: {screen.time:%a %d %b %H:%M:%S}, {speed}   Ctrl-C ends",
            f"{screen.time:%H:%M:%S}, {speed}   Ctrl-C ends",
            f"{screen.time:%H:%M:%S}, {speed}",
        ]
    return rule("ts2mqtt demo", notes, width)


def _one_column(screen: Screen, width: int, height: int) -> list[Text]:
    rigs = sections.rigs(screen)
    projects = sections.projects(screen, also_others=False)
    plan = sections.plan(screen)
    messages = sections.messages(screen)
    home_assistant = sections.home_assistant(screen, width)
    at_work, tonight = _some(sections.at_work(screen)), _some(sections.tonight(screen))
    return stack(
        [rigs, projects, *at_work, plan, *tonight, messages, home_assistant],
        [rigs, projects, messages, plan, home_assistant, *at_work, *tonight],
        width,
        height,
    )


def _two_columns(screen: Screen, width: int, height: int) -> list[Text]:
    """Two columns above, the messages below across the whole width."""
    left_width = (width - _GUTTER) // 2
    right_width = width - _GUTTER - left_width
    left = [sections.rigs(screen), sections.projects(screen, also_others=True), sections.plan(screen)]
    home_assistant = sections.home_assistant(screen, right_width)
    right = [*_some(sections.at_work(screen)), *_some(sections.tonight(screen)), home_assistant]
    room = height - max(_LEAST_MESSAGES, height // _MESSAGES_SHARE)
    above = max(min(room, max(natural_height(left), natural_height(right))), 0)
    lines = _beside(
        stack(left, left, left_width, above),
        stack(right, [home_assistant, *right[:-1]], right_width, above),
        left_width,
    )
    messages = sections.messages(screen)
    return lines + stack([messages], [messages], width, height - len(lines))


def _some(section: Section | None) -> list[Section]:
    return [section] if section else []


def _beside(left: Sequence[Text], right: Sequence[Text], left_width: int) -> list[Text]:
    lines = []
    for number in range(max(len(left), len(right))):
        line = left[number].copy() if number < len(left) else Text()
        line.pad_right(left_width - line.cell_len + _GUTTER)
        if number < len(right):
            line.append_text(right[number])
        lines.append(line)
    return lines
