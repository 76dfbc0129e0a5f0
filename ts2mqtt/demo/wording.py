"""Text that fits: foreign text made harmless, names and topics shortened, times and durations in few letters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from ts2mqtt.logs.wording import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

ELLIPSIS = "…"
_LONGEST = 300
_GUID = re.compile(r"([0-9a-fA-F]{8})-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
# They only choose between two pictures of a character, and terminals disagree on how wide the one chosen is.
_VARIATION_SELECTORS = re.compile("[\ufe00-\ufe0f]")
_LEAST_KEPT = 0.25


def harmless(text: str) -> str:
    """On one line, without a character that a terminal would obey rather than show."""
    return _VARIATION_SELECTORS.sub("", printable(text[:_LONGEST])).strip()


def shorten(text: str, width: int) -> str:
    """At most `width` columns; what has to go goes by whole words, unless that would leave too little."""
    if cell_len(text) <= width:
        return text
    if width < 1:
        return ""
    kept = set_cell_size(text, width - 1).rstrip()
    at_a_word, _, _ = kept.rpartition(" ")
    if not text[len(kept) :].startswith(" ") and cell_len(at_a_word) >= _LEAST_KEPT * width:
        kept = at_a_word.rstrip(" ,;:")
    return kept + ELLIPSIS


def shorten_list(pieces: Sequence[str], width: int, *, separator: str, end: str = "") -> str:
    """As many whole pieces as fit, then an ellipsis if some are left, and the end."""
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
    """Ids to their first eight digits; then the beginning goes, as the end says what it is."""
    topic = _GUID.sub(rf"\1{ELLIPSIS}", topic)
    levels = topic.split("/")
    while cell_len(topic) > width and len(levels) > 1:
        levels = levels[1:]
        topic = "/".join((ELLIPSIS, *levels))
    return shorten(topic, width)


def column(text: str, width: int, *, right: bool = False) -> str:
    """Exactly `width` columns."""
    text = shorten(text, width)
    padding = " " * (width - cell_len(text))
    return padding + text if right else text + padding


def clock_time(time: datetime, now: datetime) -> str:
    """Hours and minutes, where `now` is."""
    return time.astimezone(now.tzinfo).strftime("%H:%M")


def between(start: datetime | None, end: datetime | None, now: datetime) -> str:
    """A stretch of time, as far as it is known."""
    first = clock_time(start, now) if start else ""
    last = clock_time(end, now) if end else ""
    return f"{first}–{last}" if first and last else f"since {first}" if first else f"until {last}" if last else ""


def duration(seconds: float) -> str:
    """As people say it: `40 s`, `12 min`, `3 h 20 min`."""
    if seconds < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h"
