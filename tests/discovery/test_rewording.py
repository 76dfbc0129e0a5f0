"""Another template for a state that Home Assistant shows already."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ts2mqtt.home_assistant.rewording import state_topics_to_tell_again, with_old_words


def device(**components: dict[str, Any]) -> bytes:
    return json.dumps({"device": {"name": "P1"}, "components": components}).encode()


def sensor(template: str, *options: str, topic: str = "project/1") -> dict[str, Any]:
    return {"platform": "sensor", "state_topic": topic, "value_template": template, "options": list(options)}


ENGLISH, GERMAN = sensor("en", "high", "normal"), sensor("de", "hoch", "normal")
NUMBER = {"platform": "sensor", "state_topic": "project/1", "value_template": "{{ 1 }}"}


def options(payload: bytes) -> list[str]:
    found: list[str] = json.loads(payload)["components"]["priority"]["options"]
    return found


def test_old_words_stay_after_the_new_ones_until_the_template_is_the_new_one() -> None:
    wanted = device(priority=GERMAN, number=NUMBER)
    first = with_old_words(wanted, device(priority=ENGLISH, number=NUMBER))
    assert options(first) == ["hoch", "normal", "high"]
    assert json.loads(first)["device"] == {"name": "P1"}
    assert with_old_words(wanted, first) == wanted


@pytest.mark.parametrize(
    "held",
    [
        device(priority=GERMAN),
        device(),
        device(priority={"platform": "sensor"}),
        device(priority=sensor("en", "high", topic="elsewhere")),
        device(priority=sensor("en", "hoch")),
        b"not JSON",
        b"",
    ],
    ids=["the same", "new", "buried", "another topic", "fewer words", "unreadable", "nothing"],
)
def test_where_no_shown_word_is_lost_the_payload_is_as_wanted(held: bytes) -> None:
    wanted = device(priority=GERMAN)
    assert with_old_words(wanted, held) is wanted


def test_what_cannot_be_read_is_as_wanted() -> None:
    assert with_old_words(b"", device(priority=ENGLISH)) == b""
    assert state_topics_to_tell_again(b"", device(priority=ENGLISH)) == frozenset()


def test_the_topics_of_what_has_another_template_are_told_again() -> None:
    held = device(priority=ENGLISH, number=NUMBER, other=sensor("en", topic="plan"), gone=sensor("en", topic="gone"))
    wanted = device(priority=GERMAN, number=NUMBER, other=sensor("de", topic="plan"), added=sensor("de", topic="new"))
    assert state_topics_to_tell_again(wanted, held) == {"project/1", "plan"}
    assert state_topics_to_tell_again(wanted, wanted) == frozenset()


def test_a_moved_or_stateless_component_is_not() -> None:
    button = {"platform": "button", "command_topic": "command"}
    held = device(priority=sensor("en", topic="elsewhere"), press=button | {"payload_press": "a"})
    wanted = device(priority=sensor("de"), press=button | {"payload_press": "b"})
    assert state_topics_to_tell_again(wanted, held) == frozenset()
