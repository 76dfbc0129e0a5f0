"""The discovery messages of a rig: one device for each thing, and every entity shows what it should."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.discovery.home_assistant import (
    AVAILABILITY_KEYS,
    COMPONENT_KEYS,
    DEVICE_CLASSES,
    DEVICE_KEYS,
    ID,
    ORIGIN_KEYS,
    PAYLOAD_KEYS,
    STATE_CLASSES,
    UNITS,
    entities_in,
    rendered,
    shown,
)
from tests.support.commanding import carried_out
from tests.support.project import ROOT
from tests.support.sample_rig import (
    AUTUMN,
    BACKYARD,
    DUSK,
    EMPTY_PROJECT,
    EMPTY_TARGET,
    HOSTILE_TEXTS,
    HYDROGEN,
    LUM,
    M31,
    REFRACTOR,
    SILENT,
    TONIGHT,
    named,
    rig_of,
    rig_of_targets,
    view_of,
)
from ts2mqtt import REPOSITORY_URL
from ts2mqtt.home_assistant import entities
from ts2mqtt.home_assistant.components import ComponentMaker, DeviceTopics, value_at
from ts2mqtt.home_assistant.device_names import display_name
from ts2mqtt.home_assistant.devices import SETTLE_S, DeviceWriter, RigDevices, device_messages
from ts2mqtt.home_assistant.discovery import guide_url
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.home_assistant.languages import ENGLISH
from ts2mqtt.observatory.events import EVENT_TYPES, LIVE_EVENT_TYPES
from ts2mqtt.observatory.exposure_plan_keys import exposure_plan_keys
from ts2mqtt.observatory.model import Listing, NightPlan, Rig, Target
from ts2mqtt.observatory.present import ACTIVITIES, IDLE, WAITING, Appointment, Present
from ts2mqtt.observatory.sky import NightSky
from ts2mqtt.observatory.tally import FilterTally, Tally, TargetTally
from ts2mqtt.topics.encode import rig_messages
from ts2mqtt.topics.names import BRIDGE, PROFILE, PROJECT, TARGET, Subject, TopicNames

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = DiscoveryIds("homeassistant", TopicNames("ts2mqtt"))
SHOWN_STATES = frozenset({"draft", "active", "inactive"})

OF_RIG = Subject("backyard")
OF_PROFILE = Subject("backyard", PROFILE, REFRACTOR.id)
OF_PROJECT = Subject("backyard", PROJECT, AUTUMN.id)
OF_TARGET = Subject("backyard", TARGET, M31.id)

AT_WORK = Present(
    activity=WAITING,
    current_target=Appointment(
        target_id=M31.id,
        name="M 31",
        project_id=AUTUMN.id,
        project_name="Autumn",
        start=DUSK,
        end=DUSK + timedelta(minutes=30),
        source="planned",
    ),
    next_target=Appointment(
        target_id="next",
        name="M 42",
        project_id=None,
        project_name=None,
        start=DUSK + timedelta(hours=1),
        end=DUSK + timedelta(hours=2),
        source="planned",
    ),
)
TONIGHTS_TALLY = Tally(
    night=DUSK.date(),
    targets=(
        TargetTally(
            id=M31.id,
            name="M 31",
            filters=(FilterTally(filter="L", acquired=7, accepted=5, integration_s=5_400.0),),
        ),
    ),
)
OVER_A_SITE = ("moon_separation", "maximum_altitude", "transit")
RIGS = {
    "full": BACKYARD,
    "silent": SILENT,
    "all null": rig_of(EMPTY_PROJECT),
    "no projects read": replace(BACKYARD, profiles=Listing((replace(REFRACTOR, projects=None),))),
    "no targets read": rig_of(replace(AUTUMN, targets=None)),
    "no profiles": replace(BACKYARD, profiles=Listing(())),
    "unheard-of words": rig_of(replace(AUTUMN, state="archived", priority="urgent", flats_handling="sometimes")),
    "text without end": rig_of_targets(replace(M31, epoch="J" * 10_000)),
} | {f"named {text[:12]!a}": named(BACKYARD, text) for text in HOSTILE_TEXTS}


def devices_of(
    rig: Rig, states: frozenset[str] = SHOWN_STATES, *, has_site: bool = True
) -> dict[str, dict[str, Any]]:
    messages = device_messages(NAMES, rig, states, has_site=has_site)
    return {topic: json.loads(message.payload) for topic, message in messages.items()}


def device_of(subject: Subject, rig: Rig = BACKYARD, *, has_site: bool = True) -> dict[str, Any]:
    return devices_of(rig, has_site=has_site)[NAMES.topic(subject)]


def states_of(
    subject: Subject,
    rig: Rig = BACKYARD,
    plan: NightPlan | None = None,
    present: Present | None = None,
    tally: Tally | None = None,
) -> dict[str, object]:
    """What the entities of a device show, by component key."""
    messages = rig_messages(NAMES.topics, view_of(rig, plan, present, tally))
    return {
        key: shown(component, messages[component["state_topic"]].payload)
        for key, component in device_of(subject, rig)["components"].items()
        if component["platform"] in {"sensor", "binary_sensor"}
    }


def components_of(rig: Rig) -> Iterator[tuple[str, dict[str, Any]]]:
    for payload in devices_of(rig).values():
        yield from entities_in(payload).items()


def test_each_event_type_is_a_trigger_of_the_rig() -> None:
    triggers = {
        component["payload"]: component
        for component in device_of(OF_RIG)["components"].values()
        if component["platform"] == "device_automation"
    }
    assert triggers.keys() == set(EVENT_TYPES)
    assert triggers["rig_offline"] == {
        "platform": "device_automation",
        "automation_type": "trigger",
        "topic": "ts2mqtt/backyard/event",
        "value_template": "{{ value_json.event_type }}",
        "payload": "rig_offline",
        "type": "rig_offline",
        "subtype": "session",
    }


def test_the_session_knows_every_event_type() -> None:
    session = device_of(OF_RIG)["components"]["session"]
    assert session["event_types"] == list(EVENT_TYPES)
    assert session["state_topic"] == "ts2mqtt/backyard/event"


class TestWhichDevices:
    def test_one_for_each_thing(self) -> None:
        assert devices_of(BACKYARD).keys() == {
            "homeassistant/device/ts2mqtt/backyard/config",
            f"homeassistant/device/ts2mqtt/backyard_profile_{REFRACTOR.id}/config",
            f"homeassistant/device/ts2mqtt/backyard_project_{AUTUMN.id}/config",
            f"homeassistant/device/ts2mqtt/backyard_target_{M31.id}/config",
        }

    def test_of_a_silent_rig_the_rig_alone_and_provisionally(self) -> None:
        messages = device_messages(NAMES, SILENT, SHOWN_STATES)
        assert messages.keys() == {NAMES.topic(OF_RIG)}
        assert messages[NAMES.topic(OF_RIG)].provisional

    def test_what_was_read_is_not_provisional(self) -> None:
        messages = device_messages(NAMES, BACKYARD, SHOWN_STATES)
        assert [topic for topic, message in messages.items() if message.provisional] == []

    def test_versions_of_a_device_keep_their_distance(self) -> None:
        assert SETTLE_S >= 1
        assert {message.settle_s for message in device_messages(NAMES, BACKYARD, SHOWN_STATES).values()} == {SETTLE_S}

    def test_a_project_in_another_state_and_its_targets_have_none(self) -> None:
        assert devices_of(rig_of(replace(AUTUMN, state="closed"))).keys() == {
            NAMES.topic(OF_RIG),
            NAMES.topic(OF_PROFILE),
        }

    @pytest.mark.parametrize("state", ["archived", "on_hold", None])
    def test_a_project_in_a_state_that_nobody_knows_and_its_targets_keep_theirs(self, state: str | None) -> None:
        assert devices_of(rig_of(replace(AUTUMN, state=state))).keys() == devices_of(BACKYARD).keys()

    @pytest.mark.parametrize("is_first", [True, False])
    def test_nothing_is_tied_to_a_device_that_is_not_there(self, is_first: bool) -> None:
        """An imported profile: its project has no targets of its own yet, and is closed there."""
        old = replace(REFRACTOR, id="old", name="Old", active=False)
        new = replace(REFRACTOR, projects=Listing((replace(AUTUMN, state="closed", targets=None),)))
        profiles = (new, old) if is_first else (old, new)
        devices = devices_of(replace(BACKYARD, profiles=Listing(profiles)))

        names = {device["device"]["identifiers"][0] for device in devices.values()} | {"ts2mqtt_bridge"}
        assert {device["device"].get("via_device", "ts2mqtt_bridge") for device in devices.values()} <= names

    def test_the_states_are_chosen_by_the_user(self) -> None:
        closed = rig_of(replace(AUTUMN, state="closed"))
        assert NAMES.topic(OF_TARGET) in devices_of(closed, frozenset({"closed"}))
        assert NAMES.topic(OF_TARGET) not in devices_of(BACKYARD, frozenset({"closed"}))

    def test_a_target_under_two_projects_has_one_below_the_active_project(self) -> None:
        rig = rig_of(replace(AUTUMN, id="asleep", state="inactive"), AUTUMN)
        device = device_of(OF_TARGET, rig)["device"]
        assert device["via_device"] == f"ts2mqtt_backyard_project_{AUTUMN.id}"


class TestTheChainOfDevices:
    def test_is_tied_by_via_device(self) -> None:
        rig, profile, project, target = (
            device_of(subject)["device"] for subject in (OF_RIG, OF_PROFILE, OF_PROJECT, OF_TARGET)
        )
        assert rig["via_device"] == "ts2mqtt_bridge"
        assert profile["via_device"] == rig["identifiers"][0] == "ts2mqtt_backyard"
        assert project["via_device"] == profile["identifiers"][0]
        assert target["via_device"] == project["identifiers"][0]

    def test_says_what_each_is(self) -> None:
        rig = device_of(OF_RIG)["device"]
        assert rig == {
            "identifiers": ["ts2mqtt_backyard"],
            "name": "Backyard",
            "manufacturer": "N.I.N.A.",
            "model": "Target Scheduler",
            "sw_version": "5.9.3.0",
            "via_device": "ts2mqtt_bridge",
        }
        assert [device_of(subject)["device"]["model"] for subject in (OF_PROFILE, OF_PROJECT, OF_TARGET)] == [
            "Profile",
            "Project",
            "Target",
        ]
        assert device_of(OF_TARGET)["device"]["name"] == "M 31"

    def test_visit_opens_the_guide_and_never_an_address_that_has_no_page(self) -> None:
        for payload in devices_of(BACKYARD).values():
            assert payload["device"].get("configuration_url") in (None, guide_url(REPOSITORY_URL))
        assert b"192.168.1.50" not in json.dumps(devices_of(BACKYARD)).encode()
        assert guide_url("") is None
        guide = guide_url("https://forge.example/owner/ts2mqtt") or ""
        assert (ROOT / guide.removeprefix("https://forge.example/owner/ts2mqtt/blob/main/")).is_file()

    def test_two_rigs_with_the_same_ids_share_nothing(self) -> None:
        here, there = devices_of(BACKYARD), devices_of(replace(BACKYARD, id="remote", name="Remote"))
        assert here.keys().isdisjoint(there)
        for part in ("unique_id", "default_entity_id"):
            ids = [
                {component[part] for payload in devices.values() for component in entities_in(payload).values()}
                for devices in (here, there)
            ]
            assert ids[0].isdisjoint(ids[1])

    @pytest.mark.parametrize("name", ["", "   ", "\n\0", "\u202e"])
    def test_a_nameless_thing_is_called_by_its_kind_and_id(self, name: str) -> None:
        rig = named(BACKYARD, name)
        assert device_of(OF_TARGET, rig)["device"]["name"] == "Target 134973bf"
        assert device_of(OF_PROJECT, rig)["device"]["name"] == "Project d900ba4a"
        assert device_of(OF_PROFILE, rig)["device"]["name"] == "Profile c0e1645f"

    def test_a_nameless_rig_is_called_by_its_id(self) -> None:
        assert device_of(OF_RIG, replace(BACKYARD, name="\t"))["device"]["name"] == "Rig backyard"


@pytest.mark.parametrize("rig", RIGS.values(), ids=RIGS.keys())
class TestWhateverTheApiSays:
    def test_home_assistant_knows_every_key(self, rig: Rig) -> None:
        for payload in devices_of(rig).values():
            assert payload.keys() <= PAYLOAD_KEYS
            assert payload["device"].keys() <= DEVICE_KEYS
            assert payload["origin"].keys() <= ORIGIN_KEYS
            assert {"device", "origin", "components"} <= payload.keys()
            assert payload["origin"]["name"] == "ts2mqtt"
            for component in payload["components"].values():
                assert component.keys() <= COMPONENT_KEYS[component["platform"]]
            for component in entities_in(payload).values():
                assert {"platform", "unique_id", "name", "default_entity_id"} <= component.keys()
                for availability in (*payload["availability"], *component.get("availability", ())):
                    assert {"topic"} <= availability.keys() <= AVAILABILITY_KEYS

    def test_no_key_is_null(self, rig: Rig) -> None:
        for message in device_messages(NAMES, rig, SHOWN_STATES).values():
            assert b":null" not in message.payload

    def test_units_and_classes_are_valid(self, rig: Rig) -> None:
        for key, component in components_of(rig):
            device_class = component.get("device_class")
            assert device_class in DEVICE_CLASSES[component["platform"]], key
            if device_class in UNITS:
                assert component.get("unit_of_measurement") in UNITS[device_class]
            assert component.get("state_class") in STATE_CLASSES
            assert component.get("entity_category") in {None, "diagnostic"}
            assert component.get("icon", "mdi:").startswith("mdi:")
            if device_class in {"enum", "timestamp"}:
                assert not component.keys() & {"unit_of_measurement", "state_class"}
            assert ("options" in component) == (device_class == "enum")

    def test_ids_are_safe_and_unique(self, rig: Rig) -> None:
        unique_ids = [component["unique_id"] for _, component in components_of(rig)]
        assert len(set(unique_ids)) == len(unique_ids)
        for topic, payload in devices_of(rig).items():
            assert [key for key in payload["components"] if not ID.fullmatch(key)] == []
            assert all(ID.fullmatch(component["unique_id"]) for component in entities_in(payload).values())
            assert all(ID.fullmatch(level) for level in topic.split("/"))
            (identifier,) = payload["device"]["identifiers"]
            for key, component in entities_in(payload).items():
                assert component["unique_id"] == f"{identifier}_{key}"

    def test_names_fit_on_one_line(self, rig: Rig) -> None:
        for payload in devices_of(rig).values():
            names = [payload["device"]["name"], *(one["name"] for one in entities_in(payload).values())]
            for name in names:
                assert name
                assert name.isprintable()
                assert name == name.strip()
                assert len(name) <= 160

    def test_entity_names_are_unique_in_their_device(self, rig: Rig) -> None:
        for payload in devices_of(rig).values():
            names = [component["name"] for component in entities_in(payload).values()]
            assert len(set(names)) == len(names)

    def test_suggested_entity_ids_begin_with_the_platform_and_the_rig(self, rig: Rig) -> None:
        for key, component in components_of(rig):
            head, dot, tail = component["default_entity_id"].partition(".")
            assert (head, dot) == (component["platform"], ".")
            assert tail.startswith("backyard ")
            assert tail.endswith(f" {key}")
            assert tail.isprintable()

    def test_home_assistant_takes_every_state_without_a_word(self, rig: Rig) -> None:
        for plan, present in ((None, Present(activity=IDLE)), (TONIGHT, AT_WORK)):
            messages = rig_messages(NAMES.topics, view_of(rig, plan, present, TONIGHTS_TALLY))
            for _, component in components_of(rig):
                if component["platform"] in {"sensor", "binary_sensor"}:
                    shown(component, messages[component["state_topic"]].payload)

    def test_entities_listen_where_the_bridge_speaks(self, rig: Rig) -> None:
        spoken = rig_messages(NAMES.topics, view_of(rig)).keys() | {
            NAMES.topics.status,
            NAMES.topics.rig_event("backyard"),
            NAMES.topics.rig_plan_image("backyard"),
            NAMES.topics.rig_night_image("backyard"),
        }
        for payload in devices_of(rig).values():
            for component in payload["components"].values():
                heard = {component[key] for key in ("state_topic", "image_topic") if key in component}
                heard |= {one["topic"] for one in (*payload["availability"], *component.get("availability", ()))}
                assert heard <= spoken
                assert component.get("command_topic") in {None, "ts2mqtt/backyard/command"}


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=lambda text: ascii(text[:12]))
def test_the_apis_text_stands_in_names_alone(text: str) -> None:
    def without_names(rig: Rig) -> dict[str, dict[str, Any]]:
        devices = devices_of(rig)
        for payload in devices.values():
            del payload["device"]["name"]
            for component in entities_in(payload).values():
                del component["name"], component["default_entity_id"]
        return devices

    assert without_names(named(BACKYARD, text)) == without_names(BACKYARD)


@pytest.mark.parametrize("template", HOSTILE_TEXTS, ids=lambda text: ascii(text[:12]))
def test_an_exposure_plan_of_any_template_is_found_again(template: str) -> None:
    keys = exposure_plan_keys([(template, 60.0), (template, 60.0)])
    plans = tuple(
        replace(LUM, key=key, template=template, accepted=accepted)
        for key, accepted in zip(keys, (3, 4), strict=True)
    )
    rig = rig_of_targets(replace(M31, exposure_plans=plans))
    states = states_of(OF_TARGET, rig)
    assert [states[f"{key}_accepted"] for key in keys] == [3, 4]
    components = device_of(OF_TARGET, rig)["components"]
    assert [key for key in components if not ID.fullmatch(key)] == []
    assert len({component["name"] for component in components.values()}) == len(components)


class TestWhatIsShown:
    def test_of_a_rig(self) -> None:
        states = states_of(OF_RIG, plan=TONIGHT, present=AT_WORK, tally=TONIGHTS_TALLY)
        expected = {
            "api": "online",
            "imaging": "OFF",
            "activity": "waiting",
            "active_profile": "Refractor 530 mm",
            "current_target": "M 31",
            "current_target_ends": DUSK + timedelta(minutes=30),
            "next_target": "M 42",
            "next_target_starts": DUSK + timedelta(hours=1),
            "night_plan_start": DUSK,
            "night_plan_end": DUSK + timedelta(minutes=60),
            "planned_imaging": 0.667,
            "imaged_last_night": 0.55,
            "accepted_last_night": 28,
            "exposures_tonight": 7,
            "integration_tonight": 1.5,
            "plugin_version": "5.9.3.0",
            "api_version": "v0",
        }
        assert {key: states[key] for key in expected} == expected

    def test_of_a_rig_that_does_nothing(self) -> None:
        states = states_of(OF_RIG, SILENT)
        assert states["api"] == "offline"
        unknown = (
            "imaging",
            "active_profile",
            "current_target",
            "current_target_ends",
            "next_target",
            "next_target_starts",
            "night_plan_start",
            "night_plan_end",
            "planned_imaging",
            "exposures_tonight",
            "integration_tonight",
            "plugin_version",
        )
        assert {key: states[key] for key in unknown} == dict.fromkeys(unknown)

    def test_of_a_profile(self) -> None:
        assert states_of(OF_PROFILE) == {
            "active": "ON",
            "active_projects": 1,
            "completion": 33.33,
            "remaining_integration": 1.0,
        }

    def test_of_a_profile_that_was_not_read(self) -> None:
        assert states_of(OF_PROFILE, RIGS["no projects read"]) == {
            "active": "ON",
            "active_projects": None,
            "completion": None,
            "remaining_integration": None,
        }

    def test_of_a_project(self) -> None:
        assert states_of(OF_PROJECT) == {
            "state": "active",
            "priority": "high",
            "completion": 33.33,
            "accepted": 10,
            "desired": 30,
            "accepted_integration": 0.167,
            "remaining_integration": 1.0,
            "nights_to_go": None,
            "minimum_time": 30,
            "meridian_window": 60,
            "minimum_altitude": 25.5,
            "maximum_altitude": 0,
            "use_custom_horizon": "OFF",
            "horizon_offset": 0,
            "filter_switch_frequency": 0,
            "dither_every": 5,
            "enable_grader": "ON",
            "mosaic": "OFF",
            "flats_handling": "periodically",
            "flats_period": 7,
            "smart_exposure_order": "ON",
        }

    def test_of_a_target(self) -> None:
        assert states_of(OF_TARGET, plan=TONIGHT) == {
            "active": "ON",
            "completion": 45,
            "accepted_integration": 0.167,
            "remaining_integration": 1.0,
            "nights_to_go": None,
            "acquired": 16,
            "scheduled_start": DUSK,
            "scheduled_end": DUSK + timedelta(minutes=60),
            "moon_separation": None,
            "maximum_altitude": None,
            "transit": None,
            "ra": "00h42m44.3s",
            "dec": "+41°16'08\"",
            "rotation": 12.5,
            "lum_60_completion": 50,
            "lum_60_accepted": 10,
            "lum_60_pending": 0,
            "lum_60_rejected": 2,
            "lum_60_acceptance": 83.33,
            "lum_60_remaining": 0.167,
            "lum_60_hfr": 2.125,
            "lum_60_fwhm": 3.5,
            "lum_60_eccentricity": 0.45,
            "ha_300_completion": 40,
            "ha_300_accepted": 0,
            "ha_300_pending": 4,
            "ha_300_rejected": 0,
            "ha_300_acceptance": None,
            "ha_300_remaining": 0.833,
            "ha_300_hfr": None,
            "ha_300_fwhm": None,
            "ha_300_eccentricity": None,
        }

    def test_of_a_target_over_a_site(self) -> None:
        transit = DUSK + timedelta(hours=2)
        sky = NightSky(altitude_max_deg=61.26, transit=transit, moon_separation_deg=88.84)
        view = replace(view_of(BACKYARD), skies={M31.id: sky})
        payload = rig_messages(NAMES.topics, view)[NAMES.topics.thing("backyard", TARGET, M31.id)].payload
        components = device_of(OF_TARGET)["components"]
        assert [shown(components[key], payload) for key in OVER_A_SITE] == [88.8, 61.3, transit]

    @pytest.mark.parametrize("activity", ACTIVITIES)
    def test_imaging_is_on_while_the_rig_images_and_unknown_while_it_is_offline(self, activity: str) -> None:
        state = states_of(OF_RIG, present=Present(activity=activity))["imaging"]
        assert state == {"imaging": "ON", "offline": None}.get(activity, "OFF")

    def test_a_project_s_completion_says_what_it_counts(self) -> None:
        completion = device_of(OF_PROJECT)["components"]["completion"]
        assert completion["json_attributes_topic"] == completion["state_topic"]
        payload = rig_messages(NAMES.topics, view_of(BACKYARD))[completion["json_attributes_topic"]].payload
        told = json.loads(rendered(completion["json_attributes_template"], payload))
        counts = {"accepted": 10, "desired": 30, "pending": 4, "rejected": 2}
        assert told == {"counts": "accepted of desired exposures", **counts}
        # From a bridge that knew no pending images, or from nobody.
        assert json.loads(rendered(completion["json_attributes_template"], b'{"accepted": 1, "desired": 2}')) == {
            **told,
            "accepted": 1,
            "desired": 2,
            "pending": None,
            "rejected": None,
        }
        assert "json_attributes_template" not in device_of(OF_TARGET)["components"]["completion"]

    def test_what_was_acquired_of_a_target_says_what_became_of_it_by_exposure_plan(self) -> None:
        acquired = device_of(OF_TARGET)["components"]["acquired"]
        payload = rig_messages(NAMES.topics, view_of(BACKYARD))[acquired["json_attributes_topic"]].payload
        told = json.loads(rendered(acquired["json_attributes_template"], payload))
        keys = ("desired", "accepted", "pending", "rejected")
        plans = json.loads(payload)["exposure_plans"]
        assert plans
        assert told == {"exposure_plans": {plan["key"]: {key: plan[key] for key in keys} for plan in plans}}
        # From a bridge that knew no plans, and of one that names less.
        assert json.loads(rendered(acquired["json_attributes_template"], b"{}")) == {"exposure_plans": {}}
        less = b'{"exposure_plans": [{"key": "ha_300", "desired": 3}]}'
        assert json.loads(rendered(acquired["json_attributes_template"], less)) == {
            "exposure_plans": {"ha_300": {"desired": 3, "accepted": None, "pending": None, "rejected": None}}
        }

    def test_the_night_plan_s_start_says_what_the_rig_s_clock_shows_then(self) -> None:
        start = device_of(OF_RIG)["components"]["night_plan_start"]
        assert start["json_attributes_topic"] == start["state_topic"]
        payload = b'{"start": "2026-10-10T19:36:33-03:00"}'
        assert json.loads(rendered(start["json_attributes_template"], payload)) == {
            "local_time": "2026-10-10T19:36:33-03:00"
        }
        assert json.loads(rendered(start["json_attributes_template"], b"{}")) == {"local_time": None}
        assert "json_attributes_template" not in device_of(OF_RIG)["components"]["night_plan_end"]

    def test_of_a_target_of_which_only_the_id_is_known(self) -> None:
        states = states_of(Subject("backyard", TARGET, EMPTY_TARGET.id), rig_of(EMPTY_PROJECT))
        known = {key: state for key, state in states.items() if state is not None}
        assert known == {
            "completion": 0,
            "accepted_integration": 0,
            "remaining_integration": 0,
            "acquired": 0,
            "plan_e4a6_unknown_completion": 0,
            "plan_e4a6_unknown_accepted": 0,
            "plan_e4a6_unknown_pending": 0,
            "plan_e4a6_unknown_rejected": 0,
            "plan_e4a6_unknown_remaining": 0,
        }

    def test_of_words_that_a_later_plugin_has_added(self) -> None:
        rig = rig_of(replace(AUTUMN, priority="urgent", flats_handling="sometimes"))
        states = states_of(OF_PROJECT, rig)
        assert (states["priority"], states["flats_handling"]) == (None, None)

    def test_a_text_without_end_is_cut(self) -> None:
        rig = replace(BACKYARD, profiles=Listing((replace(REFRACTOR, name="x" * 10_000),)))
        assert states_of(OF_RIG, rig)["active_profile"] == "x" * 255

    def test_a_name_is_never_a_template(self) -> None:
        rig = replace(BACKYARD, profiles=Listing((replace(REFRACTOR, name="{{ 1 + 1 }}"),)))
        assert states_of(OF_RIG, rig)["active_profile"] == "{{ 1 + 1 }}"

    def test_an_exposure_plan_that_the_payload_no_longer_has_is_unknown(self) -> None:
        """Between the new payload and the device without the plan, its entities are still there."""
        without = rig_of_targets(replace(M31, exposure_plans=(LUM,)))
        payload = rig_messages(NAMES.topics, view_of(without))[NAMES.topics.thing("backyard", TARGET, M31.id)].payload
        components = device_of(OF_TARGET)["components"]
        gone = [component for key, component in components.items() if key.startswith("ha_300_")]
        assert len(gone) == len(entities.EXPOSURE_PLAN)
        assert [shown(component, payload) for component in gone] == [None] * len(gone)


class TestAvailability:
    def test_everything_needs_the_bridge(self) -> None:
        for payload in devices_of(BACKYARD).values():
            assert payload["availability"] == [{"topic": "ts2mqtt/status"}]

    def test_what_is_live_needs_the_rig_too(self) -> None:
        activity = device_of(OF_RIG)["components"]["activity"]
        assert activity["availability"] == [{"topic": "ts2mqtt/status"}, {"topic": "ts2mqtt/backyard/status"}]
        assert activity["availability_mode"] == "all"
        imaging = device_of(OF_RIG)["components"]["imaging"]
        assert (imaging["platform"], imaging["device_class"]) == ("binary_sensor", "running")
        assert imaging["availability"] == activity["availability"]
        assert imaging["availability_mode"] == "all"

    @pytest.mark.parametrize("subject", [OF_PROFILE, OF_PROJECT, OF_TARGET], ids=lambda subject: subject.kind)
    def test_facts_of_the_database_stay_while_the_rig_is_off(self, subject: Subject) -> None:
        components = entities_in(device_of(subject)).values()
        assert [component for component in components if "availability" in component] == []

    def test_the_connectivity_sensor_is_no_matter_of_the_rig(self) -> None:
        api = device_of(OF_RIG)["components"]["api"]
        assert "availability" not in api
        assert api["state_topic"] == "ts2mqtt/backyard/status"
        assert (api["payload_on"], api["payload_off"]) == ("online", "offline")


class TestComponents:
    def test_buttons_send_commands_that_the_bridge_knows(self) -> None:
        components = device_of(OF_RIG)["components"]
        done = {
            key: carried_out(one["command_topic"], one["payload_press"])
            for key, one in components.items()
            if one["platform"] == "button"
        }
        assert done == {"refresh": ["refresh backyard"], "refresh_plan": ["refresh_plan backyard"]}

    def test_what_is_off_by_default_says_so_and_nothing_else_does(self) -> None:
        components = device_of(OF_TARGET)["components"]
        off = {key for key, component in components.items() if component.get("enabled_by_default") is False}
        of_plans = ("pending", "rejected", "acceptance", "fwhm", "eccentricity")
        assert off == {"rotation", *(f"{plan}_{key}" for plan in ("lum_60", "ha_300") for key in of_plans)}
        assert {component.get("enabled_by_default") for component in components.values()} == {None, False}

    def test_what_needs_a_site_is_there_with_one_alone(self) -> None:
        with_site, without = (device_of(OF_TARGET, has_site=has_site)["components"] for has_site in (True, False))
        assert with_site.keys() - without.keys() == set(OVER_A_SITE)
        assert without.keys() < with_site.keys()
        for subject in (OF_RIG, OF_PROFILE, OF_PROJECT):
            assert device_of(subject, has_site=True) == device_of(subject, has_site=False)

    def test_what_nina_tells_is_there_where_it_is_heard_alone(self) -> None:
        heard, without = (
            json.loads(devices.messages(BACKYARD, SHOWN_STATES)[NAMES.topic(OF_RIG)].payload)["components"]
            for devices in (RigDevices(DeviceWriter(NAMES), has_nina=True), RigDevices(DeviceWriter(NAMES)))
        )
        triggers = {f"trigger_{event_type}" for event_type in LIVE_EVENT_TYPES}
        assert heard.keys() - without.keys() == {row.key for row in entities.RIG if row.needs_nina} | triggers
        assert without.keys() < heard.keys()
        assert without["session"]["event_types"] == list(EVENT_TYPES)
        assert heard["session"]["event_types"] == [*EVENT_TYPES, *LIVE_EVENT_TYPES]
        assert shown(heard["safe"], b'{"safe": true}') == "OFF"
        assert shown(heard["safe"], b'{"safe": false}') == "ON"
        assert shown(heard["safe"], b'{"safe": null}') is None

    def test_an_exposure_plans_entities_are_named_after_template_and_exposure(self) -> None:
        components = device_of(OF_TARGET)["components"]
        assert components["lum_60_accepted"]["name"] == "Lum 60 s accepted"
        assert components["ha_300_hfr"]["name"] == "Ha 300 s HFR"

    @pytest.mark.parametrize(
        ("template", "filter_name", "exposure_s", "label"),
        [
            ("Lum", "L", 0.5, "Lum 0.5 s"),
            (None, "L", 60.0, "L 60 s"),
            ("", "", 60.0, "Exposure 60 s"),
            (None, None, None, "Exposure"),
            ("Lum\nbright", "L", 60.0, "Lum bright 60 s"),
        ],
    )
    def test_an_exposure_plan_is_labelled_by_what_is_known(
        self, template: str | None, filter_name: str | None, exposure_s: float | None, label: str
    ) -> None:
        plan = replace(LUM, template=template, filter=filter_name, exposure_s=exposure_s)
        components = device_of(OF_TARGET, rig_of_targets(replace(M31, exposure_plans=(plan,))))["components"]
        assert components["lum_60_accepted"]["name"] == f"{label} accepted"

    def test_a_second_exposure_plan_of_the_same_template_is_numbered(self) -> None:
        plans = (LUM, HYDROGEN, replace(LUM, key="lum_60_2"))
        components = device_of(OF_TARGET, rig_of_targets(replace(M31, exposure_plans=plans)))["components"]
        assert components["lum_60_accepted"]["name"] == "Lum 60 s accepted"
        assert components["lum_60_2_accepted"]["name"] == "Lum 60 s (2) accepted"

    def test_a_project_and_its_target_of_one_name_have_ids_of_their_own(self) -> None:
        rig = named(BACKYARD, "M 31")
        target = device_of(OF_TARGET, rig)["components"]["completion"]
        project = device_of(OF_PROJECT, rig)["components"]["completion"]
        assert target["default_entity_id"] == "sensor.backyard M 31 completion"
        assert project["default_entity_id"] == "sensor.backyard M 31 project completion"

    def test_a_new_name_changes_names_and_no_id(self) -> None:
        renamed = device_of(OF_TARGET, rig_of_targets(replace(M31, name="Andromeda")))
        assert renamed["device"]["name"] == "Andromeda"
        before = {key: one["unique_id"] for key, one in device_of(OF_TARGET)["components"].items()}
        assert {key: one["unique_id"] for key, one in renamed["components"].items()} == before

    def test_counts_change_no_device(self) -> None:
        further: Target = replace(M31, exposure_plans=(replace(LUM, accepted=11, statistics=None), HYDROGEN))
        assert devices_of(rig_of_targets(further)) == devices_of(BACKYARD)

    def test_a_row_of_an_unknown_kind_is_a_mistake(self) -> None:
        @dataclass(frozen=True, slots=True, kw_only=True)
        class Strange(entities.Entity):
            pass

        topics = DeviceTopics(status="", command="", states={})
        maker = ComponentMaker("ts2mqtt_backyard", "backyard", topics, ENGLISH)
        with pytest.raises(TypeError, match="Strange"):
            maker.components([Strange(key="strange", name="Strange", why="strange")])


class TestDiscoveryNames:
    DEEP = DiscoveryIds("ha/discovery", TopicNames("observatory/roof/ts.mqtt 1"))

    def test_a_base_topic_becomes_an_id_that_home_assistant_takes(self) -> None:
        assert self.DEEP.node_id == "observatory_roof_ts_mqtt_1"
        assert self.DEEP.topic(OF_RIG) == "ha/discovery/device/observatory_roof_ts_mqtt_1/backyard/config"
        assert self.DEEP.topic(BRIDGE) == "ha/discovery/device/observatory_roof_ts_mqtt_1/config"
        assert self.DEEP.filters == (
            "ha/discovery/device/observatory_roof_ts_mqtt_1/config",
            "ha/discovery/device/observatory_roof_ts_mqtt_1/+/config",
        )

    @pytest.mark.parametrize("names", [NAMES, DEEP], ids=["plain", "deep"])
    @pytest.mark.parametrize("subject", [BRIDGE, OF_RIG, OF_PROFILE, OF_PROJECT, OF_TARGET], ids=str)
    def test_a_topic_leads_back_to_its_subject(self, names: DiscoveryIds, subject: Subject) -> None:
        topic = names.topic(subject)
        assert names.subject(topic) == subject
        assert names.object_id_of(topic) == names.object_id(subject)
        assert names.topic_of_object(names.object_id(subject)) == topic

    def test_a_rig_whose_id_has_underscores_is_not_taken_apart(self) -> None:
        for subject in (Subject("my_rig"), Subject("my_rig", TARGET, "1"), Subject("a_profile", PROJECT, "x")):
            assert NAMES.subject(NAMES.topic(subject)) == subject

    @pytest.mark.parametrize(
        "topic",
        [
            "homeassistant/device/ts2mqtt/backyard",
            "homeassistant/device/ts2mqtt/bridge/config",
            "homeassistant/device/ts2mqtt//config",
            "homeassistant/device/ts2mqtt/Backyard/config",
            "homeassistant/device/ts2mqtt/back.yard/config",
            "homeassistant/device/ts2mqtt/a/b/config",
            "homeassistant/device/other/backyard/config",
            "homeassistant/device/backyard/config",
            "homeassistant/sensor/ts2mqtt/backyard/config",
            "other/device/ts2mqtt/backyard/config",
            "ts2mqtt/backyard/state",
        ],
    )
    def test_topics_of_others_have_no_subject(self, topic: str) -> None:
        assert NAMES.subject(topic) is None
        assert NAMES.object_id_of(topic) is None


@pytest.mark.parametrize(
    ("name", "shown_name"),
    [
        ("M 31", "M 31"),
        ("  M\t31\r\n", "M 31"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("馬頭星雲", "馬頭星雲"),
        ("\u202egnp.exe", "gnp.exe"),
        ("x" * 500, "x" * 120),
        ("x" * 119 + " y", "x" * 119),
        ("\0", ""),
    ],
    ids=ascii,
)
def test_a_display_name_is_one_printable_line(name: str, shown_name: str) -> None:
    assert display_name(name) == shown_name


@pytest.mark.parametrize(
    ("payload", "value"),
    [(b'{"a": {"b": 1}}', "1"), (b'{"a": {"b": null}}', "None"), (b'{"a": null}', "None"), (b'{"a": {}}', "None")],
)
def test_a_key_inside_an_object_that_may_be_null_is_found(payload: bytes, value: str) -> None:
    assert rendered(f"{{{{ {value_at('a.b')} }}}}", payload) == value


def test_times_are_read_as_home_assistant_reads_them() -> None:
    """The helper itself: a time without zone would be an error in Home Assistant's log."""
    component = {"platform": "sensor", "device_class": "timestamp", "value_template": "{{ value_json.t }}"}
    assert shown(component, b'{"t": "2026-02-27T19:38:15Z"}') == datetime.fromisoformat("2026-02-27T19:38:15+00:00")
    with pytest.raises(AssertionError):
        shown(component, b'{"t": "2026-02-27T19:38:15"}')
