"""A payload in a few words for the list of messages: in its own JSON, what tells most first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ts2mqtt.demo.wording import ELLIPSIS, harmless

if TYPE_CHECKING:
    from pydantic import JsonValue

_MOST_TELLING = (
    "event_type",
    "activity",
    "current_target",
    "next_target",
    "tonight",
    "night",
    "imaging_s",
    "blocks",
    "device",
    "components",
    "target_name",
    "filter",
    "name",
    "count",
    "progress",
    "accepted",
    "desired",
    "pending",
    "remaining_s",
    "version",
    "rigs",
)
_PNG = b"\x89PNG\r\n\x1a\n"
_MOST_PIECES = 12
_LONGEST_TEXT = 60


def payload_excerpt(payload: bytes, content: JsonValue) -> tuple[str, ...]:
    """The pieces of a payload, so that it can be cut between them; `content` is what it holds as JSON, or None."""
    if payload.startswith(_PNG):
        return (f"(a picture, {len(payload):,} bytes)",)
    if isinstance(content, dict):
        known = [key for key in _MOST_TELLING if content.get(key) not in (None, "")]
        others = [key for key in content if key not in _MOST_TELLING]
        pieces = [f"{_quoted(key)}:{_value(content[key])}" for key in (known + others)[:_MOST_PIECES]]
        return ("{" + pieces[0], *pieces[1:]) if pieces else ("{",)
    if not payload:
        return ("(cleared)",)
    return (harmless(payload[: 4 * _LONGEST_TEXT].decode(errors="replace")),)


def _value(value: JsonValue) -> str:
    match value:
        case {"name": str(name)}:
            return f"{{{_quoted('name')}:{_quoted(name)},{ELLIPSIS}}}"
        case dict():
            return f"{{{ELLIPSIS}}}" if value else "{}"
        case list():
            return f"[{ELLIPSIS}]" if value else "[]"
        case str():
            return _quoted(value)
        case _:
            return json.dumps(value)


def _quoted(text: str) -> str:
    short = text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + ELLIPSIS
    return harmless(json.dumps(short, ensure_ascii=False))
