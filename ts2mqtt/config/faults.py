"""The faults of a configuration: what is wrong, in which line, and the text for the user."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ts2mqtt.logs.wording import printable

KeyPath: TypeAlias = tuple[str | int, ...]
"""The path to a key, as in ("rigs", 0, "url"); a pattern has ANY in place of a number."""

ANY = "[]"

_LONGEST_TEXT_SHOWN = 60


@dataclass(frozen=True)
class Place:
    """A line of a file, or an environment variable."""

    source: str
    line: int = 0
    column: int = 0
    variable: bool = False

    def __str__(self) -> str:
        return ":".join([self.source, *(str(number) for number in (self.line, self.column) if number)])


@dataclass(frozen=True)
class Fault:
    """One thing to correct; `meant` is the key that the user probably wanted to write."""

    place: Place
    key: KeyPath
    text: str
    meant: KeyPath | None = None

    def __str__(self) -> str:
        # Keys and names of files may hold anything, line ends and terminal codes too.
        if self.place.variable or not self.key:
            return printable(f"{self.place}: {self.text}")
        return printable(f"{self.place}: {dotted(self.key)}: {self.text}")


def dotted(key: KeyPath) -> str:
    """The key as text: rigs[0].url."""
    parts = (f"[{part}]" if isinstance(part, int) else part if part == ANY else f".{part}" for part in key)
    return "".join(parts).removeprefix(".")


def in_order(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Sorted by the line of the file, then by the name of the variable."""
    return tuple(
        sorted(
            faults,
            key=lambda fault: (
                fault.place.variable,
                fault.place.source if fault.place.variable else "",
                fault.place.line,
            ),
        )
    )


def shown(value: object, *, secret: bool) -> str:
    """A value in words for an error message; never the value of a secret."""
    if isinstance(value, Mapping):
        return "keys below it"
    if isinstance(value, list | tuple):
        return "a list"
    text = "" if value is None else str(value)
    if not text.strip():
        return "nothing"
    if secret:
        return "a value that is not shown"
    # A user and password in an address are secret too, and so may be its path and the part after its question mark.
    text = re.sub(r"(\w+://)?.*@", r"\1***@", text, flags=re.DOTALL)
    text = re.sub(r"\?.*", "?***", text, flags=re.DOTALL)
    text = re.sub(r"(\w+://[^/]*)/(?!ts(?:/v[0-9]+)?/?$).+", r"\1/***", text, flags=re.DOTALL)
    return repr(text if len(text) <= _LONGEST_TEXT_SHOWN else text[:_LONGEST_TEXT_SHOWN] + "…")
