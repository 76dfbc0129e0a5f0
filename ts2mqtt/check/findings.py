"""What a check has found, and how that looks in a terminal and as JSON."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict, dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_WIDTH = 80
_MARKS = {True: "✔", False: "✖", None: "?"}
_PLAIN_MARKS = {True: "OK  ", False: "FAIL", None: "?   "}
_LONGEST_NAME = 60


class Cause(Enum):
    """Why a step failed, where `ts2mqtt setup` asks the user for what is missing."""

    LOGIN = auto()
    """No login, or a wrong one."""

    TLS_WANTED = auto()
    """The peer takes only encrypted connections."""

    UNTRUSTED_CERTIFICATE = auto()


@dataclass(frozen=True, slots=True)
class Finding:
    """One step about one subject: `config`, `broker`, or a rig's id (with the URL where it has several).

    `ok` is None for what cannot be known, and for what is no fault by itself.
    """

    step: str
    subject: str
    ok: bool | None
    seconds: float
    message: str
    advice: str = ""
    cause: Cause | None = None


def excused(findings_by_address: Sequence[Sequence[Finding]], advice: str) -> Iterator[Finding]:
    """All findings; with one address that works the others are no fault, as only one of them is in use at a time."""
    one_works = any(all(finding.ok is not False for finding in findings) for findings in findings_by_address)
    for findings in findings_by_address:
        for finding in findings:
            yield replace(finding, ok=None, advice=advice) if one_works and finding.ok is False else finding


def as_text(finding: Finding, encoding: str | None) -> str:
    """One line, and below it the advice, wrapped; signs that the terminal's encoding lacks are replaced."""
    encoding = encoding or "ascii"
    marks = _MARKS if all(_can_write(mark, encoding) for mark in _MARKS.values()) else _PLAIN_MARKS
    head = f"{marks[finding.ok]} {finding.seconds:5.2f} s  "
    indent = " " * len(head)
    lines = _wrapped(f"{finding.subject}: {finding.step}: {finding.message}", head, f"{indent}  ")
    lines += _wrapped(finding.advice, f"{indent}-> ", f"{indent}   ")
    return "\n".join(lines).encode(encoding, "backslashreplace").decode(encoding)


def as_json(findings: Iterable[Finding]) -> str:
    """A list of objects with the fields of a Finding, without the cause; plain ASCII."""
    objects = [asdict(finding) for finding in findings]
    for one in objects:
        del one["cause"]
    return json.dumps(objects, indent=2)


def shortened(name: str) -> str:
    """A name from the API or the broker, quoted, and no longer than a line can bear."""
    return f"'{name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + '…'}'"


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    # Addresses and topics are copied by the user: they are not taken apart.
    return textwrap.wrap(
        text, _WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _can_write(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
