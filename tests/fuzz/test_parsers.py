"""No bytes from outside, however wrong, do more than being refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings, strategies as some

from tests.fuzz.parsers import PARSERS, api_answers, commands, config_file, environment, retained
from ts2mqtt.scheduler import wire
from ts2mqtt.topics import payloads

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

CORPUS = Path(__file__).parent / "corpus"

# Repeatable in CI; `make fuzz` looks further.
_fuzzed = settings(
    max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)
_WIRE_KEYS = sorted(
    {
        field.alias or name
        for model in (wire.Profile, wire.Project, wire.Target, wire.ExposurePlan, wire.Statistics, wire.PreviewBlock)
        for name, field in model.model_fields.items()
    }
)
_OUR_KEYS = sorted(
    {
        name
        for model in (payloads.State, payloads.Project, payloads.Target, payloads.Plan, payloads.ExposurePlan)
        for name in model.model_fields
    }
    | {"components", "removed", "discovery", "platform", "instance", "ask"}
)
_SETTINGS = ["mqtt", "rigs", "polling", "home_assistant", "log", "tls", "url", "host", "password", "interval"]
_VARIABLES = ["MQTT__HOST", "MQTT__PORT", "RIGS__0__URL", "RIG_URL", "MQTT__PASSWORD_FILE", "POLLING__INTERVAL"]
_odd = some.one_of(
    some.none(),
    some.booleans(),
    some.integers(),
    some.floats(),
    some.text(max_size=20),
    some.sampled_from(
        (
            *("", "Active", "134973bf-f949-462d-9c4b-8baad53d75a8", "../#", "NaN", "\x1b[2J"),
            *("2026-02-27T19:38:15.4436810-05:00", "1969-12-31T19:00:00-05:00", "9999-12-31T23:59:59", "0001-01-01"),
            *(-1, 2**63, 1e308, float("nan"), float("inf"), 10**400),
        )
    ),
)


def _trees(keys: list[str]) -> SearchStrategy[object]:
    return some.recursive(
        _odd,
        lambda inner: some.one_of(
            some.lists(inner, max_size=4),
            some.dictionaries(some.one_of(some.sampled_from(keys), some.text(max_size=5)), inner, max_size=8),
        ),
        max_leaves=30,
    )


def _documents(keys: list[str]) -> SearchStrategy[bytes]:
    return _trees(keys).map(lambda tree: json.dumps(tree).encode())


def _rows(keys: list[str]) -> SearchStrategy[bytes]:
    row = some.dictionaries(some.sampled_from(keys), _trees(keys), max_size=12)
    return some.lists(some.one_of(row, _odd), max_size=3).map(lambda rows: json.dumps(rows).encode())


@_fuzzed
@given(some.lists(some.one_of(_rows(_WIRE_KEYS), some.binary(max_size=60)), min_size=5, max_size=5))
def test_answers_of_the_api(lines: list[bytes]) -> None:
    api_answers(b"\n".join(line.replace(b"\n", b" ") for line in lines))


@_fuzzed
@given(
    some.lists(some.one_of(_trees(_OUR_KEYS).map(lambda tree: json.dumps(tree).encode()), some.binary()), max_size=9)
)
def test_what_is_retained_under_our_topics(lines: list[bytes]) -> None:
    retained(b"\n".join(lines))


@_fuzzed
@given(some.one_of(some.just(b"ts2mqtt/backyard/command"), some.binary()), some.binary())
def test_commands(topic: bytes, payload: bytes) -> None:
    commands(topic + b"\n" + payload)


@_fuzzed
@given(
    some.one_of(
        some.binary(),
        some.text().map(lambda text: text.encode(errors="surrogatepass")),
        _trees(
            ["mqtt", "rigs", "polling", "home_assistant", "log", "tls", "url", "host", "password", "interval"]
        ).map(lambda tree: json.dumps(tree).encode()),
    )
)
def test_configuration_files(octets: bytes) -> None:
    config_file(octets)


@_fuzzed
@given(
    some.lists(
        some.tuples(
            some.one_of(
                some.sampled_from(
                    (
                        "MQTT__HOST",
                        "MQTT__PORT",
                        "RIGS__0__URL",
                        "RIG_URL",
                        "MQTT__PASSWORD_FILE",
                        "POLLING__INTERVAL",
                    )
                ),
                some.text(max_size=12),
            ),
            some.text(),
        ),
        max_size=4,
    )
)
def test_environments(variables: list[tuple[str, str]]) -> None:
    lines = [f"{name}={value}" for name, value in variables]
    environment("\n".join(lines).encode(errors="surrogatepass"))


@pytest.mark.parametrize("parser", PARSERS)
def test_all_that_was_ever_found(parser: str) -> None:
    kept = sorted((CORPUS / parser).iterdir())
    assert kept
    for found in kept:
        PARSERS[parser](found.read_bytes())
