"""What Home Assistant has to be shown so that it forgets."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.discovery.home_assistant import PAYLOAD_KEYS
from tests.support.sample_rig import BACKYARD, HYDROGEN, LUM, M31, rig_of_targets
from ts2mqtt.home_assistant.devices import device_messages
from ts2mqtt.home_assistant.entities import EXPOSURE_PLAN
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.home_assistant.removal import (
    RemovalRecord,
    read_record,
    record,
    vanished_components,
    whole_again,
    with_tombstones,
)
from ts2mqtt.topics.names import TARGET, Subject, TopicNames

NAMES = DiscoveryIds("homeassistant", TopicNames("ts2mqtt"))
NOW = datetime(2026, 2, 27, 20, tzinfo=UTC)
UNREADABLE = [b"", b"offline", b"{", b"[]", b"null", b"\xff", b'{"device": {}}', b'{"components": [1]}']


def device(*plans: Any, name: str = "M 31") -> bytes:
    rig = rig_of_targets(replace(M31, name=name, exposure_plans=plans))
    return device_messages(NAMES, rig, frozenset({"active"}))[
        NAMES.topic(Subject("backyard", TARGET, M31.id))
    ].payload


BOTH, LUM_ALONE = device(LUM, HYDROGEN), device(LUM)
HYDROGENS_KEYS = {f"ha_300_{row.key}" for row in EXPOSURE_PLAN}


def components(payload: bytes) -> dict[str, dict[str, Any]]:
    found = json.loads(payload)["components"]
    assert isinstance(found, dict)
    return found


def tombstones(payload: bytes) -> set[str]:
    return {key for key, component in components(payload).items() if component.keys() == {"platform"}}


class TestTombstones:
    def test_stand_for_every_component_that_is_gone(self) -> None:
        payload = with_tombstones(LUM_ALONE, BOTH, keep_old=False)
        assert tombstones(payload) == HYDROGENS_KEYS
        assert {component["platform"] for component in components(payload).values()} <= {"sensor", "binary_sensor"}
        assert components(payload)["ha_300_hfr"] == {"platform": "sensor"}

    def test_leave_what_lives_as_it_is(self) -> None:
        payload = json.loads(with_tombstones(LUM_ALONE, BOTH, keep_old=False))
        wanted = json.loads(LUM_ALONE)
        living = {key: one for key, one in payload["components"].items() if key not in HYDROGENS_KEYS}
        assert living == wanted["components"]
        assert {key: payload[key] for key in wanted if key != "components"} == {
            key: wanted[key] for key in wanted if key != "components"
        }
        assert payload.keys() <= PAYLOAD_KEYS

    def test_are_not_needed_where_nothing_is_gone(self) -> None:
        assert with_tombstones(BOTH, LUM_ALONE, keep_old=False) == BOTH
        assert with_tombstones(BOTH, BOTH, keep_old=True) == BOTH

    def test_stay_until_home_assistant_must_have_seen_them(self) -> None:
        buried = with_tombstones(LUM_ALONE, BOTH, keep_old=False)
        assert tombstones(with_tombstones(LUM_ALONE, buried, keep_old=True)) == HYDROGENS_KEYS
        assert with_tombstones(LUM_ALONE, buried, keep_old=False) == LUM_ALONE

    def test_go_when_the_component_comes_back(self) -> None:
        buried = with_tombstones(LUM_ALONE, BOTH, keep_old=False)
        assert with_tombstones(BOTH, buried, keep_old=True) == BOTH

    def test_are_written_the_same_every_time(self) -> None:
        once = with_tombstones(LUM_ALONE, BOTH, keep_old=False)
        assert with_tombstones(LUM_ALONE, once, keep_old=True) == once

    @pytest.mark.parametrize("held", UNREADABLE)
    def test_cannot_be_made_from_what_is_no_device(self, held: bytes) -> None:
        assert with_tombstones(LUM_ALONE, held, keep_old=True) == LUM_ALONE


class TestVanishedComponents:
    def test_are_those_that_lived(self) -> None:
        assert vanished_components(LUM_ALONE, BOTH)
        assert not vanished_components(BOTH, LUM_ALONE)
        assert not vanished_components(BOTH, BOTH)

    def test_are_not_those_that_were_buried_before(self) -> None:
        buried = with_tombstones(LUM_ALONE, BOTH, keep_old=False)
        assert not vanished_components(LUM_ALONE, buried)

    @pytest.mark.parametrize("held", UNREADABLE)
    def test_are_unknown_where_nothing_can_be_read(self, held: bytes) -> None:
        assert not vanished_components(LUM_ALONE, held)


class TestTheRecordOfARemoval:
    def test_comes_back_from_the_broker(self) -> None:
        made = record(BOTH, None, NOW)
        assert made is not None
        assert made.removed == NOW
        assert json.loads(made.discovery) == json.loads(BOTH)
        assert read_record(made.to_bytes()) == made

    def test_remembers_what_an_earlier_one_did(self) -> None:
        earlier = record(BOTH, None, NOW - timedelta(hours=1))
        made = record(LUM_ALONE, earlier, NOW)
        assert made is not None
        assert made.removed == NOW
        assert components(made.discovery.encode()) == components(BOTH)

    def test_has_no_tombstones_in_it(self) -> None:
        buried = with_tombstones(LUM_ALONE, BOTH, keep_old=False)
        earlier = RemovalRecord(removed=NOW, discovery=buried.decode())
        made = record(buried, earlier, NOW)
        assert made is not None
        assert components(made.discovery.encode()) == components(LUM_ALONE)

    @pytest.mark.parametrize("held", UNREADABLE)
    def test_cannot_be_made_of_what_is_no_device(self, held: bytes) -> None:
        assert record(held, None, NOW) is None

    @pytest.mark.parametrize(
        "payload",
        [
            *UNREADABLE,
            b'{"removed": "2026-02-27T20:00:00Z"}',
            b'{"removed": "2026-02-27T20:00:00Z", "discovery": "nothing"}',
            b'{"removed": "yesterday", "discovery": "{\\"components\\": {}}"}',
            b'{"removed": "2026-02-27T20:00:00", "discovery": "{\\"components\\": {}}"}',
        ],
    )
    def test_cannot_be_read_from_anything_else(self, payload: bytes) -> None:
        assert read_record(payload) is None


class TestADeviceThatWasMissed:
    def test_is_shown_as_it_was_when_it_is_gone(self) -> None:
        made = record(BOTH, None, NOW)
        assert made is not None
        assert json.loads(whole_again(made, None)) == json.loads(BOTH)

    def test_is_shown_as_it_is_with_what_it_has_lost(self) -> None:
        made = record(BOTH, None, NOW)
        assert made is not None
        current = with_tombstones(device(LUM, name="Andromeda"), BOTH, keep_old=False)
        whole = json.loads(whole_again(made, current))
        assert whole["device"]["name"] == "Andromeda"
        assert whole["components"].keys() == components(BOTH).keys()
        assert whole["components"]["ha_300_hfr"] == components(BOTH)["ha_300_hfr"]
        assert whole["components"]["lum_60_hfr"] == components(current)["lum_60_hfr"]

    def test_is_left_as_it_is_where_the_record_cannot_be_read(self) -> None:
        broken = RemovalRecord(removed=NOW, discovery="nothing")
        assert whole_again(broken, LUM_ALONE) == LUM_ALONE
        made = record(BOTH, None, NOW)
        assert made is not None
        assert whole_again(made, b"nothing") == b"nothing"


def test_the_rigs_own_device_is_covered_too() -> None:
    payload = device_messages(NAMES, BACKYARD, frozenset())[NAMES.topic(Subject("backyard"))].payload
    made = record(payload, None, NOW)
    assert made is not None
    assert json.loads(whole_again(made, None)) == json.loads(payload)
