"""Durations as a person writes them (30s, 10m, 6h, 1h30m, 250ms) and as seconds."""

import re

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_UNITS = (("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", 1.0), ("ms", 0.001))
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
DURATION_PATTERN = "^(?=[0-9])" + "".join(rf"(?:({_NUMBER}) *{unit} *)?" for unit, _ in _UNITS) + "$"
"""Also valid in JSON Schema: each unit at most once, the largest first."""

_DURATION = re.compile(DURATION_PATTERN)


def parse_duration(text: str) -> float:
    """Seconds; a bare number is a number of seconds.

    Raises ValueError for everything else.
    """
    text = text.strip().lower()
    if re.fullmatch(_NUMBER, text):
        return float(text)
    match = _DURATION.match(text)
    if match is None:
        raise ValueError(text)
    return sum(
        float(amount) * seconds
        for amount, (_, seconds) in zip(match.groups(), _UNITS, strict=True)
        if amount is not None
    )


def format_duration(seconds: float) -> str:
    """The shortest text of whole units, 5400 → 1h30m; the milliseconds are rounded."""
    left = round(seconds * 1000)
    parts = []
    for unit, size in _UNITS:
        amount, left = divmod(left, round(size * 1000))
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts) or "0s"
