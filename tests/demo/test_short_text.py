from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from ts2mqtt.demo import short_text


@pytest.mark.parametrize(
    ("text", "width", "short"),
    [
        ("M 31", 4, "M 31"),
        ("IC 1396 Elephant's Trunk", 20, "IC 1396 Elephant's…"),
        ("IC 1396 Elephant's Trunk", 17, "IC 1396…"),
        ("Andromeda", 5, "Andr…"),
        ("M 31 and M 33", 6, "M 31…"),
        ("仙女座星系", 6, "仙女…"),
        ("abc", 0, ""),
    ],
)
def test_shortens_by_words_unless_too_little_is_left(text: str, width: int, short: str) -> None:
    assert short_text.shorten(text, width) == short


def test_a_list_keeps_whole_pieces() -> None:
    assert short_text.shorten_list(["12 L", "5 R", "5 G"], 16, separator=", ") == "12 L, 5 R, 5 G"
    assert short_text.shorten_list(["12 L", "5 R", "5 G", "5 B"], 16, separator=", ") == "12 L, 5 R, …"
    assert short_text.shorten_list(["12 Luminance", "5 R"], 8, separator=", ") == "12…"
    assert short_text.shorten_list(["12 Luminance", "5 R"], 8, separator=", ", end="}") == "12…"
    assert short_text.shorten_list([], 8, separator=", ", end="}") == "}"


def test_a_topic_loses_its_beginning() -> None:
    topic = "ts2mqtt/backyard/project/e38070cd-c537-454a-975b-5cf6c43a5389"
    assert short_text.shorten_topic(topic, 80) == "ts2mqtt/backyard/project/e38070cd…"
    assert short_text.shorten_topic(topic, 20) == "…/project/e38070cd…"
    assert short_text.shorten_topic(topic, 6) == "…/e38…"


def test_a_name_can_do_nothing_to_the_terminal() -> None:
    assert short_text.terminal_safe(" \x1b[2J\r\nM 31\u202e\ufe0f ") == "\\x1b[2J\\r\\nM 31\\u202e"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59, "59 s"), (90, "2 min"), (3_600, "1 h"), (12_000, "3 h 20 min")]
)
def test_durations(seconds: float, words: str) -> None:
    assert short_text.duration(seconds) == words


def test_times_are_those_of_the_observatory() -> None:
    start = datetime(2026, 10, 9, 18, 5, tzinfo=UTC)
    now = datetime(2026, 10, 9, 20, tzinfo=timezone(timedelta(hours=1)))
    assert short_text.time_range(start, start + timedelta(hours=1), now) == "19:05–20:05"
    assert short_text.time_range(start, None, now) == "since 19:05"
    assert short_text.time_range(None, start, now) == "until 19:05"
    assert not short_text.time_range(None, None, now)


def test_columns_align() -> None:
    assert short_text.column("85 %", 6, right=True) == "  85 %"
    assert short_text.column("仙女座星系", 7) == "仙女座…"
