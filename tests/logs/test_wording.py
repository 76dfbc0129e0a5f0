"""Numbers, durations and foreign text, as a person reads them."""

from __future__ import annotations

import pytest

from ts2mqtt.logs.wording import counted, on_one_line, printable, spoken_duration

HOUR = 3600.0


@pytest.mark.parametrize(
    ("number", "noun", "plural", "words"),
    [
        (0, "profile", None, "0 profiles"),
        (1, "profile", None, "1 profile"),
        (2, "profile", None, "2 profiles"),
        (1, "entity", "entities", "1 entity"),
        (2, "entity", "entities", "2 entities"),
    ],
)
def test_a_noun_follows_its_number(number: int, noun: str, plural: str | None, words: str) -> None:
    assert counted(number, noun, plural) == words


@pytest.mark.parametrize(
    ("seconds", "spoken"),
    [
        (0, "1 second"),
        (0.2, "1 second"),
        (1.4, "1 second"),
        (2, "2 seconds"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (42 * 60, "42 minutes"),
        (2 * HOUR, "2 hours"),
        (3.4 * HOUR, "3 hours"),
        (47 * HOUR, "47 hours"),
        (48 * HOUR, "2 days"),
        (400 * 24 * HOUR, "400 days"),
    ],
)
def test_durations_as_a_person_says_them(seconds: float, spoken: str) -> None:
    assert spoken_duration(seconds) == spoken


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("M 31", "M 31"),
        ("馬頭星雲 Hα ✨", "馬頭星雲 Hα ✨"),
        ("a\tb\nc", r"a\tb\nc"),
        ("\x1b[0m", r"\x1b[0m"),
        ("\u202e\u2028\ufeff", r"\u202e\u2028\ufeff"),
        ("\ud800", r"\ud800"),
        ("", ""),
    ],
    ids=ascii,
)
def test_what_is_no_visible_character_is_written_as_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("M 31", "M 31"),
        ("  M\n31\t\r\n ", "M 31"),
        ("M\u00a031\u2028\ue000\u200b", "M 31"),
        ("\x1b[2JM 31\ud800", "[2JM 31"),
        ("馬頭 星雲", "馬頭 星雲"),
        ("\u202e", ""),
    ],
    ids=ascii,
)
def test_what_would_end_or_turn_a_line_becomes_a_blank(text: str, line: str) -> None:
    assert on_one_line(text) == line
