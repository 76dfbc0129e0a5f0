"""Of a kind the first few lines are written, the others are counted, and their sum is told rarely."""

from __future__ import annotations

import logging
import tracemalloc

import pytest

from tests.support.clocks import HandClock
from tests.support.log_lines import LogLines
from ts2mqtt.logs.failures import FailureLog
from ts2mqtt.logs.tallies import Kind, Tallies

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
TOPICS = Kind("refused topics")
BROKER = Kind("losses of the broker")
LOGGER = logging.getLogger("ts2mqtt.test")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def tallies(clock: HandClock) -> Tallies:
    return Tallies(clock)


@pytest.fixture
def failures(clock: HandClock, tallies: Tallies) -> FailureLog:
    return FailureLog(LOGGER, clock, tallies)


@pytest.fixture
def lines(clock: HandClock) -> LogLines:
    return LogLines(clock)


def fail(failures: FailureLog, number: int) -> None:
    for topic in range(number):
        failures.failed(f"topic {topic}", "not authorized", kind=TOPICS)


def test_of_much_that_fails_at_once_a_few_are_named_and_a_minute_later_the_others_are_counted(
    failures: FailureLog, tallies: Tallies, clock: HandClock, lines: LogLines
) -> None:
    with lines.counted():
        fail(failures, 300)
        assert lines.texts == [f"topic {number}: not authorized" for number in range(5)]
        clock.advance(MINUTE)
        tallies.sum_up()
        clock.advance(MINUTE)
        tallies.sum_up()

    assert lines.texts[5:] == [
        "refused topics: 295 more in 60 seconds, 300 at present; the last: topic 299: not authorized"
    ]


def test_the_end_of_what_was_only_counted_is_counted_too(
    failures: FailureLog, tallies: Tallies, clock: HandClock, lines: LogLines
) -> None:
    fail(failures, 300)
    clock.advance(2 * MINUTE)
    tallies.sum_up()
    with lines.counted():
        for topic in range(300):
            failures.succeeded(f"topic {topic}")
        clock.advance(MINUTE)
        tallies.sum_up()

    assert lines.texts == [
        *(f"topic {number}: recovered after 2 minutes (1 failure)" for number in range(5)),
        "refused topics: 295 recovered, none at present; the last: topic 299: not authorized",
    ]


def test_what_comes_and_goes_is_named_three_times_and_then_counted(
    failures: FailureLog, tallies: Tallies, clock: HandClock, lines: LogLines
) -> None:
    """A broker that flaps: each loss would be a line, and so would each connection."""
    with lines.counted():
        for _ in range(int(DAY / 10)):
            failures.failed("MQTT", "refused", kind=BROKER)
            clock.advance(5.0)
            failures.succeeded("MQTT")
            clock.advance(5.0)
            if clock.seconds % MINUTE == 0:
                tallies.sum_up()

    assert lines.texts[:6] == ["MQTT: refused", "MQTT: recovered after 5 seconds (1 failure)"] * 3
    # 17,280 lines without tallies.
    assert len(lines.texts) < 50
    assert lines.most_in_an_hour() < 12
    assert sum("more in 3 hours" in text for text in lines.texts) > 3


def test_another_subject_is_named_though_one_of_its_kind_comes_and_goes(
    failures: FailureLog, clock: HandClock, lines: LogLines
) -> None:
    for _ in range(500):
        failures.failed("flapping", "refused", kind=BROKER)
        failures.succeeded("flapping")
        clock.advance(10.0)
    with lines.counted():
        failures.failed("another", "refused", kind=BROKER)

    assert lines.texts == ["another: refused"]


def test_another_kind_is_told_at_once(failures: FailureLog, lines: LogLines) -> None:
    fail(failures, 300)
    with lines.counted():
        failures.failed("MQTT", "refused", kind=BROKER)

    assert lines.texts == ["MQTT: refused"]


def test_kinds_are_those_of_all_failure_logs_of_the_process(
    tallies: Tallies, clock: HandClock, lines: LogLines
) -> None:
    """A thousand rigs behind one switch are one event, and no thousand lines."""
    with lines.counted():
        for rig in range(1_000):
            FailureLog(LOGGER, clock, tallies).failed(f"rig {rig}", "no answer", kind=TOPICS)

    assert len(lines.texts) == 5


def test_of_much_that_still_fails_one_reminder_says_how_much_it_is(
    failures: FailureLog, tallies: Tallies, clock: HandClock, lines: LogLines
) -> None:
    fail(failures, 300)
    clock.advance(HOUR)
    tallies.sum_up()
    with lines.counted():
        fail(failures, 300)

    assert lines.texts == ["topic 0: still failing after 60 minutes: not authorized; refused topics: 300 in all"]


def test_what_is_forgotten_is_no_longer_counted(
    failures: FailureLog, tallies: Tallies, clock: HandClock, lines: LogLines
) -> None:
    fail(failures, 10)
    for topic in range(9):
        failures.forget(f"topic {topic}")
    with lines.counted():
        clock.advance(MINUTE)
        tallies.sum_up()

    assert lines.texts == ["refused topics: 5 more in 60 seconds, 1 at present; the last: topic 9: not authorized"]


def test_what_happens_and_does_not_last_is_counted_as_well(
    failures: FailureLog, tallies: Tallies, clock: HandClock, lines: LogLines
) -> None:
    with lines.counted():
        for number in range(1_000):
            failures.noted(TOPICS, f"topic {number}", f"odd: {number}")
        clock.advance(MINUTE)
        tallies.sum_up()

    assert lines.texts[5:] == ["refused topics: 995 more in 60 seconds; the last: odd: 999"]


def test_at_the_end_of_the_process_nothing_stays_untold(
    failures: FailureLog, tallies: Tallies, lines: LogLines
) -> None:
    fail(failures, 300)
    with lines.counted():
        tallies.sum_up(at_the_end=True)

    assert lines.texts == [
        "refused topics: 295 more in 1 second, 300 at present; the last: topic 299: not authorized"
    ]


def test_a_line_is_no_longer_than_somebody_reads(failures: FailureLog, lines: LogLines) -> None:
    with lines.counted():
        failures.noted(TOPICS, "x" * 65_535, "x" * 65_535)

    assert [len(text) for text in lines.texts] == [2_000]


def test_subjects_without_end_take_no_memory(failures: FailureLog) -> None:
    tracemalloc.start()
    try:
        for number in range(5_000):
            failures.noted(TOPICS, f"{number} {'x' * 5_000}", "odd")
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert held < 2_000_000


def test_of_faults_with_a_traceback_one_is_written_and_another_after_hours(
    failures: FailureLog, clock: HandClock, lines: LogLines
) -> None:
    faults = Kind("faults", has_traceback=True)
    with lines.counted():
        for number in range(100):
            failures.noted(faults, f"rig {number}", f"fault {number}", error=ValueError("odd"))
        clock.advance(3 * HOUR)
        failures.noted(faults, "rig 100", "fault 100", error=ValueError("odd"))

    assert lines.texts == ["fault 0", "fault 100"]
