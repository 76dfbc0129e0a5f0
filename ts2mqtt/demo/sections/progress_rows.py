"""Rows with a name, a progress bar and numbers, aligned like a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from ts2mqtt.demo.progress_bar import progress_bar
from ts2mqtt.demo.sections.lines import CURRENT_MARK, MINIMUM_NAME_WIDTH, NO_MARK, cropped
from ts2mqtt.demo.short_text import column

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COLUMN_NOTES = ("accepted/desired +to be graded", "accepted/desired")
COMPLETE_PERCENT = 100.0

_MINIMUM_BAR_WIDTH, _MAXIMUM_BAR_WIDTH = 8, 40


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressRow:
    """One row: counts of exposures, progress in percent, and the text of the last column."""

    name: str
    progress: float | None
    desired: int | None
    accepted: int | None
    pending: int | None
    last_column: str
    is_current: bool = False

    @property
    def accepted_share(self) -> float:
        return (self.accepted or 0) / self.desired if self.desired else (self.progress or 0.0) / COMPLETE_PERCENT

    @property
    def pending_share(self) -> float:
        return (self.pending or 0) / self.desired if self.desired else 0.0

    @property
    def percent_column(self) -> str:
        """Rounded down, so that 100 % means complete."""
        return "" if self.progress is None else f"{int(self.progress)} %"

    @property
    def counts_column(self) -> str:
        return "" if self.desired is None or self.accepted is None else f"{self.accepted}/{self.desired}"

    @property
    def pending_column(self) -> str:
        return f"+{self.pending}" if self.pending else ""


def progress_lines(rows: Sequence[ProgressRow], width: int) -> list[Text]:
    """The rows as a table of `width` columns; number columns that do not fit are left out from the right."""
    longest_name = max((cell_len(row.name) for row in rows), default=0)
    numbers = _number_columns(rows, width, longest_name)
    numbers_width = sum(_column_width(rows, number) + 1 for number in numbers)
    room = width - len(CURRENT_MARK) - 1 - numbers_width
    name_width = max(min(longest_name, room - _MINIMUM_BAR_WIDTH), min(MINIMUM_NAME_WIDTH, room))
    bar_width = min(room - name_width, _MAXIMUM_BAR_WIDTH)
    lines = []
    for row in rows:
        text = Text(CURRENT_MARK if row.is_current else NO_MARK)
        text.append(column(row.name, name_width), "bold" if row.is_current else "")
        text.append(" ")
        text.append_text(progress_bar(max(bar_width, 0), row.accepted_share, row.pending_share))
        for number in numbers:
            text.append(" " + column(number(row), _column_width(rows, number), right=True))
        lines.append(cropped(text, width))
    return lines


def _number_columns(rows: Sequence[ProgressRow], width: int, longest_name: int) -> list[Callable[[ProgressRow], str]]:
    """The columns of numbers that fit beside a short name and a short bar; the percentage is always one of them."""
    columns: list[Callable[[ProgressRow], str]] = [lambda row: row.percent_column]
    name_width = min(longest_name, 2 * MINIMUM_NAME_WIDTH)
    for candidate in (lambda row: row.counts_column, lambda row: row.pending_column, lambda row: row.last_column):
        numbers_width = sum(_column_width(rows, number) + 1 for number in (*columns, candidate))
        if len(CURRENT_MARK) + name_width + 1 + _MINIMUM_BAR_WIDTH + numbers_width > width:
            break
        columns.append(candidate)
    return columns


def _column_width(rows: Sequence[ProgressRow], number: Callable[[ProgressRow], str]) -> int:
    return max(cell_len(number(row)) for row in rows)
