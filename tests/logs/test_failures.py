"""A failure that repeats is told once, then rarely, and its end is told."""

from __future__ import annotations

import logging

import pytest

from tests.support.clocks import HandClock
from ts2mqtt.logs.failures import Failure, FailureLog

HOUR = 3_600


@pytest.fixture
def clock() -> HandClock:
    return HandClock(seconds=5.0)


@pytest.fixture
def failures(clock: HandClock, caplog: pytest.LogCaptureFixture) -> FailureLog:
    caplog.set_level(logging.DEBUG)
    return FailureLog(logging.getLogger("test"), clock)


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    lines = [(record.levelno, record.getMessage()) for record in caplog.records]
    caplog.clear()
    return lines


def test_the_first_failure_is_a_warning_and_the_same_again_is_silent(
    failures: FailureLog, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(100):
        failures.failed("Backyard", "no answer")

    assert told(caplog) == [(logging.WARNING, "Backyard: no answer")]


def test_subjects_fail_each_for_itself(failures: FailureLog, caplog: pytest.LogCaptureFixture) -> None:
    failures.failed("Backyard", "no answer")
    failures.failed("Remote", "no answer")
    failures.succeeded("Remote")

    assert [line for _, line in told(caplog)] == [
        "Backyard: no answer",
        "Remote: no answer",
        "Remote: recovered after 1 second (1 failure)",
    ]


def test_another_cause_is_told_at_once(failures: FailureLog, caplog: pytest.LogCaptureFixture) -> None:
    failures.failed("Backyard", "no answer")
    failures.failed("Backyard", "status 500")
    failures.failed("Backyard", "status 500")

    assert [line for _, line in told(caplog)] == ["Backyard: no answer", "Backyard: status 500"]


def test_causes_that_alternate_are_told_once_each(failures: FailureLog, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(100):
        failures.failed("Backyard", "no answer")
        failures.failed("Backyard", "status 500")

    assert [line for _, line in told(caplog)] == ["Backyard: no answer", "Backyard: status 500"]


def test_causes_that_are_never_the_same_do_not_fill_the_log(
    failures: FailureLog, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    for port in range(100):
        failures.failed("Backyard", f"no answer from port {port}")
    assert len(told(caplog)) == 3
    clock.advance(HOUR)
    failures.failed("Backyard", "no answer from port 100")

    assert [line for _, line in told(caplog)] == ["Backyard: still failing after 60 minutes: no answer from port 100"]


def test_a_subject_that_is_renamed_is_still_the_same(failures: FailureLog, caplog: pytest.LogCaptureFixture) -> None:
    failures.failed("targets of 'P1'", "status 500", key="1")
    failures.failed("targets of 'P2'", "status 500", key="1")
    assert list(failures.failing) == ["1"]
    failures.succeeded("targets of 'P2'", key="1")

    assert [line for _, line in told(caplog)] == [
        "targets of 'P1': status 500",
        "targets of 'P2': recovered after 1 second (2 failures)",
    ]
    assert not list(failures.failing)


def test_reminders_come_after_an_hour_then_two_then_four(
    failures: FailureLog, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    reminded: list[float] = []
    failures.failed("Backyard", "no answer")
    caplog.clear()
    for minute in range(1, 16 * 60):
        clock.advance(60)
        failures.failed("Backyard", "no answer")
        reminded += [minute / 60 for _ in told(caplog)]

    assert reminded == [1, 3, 7, 15]


def test_a_reminder_says_since_when_and_why(
    failures: FailureLog, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    failures.failed("Backyard", "no answer", level=logging.ERROR)
    clock.advance(2 * HOUR)
    failures.failed("Backyard", "no answer", level=logging.ERROR)

    assert told(caplog)[1] == (logging.ERROR, "Backyard: still failing after 2 hours: no answer")


def test_the_end_says_how_long_it_lasted_and_how_often(
    failures: FailureLog, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    failures.failed("Backyard", "no answer")
    failures.failed("Backyard", "status 500")
    clock.advance(42 * 60)
    failures.succeeded("Backyard")
    failures.succeeded("Backyard")

    assert told(caplog)[2:] == [(logging.INFO, "Backyard: recovered after 42 minutes (2 failures)")]


def test_a_failure_after_the_end_is_a_new_one(failures: FailureLog, caplog: pytest.LogCaptureFixture) -> None:
    failures.failed("Backyard", "no answer")
    failures.succeeded("Backyard")
    caplog.clear()
    failures.failed("Backyard", "no answer")

    assert told(caplog) == [(logging.WARNING, "Backyard: no answer")]


def test_success_without_failure_is_no_news(failures: FailureLog, caplog: pytest.LogCaptureFixture) -> None:
    failures.succeeded("Backyard")

    assert told(caplog) == []


def test_what_is_forgotten_never_recovers(failures: FailureLog, caplog: pytest.LogCaptureFixture) -> None:
    failures.failed("Backyard", "no answer")
    failures.forget("Backyard")
    failures.forget("Remote")
    caplog.clear()
    failures.succeeded("Backyard")

    assert told(caplog) == []


def test_the_latest_failure_is_the_one_that_was_told_last(failures: FailureLog, clock: HandClock) -> None:
    def told_last() -> Failure | None:
        clock.advance(1)
        return failures.latest

    assert told_last() is None
    failures.failed("Backyard", "no answer")
    assert told_last() == Failure(6.0, "Backyard: no answer")
    failures.failed("Remote", "no answer")
    failures.failed("Backyard", "no answer")
    assert told_last() == Failure(7.0, "Remote: no answer")
    failures.failed("Backyard", "status 500")
    assert told_last() == Failure(8.0, "Backyard: status 500")
    failures.succeeded("Backyard")
    assert told_last() == Failure(7.0, "Remote: no answer")
    failures.forget("Remote")
    assert told_last() is None


def test_what_is_told_again_is_no_newer_failure(failures: FailureLog, clock: HandClock) -> None:
    """Whoever compares the latest failure with an earlier one sees a difference only when something was told."""
    latest = [failures.latest]
    for message in ("no answer", "no answer", "status 500", "status 500"):
        clock.advance(2 * HOUR)
        failures.failed("Backyard", message)
        latest.append(failures.latest)

    assert latest[1] == latest[2] != latest[3] == latest[4] != latest[0]
