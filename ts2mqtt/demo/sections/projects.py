"""The section of the Active projects, each with its progress."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from ts2mqtt.demo.section import Section
from ts2mqtt.demo.sections.lines import items_that_fit, more_items
from ts2mqtt.demo.sections.progress_rows import COLUMN_NOTES, COMPLETE_PERCENT, ProgressRow, progress_lines
from ts2mqtt.demo.short_text import in_hours, shorten

if TYPE_CHECKING:
    from ts2mqtt.demo.screen import ItemKey, Screen
    from ts2mqtt.topics.payloads import Project


def projects_section(screen: Screen, *, count_others: bool) -> ProjectsSection:
    """With `count_others` a last line counts the projects in other states."""
    active = sorted(
        ((key, project) for key, project in screen.projects.items() if project.state == "active"),
        key=lambda item: _rank(screen, *item),
    )
    others = _other_states(screen) if count_others else ""
    number = max(len(active), 1)
    return ProjectsSection(
        title=f"Active projects: {len(active)}" if active else "Active projects",
        notes=(f"{COLUMN_NOTES[0]}, remaining", COLUMN_NOTES[1]),
        minimum=min(number, 2),
        preferred=min(number, 5),
        maximum=number + bool(others),
        rows=tuple(_row(screen, key, project) for key, project in active),
        others=others,
        any_known=bool(screen.projects),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectsSection(Section):
    """`others` counts the projects in other states; empty for no such line."""

    rows: tuple[ProgressRow, ...]
    others: str
    any_known: bool

    def draw(self, width: int, height: int) -> list[Text]:
        if not self.rows:
            return [Text(shorten("none" if self.any_known else "none yet", width))]
        show_others = bool(self.others) and height > len(self.rows)
        shown, more = items_that_fit(self.rows, height - show_others)
        lines = progress_lines(shown, width) + more_items(more, "project", width)
        return lines + ([Text(shorten(f"  besides: {self.others}", width))] if show_others else [])


def _other_states(screen: Screen) -> str:
    """The projects that are not Active, counted: `1 draft, 2 closed`."""
    counts = Counter(project.state for project in screen.projects.values() if project.state != "active")
    return ", ".join(f"{number} {state or 'unknown'}" for state, number in counts.items())


def _rank(screen: Screen, key: ItemKey, project: Project) -> tuple[bool, bool, bool]:
    """Sorts projects that change now before the others, so that they are seen where there is little room."""
    rig = screen.rigs.get(key[0])
    profile = rig.state.active_profile if rig else None
    return (
        not _is_current(screen, key),
        profile is not None and project.profile_name != profile.name,
        (project.progress or 0.0) >= COMPLETE_PERCENT,
    )


def _is_current(screen: Screen, key: ItemKey) -> bool:
    rig = screen.rigs.get(key[0])
    current = rig.target_at_work if rig else None
    return current is not None and current.project_id == key[1]


def _row(screen: Screen, key: ItemKey, project: Project) -> ProgressRow:
    return ProgressRow(
        name=project.name,
        progress=project.progress,
        desired=project.desired,
        accepted=project.accepted,
        pending=project.pending,
        last_column=_remaining(project),
        is_current=_is_current(screen, key),
    )


def _remaining(project: Project) -> str:
    if project.remaining_s is None:
        return ""
    return in_hours(project.remaining_s) if project.remaining_s else "done"
