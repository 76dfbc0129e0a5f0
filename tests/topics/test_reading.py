"""Payloads of other versions, and of nobody we know, read back into the models of this one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ts2mqtt.topics import payloads
from ts2mqtt.topics.reading import read, read_content, read_whole

if TYPE_CHECKING:
    from pydantic import JsonValue

PLAN: dict[str, JsonValue] = {"key": "lum_60", "desired": 20, "acquired": 12, "accepted": 10}
TARGET: dict[str, JsonValue] = {"id": "t1", "name": "M 31", "exposure_plans": [PLAN]}
GARBAGE = [b"", b"online", b"{", b"[]", b"null", b"7", b'"text"', b"\xff\xfe", b"\x89PNG\r\n\x1a\n", b"[" * 99_999]


def read_target(content: object) -> payloads.Target | None:
    return read(payloads.Target, json.dumps(content).encode())


def test_keys_that_an_earlier_version_did_not_write_are_unknown() -> None:
    target = read_target(TARGET)
    assert target is not None
    (plan,) = target.exposure_plans
    assert (target.rig_id, target.first_seen, target.progress, target.extra) == ("", None, None, {})
    assert (plan.accepted, plan.template, plan.ungraded, plan.statistics) == (10, None, 0, None)


@pytest.mark.parametrize(
    ("spoiled", "key"),
    [
        (TARGET | {"first_seen": "once"}, "first_seen"),
        (TARGET | {"first_seen": "2026-02-27T20:00:00"}, "first_seen"),
        (TARGET | {"progress": 101}, "progress"),
        (TARGET | {"scheduled": {"start": "2026-02-27T20:00:00Z"}}, "scheduled"),
        (TARGET | {"scheduled": 7, "ra_hours": "far", "extra": []}, "extra"),
    ],
)
def test_a_key_with_an_unreadable_value_is_as_if_it_were_not_there(spoiled: dict[str, JsonValue], key: str) -> None:
    assert read_target(spoiled) == read_target(TARGET)
    assert read_whole(payloads.Target, json.dumps(spoiled).encode()) is None
    target = read_target(spoiled)
    assert target is not None
    assert key not in target.model_fields_set


def test_one_bad_number_loses_no_other_at_whatever_depth() -> None:
    bad: dict[str, JsonValue] = {"exposure_s": "long", "statistics": {"hfr_mean": "sharp", "hfr_std_dev": 0.5}}
    target = read_target(TARGET | {"exposure_plans": [PLAN | bad, PLAN]})
    assert target is not None
    first, second = target.exposure_plans
    assert (first.acquired, first.exposure_s, second.acquired) == (12, None, 12)
    assert first.statistics is not None
    assert (first.statistics.hfr_mean, first.statistics.hfr_std_dev) == (None, 0.5)


@pytest.mark.parametrize("key", ["key", "desired", "acquired", "accepted"])
@pytest.mark.parametrize("value", ["missing", "null", "odd"])
def test_a_list_with_a_hole_is_no_list(key: str, value: str) -> None:
    holed = {name: number for name, number in PLAN.items() if name != key}
    if value != "missing":
        holed[key] = None if value == "null" else ["odd"]
    assert read_target(TARGET | {"exposure_plans": [PLAN, holed]}) is None


def test_children_without_an_id_are_not_known() -> None:
    project = read(payloads.Project, b'{"id": "a", "state": "active", "targets": [{"id": "t1"}, {"name": "M 33"}]}')
    assert project is not None
    assert project.targets is None


def test_what_is_added_later_is_passed_over() -> None:
    assert read_target(TARGET | {"mood": {"good": True}}) == read_target(TARGET)


@pytest.mark.parametrize("payload", GARBAGE, ids=lambda payload: repr(payload[:10]))
@pytest.mark.parametrize("model", [payloads.Target, payloads.Plan, payloads.Heartbeat])
def test_garbage_is_nothing(payload: bytes, model: type[payloads.Payload]) -> None:
    assert read(model, payload) is None
    assert read_whole(model, payload) is None


def test_a_million_faults_are_not_told_one_by_one() -> None:
    filters: list[JsonValue] = [{"acquired": "many"}] * 1_001
    state = {"name": "Backyard", "tonight": {"targets": [{"id": "t1", "filters": filters[:1_000]}]}}
    found = read(payloads.State, json.dumps(state).encode())
    assert found is not None
    assert len(found.tonight.targets[0].filters) == 1_000
    state = {"name": "Backyard", "tonight": {"targets": [{"id": "t1", "filters": filters}]}}
    assert read(payloads.State, json.dumps(state).encode()) is None


def test_json_that_is_parsed_already_is_read_the_same() -> None:
    content: JsonValue = TARGET | {"progress": "much"}
    assert read_content(payloads.Target, content) == read_target(TARGET)
    assert read_content(payloads.Target, [content]) is None
