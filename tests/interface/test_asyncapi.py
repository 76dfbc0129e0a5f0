"""The AsyncAPI document: sound by the initiative's own parser, whole, and true of every message."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.bridge.test_bridge import all_published
from tests.conftest import need
from tests.interface.conftest import simulated_night
from tests.interface.document import DOCUMENT, MESSAGES, SCHEMAS, channel_of, faults, validator
from tests.support import topics_of_example as of
from tests.support.build import bridge_config
from tests.support.project import ROOT
from tests.support.running import running_bridge
from tests.support.simulated_night import NAMES, RIG_ID
from ts2mqtt import __version__
from ts2mqtt.interface.asyncapi import asyncapi_json
from ts2mqtt.interface.channels import CHANNELS, PARAMETERS
from ts2mqtt.observatory.events import EVENT_TYPES, LIVE_EVENT_TYPES
from ts2mqtt.observatory.present import ACTIVITIES
from ts2mqtt.topics.encode import event_payload, rig_messages
from ts2mqtt.topics.payloads import UNIT

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer
    from tests.support.simulated_night import WatchedRig
    from ts2mqtt.simulator.api import SimulatedApi
    from ts2mqtt.simulator.observatory import SimulatedObservatory

CHECKER = ROOT / "tests" / "asyncapi"
OF_HOME_ASSISTANT = "DevicePayload"
UNITS = {"_s": "s", "_deg": "°", "_hours": "h", "_min": "min", "_days": "d", "_percent": "%"}
"""By the end of a key."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What @asyncapi/parser says about a document."""

    channels: int
    faults: list[str]


def judged(*documents: str) -> list[Judgement]:
    node = shutil.which("node")
    installed = (CHECKER / "node_modules" / "@asyncapi" / "parser").exists()
    need("@asyncapi/parser (make tests/asyncapi/node_modules)", is_there=node is not None and installed)
    assert node
    script = str(CHECKER / "validate.mjs")
    ended = subprocess.run(  # noqa: S603 - our own script
        [node, script], input=json.dumps(documents), capture_output=True, text=True, timeout=50, check=True
    )
    return [Judgement(**judgement) for judgement in json.loads(ended.stdout)]


def own_schemas() -> dict[str, Any]:
    """All but those of Home Assistant's discovery, whose keys Home Assistant explains."""
    within = {OF_HOME_ASSISTANT}
    grown = True
    while grown:
        named = {name for known in within for name in SCHEMAS if f'/{name}"' in json.dumps(SCHEMAS[known])}
        grown = not named <= within
        within |= named
    return {name: schema for name, schema in SCHEMAS.items() if name not in within and "properties" in schema}


def properties() -> list[tuple[str, str, dict[str, Any]]]:
    return [(name, key, part) for name, schema in own_schemas().items() for key, part in schema["properties"].items()]


def broken(part: str, key: str) -> str:
    """The document with something impossible at this key of the first one of a part."""
    document = json.loads(asyncapi_json())
    next(iter(document[part].values()))[key] = "nowhere"
    return json.dumps(document)


def test_the_initiatives_parser_finds_nothing_wrong_but_would_find_what_is() -> None:
    # At once: nearly all that it takes is its start.
    sound, *others = judged(asyncapi_json(), broken("channels", "adress"), broken("operations", "action"))
    assert sound == Judgement(len(CHANNELS), [])
    for other in others:
        assert any(fault.startswith("error") for fault in other.faults)


def test_it_says_of_which_version_it_is() -> None:
    assert DOCUMENT["info"]["version"] == __version__
    assert DOCUMENT["asyncapi"].startswith("3.")


def test_every_topic_of_the_contract_is_there() -> None:
    assert {channel["address"] for channel in DOCUMENT["channels"].values()} >= {
        "{base}/status",
        "{base}/bridge",
        "{base}/bridge/heartbeat",
        "{base}/command",
        "{base}/{rig}/status",
        "{base}/{rig}/state",
        "{base}/{rig}/profile/{profile_id}",
        "{base}/{rig}/project/{project_id}",
        "{base}/{rig}/target/{target_id}",
        "{base}/{rig}/plan",
        "{base}/{rig}/plan/image",
        "{base}/{rig}/night",
        "{base}/{rig}/night/image",
        "{base}/{rig}/event",
        "{base}/{rig}/command",
        "{prefix}/device/{node}/{device}/config",
    }


def test_all_but_events_commands_and_heartbeats_are_retained() -> None:
    fleeting = {name for name, one in DOCUMENT["operations"].items() if not one["bindings"]["mqtt"]["retain"]}
    assert fleeting == {"event", "command", "rigCommand", "heartbeat"}
    inbound = {name for name, one in DOCUMENT["operations"].items() if one["action"] == "receive"}
    assert inbound == {"command", "rigCommand"}


def test_every_parameter_is_explained_and_used() -> None:
    used = {name for channel in CHANNELS for name in channel.parameters}
    assert used == PARAMETERS.keys()


def test_every_key_has_a_meaning() -> None:
    assert len(properties()) > 150
    assert [(name, key) for name, key, part in properties() if len(part.get("description", "")) < 4] == []


def test_every_key_is_always_there() -> None:
    for name, schema in own_schemas().items():
        assert schema["required"] == list(schema["properties"]), name


def test_units_are_those_in_the_keys() -> None:
    for name, key, part in properties():
        units = {one[UNIT] for one in (part, *part.get("anyOf", ())) if UNIT in one}
        for end, unit in UNITS.items():
            if key.endswith(end):
                assert units == {unit}, (name, key)


def test_every_closed_set_of_words_is_written_out() -> None:
    words = {(name, key): part["enum"] for name, key, part in properties() if "enum" in part}
    assert words == {
        ("Appointment", "source"): ["live", "observed", "planned"],
        ("Bridge", "log_level"): ["debug", "info", "warning", "error"],
        ("Bridge", "protocol"): ["3.1.1", "5"],
        ("Event", "event_type"): [*EVENT_TYPES, *LIVE_EVENT_TYPES],
        ("PlanBlock", "kind"): ["target", "wait"],
        ("State", "activity"): list(ACTIVITIES),
    }


@pytest.mark.parametrize("message", MESSAGES)
def test_its_examples_are_valid_by_itself(message: str) -> None:
    examples = MESSAGES[message].get("examples", [])
    assert bool(examples) == (message not in {"PlanImage", "NightImage"})
    for example in examples:
        assert list(validator(message).iter_errors(example["payload"])) == []


@simulated_night
def test_every_message_of_a_simulated_night_is_as_it_says(night: WatchedRig) -> None:
    published = {
        (topic, message.payload) for view in night.views for topic, message in rig_messages(NAMES, view).items()
    }
    events = {(NAMES.rig_event(RIG_ID), event_payload(night.views[-1].rig, event)) for event in night.events}
    assert {event.event_type for event in night.events} >= {"target_started", "exposure_accepted", "plan_changed"}
    assert len(published) > 500
    wrong = {topic: found for topic, payload in published | events if (found := faults(topic, payload))}
    assert wrong == {}


async def test_everything_that_a_bridge_leaves_on_a_broker_is_as_it_says(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        await observer.publish(of.HEARTBEAT, b'{"ask": true}')
        await observer.publish("ts2mqtt/backyard/command", "refresh_plan")
        await observer.publish("ts2mqtt/command", "log_level debug")
        await observer.wait_for("ts2mqtt/backyard/plan/image")
        # A device that Home Assistant may not see going leaves a record.
        example.remove_target(example.target(of.M31))
        await observer.wait_until_gone(of.target_device(of.M31))
    await observer.catch_up()
    messages = {(seen.topic, seen.payload) for seen in observer.seen if seen.payload}
    # No night is over in this time.
    of_a_night = {"night", "nightImage"}
    assert {channel_of(topic).key for topic, _ in messages} == {channel.key for channel in CHANNELS} - of_a_night
    assert {topic: found for topic, payload in messages if (found := faults(topic, payload))} == {}


@pytest.mark.parametrize(
    ("topic", "payload", "fault"),
    [
        ("ts2mqtt/status", b"perhaps", "'perhaps' is not one of"),
        ("ts2mqtt/command", b"log_level deafening", "does not match"),
        ("ts2mqtt/a/plan/image", b"GIF89a", "no PNG"),
        ("ts2mqtt/bridge/heartbeat", b"{}", "required"),
        ("ts2mqtt/a/state", b'{"coffee": true}', "'coffee' was unexpected"),
        ("homeassistant/device/ts2mqtt/a/config", b'{"device": {}}', "required"),
    ],
)
def test_what_is_not_as_it_says_is_found(topic: str, payload: bytes, fault: str) -> None:
    """The test's own way of looking."""
    assert [one for one in faults(topic, payload) if fault in one]


@pytest.mark.parametrize(
    "change",
    [{"progress": 101}, {"progress": "1"}, {"created": "yesterday"}, {"extra": None}, {"accepted": 1.5}],
    ids=str,
)
def test_a_value_that_is_not_as_it_says_is_found(change: dict[str, object]) -> None:
    project = MESSAGES["Project"]["examples"][0]["payload"]
    topic = "ts2mqtt/backyard/project/1"
    assert faults(topic, json.dumps(project).encode()) == []
    (key,) = change
    assert [one for one in faults(topic, json.dumps(project | change).encode()) if f"$.{key}" in one]
