"""Compares what a broker holds with what a bridge that never met a fault would have published."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# What the bridge remembers of earlier days, or says about itself: a newcomer cannot know it.
_ONES_OWN = frozenset(
    {
        *("first_seen", "tonight", "fetched", "since", "instance"),
        *("activity_since", "last_exposure", "accepted_peak", "dropped"),
        *("nights", "nights_left", "completes"),
    }
)
# A night that was over before a newcomer came.
_OF_LAST_NIGHT = ("/night", "/night/image")
# What is true for a moment only, by what was seen in the last minutes.
_OF_THE_MOMENT = frozenset({"imaging", "evidence", "activity", "current_target", "next_target"})


def comparable(retained: Mapping[str, bytes], *, with_the_moment: bool = False) -> dict[str, Any]:
    """The payloads without what two bridges may rightly say differently."""
    left_out = _ONES_OWN if with_the_moment else _ONES_OWN | _OF_THE_MOMENT
    return {
        topic: _without(payload, left_out)
        for topic, payload in retained.items()
        if not topic.endswith(_OF_LAST_NIGHT)
    }


def differences(held: Mapping[str, Any], expected: Mapping[str, Any], foreign: Mapping[str, bytes]) -> list[str]:
    """In words; none if the broker holds exactly what is expected, and what is foreign as it was."""
    untouched = comparable(foreign)
    problems = [f"{topic} is missing" for topic in expected if topic not in held]
    problems += [f"{topic} should not be there" for topic in held if topic not in {**expected, **untouched}]
    problems += [
        f"{topic} holds {_difference(held[topic], expected[topic])}"
        for topic in expected
        if topic in held and held[topic] != expected[topic]
    ]
    problems += [f"the foreign {topic} has changed" for topic in untouched if held.get(topic) != untouched[topic]]
    return problems


def _without(payload: bytes, left_out: frozenset[str]) -> Any:
    with suppress(ValueError, RecursionError):
        value = json.loads(payload)
        if isinstance(value, dict):
            return _content_without(value, left_out)
    return payload


def _content_without(value: Any, left_out: frozenset[str]) -> Any:
    match value:
        case {"components": _}:
            # Home Assistant's: its components have names of their own.
            return value
        case dict():
            return {key: _content_without(item, left_out) for key, item in value.items() if key not in left_out}
        case list():
            return [_content_without(item, left_out) for item in value]
        case _:
            return value


def _difference(held: Any, expected: Any) -> str:
    if not (isinstance(held, dict) and isinstance(expected, dict)):
        return f"{held!r:.80} instead of {expected!r:.80}"
    keys = [key for key in held.keys() | expected.keys() if held.get(key) != expected.get(key)]
    return "; ".join(f"{key} {held.get(key)!r:.300} instead of {expected.get(key)!r:.300}" for key in sorted(keys))
