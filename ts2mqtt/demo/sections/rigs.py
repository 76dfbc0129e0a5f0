"""The section of the rigs: what each one does, its current and next target, and its exposures tonight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from ts2mqtt.demo.section import Section
from ts2mqtt.demo.sections.lines import MINIMUM_NAME_WIDTH, cropped, items_that_fit, more_items
from ts2mqtt.demo.short_text import clock_time, duration, shorten, shorten_list, time_range
from ts2mqtt.logs.wording import counted

if TYPE_CHECKING:
    from datetime import datetime

    from ts2mqtt.demo.screen import Rig, Screen
    from ts2mqtt.topics.payloads import Appointment, Tonight

_ACTIVITY_STYLES = {"imaging": "green", "waiting": "cyan", "offline": "red"}
_LINES_PER_RIG = 4
_NEXT = "next"
_CLOUDS = ": clouds, the safety monitor says unsafe"
"""Nothing but clouds makes the simulated observatory unsafe."""


def rigs_section(screen: Screen) -> RigsSection:
    rigs = tuple(screen.rigs.values())
    number = max(len(rigs), 1)
    return RigsSection(
        title="",
        minimum=number if number > 1 else _LINES_PER_RIG - 1,
        preferred=_LINES_PER_RIG * number,
        maximum=_LINES_PER_RIG * number,
        rigs=rigs,
        now=screen.now,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RigsSection(Section):
    rigs: tuple[Rig, ...]
    now: datetime

    def draw(self, width: int, height: int) -> list[Text]:
        if not self.rigs:
            return [Text(shorten("The bridge is asking the observatory …", width))]
        shown, more = items_that_fit(self.rigs, height)
        lines_per_rig = max((height - bool(more)) // len(shown), 1) if shown else 1
        lines = [line for rig in shown for line in _rig_lines(rig, self.now, width)[:lines_per_rig]]
        return lines + more_items(more, "rig", width)


def _rig_lines(rig: Rig, now: datetime, width: int) -> list[Text]:
    return [
        _rig_line(rig, now, width),
        _target_line("now", rig.state.current_target, now, width, reason=_CLOUDS if rig.state.safe is False else ""),
        _target_line(_NEXT, rig.state.next_target, now, width),
        _tonight_line(rig.state.tonight, width),
    ]


def _rig_line(rig: Rig, now: datetime, width: int) -> Text:
    status, style = {True: ("online", "green"), False: ("OFFLINE", "bold red"), None: ("not tried yet", "")}[
        rig.online
    ]
    text = Text()
    text.append("● " if rig.online else "○ ", style)
    text.append(shorten(rig.name, max(width // 3, width - 60)), "bold")
    text.append("  API ")
    text.append(status, style)
    if rig.online is False and rig.online_changed:
        text.append(f" since {clock_time(rig.online_changed, now)}")
    if rig.state.activity and rig.online:
        text.append("  ")
        text.append(shorten(rig.state.activity, 20), _ACTIVITY_STYLES.get(rig.state.activity, ""))
    for fact in (
        rig.state.active_profile and f"profile {rig.state.active_profile.name}",
        rig.state.plugin_version and f"Target Scheduler {rig.state.plugin_version}",
    ):
        if fact and text.cell_len + 2 + cell_len(fact) <= width:
            text.append(f"  {fact}")
    return cropped(text, width)


def _target_line(label: str, target: Appointment | None, now: datetime, width: int, *, reason: str = "") -> Text:
    text = Text()
    text.append(f"  {label:<8}")
    if target is None:
        text.append(f"no target{reason}")
        return cropped(text, width)
    times = time_range(target.start, target.end, now)
    countdown = _countdown(target, now, is_next=label == _NEXT)
    room = width - text.cell_len - cell_len(times) - 2
    text.append(shorten(target.name, max(room, MINIMUM_NAME_WIDTH)), "bold")
    if times:
        text.append(f"  {times}")
    if countdown and text.cell_len + 2 + cell_len(countdown) <= width:
        text.append(f"  {countdown}")
    return cropped(text, width)


def _countdown(target: Appointment, now: datetime, *, is_next: bool) -> str:
    """The time until the target starts, or until it ends; empty if both are past or unknown.

    A next target whose time has begun, as under clouds, is overdue.
    """
    if target.start and target.start > now:
        return f"in {duration((target.start - now).total_seconds())}"
    if is_next and target.start:
        return "overdue"
    if target.end and target.end > now:
        return f"{duration((target.end - now).total_seconds())} left"
    return ""


def _tonight_line(tonight: Tonight, width: int) -> Text:
    text = Text(f"  {'tonight':<8}")
    if tonight.exposures_acquired is None:
        text.append("nothing counted yet")
        return cropped(text, width)
    pieces = [counted(tonight.exposures_acquired, "exposure")]
    if tonight.exposures_accepted is not None:
        # The plugin grades many exposures at once, and then also those of earlier nights.
        earlier_too = tonight.exposures_accepted > tonight.exposures_acquired
        pieces.append(f"{tonight.exposures_accepted} accepted{' with earlier ones' if earlier_too else ''}")
    if tonight.integration_s:
        pieces.append(f"{duration(tonight.integration_s)} of integration")
    text.append(shorten_list(pieces, width - text.cell_len, separator=", "))
    return text
