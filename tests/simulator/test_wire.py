"""JSON as System.Text.Json writes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ts2mqtt.simulator.wire import encode

if TYPE_CHECKING:
    from ts2mqtt.simulator.rows import JsonValue


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("M 31 / #1", "M 31 / #1"),
        ("\"&<>'+`", "\\u0022\\u0026\\u003C\\u003E\\u0027\\u002B\\u0060"),
        ("Größe", "Gr\\u00F6\\u00DFe"),
        ("\U0001f30c", "\\uD83C\\uDF0C"),
        ("a\r\n\t\b\f\\", "a\\r\\n\\t\\b\\f\\\\"),
        ("\x00\x1b\x7f", "\\u0000\\u001B\\u007F"),
    ],
)
def test_strings_are_escaped_as_dotnet_does(text: str, written: str) -> None:
    octets = encode(text)

    assert octets == f'"{written}"'.encode()
    assert json.loads(octets) == text


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (60.0, b"60"),
        (0.7123138886666667, b"0.7123138886666667"),
        (-11.62, b"-11.62"),
        (0.00001, b"1E-05"),
        (7, b"7"),
        (None, b"null"),
        (True, b"true"),
        (False, b"false"),
        ([], b"[]"),
        ({}, b"{}"),
        ({"A": [1, {"B": "x"}]}, b'{"A":[1,{"B":"x"}]}'),
    ],
)
def test_values_are_written_compactly(value: JsonValue, written: bytes) -> None:
    assert encode(value) == written


def test_pretty_print_indents_by_two_and_breaks_lines_with_crlf() -> None:
    value: JsonValue = {"A": [1, 2], "B": [], "C": {"D": None}}

    assert encode(value, pretty=True).decode() == json.dumps(value, indent=2).replace("\n", "\r\n")
