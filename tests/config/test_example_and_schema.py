"""The example and the JSON Schema say what the models say: every key, with its default and its meaning."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.project import ROOT
from ts2mqtt.config import Config, config_json_schema, load_config
from ts2mqtt.config.durations import DURATION_PATTERN, format_duration, parse_duration
from ts2mqtt.config.keys import all_keys, key_from

Key = tuple[str | int, ...]
Schema = dict[str, Any]

EXAMPLE = ROOT / "config.yaml.example"
LINES = EXAMPLE.read_text(encoding="utf-8").splitlines(keepends=True)
OPTIONAL = re.compile(r"^( *)#(?=[^ \n])")

WHOLE: Schema = json.loads(config_json_schema())


def optional_lines() -> list[int]:
    return [number for number, line in enumerate(LINES) if OPTIONAL.match(line)]


def with_setting(*numbers: int) -> str:
    """The example with these optional lines switched on, the way its introduction says."""
    return "".join(OPTIONAL.sub(r"\1", line) if number in numbers else line for number, line in enumerate(LINES))


def leaves(value: object, key: Key = ()) -> Iterator[tuple[Key, object]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from leaves(inner, (*key, name))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for number, inner in enumerate(value):
            yield from leaves(inner, (*key, number))
    else:
        yield key, value


def load(text: str, folder: Path) -> Config:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, {}).config


def schema_of(key: Key) -> Schema:
    """The part of the JSON Schema that describes a key."""
    part = WHOLE
    for name in key:
        is_item = isinstance(name, int) or name == "[]"
        part = resolved(part["items"] if is_item else part["properties"][name])
    return part


def resolved(part: Schema) -> Schema:
    for reference in (part, *part.get("anyOf", ())):
        if "$ref" in reference:
            return {**WHOLE["$defs"][reference["$ref"].removeprefix("#/$defs/")], **part}
    return part


def test_the_first_line_is_for_editors() -> None:
    assert LINES[0] == "# yaml-language-server: $schema=config.schema.json\n"


def test_as_it_is_it_holds_what_is_needed_and_all_defaults(tmp_path: Path) -> None:
    assert load("".join(LINES), tmp_path) == Config.model_validate(
        {"mqtt": {"host": "192.168.1.10"}, "rigs": [{"name": "Backyard", "url": "http://192.168.1.50:8188"}]}
    )


def test_every_key_stands_in_it() -> None:
    written = {
        tuple("[]" if isinstance(part, int) else part for part in key)
        for key, _ in leaves(yaml.safe_load(with_setting(*optional_lines())))
    }
    headers = key_from("rigs[].headers")
    assert {headers if key[: len(headers)] == headers else key for key in written} == set(all_keys())


def test_every_setting_shows_its_default_or_else_an_example_from_the_schema() -> None:
    required = dict(leaves(yaml.safe_load("".join(LINES))))
    for key, value in leaves(yaml.safe_load(with_setting(*optional_lines()))):
        if key[:2] == ("rigs", 1):
            continue
        if "headers" in key:
            assert {key[-1]: value} in schema_of(key[:-1])["examples"]
        elif "default" not in schema_of(key) or key in required:
            assert value in schema_of(key)["examples"], key
        elif any(kind.get("pattern") == DURATION_PATTERN for kind in schema_of(key).get("anyOf", ())):
            assert parse_duration(str(value)) == parse_duration(schema_of(key)["default"]), key
        else:
            assert value == schema_of(key)["default"], key


# What a setting needs beside it, where it cannot stand alone.
TOGETHER = {
    "password": ("username",),
    "password_file": ("username",),
    "key_file": ("cert_file",),
    "latitude": ("longitude",),
    "longitude": ("latitude",),
    "- name": ("url",),
    "url": ("- name",),
}


@pytest.mark.parametrize("number", optional_lines(), ids=lambda number: LINES[number].strip())
def test_each_optional_line_can_be_switched_on(number: int, tmp_path: Path) -> None:
    for file in re.findall(r"[\w-]+\.(?:crt|key|txt)", "".join(LINES)):
        (tmp_path / file).write_text("content", encoding="utf-8")
    nearby = [other for other in optional_lines() if abs(other - number) <= 4]
    also = [other for other in nearby if name_in(other) in TOGETHER.get(name_in(number), ())]
    changed = load(with_setting(number, *also), tmp_path)
    has_default = not re.search("username|password|_file|itude|time_zone|X-Api-Key|- name|url", LINES[number])
    assert (changed == load("".join(LINES), tmp_path)) is has_default


def name_in(number: int) -> str:
    """The name of the key in an optional line."""
    return LINES[number].strip(" #").split(":")[0]


def test_every_key_of_the_schema_is_explained() -> None:
    for key in all_keys():
        schema = schema_of(key)
        assert schema["title"], key
        assert str(schema["description"]).endswith("."), key


def test_the_schema_is_a_complete_document() -> None:
    assert config_json_schema().endswith("}\n")
    schema = WHOLE
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["required"] == ["mqtt", "rigs"]
    assert schema["additionalProperties"] is False
    assert all(section["additionalProperties"] is False for section in schema["$defs"].values())


def test_the_schema_shows_defaults_as_one_writes_them() -> None:
    assert schema_of(("polling", "edit_interval"))["default"] == "2m"
    assert schema_of(("polling", "slow_interval"))["default"] == "10m"
    assert schema_of(("mqtt", "port"))["default"] == 1883
    assert "default" not in schema_of(("mqtt", "username"))


@pytest.mark.parametrize("text", ["30s", "10m", "1h30m", "1.5h", "250ms", "1d 2h"])
def test_the_schema_accepts_durations(text: str) -> None:
    kinds = schema_of(("polling", "interval"))["anyOf"]
    assert re.search(kinds[0]["pattern"], text)
    assert not re.search(kinds[0]["pattern"], f"{text} bananas")


@pytest.mark.parametrize(("seconds", "text"), [(0, "0s"), (0.25, "250ms"), (5400, "1h30m"), (86461.5, "1d1m1s500ms")])
def test_durations_as_text(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_the_schema_accepts_a_key_without_a_value_unless_it_is_required() -> None:
    nothing = {"type": "null"}
    assert nothing in WHOLE["properties"]["polling"]["anyOf"]
    assert nothing in schema_of(("polling", "interval"))["anyOf"]
    assert schema_of(("mqtt", "username"))["anyOf"].count(nothing) == 1
    assert "anyOf" not in schema_of(("mqtt", "host"))


def test_the_schema_file_beside_the_example_is_the_models_own() -> None:
    written = EXAMPLE.with_name("config.schema.json").read_text(encoding="utf-8")
    assert written == config_json_schema(), "write it anew: ts2mqtt schema --config > config.schema.json"
