"""How Home Assistant is led from one device to another: the tables of docs/architecture.md, row by row."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from tests.discovery.home_assistant import PAYLOAD_KEYS
from tests.support.project import ROOT
from tests.support.sample_rig import BACKYARD, HYDROGEN, LUM, M31, rig_of_targets
from ts2mqtt.home_assistant.devices import device_messages
from ts2mqtt.home_assistant.discovery import DevicePayload
from ts2mqtt.home_assistant.entities import EXPOSURE_PLAN
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.home_assistant.transition import (
    NOTHING,
    Presence,
    RemovalRecord,
    Showing,
    Step,
    next_step,
    read_record,
    showing,
)
from ts2mqtt.topics.names import TARGET, Subject, TopicNames

IDS = DiscoveryIds("homeassistant", TopicNames("ts2mqtt"))
NOW = datetime(2026, 2, 27, 20, tzinfo=UTC)
PAGE = ROOT / "docs" / "architecture.md"
STATE_TOPIC = "ts2mqtt/backyard/target/1"
UNREADABLE = [b"", b"offline", b"{", b"[]", b"null", b"\xff", b'{"device": {}}', b'{"components": [1]}']


def device(*plans: Any, name: str = "M 31") -> bytes:
    rig = rig_of_targets(replace(M31, name=name, exposure_plans=plans))
    messages = device_messages(IDS, rig, frozenset({"active"}))
    return messages[IDS.topic(Subject("backyard", TARGET, M31.id))].payload


def edited(payload: bytes, **components: dict[str, Any] | None) -> bytes:
    """With other components, written as we write them; None takes one away."""
    document = json.loads(payload)
    document["components"] |= components
    document["components"] = {key: one for key, one in document["components"].items() if one is not None}
    return DevicePayload.model_validate(document).to_bytes()


def sensor(template: str, *options: str) -> dict[str, Any]:
    return {
        "platform": "sensor",
        "unique_id": "u",
        "name": "n",
        "default_entity_id": "sensor.n",
        "state_topic": STATE_TOPIC,
        "value_template": template,
        "options": list(options),
    }


def platforms(payload: bytes) -> dict[str, str]:
    return {key: one["platform"] for key, one in json.loads(payload)["components"].items()}


LUM_ALONE = edited(device(LUM), spoken=sensor("en", "high", "normal"))
BOTH = edited(device(LUM, HYDROGEN), spoken=sensor("en", "high", "normal"))
HYDROGENS_KEYS = {f"ha_300_{row.key}" for row in EXPOSURE_PLAN}
BURIED = edited(LUM_ALONE, **{key: {"platform": platforms(BOTH)[key]} for key in sorted(HYDROGENS_KEYS)})
OTHER_WORDS = edited(LUM_ALONE, spoken=sensor("de", "hoch", "normal"))
BOTH_WORDS = edited(LUM_ALONE, spoken=sensor("de", "hoch", "normal", "high"))
OTHER_TEMPLATE = edited(LUM_ALONE, spoken=sensor("en | lower", "high", "normal"))
PAYLOADS: dict[str, bytes | None] = {
    "nothing": None,
    "garbage": b"{",
    "L": LUM_ALONE,
    "L+H": BOTH,
    "L+†H": BURIED,
    "G": OTHER_WORDS,
    "G+L": BOTH_WORDS,
    "T": OTHER_TEMPLATE,
    "cleared": b"",
    "": None,
}


EARLIER = NOW - timedelta(hours=1)


def record(payload: bytes, removed: datetime = EARLIER, *, seen: bool = False) -> bytes:
    return RemovalRecord(removed=removed, discovery=payload.decode(), seen=seen).to_bytes()


def record_named(words: str, removed: datetime) -> bytes | None:
    """`L+H` or `L+H, seen`; None for nothing."""
    name, _, seen = words.partition(", ")
    payload = PAYLOADS[name]
    return record(payload, removed, seen=bool(seen)) if payload else None


def table(first_heading: str) -> list[list[str]]:
    """The rows of the page's table whose first column is called so."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {first_heading} |"))
    rows: list[list[str]] = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            return rows
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def presences(word: str) -> list[Presence]:
    return list(Presence) if word == "any" else [Presence(word)]


STEPS = [(row, presence) for row in table("wanted") for presence in presences(row[3])]
SHOWINGS = table("held by the broker")


@pytest.mark.parametrize(
    ("row", "presence"), STEPS, ids=[f"{' | '.join(row[:3])} | {who.value}" for row, who in STEPS]
)
def test_every_row_of_the_table_of_steps(row: list[str], presence: Presence) -> None:
    wanted, held, recorded, _, published, to_record, tell, look_again, forget_record = row
    step = next_step(PAYLOADS[wanted], PAYLOADS[held], record_named(recorded, EARLIER), presence, NOW)
    assert step == Step(
        publish=PAYLOADS[published],
        record=record_named(to_record, NOW),
        tell_before=frozenset({STATE_TOPIC} if tell == "before" else ()),
        tell_after=frozenset({STATE_TOPIC} if tell == "after" else ()),
        look_again=bool(look_again),
        forget_record=bool(forget_record),
    )


@pytest.mark.parametrize("row", SHOWINGS, ids=[" | ".join(row[:2]) for row in SHOWINGS])
def test_every_row_of_the_table_of_showings(row: list[str]) -> None:
    held, recorded, shown, afterwards = row
    payload, _, age = recorded.partition(", ")
    on_record = PAYLOADS[payload]
    assert on_record
    removed = NOW - timedelta(days=30 if age else 0, hours=1)
    expected, then = PAYLOADS[shown], PAYLOADS[afterwards]
    again = record(on_record, NOW, seen=True)
    assert showing(PAYLOADS[held], record(on_record, removed), NOW) == (
        Showing(expected, then, again) if expected and then is not None else None
    )


def test_the_table_has_a_row_for_each_case() -> None:
    """Of what differs between wanted and held, with and without a record, whoever is up."""
    seen = {(row[0], row[1], row[2], presence) for row, presence in STEPS}
    for (wanted, held), recorded, presence in product(
        [("L", "L+H"), ("L", "L+†H"), ("nothing", "L")], ["nothing", "L+H"], [Presence.UP, Presence.DOWN]
    ):
        assert (wanted, held, recorded, presence) in seen


@pytest.mark.parametrize("presence", Presence)
@pytest.mark.parametrize("wanted", ["L", "L+H", "G", "nothing"])
@pytest.mark.parametrize("held", ["nothing", "garbage", "L", "L+H", "L+†H", "G", "G+L"])
def test_steps_end(held: str, wanted: str, presence: Presence) -> None:
    """Each step is taken from where the one before has led: soon there is nothing left to do."""
    stands, on_record = PAYLOADS[held], None
    for _ in range(4):
        step = next_step(PAYLOADS[wanted], stands, on_record, presence, NOW)
        on_record = None if step.forget_record else (step.record or on_record)
        stands = stands if step.publish is None else (step.publish or None)
    settled = next_step(PAYLOADS[wanted], stands, on_record, presence, NOW)
    assert settled == NOTHING
    if presence is Presence.UP:
        assert stands == PAYLOADS[wanted]


def test_tombstones_leave_what_lives_as_it_is() -> None:
    step = next_step(LUM_ALONE, BOTH, None, Presence.UP, NOW)
    payload, wanted = json.loads(step.publish or b""), json.loads(LUM_ALONE)
    assert payload["components"]["ha_300_hfr"] == {"platform": "sensor"}
    assert {key: one for key, one in payload["components"].items() if key in wanted["components"]} == (
        wanted["components"]
    )
    assert {key: payload[key] for key in wanted if key != "components"} == {
        key: wanted[key] for key in wanted if key != "components"
    }
    assert payload.keys() <= PAYLOAD_KEYS


def test_a_component_that_another_version_wrote_is_buried_too() -> None:
    held = edited(LUM_ALONE, old={"platform": "vacuum", "speed": [1, {"a": None}]}, odd={"platform": "sensor"})
    step = next_step(LUM_ALONE, held, None, Presence.UP, NOW)
    components = json.loads(step.publish or b"")["components"]
    assert components["old"] == {"platform": "vacuum"}


def test_a_record_remembers_what_an_earlier_one_did() -> None:
    step = next_step(None, LUM_ALONE, record(BOTH), Presence.DOWN, NOW)
    assert step.record is None, "nothing new is to be remembered"
    renamed = edited(device(LUM, name="Andromeda"))
    step = next_step(None, renamed, record(BOTH), Presence.DOWN, NOW)
    remembered = read_record(step.record or b"")
    assert remembered
    assert remembered.removed == NOW
    whole = json.loads(remembered.discovery)
    assert whole["device"]["name"] == "Andromeda"
    assert whole["components"].keys() == json.loads(BOTH)["components"].keys()


@pytest.mark.parametrize(
    "payload",
    [
        *UNREADABLE,
        b'{"removed": "2026-02-27T20:00:00Z"}',
        b'{"removed": "2026-02-27T20:00:00Z", "discovery": "nothing"}',
        json.dumps({"removed": "yesterday", "discovery": LUM_ALONE.decode()}).encode(),
        json.dumps({"removed": "2026-02-27T20:00:00", "discovery": LUM_ALONE.decode()}).encode(),
    ],
)
def test_a_record_cannot_be_read_from_anything_else(payload: bytes) -> None:
    assert read_record(payload) is None
    assert showing(LUM_ALONE, payload, NOW) is None


@pytest.mark.parametrize("held", UNREADABLE)
def test_what_is_no_device_is_replaced_and_never_recorded(held: bytes) -> None:
    assert next_step(LUM_ALONE, held, None, Presence.DOWN, NOW) == Step(publish=LUM_ALONE)
    assert next_step(None, held, None, Presence.DOWN, NOW) == Step(publish=b"")
    assert showing(held, record(BOTH), NOW) == Showing(held, held, record(BOTH, NOW, seen=True))


@pytest.mark.parametrize("name", ["rig", "profile", "project", "target"])
def test_every_kind_of_device_is_read_as_it_was_written(name: str) -> None:
    """Else each start would publish all devices anew."""
    messages = device_messages(IDS, BACKYARD, frozenset({"active"}))
    for topic, message in messages.items():
        subject = IDS.subject(topic)
        assert subject
        if (subject.kind or "rig") != name:
            continue
        more = edited(message.payload, zzz={"platform": "sensor", "unique_id": "z"})
        step = next_step(message.payload, more, None, Presence.UP, NOW)
        assert step.publish == edited(message.payload, zzz={"platform": "sensor"})
        return
    pytest.fail(f"the sample rig has no {name}")
