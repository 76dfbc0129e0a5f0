"""Lines that several sections need: the items that fit, the number of those that do not, marks and widths."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from rich.text import Text

from ts2mqtt.demo.short_text import ELLIPSIS, shorten
from ts2mqtt.logs.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

CURRENT_MARK, NO_MARK = "▶ ", "  "
MINIMUM_NAME_WIDTH = 12
NO_FILTER = "no filter"

_MINIMUM_HEIGHT_FOR_COUNT = 3

Item = TypeVar("Item")


def items_that_fit(items: Sequence[Item], height: int) -> tuple[list[Item], int]:
    """The items for `height` lines, and the number of further items.

    A line is kept free for that number. With too few lines for it, the number is 0.
    """
    if len(items) <= height:
        return list(items), 0
    if height < _MINIMUM_HEIGHT_FOR_COUNT:
        return list(items[:height]), 0
    return list(items[: height - 1]), len(items) - (height - 1)


def more_items(number: int, singular: str, width: int) -> list[Text]:
    """The line `… and 3 more rigs`; no line for 0."""
    return [Text(shorten(f"  {ELLIPSIS} and {counted(number, f'more {singular}')}", width))] if number else []


def cropped(text: Text, width: int) -> Text:
    """The line cut to `width`, for a line with parts that were too long together."""
    text.truncate(width, overflow="ellipsis")
    return text
