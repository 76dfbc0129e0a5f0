"""No two devices of one bridge have the same name, whatever the API and the configuration call them."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st

from tests.discovery.test_devices import NAMES, SHOWN_STATES
from tests.support.build import profile, project, rig, target
from tests.support.sample_rig import AUTUMN, BACKYARD, M31, REFRACTOR, named, rig_of
from ts2mqtt.home_assistant.device_names import NamedThing, rig_names, thing_names
from ts2mqtt.home_assistant.devices import DeviceWriter, RigDevices, bridge_device_message
from ts2mqtt.home_assistant.languages import ENGLISH, GERMAN, LANGUAGES
from ts2mqtt.observatory.model import Listing
from ts2mqtt.topics.names import PROFILE, PROJECT, TARGET, Subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ts2mqtt.home_assistant.languages import Language
    from ts2mqtt.observatory.model import Project, Rig

Row = tuple[str, str, str, str]
"""Kind, id, name and parent's name."""


def names_of(
    *rows: Row, taken: Iterable[str] = ("Backyard",), of_rig: str | None = None, language: Language = ENGLISH
) -> dict[tuple[str, str], str]:
    """By kind and id."""
    things = [NamedThing(Subject("backyard", kind, thing_id), name, parent) for kind, thing_id, name, parent in rows]
    found = thing_names(things, set(taken), language, of_rig=of_rig)
    return {(about.kind or "", about.thing_id or ""): name for about, name in found.items()}


def device_names(rigs: Iterable[Rig], language: Language = ENGLISH) -> dict[str, str]:
    """Of all devices of a bridge with these rigs, by discovery topic."""
    rigs = list(rigs)
    writer = DeviceWriter(NAMES, language, {one.id: one.name for one in rigs})
    messages = bridge_device_message(NAMES, language)
    for one in rigs:
        messages |= RigDevices(writer).messages(one, SHOWN_STATES)
    return {topic: json.loads(message.payload)["device"]["name"] for topic, message in messages.items()}


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        # A project and its only target: people look at the target most.
        (
            [(TARGET, "t1", "M 31", "M 31"), (PROJECT, "p1", "M 31", "Refractor")],
            ["M 31", "M 31 (project)"],
        ),
        (
            [(PROFILE, "f1", "M 31", ""), (PROJECT, "p1", "M 31", "M 31"), (TARGET, "t1", "M 31", "M 31")],
            ["M 31 (profile)", "M 31 (project)", "M 31"],
        ),
        # The same target in two projects.
        (
            [(TARGET, "t1", "M 31", "Autumn"), (TARGET, "t2", "M 31", "Mosaic")],
            ["M 31 (Autumn)", "M 31 (Mosaic)"],
        ),
        (
            [(TARGET, "t1", "M 31", "Autumn"), (TARGET, "t2", "M 31", "M 31"), (PROJECT, "p2", "M 31", "Refractor")],
            ["M 31 (Autumn)", "M 31 (M 31)", "M 31 (project)"],
        ),
        # Two projects of one name, each with a target of it.
        (
            [
                (PROJECT, "p1", "M 31", "Refractor"),
                (TARGET, "t1", "M 31", "M 31"),
                (PROJECT, "p2", "M 31", "Reflector"),
                (TARGET, "t2", "M 31", "M 31"),
            ],
            ["M 31 (project, Refractor)", "M 31 (target t1)", "M 31 (project, Reflector)", "M 31 (target t2)"],
        ),
        (
            [(PROJECT, "aaaaaaaa-1", "M 31", "Refractor"), (PROJECT, "bbbbbbbb-1", "M 31", "Refractor")],
            ["M 31 (project aaaaaaaa)", "M 31 (project bbbbbbbb)"],
        ),
        (
            [(PROJECT, "aaaaaaaa-1", "M 31", "Refractor"), (PROJECT, "aaaaaaaa-2", "M 31", "Refractor")],
            ["M 31 (project aaaaaaaa-1)", "M 31 (project aaaaaaaa-2)"],
        ),
        # The rig's name is taken.
        ([(PROFILE, "f1", "Backyard", "")], ["Backyard (profile)"]),
        ([(TARGET, "t1", "Backyard", "Autumn")], ["Backyard (Autumn)"]),
        # Somebody calls a thing as we would call another.
        (
            [(TARGET, "t1", "M 31", ""), (PROJECT, "p1", "M 31", ""), (TARGET, "t2", "M 31 (project)", "Autumn")],
            ["M 31", "M 31 (project p1)", "M 31 (project)"],
        ),
        # Names that differ only in what no screen shows.
        (
            [(TARGET, "t1", "M 31", "Autumn"), (TARGET, "t2", " M\t31\n", "Spring")],
            ["M 31 (Autumn)", "M 31 (Spring)"],
        ),
        ([(TARGET, "aaaaaaaa-1", "", ""), (TARGET, "aaaaaaaa-2", "", "")], None),
    ],
)
def test_things_of_one_name_are_told_apart_whatever_their_order(rows: list[Row], shown: list[str] | None) -> None:
    expected = names_of(*rows)
    for order in permutations(rows):
        assert names_of(*order) == expected
    assert len(set(expected.values())) == len(rows)
    if shown is not None:
        assert [expected[kind, thing_id] for kind, thing_id, _, _ in rows] == shown


def test_names_that_differ_stay_as_they_are() -> None:
    rows = [
        (PROFILE, "f1", "Refractor", ""),
        (PROJECT, "p1", "Autumn", "Refractor"),
        (TARGET, "t1", "M 31", "Autumn"),
    ]

    assert list(names_of(*rows).values()) == ["Refractor", "Autumn", "M 31"]


def test_it_is_said_in_german() -> None:
    rows = [(PROFILE, "f1", "M 31", ""), (PROJECT, "p1", "M 31", "M 31"), (TARGET, "t1", "M 31", "M 31")]

    assert list(names_of(*rows, language=GERMAN).values()) == ["M 31 (Profil)", "M 31 (Projekt)", "M 31"]


def test_with_several_rigs_the_rig_s_name_goes_with_every_name() -> None:
    rows = [(PROJECT, "p1", "M 31", "Refractor"), (TARGET, "t1", "M 31", "M 31")]

    assert list(names_of(*rows, of_rig="Remote").values()) == ["M 31 (project) · Remote", "M 31 · Remote"]


def test_a_long_name_of_a_parent_is_cut() -> None:
    rows = [(TARGET, "t1", "M 31", "A" * 500), (TARGET, "t2", "M 31", "B" * 500)]

    assert names_of(*rows)[TARGET, "t1"] == f"M 31 ({'A' * 23}…)"


TEXT = st.sampled_from(["M 31", "", "Backyard", "M 31 (project)", "M 31 (M 31)", "M 31 (target a)", "·", "ts2mqtt"])


@given(
    things=st.dictionaries(
        st.tuples(
            st.sampled_from([TARGET, PROJECT, PROFILE]), st.sampled_from(["a", "b", "aaaaaaaa-1", "aaaaaaaa-2"])
        ),
        st.tuples(TEXT, TEXT),
    ),
    # No rig is called as a thing with its whole id.
    taken=st.sets(TEXT.filter(lambda name: name != "M 31 (target a)")),
    of_rig=st.none() | st.just("Remote"),
)
def test_no_two_names_are_alike(
    things: dict[tuple[str, str], tuple[str, str]], taken: set[str], of_rig: str | None
) -> None:
    rows = [(*key, *texts) for key, texts in things.items()]

    found = names_of(*rows, taken=taken, of_rig=of_rig)

    assert found == names_of(*reversed(rows), taken=taken, of_rig=of_rig)
    assert len(set(found.values()) | taken) == len(found) + len(taken)
    assert all(found.values())


@pytest.mark.parametrize(
    ("configured", "shown"),
    [
        ({"backyard": "Backyard"}, {"backyard": "Backyard"}),
        ({"backyard": "Back · yard"}, {"backyard": "Back · yard"}),
        ({"a": "Backyard", "b": "Remote"}, {"a": "Backyard", "b": "Remote"}),
        ({"a": "Backyard", "b": " Backyard"}, {"a": "Backyard (a)", "b": "Backyard (b)"}),
        ({"a": "ts2mqtt"}, {"a": "ts2mqtt (a)"}),
        ({"a": "M 31 · Remote", "b": "Remote"}, {"a": "M 31 - Remote", "b": "Remote"}),
        ({"a": "\t", "b": ""}, {"a": "Rig a", "b": "Rig b"}),
    ],
)
def test_rigs_are_told_apart(configured: Mapping[str, str], shown: Mapping[str, str]) -> None:
    assert rig_names(configured, "ts2mqtt", ENGLISH) == shown


def twins(name: str) -> Rig:
    """Two profiles, two projects each, two targets each, all of one name."""

    def one(number: str) -> Project:
        own = tuple(replace(target(identity=f"{number}{side}"), name=name) for side in "lr")
        return replace(project(f"p{number}", Listing(own)), name=name)

    profiles = tuple(
        replace(profile(f"f{side}", Listing((one(f"{side}1"), one(f"{side}2")))), name=name) for side in "ab"
    )
    return replace(rig(Listing(profiles)), name=name)


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES.keys())
@pytest.mark.parametrize("name", ["M 31", "", "ts2mqtt", "x" * 500, "Rig", "M 31 · M 31"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_no_two_devices_of_a_bridge_have_one_name(count: int, name: str, language: Language) -> None:
    rigs = [replace(twins(name), id=f"rig{number}") for number in range(count)]

    found = device_names(rigs, language)

    assert len(found) == 1 + count * (1 + 2 + 4 + 8)
    assert len(set(found.values())) == len(found)


def test_two_rigs_that_image_the_same_thing() -> None:
    remote = replace(BACKYARD, id="remote", name="Remote")

    found = device_names([named(BACKYARD, "M 31"), replace(named(remote, "M 31"))])

    assert sorted(found.values()) == sorted(
        ["ts2mqtt", "Backyard", "Remote"]
        + [
            f"M 31{kind} · {rig_name}"
            for kind in ("", " (project)", " (profile)")
            for rig_name in ("Backyard", "Remote")
        ]
    )


def test_the_name_of_a_device_changes_no_id() -> None:
    """Its unique ids and suggested entity ids are of the thing alone, and so is its history."""

    def ids(*configured: str) -> dict[str, list[tuple[str, str]]]:
        writer = DeviceWriter(NAMES, ENGLISH, dict.fromkeys(configured, "Backyard"))
        messages = RigDevices(writer).messages(named(BACKYARD, "M 31"), SHOWN_STATES)
        components = {topic: json.loads(message.payload)["components"] for topic, message in messages.items()}
        return {
            topic: [(one["unique_id"], one["default_entity_id"]) for one in own.values() if "unique_id" in one]
            for topic, own in components.items()
        }

    assert ids("backyard") == ids("backyard", "remote")
    target_ids = ids("backyard")[NAMES.topic(Subject("backyard", TARGET, M31.id))]
    assert target_ids[0] == (f"ts2mqtt_backyard_target_{M31.id}_active", "binary_sensor.backyard M 31 active")


def test_a_thing_that_gets_a_namesake_is_written_anew_and_the_others_are_not() -> None:
    devices = RigDevices(DeviceWriter(NAMES))
    alone = devices.messages(rig_of(AUTUMN), SHOWN_STATES)
    namesake = replace(AUTUMN, id="other", name="Spring", targets=Listing((replace(M31, id="other"),)))

    both = devices.messages(rig_of(AUTUMN, namesake), SHOWN_STATES)

    changed = {topic for topic, message in alone.items() if both[topic] != message}
    assert changed == {NAMES.topic(Subject("backyard", TARGET, M31.id))}
    assert (
        both[NAMES.topic(Subject("backyard", PROFILE, REFRACTOR.id))]
        is alone[NAMES.topic(Subject("backyard", PROFILE, REFRACTOR.id))]
    )
    name = json.loads(both[NAMES.topic(Subject("backyard", TARGET, M31.id))].payload)["device"]["name"]
    assert name == "M 31 (Autumn)"
    assert devices.messages(rig_of(AUTUMN), SHOWN_STATES) == alone
