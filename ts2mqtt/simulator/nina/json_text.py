"""How N.I.N.A. writes JSON: Newtonsoft's style over the socket, that of System.Text.Json in REST answers.

Newtonsoft writes a double as `90.0` and leaves non-ASCII as it is. System.Text.Json writes `90`, escapes non-ASCII
and leaves out properties that are null. Both write NaN as the string "NaN".
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from ts2mqtt.simulator import wire

if TYPE_CHECKING:
    from ts2mqtt.simulator.rows import JsonValue

NAN = float("nan")
_NEWTONSOFT_ESCAPES = {"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def newtonsoft(value: JsonValue) -> str:
    """Compact JSON as Newtonsoft writes it."""
    if isinstance(value, dict):
        items = (f"{_text(name)}:{newtonsoft(item)}" for name, item in value.items())
        return "{" + ",".join(items) + "}"
    if isinstance(value, list):
        return "[" + ",".join(newtonsoft(item) for item in value) + "]"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        return _double(value)
    return json.dumps(value)


def system_text_json(value: JsonValue) -> bytes:
    """Compact JSON as the plugin's REST handlers write it."""
    return wire.encode(_without_null(value))


def _double(number: float) -> str:
    if not math.isfinite(number):
        return f'"{_name_of(number)}"'
    # .NET has no "e+20" and no "e-05" without capitals; Newtonsoft adds ".0" to what looks like an integer.
    return repr(number).upper()


def _name_of(number: float) -> str:
    if math.isnan(number):
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"


def _text(text: str) -> str:
    escaped = json.dumps(text, ensure_ascii=False)
    for character, escape in _NEWTONSOFT_ESCAPES.items():
        escaped = escaped.replace(character, escape)
    return escaped


def _without_null(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {name: _without_null(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_null(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return _name_of(value)
    return value
