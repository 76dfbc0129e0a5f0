"""The two ways in which the plugin writes JSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from ts2mqtt.simulator.nina.json_text import newtonsoft, system_text_json

if TYPE_CHECKING:
    from ts2mqtt.simulator.rows import JsonValue


@pytest.mark.parametrize(
    ("value", "live", "rest"),
    [
        (90.0, "90.0", "90"),
        (90, "90", "90"),
        (0.23, "0.23", "0.23"),
        (1e-5, "1E-05", "1E-05"),
        (1e20, "1E+20", "1E+20"),
        (math.nan, '"NaN"', '"NaN"'),
        (math.inf, '"Infinity"', '"Infinity"'),
        (True, "true", "true"),
        (None, "null", "null"),
        ("Größe 🌌", '"Größe 🌌"', '"Gr\\u00F6\\u00DFe \\uD83C\\uDF0C"'),
        ('Tot: 0.23 (0.38")', '"Tot: 0.23 (0.38\\")"', '"Tot: 0.23 (0.38\\u0022)"'),
        ("a\n\x1b\u2028", '"a\\n\\u001b\\u2028"', '"a\\n\\u001B\\u2028"'),
        ({"a": [1, 2.0]}, '{"a":[1,2.0]}', '{"a":[1,2]}'),
    ],
)
def test_a_value_on_the_socket_and_in_rest(value: JsonValue, live: str, rest: str) -> None:
    assert (newtonsoft(value), system_text_json(value).decode()) == (live, rest)


def test_rest_leaves_out_what_is_null() -> None:
    assert system_text_json({"a": None, "b": [{"c": None, "d": math.nan}]}) == b'{"b":[{"d":"NaN"}]}'
