"""What a person reads in the log, on a terminal or in a picture: numbers in words, and foreign text made harmless."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

_LONGEST_URL = 200


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`1 profile`, `2 profiles`; a noun whose plural is not made with an s brings its plural along."""
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"


def spoken_duration(seconds: float) -> str:
    """As a person says it: `42 minutes`, `3 hours`; whole units, the largest that fits at least twice."""
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * size:
            return counted(round(seconds / size), unit)
    return counted(max(1, round(seconds)), "second")


def without_secrets(url: str) -> str:
    """The URL without user, password, query and fragment; shortened, and harmless on a terminal."""
    try:
        parts = urlsplit(url)
        netloc = parts.netloc.rpartition("@")[2]
        url = urlunsplit((parts.scheme, netloc, parts.path, "", ""))
    except ValueError:
        return "an address that is none"
    return printable(url[:_LONGEST_URL])


def printable(text: str) -> str:
    """The text with everything that is no visible character written as an escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def on_one_line(text: str) -> str:
    """The text with a single space in place of each stretch of line ends, blanks and invisible characters."""
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(text.split())
