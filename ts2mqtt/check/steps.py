"""The steps of a check about one subject, taken one after the other; each makes a finding."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from ts2mqtt.check.findings import Cause, Finding
from ts2mqtt.errors import Ts2mqttError
from ts2mqtt.logs.wording import printable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ts2mqtt.timing import Clock

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a step went: what was found, and the user's next step where that is not good; `ok` as in a Finding."""

    ok: bool | None
    message: str
    advice: str = ""
    cause: Cause | None = None


class StepFailedError(Ts2mqttError):
    """A step found a fault, and the steps that build on it are pointless."""

    def __init__(self, message: str, advice: str = "", cause: Cause | None = None) -> None:
        super().__init__(message, advice)
        self.cause = cause

    @property
    def verdict(self) -> Verdict:
        return Verdict(ok=False, message=self.message, advice=self.advice, cause=self.cause)


def failed_step(error: Ts2mqttError, cause: Cause | None = None) -> StepFailedError:
    """For an error whose own advice is the best there is; here the advice becomes a sentence."""
    return StepFailedError(error.message, sentence(error.advice), cause)


def sentence(advice: str) -> str:
    """An advice as errors have it, with a capital and a full stop."""
    return f"{advice[:1].upper()}{advice[1:]}." if advice else ""


@dataclass(slots=True)
class Steps:
    """Runs steps about one subject, measures how long each takes, and tells its finding when it ends."""

    subject: str
    tell: Callable[[Finding], None]
    clock: Clock
    _started: float = field(init=False)

    def __post_init__(self) -> None:
        self._started = self.clock.monotonic()

    async def run_required(self, step: str, work: Awaitable[T], message: Callable[[T], str]) -> T:
        """The outcome of a step on which the next ones build; a StepFailedError is told and then raised."""
        self._started = self.clock.monotonic()
        try:
            outcome = await work
        except StepFailedError as failed:
            self.add(step, failed.verdict)
            raise
        self.add(step, Verdict(ok=True, message=message(outcome)))
        return outcome

    async def run_independent(self, step: str, work: Awaitable[Verdict | None]) -> None:
        """A step on which no other depends; None makes no finding."""
        self._started = self.clock.monotonic()
        try:
            verdict = await work
        except StepFailedError as failed:
            verdict = failed.verdict
        if verdict is not None:
            self.add(step, verdict)

    def add(self, step: str, verdict: Verdict) -> None:
        """A finding; it has taken the time since the step began, or since the last finding."""
        now = self.clock.monotonic()
        self.tell(
            Finding(
                step,
                self.subject,
                verdict.ok,
                round(now - self._started, 3),
                printable(verdict.message),
                printable(verdict.advice),
                verdict.cause,
            )
        )
        self._started = now
