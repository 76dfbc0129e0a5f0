"""The log's two forms, and that nothing raw from outside gets into either."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.clocks import HandClock
from ts2mqtt.logs.format import LimitedHandler, set_up

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTILE = "M 31\x1b[2J\x1b]0;owned\x07\r\n2026-01-01 ERROR forged\u202e\0"


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """The package's logger belongs to all tests."""
    logger = logging.getLogger("ts2mqtt")
    before = (list(logger.handlers), logger.level, logger.propagate)
    yield
    logger.handlers[:], logger.level, logger.propagate = before


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()


def entries(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines(capsys)]


def test_text_has_time_level_and_message(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("info", "text")
    logging.getLogger("ts2mqtt.bridge.bridge").info("connected to %s", "the broker")
    (line,) = lines(capsys)
    time, message = line[:19], line[19:]
    assert datetime.strptime(time, "%Y-%m-%d %H:%M:%S").year >= 2026  # noqa: DTZ007 - the log is in local time
    assert message == " INFO    connected to the broker"


def test_text_shows_control_characters_and_obeys_none(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("info", "text")
    logging.getLogger("ts2mqtt").warning("target %s is gone", HOSTILE)
    (line,) = lines(capsys)
    assert line.isprintable()
    assert r"M 31\x1b[2J\x1b]0;owned\x07\r\n2026-01-01 ERROR forged\u202e\x00 is gone" in line


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("info", "json")
    logging.getLogger("ts2mqtt.bridge.bridge").warning("target %s is gone", HOSTILE)
    (entry,) = entries(capsys)
    assert entry.keys() == {"time", "level", "logger", "message"}
    assert (entry["level"], entry["logger"]) == ("warning", "ts2mqtt.bridge.bridge")
    assert entry["message"] == f"target {HOSTILE} is gone"
    assert abs(datetime.fromisoformat(entry["time"]) - datetime.now(UTC)).total_seconds() < 60


def log_a_mistake(text: str) -> None:
    mistake = ValueError(text)
    logging.getLogger("ts2mqtt").error("a mistake", exc_info=mistake)


def test_json_carries_an_exception(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("info", "json")
    log_a_mistake(HOSTILE)
    (entry,) = entries(capsys)
    assert entry["message"] == "a mistake"
    assert entry["exception"] == f"ValueError: {HOSTILE}"


def test_text_tells_an_exception_line_by_line_and_obeys_none(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("info", "text")
    log_a_mistake(HOSTILE)
    said = lines(capsys)
    assert said[0].endswith("ERROR   a mistake")
    assert said[1] == r"ValueError: M 31\x1b[2J\x1b]0;owned\x07\r"
    assert said[2] == r"2026-01-01 ERROR forged\u202e\x00"


@pytest.mark.parametrize(
    ("level", "said"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_the_level_decides_what_is_said(level: str, said: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    set_up(level, "json")
    logger = logging.getLogger("ts2mqtt.mqtt.connection")
    for one in ("debug", "info", "warning", "error"):
        logger.log(logging.getLevelNamesMapping()[one.upper()], one)
    assert [entry["message"] for entry in entries(capsys)] == said


def test_set_up_twice_says_everything_once(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("info", "text")
    set_up("info", "json")
    logging.getLogger("ts2mqtt").info("once")
    assert [entry["message"] for entry in entries(capsys)] == ["once"]


def test_other_programs_loggers_are_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("debug", "text")
    root = logging.getLogger()
    assert sys.stderr not in [getattr(handler, "stream", None) for handler in root.handlers]
    assert not logging.getLogger("ts2mqtt").propagate
    assert lines(capsys) == []


def test_no_more_than_a_hundred_lines_come_in_an_hour_and_those_left_out_are_counted() -> None:
    clock, written = HandClock(), io.StringIO()
    with handled_by(LimitedHandler(written, clock)) as logger:
        for number in range(2 * 3_600):
            logger.error("line %d", number)
            clock.advance(1.0)

    lines = written.getvalue().splitlines()
    assert 100 < len(lines) <= 160
    assert sum(int(line.split()[1]) < 3_600 for line in lines) <= 100
    assert re.fullmatch(r"line \d+ \(before it \d+ lines left out: too many at once\)", lines[40])


def test_whoever_asks_for_debug_gets_every_line() -> None:
    written = io.StringIO()
    with handled_by(LimitedHandler(written, HandClock()), logging.DEBUG) as logger:
        for number in range(1_000):
            logger.error("line %d", number)

    assert len(written.getvalue().splitlines()) == 1_000


@contextmanager
def handled_by(handler: logging.Handler, level: int = logging.INFO) -> Iterator[logging.Logger]:
    logger = logging.getLogger("ts2mqtt")
    before = logger.level
    logger.setLevel(level)
    logger.addHandler(handler)
    try:
        yield logger
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
