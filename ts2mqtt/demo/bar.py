"""A progress bar of text: what is accepted, what waits for grading, what is missing; readable without colours."""

from __future__ import annotations

from rich.text import Text

_ACCEPTED, _WAITING, _MISSING = "━", "╍", "─"


def bar(width: int, accepted: float, waiting: float) -> Text:
    """Both as shares of the whole, from 0 to 1; a share that is not nothing shows, one that is not all does not."""
    done = _columns(width, accepted)
    graded_later = min(_columns(width, accepted + waiting) - done, width - done) if waiting > 0 else 0
    if waiting > 0 and graded_later == 0 and done < width:
        graded_later = 1
    text = Text()
    text.append(_ACCEPTED * done, "green")
    text.append(_WAITING * graded_later, "cyan")
    text.append(_MISSING * (width - done - graded_later), "dim")
    return text


def _columns(width: int, share: float) -> int:
    if share <= 0:
        return 0
    if share >= 1:
        return width
    return min(max(round(width * share), 1), width - 1)
