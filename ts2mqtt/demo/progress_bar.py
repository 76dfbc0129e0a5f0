"""A progress bar made of text, which can also be read without colours."""

from __future__ import annotations

from rich.text import Text

_ACCEPTED, _PENDING, _MISSING = "━", "╍", "─"


def progress_bar(width: int, accepted: float, pending: float) -> Text:
    """A bar of `width` columns; `accepted` and `pending` are shares of the desired exposures, 0 to 1.

    A share above 0 gets at least one column. Accepted exposures fill the bar only when all are accepted.
    """
    accepted_columns = _columns(width, accepted)
    pending_columns = 0
    if pending > 0:
        pending_columns = min(_columns(width, accepted + pending) - accepted_columns, width - accepted_columns)
        if pending_columns == 0 and accepted_columns < width:
            pending_columns = 1
    text = Text()
    text.append(_ACCEPTED * accepted_columns, "green")
    text.append(_PENDING * pending_columns, "cyan")
    text.append(_MISSING * (width - accepted_columns - pending_columns), "dim")
    return text


def _columns(width: int, share: float) -> int:
    if share <= 0:
        return 0
    if share >= 1:
        return width
    return min(max(round(width * share), 1), width - 1)
