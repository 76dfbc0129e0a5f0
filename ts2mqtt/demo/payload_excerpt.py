"""Shortens a payload for the list of messages: it keeps the JSON and puts the most interesting keys first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ts2mqtt.demo.short_text import ELLIPSIS, terminal_safe

if TYPE_CHECKING:
    from pydantic import JsonValue

_INTERESTING_KEYS = (
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
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MAXIMUM_PIECES = 12
_MAXIMUM_TEXT_LENGTH = 60


def payload_excerpt(payload: bytes, content: JsonValue) -> tuple[str, ...]:
    """The payload in pieces, so that a line can be cut between two of them; `content` is its JSON, or None."""
    if is_png(payload):
        return (f"(a picture, {len(payload):,} bytes)",)
    if isinstance(content, dict):
        known = [key for key in _INTERESTING_KEYS if content.get(key) not in (None, "")]
        others = [key for key in content if key not in _INTERESTING_KEYS]
        pieces = [f"{_quoted(key)}:{_value(content[key])}" for key in (known + others)[:_MAXIMUM_PIECES]]
        return ("{" + pieces[0], *pieces[1:]) if pieces else ("{",)
    if not payload:
        return ("(cleared)",)
    return (terminal_safe(payload[: 4 * _MAXIMUM_TEXT_LENGTH].decode(errors="replace")),)


def is_png(payload: bytes) -> bool:
    return payload.startswith(_PNG_SIGNATURE)


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
    short = text if len(text) <= _MAXIMUM_TEXT_LENGTH else text[: _MAXIMUM_TEXT_LENGTH - 1] + ELLIPSIS
    return terminal_safe(json.dumps(short, ensure_ascii=False))
