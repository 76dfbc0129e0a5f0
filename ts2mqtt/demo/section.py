"""One titled part of the screen, and how the lines of a column are divided among such parts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from ts2mqtt.demo.short_text import shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

_RULE = "─"
_UNLIMITED = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Section(ABC):
    """Base of the screen's parts; the sizes are numbers of lines without the title.

    minimum: with fewer lines the section is left out.
    preferred: every section gets this before any section gets more.
    maximum: None takes every line that is left.
    optional: the section is left out while another one has less than it prefers.
    notes: the first one that fits stands at the right of the title.
    """

    title: str
    notes: tuple[str, ...] = ()
    optional: bool = False
    minimum: int
    preferred: int
    maximum: int | None

    @property
    def title_lines(self) -> int:
        return 1 if self.title else 0

    @abstractmethod
    def draw(self, width: int, height: int) -> list[Text]:
        """The section's lines without the title: at most `height` lines of at most `width` columns."""


def full_height(sections: Sequence[Section]) -> int:
    """The lines that these sections need to show everything."""
    return sum(section.title_lines + (section.maximum or section.preferred) for section in sections)


def stack(sections: Sequence[Section], priorities: Sequence[Section], width: int, height: int) -> list[Text]:
    """The sections under each other, in at most `height` lines.

    `priorities` are the same sections in the order in which they get lines.
    """
    lines: list[Text] = []
    heights = _heights(priorities, height)
    for section in sections:
        if section.title in heights:
            if section.title:
                lines.append(rule(section.title, section.notes, width))
            lines += section.draw(width, heights[section.title])[: heights[section.title]]
    return lines


def rule(title: str, notes: Sequence[str], width: int) -> Text:
    """A line across the screen: the title at the left, and the first note that fits at the right."""
    title = shorten(title, width - 4)
    room = width - cell_len(title) - 8
    note = next((note for note in notes if cell_len(note) <= room), "")
    text = Text()
    text.append(f"{_RULE} ", "dim")
    text.append(title, "bold")
    text.append(" ")
    end = f" {note} " if note else ""
    text.append(_RULE * max(width - text.cell_len - cell_len(end) - (2 if note else 0), 0), "dim")
    if note:
        text.append(end)
        text.append(_RULE * 2, "dim")
    return text


def _heights(priorities: Sequence[Section], lines_left: int) -> dict[str, int]:
    """The height of each shown section by its title: all minimums first, then what is preferred, then the rest."""
    heights: dict[str, int] = {}
    for section in (section for section in priorities if not section.optional):
        # The first section is shown even where it has less room than its minimum.
        minimum = section.minimum if heights else min(section.minimum, lines_left - section.title_lines)
        lines_left -= _add_section(heights, section, minimum, lines_left)
    for section in priorities:
        lines_left -= _grow_section(heights, section, section.preferred, lines_left)
    for section in (section for section in priorities if section.optional):
        lines_left -= _add_section(heights, section, section.minimum, lines_left)
    for section in sorted(priorities, key=lambda section: section.maximum is None):
        maximum = _UNLIMITED if section.maximum is None else section.maximum
        lines_left -= _grow_section(heights, section, maximum, lines_left)
    return heights


def _add_section(heights: dict[str, int], section: Section, height: int, lines_left: int) -> int:
    """Give the section its first lines if there is room; returns the lines that this takes."""
    if not 0 < height <= lines_left - section.title_lines:
        return 0
    heights[section.title] = height
    return height + section.title_lines


def _grow_section(heights: dict[str, int], section: Section, height: int, lines_left: int) -> int:
    """Give a shown section more lines, up to `height` in all; returns the lines that this takes."""
    if section.title not in heights:
        return 0
    more = min(max(height - heights[section.title], 0), lines_left)
    heights[section.title] += more
    return more
