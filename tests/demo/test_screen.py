from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.demo.conftest import NOW, PLAN, STATE, hear, project
from ts2mqtt.demo.entity_examples import EntityExample, entity_count, entity_examples
from ts2mqtt.demo.screen import Screen, with_log_line


def test_a_rig_goes_away_and_comes_back(busy: Screen) -> None:
    later = replace(busy, now=NOW + timedelta(minutes=5))
    away = hear(later, "ts2mqtt/backyard/status", "offline")
    assert away.rigs["backyard"].online is False
    assert away.rigs["backyard"].online_changed == NOW + timedelta(minutes=5)
    assert hear(away, "ts2mqtt/backyard/status", "offline").rigs["backyard"] == away.rigs["backyard"]
    assert hear(away, "ts2mqtt/backyard/status", "online").rigs["backyard"].online is True
    assert busy.rigs["backyard"].online is True, "a fold leaves the earlier screen as it was"


def test_the_bridge_says_goodbye(busy: Screen) -> None:
    assert busy.bridge_online is True
    assert hear(busy, "ts2mqtt/status", "offline").bridge_online is False


def test_what_is_cleared_is_gone(busy: Screen) -> None:
    screen = hear(busy, "ts2mqtt/backyard/project/a", b"")
    assert ("backyard", "a") not in screen.projects
    assert screen.messages[-1].pieces == ("(cleared)",)
    screen = hear(screen, "homeassistant/device/ts2mqtt/backyard_target_t1/config", b"")
    assert entity_count(screen).devices == 1


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"[]", b"null", b'{"name": 7}', b'{"progress": NaN}', b'{"progress": 1e400}', b"\xff", b"[" * 9_999],
)
def test_what_cannot_be_read_counts_as_absent(busy: Screen, payload: bytes) -> None:
    for topic in (
        "project/a",
        "target/t1",
        "state",
        "plan",
        "status",
        "event",
        "profile/x",
        "nonsense",
        "plan/image",
    ):
        busy = hear(busy, f"ts2mqtt/backyard/{topic}", payload)
    busy = hear(busy, "homeassistant/device/ts2mqtt/backyard/config", payload)
    assert ("backyard", "a") not in busy.projects
    assert busy.rigs["backyard"].plan.blocks == []
    assert busy.rigs["backyard"].online is None


def test_what_an_earlier_version_did_not_write_may_be_missing(empty: Screen) -> None:
    empty = hear(empty, "ts2mqtt/backyard/project/a", {"id": "a", "state": None})
    empty = hear(empty, "ts2mqtt/backyard/target/t1", {"id": "t1", "exposure_plans": []})
    empty = hear(empty, "ts2mqtt/backyard/state", {})
    empty = hear(empty, "ts2mqtt/backyard/plan", {"blocks": []})
    assert empty.rigs["backyard"].name == "backyard"
    assert set(empty.projects) == {("backyard", "a")}
    assert set(empty.targets) == {("backyard", "t1")}


@pytest.mark.parametrize("number", ["1" + "0" * 400, "1e400", "-1e300", "NaN"])
def test_an_absurd_number_is_as_if_it_were_not_there(busy: Screen, number: str) -> None:
    state = f'{{"name": "Backyard", "tonight": {{"exposures_acquired": {number}, "integration_s": {number}}}}}'
    tonight = hear(busy, "ts2mqtt/backyard/state", state).rigs["backyard"].state.tonight
    assert (tonight.exposures_acquired, tonight.integration_s) == (None, None)


def test_heartbeats_are_not_shown(empty: Screen) -> None:
    assert hear(empty, "ts2mqtt/bridge/heartbeat", "{}") == empty


def test_messages_are_counted_and_the_last_are_kept(empty: Screen) -> None:
    for number in range(400):
        empty = hear(empty, "ts2mqtt/backyard/event", {"count": number})
    assert empty.message_count == 400
    assert len(empty.messages) == 300
    assert empty.messages[-1].pieces == ('{"count":399',)


def test_a_message_tells_the_most_important_first(empty: Screen) -> None:
    screen = hear(empty, "ts2mqtt/backyard/project/a", {"id": "x", "extra": {}} | project("M 31"))
    assert screen.messages[-1].pieces[:2] == ('{"name":"M 31"', '"progress":25.0')
    screen = hear(screen, "ts2mqtt/backyard/state", STATE)
    assert screen.messages[-1].pieces[:2] == ('{"activity":"imaging"', '"current_target":{"name":"M 31",…}')
    screen = hear(screen, "ts2mqtt/backyard/plan", PLAN)
    assert screen.messages[-1].pieces == ('{"night":"2026-10-09"', '"imaging_s":12600', '"blocks":[…]')
    screen = hear(screen, "x/y", {"a": {}, "b": [], "c": {"d": 1}, "e": "f" * 99})
    assert screen.messages[-1].pieces == ('{"a":{}', '"b":[]', '"c":{…}', f'"e":"{"f" * 59}…"')
    assert hear(screen, "x/y", "{}").messages[-1].pieces == ("{",)
    assert hear(screen, "x/y", b"\x89PNG\r\n\x1a\n" + bytes(1_992)).messages[-1].pieces == (
        "(a picture, 2,000 bytes)",
    )


def test_a_log_line_is_a_message_and_warnings_are_counted(empty: Screen) -> None:
    screen = with_log_line(empty, "WARNING", "Backyard: the API\x1b does not answer")
    assert screen.messages[-1].pieces == ("Backyard:", "the", "API\\x1b", "does", "not", "answer")
    assert with_log_line(screen, "INFO", "well").warning_count == 1


def test_home_assistant_counts_what_is_announced(busy: Screen) -> None:
    count = entity_count(busy)
    assert (count.devices, count.entities, count.disabled) == (2, 6, 1)


def test_examples_have_the_states_that_home_assistant_would_show(busy: Screen) -> None:
    assert list(entity_examples(busy)) == [
        EntityExample("sensor.backyard_activity", "imaging"),
        EntityExample("sensor.backyard_current_target", "M 31"),
        EntityExample("sensor.backyard_exposures_tonight", "24 exposures"),
        EntityExample("sensor.backyard_m_31_completion", "25.5 %"),
        EntityExample("sensor.backyard_m_31_accepted_integration", "2.5 h"),
    ]


def test_what_is_live_is_unavailable_while_the_rig_is_away(busy: Screen) -> None:
    away = hear(busy, "ts2mqtt/backyard/status", "offline")
    states = {example.entity_id: example.state for example in entity_examples(away)}
    assert states["sensor.backyard_activity"] == "unavailable"
    assert states["sensor.backyard_exposures_tonight"] == "24 exposures"


def test_absurd_and_missing_values_are_unknown(busy: Screen) -> None:
    screen = hear(busy, "ts2mqtt/backyard/target/t1", f'{{"progress": 1{"0" * 500}, "accepted_s": null}}')
    states = {example.entity_id: example.state for example in entity_examples(screen)}
    assert states["sensor.backyard_m_31_completion"] == "unknown"
    assert states["sensor.backyard_m_31_accepted_integration"] == "unknown"
    state = {**STATE, "tonight": None, "next_target": None}
    screen = hear(screen, "ts2mqtt/backyard/state", state)
    assert EntityExample("sensor.backyard_exposures_tonight", "unknown") in entity_examples(screen)


def test_ids_that_home_assistant_transliterates_are_no_examples(busy: Screen) -> None:
    screen = hear(
        busy,
        "homeassistant/device/ts2mqtt/backyard/config",
        {"components": {"activity": {"default_entity_id": "sensor.仙女 activity", "state_topic": "x"}}},
    )
    assert all("activity" not in example.entity_id for example in entity_examples(screen))
