"""A part of the screen under a title of its own, and how the lines of a column are shared out among such parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rich.cells import cell_len
from rich.text import Text

from ts2mqtt.demo.wording import shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

_RULE = "─"
_ENDLESS = 1_000_000


class Draw(Protocol):
    def __call__(self, width: int, height: int) -> list[Text]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """`least`, `enough` and `most` are lines without the title; `draw` makes at most as many as it is given.

    Without a `most` it takes what the others leave. With less than `least` it is left out; an `extra` one also while
    another one has not enough. The first of the `notes` for which there is room stands at the right of the title.
    """

    title: str
    notes: tuple[str, ...] = ()
    extra: bool = False
    least: int
    enough: int
    most: int | None
    draw: Draw

    @property
    def title_lines(self) -> int:
        return 1 if self.title else 0


def natural_height(sections: Sequence[Section]) -> int:
    """The lines that show all there is."""
    return sum(section.title_lines + (section.most or section.enough) for section in sections)


def stack(sections: Sequence[Section], priorities: Sequence[Section], width: int, height: int) -> list[Text]:
    """The sections under each other, in `height` lines or fewer; who comes first in `priorities` gets lines first."""
    lines: list[Text] = []
    given = _share(priorities, height)
    for section in sections:
        if section.title in given:
            if section.title:
                lines.append(rule(section.title, section.notes, width))
            lines += section.draw(width, given[section.title])[: given[section.title]]
    return lines


def _share(priorities: Sequence[Section], height: int) -> dict[str, int]:
    """Lines by title: what each needs least, as far as there is room, then what is enough, then what is left."""
    given: dict[str, int] = {}
    for section in (section for section in priorities if not section.extra):
        least = section.least if given else min(section.least, height - section.title_lines)
        height -= _begin(given, section, least, height)
    for section in priorities:
        height -= _raise(given, section, section.enough, height)
    for section in (section for section in priorities if section.extra):
        height -= _begin(given, section, section.least, height)
    for section in sorted(priorities, key=lambda section: section.most is None):
        height -= _raise(given, section, _ENDLESS if section.most is None else section.most, height)
    return given


def _begin(given: dict[str, int], section: Section, least: int, height: int) -> int:
    if not 0 < least <= height - section.title_lines:
        return 0
    given[section.title] = least
    return least + section.title_lines


def _raise(given: dict[str, int], section: Section, wanted: int, height: int) -> int:
    if section.title not in given:
        return 0
    more = min(max(wanted - given[section.title], 0), height)
    given[section.title] += more
    return more


def rule(title: str, notes: Sequence[str], width: int) -> Text:
    """A line across with a title at the left and, where there is room, a note at the right."""
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
