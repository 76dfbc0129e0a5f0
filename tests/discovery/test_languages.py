"""Names and states in every language, and nothing else that differs between them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

import pytest

from tests.discovery.home_assistant import entities_in, shown
from tests.discovery.test_devices import AT_WORK, NAMES, RIGS, SHOWN_STATES, TONIGHTS_TALLY
from tests.support.sample_rig import AUTUMN, BACKYARD, HYDROGEN, M31, TONIGHT, named, rig_of, rig_of_targets, view_of
from ts2mqtt.config import HomeAssistantConfig
from ts2mqtt.home_assistant import entities
from ts2mqtt.home_assistant.components import spoken
from ts2mqtt.home_assistant.devices import bridge_device_message, device_messages
from ts2mqtt.home_assistant.languages import ENGLISH, GERMAN, LANGUAGES, Language
from ts2mqtt.topics.encode import rig_messages
from ts2mqtt.topics.names import PROJECT, TARGET, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ts2mqtt.observatory.model import Rig

TABLES = {
    "bridge": entities.BRIDGE,
    "rig": entities.RIG,
    "profile": entities.PROFILE,
    "project": entities.PROJECT,
    "target": entities.TARGET,
    "exposure plan": entities.EXPOSURE_PLAN,
}
DEVICES = {"Bridge", "Rig", "Profile", "Project", "Target", "profile", "project", "target"}
WITHOUT_WORDS = {"%", "h", "min", "d", "°", "px", '"'}
SAID = {"name", "unit_of_measurement", "options", "value_template", "json_attributes_template"}
"""What of a component may differ from language to language; of a device it is name and model."""


def phrases_of_the_table() -> Iterator[str]:
    for rows in TABLES.values():
        for row in rows:
            yield row.name
            if isinstance(row, entities.Measure):
                yield from filter(None, (row.unit, row.counts))
            if isinstance(row, entities.Choice):
                yield from row.options


def messages_in(language: Language, rig: Rig) -> dict[str, bytes]:
    messages = {
        **rig_messages(NAMES.topics, view_of(rig, TONIGHT, AT_WORK, TONIGHTS_TALLY)),
        **bridge_device_message(NAMES, language),
        **device_messages(NAMES, rig, SHOWN_STATES, language),
    }
    return {topic: message.payload for topic, message in messages.items()}


def states_in(language: Language, rig: Rig) -> dict[str, object]:
    """What every sensor shows, by unique id."""
    messages = messages_in(language, rig)
    return {
        component["unique_id"]: shown(component, messages[component["state_topic"]])
        for topic, payload in messages.items()
        if topic.startswith("homeassistant/")
        for component in entities_in(json.loads(payload)).values()
        if component["platform"] == "sensor" and component["state_topic"] in messages
    }


def test_the_configuration_knows_the_same_languages() -> None:
    annotation = HomeAssistantConfig.model_fields["language"].annotation
    assert set(get_args(annotation)) == LANGUAGES.keys()
    assert LANGUAGES[HomeAssistantConfig().language] is ENGLISH


def test_german_has_every_phrase_and_none_that_nobody_says() -> None:
    said = {*phrases_of_the_table(), *DEVICES, "Exposure"} - WITHOUT_WORDS
    assert GERMAN.phrases.keys() == said


def test_english_is_the_tables_own_but_for_words_of_payloads() -> None:
    options = {
        word for rows in TABLES.values() for row in rows if isinstance(row, entities.Choice) for word in row.options
    }
    assert ENGLISH.phrases.keys() <= options
    assert [word for word in options if "_" in ENGLISH.say(word)] == []


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES.keys())
@pytest.mark.parametrize("table", TABLES)
def test_names_are_short_and_no_two_of_a_device_are_alike(table: str, language: Language) -> None:
    rows = [spoken(row, language) for row in TABLES[table]]
    names = [row.name for row in rows]
    assert len(set(names)) == len(names)
    assert max(len(name) for name in names) <= 30
    for row in rows:
        if isinstance(row, entities.Choice):
            assert len(set(row.words)) == len(row.options), row.key


@pytest.mark.parametrize("rig", [*RIGS.values(), named(BACKYARD, "")], ids=[*RIGS.keys(), "nameless"])
def test_nothing_but_what_is_read_depends_on_the_language(rig: Rig) -> None:
    english, german = messages_in(ENGLISH, rig), messages_in(GERMAN, rig)
    assert list(german) == list(english)
    for topic, payload in english.items():
        if topic.startswith("homeassistant/"):
            assert unsaid(german[topic]) == unsaid(payload)
        else:
            assert german[topic] == payload


def unsaid(payload: bytes) -> dict[str, Any]:
    """A device without what stands in it to be read; the template of what is no word must not differ either."""
    device: dict[str, Any] = json.loads(payload)
    del device["device"]["name"], device["device"]["model"]
    for component in device["components"].values():
        said = SAID if "options" in component and component["platform"] == "sensor" else SAID - {"value_template"}
        for key in said & component.keys():
            del component[key]
    return device


def test_states_are_said_in_german() -> None:
    english, german = states_in(ENGLISH, BACKYARD), states_in(GERMAN, BACKYARD)
    project = f"ts2mqtt_backyard_project_{AUTUMN.id}"
    keys = ("ts2mqtt_backyard_activity", f"{project}_state", f"{project}_priority", f"{project}_flats_handling")
    assert [english[key] for key in keys] == ["waiting", "active", "high", "periodically"]
    assert [german[key] for key in keys] == ["wartet", "aktiv", "hoch", "regelmäßig"]
    assert {key: state for key, state in german.items() if key not in keys} == {
        key: state for key, state in english.items() if key not in keys
    }


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES.keys())
def test_a_word_that_a_later_plugin_has_added_is_unknown(language: Language) -> None:
    rig = rig_of(replace(AUTUMN, priority="urgent", flats_handling="sometimes"))
    states = states_in(language, rig)
    project = f"ts2mqtt_backyard_project_{AUTUMN.id}"
    assert (states[f"{project}_priority"], states[f"{project}_flats_handling"]) == (None, None)


def test_names_models_and_units_are_german() -> None:
    messages = messages_in(
        GERMAN, rig_of_targets(replace(M31, name="", exposure_plans=(replace(HYDROGEN, template=None, filter=None),)))
    )
    target = json.loads(messages[NAMES.topic(Subject("backyard", TARGET, M31.id))])
    assert target["device"]["name"] == "Objekt 134973bf"
    assert target["device"]["model"] == "Objekt"
    accepted = target["components"]["ha_300_accepted"]
    assert accepted["name"] == "Aufnahme 300 s akzeptiert"
    assert accepted["unit_of_measurement"] == "Aufnahmen"
    assert accepted["default_entity_id"] == "sensor.backyard Target 134973bf ha_300_accepted"
    project = json.loads(messages[NAMES.topic(Subject("backyard", PROJECT, AUTUMN.id))])
    assert project["components"]["minimum_time"]["unit_of_measurement"] == "min"
    assert project["components"]["state"]["options"] == ["Entwurf", "aktiv", "inaktiv", "abgeschlossen"]


def test_triggers_are_the_same_in_every_language() -> None:
    """An automation refers to them by type and subtype (Home Assistant, mqtt/device_trigger.py)."""

    def triggers(language: Language) -> dict[str, Any]:
        components = json.loads(messages_in(language, BACKYARD)[NAMES.topic(Subject("backyard"))])["components"]
        return {key: one for key, one in components.items() if one["platform"] == "device_automation"}

    assert triggers(ENGLISH)["trigger_target_started"]["type"] == "target_started"
    assert [triggers(language) for language in LANGUAGES.values()] == [triggers(ENGLISH)] * len(LANGUAGES)
