"""What the bridge can learn again from what it published before a restart."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.sample_rig import AUTUMN, BACKYARD, HYDROGEN, LUM, M31, REFRACTOR, SHARP, rig_of_targets, view_of
from ts2mqtt.observatory.absence import Parents
from ts2mqtt.observatory.model import Statistics
from ts2mqtt.topics import decode as memory
from ts2mqtt.topics.encode import rig_messages
from ts2mqtt.topics.names import PROFILE, PROJECT, TARGET, TopicNames

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ts2mqtt.observatory.model import ExposurePlan, JsonValue

NAMES = TopicNames("ts2mqtt")
UNREADABLE = [b"", b"online", b"{", b"[]", b"null", b"\xff\xfe", b"\x89PNG\r\n\x1a\n", b'"text"', b"7"]


def published(topic: str) -> bytes:
    return rig_messages(NAMES, view_of(BACKYARD))[topic].payload


def published_target(*plans: ExposurePlan) -> bytes:
    target = replace(M31, exposure_plans=plans)
    return rig_messages(NAMES, view_of(rig_of_targets(target)))[NAMES.thing("backyard", TARGET, M31.id)].payload


def remembered(target: bytes) -> tuple[tuple[tuple[str, int, int], ...], Mapping[str, Statistics]] | None:
    """Counts and statistics of a target that stands on the broker like this, below its profile and project."""
    retained = {topic: message.payload for topic, message in rig_messages(NAMES, view_of(BACKYARD)).items()}
    retained[NAMES.thing("backyard", TARGET, M31.id)] = target
    return memory.recall(NAMES, retained)["backyard"].statistics.get(M31.id)


def in_place(exposure_plans: str) -> bytes:
    """A minimal target with these exposure plans."""
    return f'{{"id": "{M31.id}", "project_id": "{AUTUMN.id}", "exposure_plans": {exposure_plans}}}'.encode()


def test_a_published_target_names_its_parents() -> None:
    payload = published(NAMES.thing("backyard", TARGET, M31.id))
    assert memory.parents(payload) == Parents(REFRACTOR.id, AUTUMN.id)


def test_a_published_project_names_its_profile() -> None:
    payload = published(NAMES.thing("backyard", PROJECT, AUTUMN.id))
    assert memory.parents(payload) == Parents(REFRACTOR.id, None)


@pytest.mark.parametrize("payload", [*UNREADABLE, b'{"profile_id": 7}'])
def test_what_cannot_be_read_has_no_parents(payload: bytes) -> None:
    assert memory.parents(payload) == Parents()


def test_every_published_parent_names_its_children() -> None:
    assert memory.children(published(NAMES.rig_state("backyard"))) == ((PROFILE, REFRACTOR.id),)
    assert memory.children(published(NAMES.thing("backyard", PROFILE, REFRACTOR.id))) == ((PROJECT, AUTUMN.id),)
    assert memory.children(published(NAMES.thing("backyard", PROJECT, AUTUMN.id))) == ((TARGET, M31.id),)
    assert memory.children(published(NAMES.thing("backyard", TARGET, M31.id))) == ()


@pytest.mark.parametrize("payload", [*UNREADABLE, b'{"targets": [{"name": "no id"}]}', b'{"projects": "none"}'])
def test_what_cannot_be_read_has_no_children(payload: bytes) -> None:
    assert memory.children(payload) == ()


def test_a_published_target_gives_its_statistics_back() -> None:
    assert remembered(published_target(LUM, HYDROGEN)) == (
        (("lum_60", 12, 10), ("ha_300", 4, 0)),
        {"lum_60": SHARP},
    )


def test_a_target_without_statistics_has_nothing_to_remember() -> None:
    assert remembered(published_target(HYDROGEN)) is None
    assert remembered(published_target()) is None


@pytest.mark.parametrize(
    "payload",
    [
        *UNREADABLE,
        in_place('[{"key": "lum_60", "acquired": "many", "accepted": 1}]'),
        in_place('[{"key": "lum_60", "acquired": 1, "accepted": 1, "statistics": {"hfr_mean": "sharp"}}]'),
    ],
)
def test_an_unreadable_target_has_nothing_to_remember(payload: bytes) -> None:
    assert remembered(payload) is None


def test_keys_that_a_later_version_added_do_not_hinder() -> None:
    found = remembered(
        in_place(
            '[{"key": "lum_60", "acquired": 3, "accepted": 2, "gain": 100,'
            ' "statistics": {"hfr_mean": 2.5, "snr_mean": 12}}]'
        )
    )
    assert found == ((("lum_60", 3, 2),), {"lum_60": Statistics(hfr_mean=2.5)})


def test_a_field_that_this_version_does_not_know_comes_back_with_the_statistics() -> None:
    new: dict[str, JsonValue] = {"StarCount": [812, None]}
    found = remembered(published_target(replace(LUM, statistics=replace(SHARP, extra=new))))
    assert found is not None
    assert found[1]["lum_60"].extra == new
