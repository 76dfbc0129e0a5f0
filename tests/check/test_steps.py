"""The steps of a check: what each finding says, and how long it took."""

from __future__ import annotations

import pytest

from tests.support.clocks import HandClock
from ts2mqtt.check.findings import Finding
from ts2mqtt.check.steps import StepFailedError, Steps, Verdict, failed_step
from ts2mqtt.errors import BrokerError


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def findings() -> list[Finding]:
    return []


@pytest.fixture
def steps(clock: HandClock, findings: list[Finding]) -> Steps:
    return Steps("broker", findings.append, clock)


async def test_a_step_has_taken_the_time_of_its_work(steps: Steps, clock: HandClock, findings: list[Finding]) -> None:
    async def work() -> int:
        clock.advance(1.25)
        return 3

    clock.advance(60.0)
    assert await steps.run_required("name", work(), lambda number: f"{number} addresses") == 3
    assert findings == [Finding("name", "broker", ok=True, seconds=1.25, message="3 addresses")]


async def test_a_required_step_that_fails_is_told_and_raised(steps: Steps, findings: list[Finding]) -> None:
    async def work() -> None:
        raise StepFailedError("no way", "Go.")

    with pytest.raises(StepFailedError, match="no way"):
        await steps.run_required("TCP", work(), lambda _: "")
    assert findings == [Finding("TCP", "broker", ok=False, seconds=0.0, message="no way", advice="Go.")]


async def test_an_independent_step_that_fails_is_told_alone(steps: Steps, findings: list[Finding]) -> None:
    async def work() -> Verdict | None:
        raise StepFailedError("no way", "Go.")

    await steps.run_independent("clock", work())
    assert findings == [Finding("clock", "broker", ok=False, seconds=0.0, message="no way", advice="Go.")]


async def test_a_step_that_cannot_know_makes_no_finding(steps: Steps, findings: list[Finding]) -> None:
    async def work() -> Verdict | None:
        return None

    await steps.run_independent("clock", work())
    assert findings == []


def test_the_advice_of_an_error_becomes_a_sentence() -> None:
    error = failed_step(BrokerError("refused; and how", "check it; or not"))
    assert (error.message, error.advice) == ("refused; and how", "Check it; or not.")
    assert failed_step(BrokerError("refused")).advice == ""
