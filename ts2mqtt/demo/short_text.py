"""Short text for the terminal: names and topics cut to a width, times and durations in few letters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from ts2mqtt.logs.wording import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

ELLIPSIS = "…"
_MAXIMUM_LENGTH = 300
_GUID = re.compile(r"([0-9a-fA-F]{8})-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
# They only choose between two pictures of a character, and terminals disagree on how wide the chosen picture is.
_VARIATION_SELECTORS = re.compile("[\ufe00-\ufe0f]")
_MINIMUM_SHARE_KEPT = 0.25


def terminal_safe(text: str) -> str:
    """The text on one line, with control characters written as escapes, so that the terminal does not obey them."""
    return _VARIATION_SELECTORS.sub("", printable(text[:_MAXIMUM_LENGTH])).strip()


def shorten(text: str, width: int) -> str:
    """The text in at most `width` columns, cut after a word unless that would leave less than a quarter."""
    if cell_len(text) <= width:
        return text
    if width < 1:
        return ""
    kept = set_cell_size(text, width - 1).rstrip()
    whole_words, _, _ = kept.rpartition(" ")
    if not text[len(kept) :].startswith(" ") and cell_len(whole_words) >= _MINIMUM_SHARE_KEPT * width:
        kept = whole_words.rstrip(" ,;:")
    return kept + ELLIPSIS


def shorten_list(pieces: Sequence[str], width: int, *, separator: str, end: str = "") -> str:
    """As many whole pieces as fit in `width` columns, an ellipsis if some are left out, and then `end`."""
    whole = separator.join(pieces) + end
    if cell_len(whole) <= width:
        return whole
    rest = separator + ELLIPSIS + end
    for number in range(len(pieces) - 1, 0, -1):
        kept = separator.join(pieces[:number]) + rest
        if cell_len(kept) <= width:
            return kept
    return shorten(whole, width)


def shorten_topic(topic: str, width: int) -> str:
    """The topic in at most `width` columns: GUIDs are cut to eight digits, then the first levels go."""
    topic = _GUID.sub(rf"\1{ELLIPSIS}", topic)
    levels = topic.split("/")
    while cell_len(topic) > width and len(levels) > 1:
        levels = levels[1:]
        topic = "/".join((ELLIPSIS, *levels))
    return shorten(topic, width)


def column(text: str, width: int, *, right: bool = False) -> str:
    """The text in exactly `width` columns, cut or padded."""
    text = shorten(text, width)
    padding = " " * (width - cell_len(text))
    return padding + text if right else text + padding


def clock_time(time: datetime, now: datetime) -> str:
    """Hours and minutes in the time zone of `now`."""
    return time.astimezone(now.tzinfo).strftime("%H:%M")


def time_range(start: datetime | None, end: datetime | None, now: datetime) -> str:
    """`18:00–19:30`, or `since 18:00` and `until 19:30` where only one end is known."""
    first = clock_time(start, now) if start else ""
    last = clock_time(end, now) if end else ""
    return f"{first}–{last}" if first and last else f"since {first}" if first else f"until {last}" if last else ""


def duration(seconds: float) -> str:
    """Seconds in words: `40 s`, `12 min`, `3 h 20 min`."""
    if seconds < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def in_hours(seconds: float) -> str:
    """Seconds as hours with one decimal: `10.0 h`."""
    return f"{seconds / 3600:.1f} h"
