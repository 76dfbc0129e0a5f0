"""What a check has found, and how that looks in a terminal and as JSON."""

from __future__ import annotations

import json
import textwrap
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, TypeVar

from ts2mqtt.errors import Ts2mqttError
from ts2mqtt.logs.wording import printable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

T = TypeVar("T")

_WIDTH = 80
_MARKS = {True: "✔", False: "✖", None: "?"}
_PLAIN_MARKS = {True: "OK  ", False: "FAIL", None: "?   "}
_LONGEST_NAME = 60


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


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a step went: what was found, and the next step of the user where that is not good."""

    ok: bool | None
    message: str
    advice: str = ""


class StepFailedError(Ts2mqttError):
    """A step found a fault, and the steps that build on it are pointless."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.verdict = Verdict(ok=False, message=message, advice=advice)


@dataclass(slots=True)
class Steps:
    """Takes the steps about one subject one after the other, and tells each finding as it is made."""

    subject: str
    tell: Callable[[Finding], None]
    _started: float = field(default_factory=time.monotonic, init=False)

    async def take(self, step: str, work: Awaitable[T], says: Callable[[T], str]) -> T:
        """The outcome of a step that must go well: after a StepFailedError, which is told, no other can."""
        self._started = time.monotonic()
        try:
            outcome = await work
        except StepFailedError as failed:
            self.add(step, failed.verdict)
            raise
        self.add(step, Verdict(ok=True, message=says(outcome)))
        return outcome

    async def look(self, step: str, work: Awaitable[Verdict | None]) -> None:
        """A step on which no other depends; None has nothing to say."""
        self._started = time.monotonic()
        try:
            verdict = await work
        except StepFailedError as failed:
            verdict = failed.verdict
        if verdict is not None:
            self.add(step, verdict)

    def add(self, step: str, verdict: Verdict) -> None:
        """A finding; it has taken the time since the step began, or since the last finding."""
        now = time.monotonic()
        self.tell(
            Finding(
                step,
                self.subject,
                verdict.ok,
                round(now - self._started, 3),
                printable(verdict.message),
                printable(verdict.advice),
            )
        )
        self._started = now


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
    """A list of objects with the fields of a Finding; plain ASCII."""
    return json.dumps([asdict(finding) for finding in findings], indent=2)


def shortened(name: str) -> str:
    """A name from the API or the broker, quoted, and no longer than a line can bear."""
    return f"'{name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + '…'}'"


def what_happened(error: Ts2mqttError) -> str:
    """An error's text without the hint behind its semicolon, which knows less than we do."""
    return str(error).partition("; ")[0]


def as_told(error: Ts2mqttError) -> StepFailedError:
    """For a failure about which the error knows best: what happened, and its own hint as the advice."""
    happened, _, hint = str(error).partition("; ")
    return StepFailedError(happened, f"{hint[:1].upper()}{hint[1:]}." if hint else "")


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
