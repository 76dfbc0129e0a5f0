"""What the bridge can learn again from what it published before a restart."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.support.sample_rig import AUTUMN, BACKYARD, HYDROGEN, LUM, M31, REFRACTOR, SHARP, rig_of_targets, view_of
from ts2mqtt.observatory.absence import Parents
from ts2mqtt.observatory.live import LightFrame, LiveFacts
from ts2mqtt.observatory.model import Statistics
from ts2mqtt.topics import decode
from ts2mqtt.topics.encode import rig_messages
from ts2mqtt.topics.names import PROFILE, PROJECT, TARGET, Subject, TopicNames
from ts2mqtt.topics.payloads import Bridge, BridgeRig, Heartbeat, Question

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
    return decode.recall(NAMES, retained)["backyard"].statistics.get(M31.id)


def in_place(exposure_plans: str) -> bytes:
    """A minimal target with these exposure plans."""
    return f'{{"id": "{M31.id}", "project_id": "{AUTUMN.id}", "exposure_plans": {exposure_plans}}}'.encode()


def test_a_published_target_names_its_parents() -> None:
    payload = published(NAMES.thing("backyard", TARGET, M31.id))
    assert decode.parents(payload) == Parents(REFRACTOR.id, AUTUMN.id)


def test_a_published_project_names_its_profile() -> None:
    payload = published(NAMES.thing("backyard", PROJECT, AUTUMN.id))
    assert decode.parents(payload) == Parents(REFRACTOR.id, None)


@pytest.mark.parametrize("payload", [*UNREADABLE, b'{"profile_id": 7}'])
def test_what_cannot_be_read_has_no_parents(payload: bytes) -> None:
    assert decode.parents(payload) == Parents()


def test_every_published_parent_names_its_children() -> None:
    assert decode.children(published(NAMES.rig_state("backyard"))) == ((PROFILE, REFRACTOR.id),)
    assert decode.children(published(NAMES.thing("backyard", PROFILE, REFRACTOR.id))) == ((PROJECT, AUTUMN.id),)
    assert decode.children(published(NAMES.thing("backyard", PROJECT, AUTUMN.id))) == ((TARGET, M31.id),)
    assert decode.children(published(NAMES.thing("backyard", TARGET, M31.id))) == ()


@pytest.mark.parametrize("payload", [*UNREADABLE, b'{"targets": [{"name": "no id"}]}', b'{"projects": "none"}'])
def test_what_cannot_be_read_has_no_children(payload: bytes) -> None:
    assert decode.children(payload) == ()


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
        in_place('[{"key": "lum_60", "desired": 9, "acquired": "many", "accepted": 1}]'),
        in_place(
            '[{"key": "lum_60", "desired": 9, "acquired": 1, "accepted": 1, "statistics": {"hfr_mean": "sharp"}}]'
        ),
    ],
)
def test_an_unreadable_target_has_nothing_to_remember(payload: bytes) -> None:
    assert remembered(payload) is None


def test_keys_that_a_later_version_added_do_not_hinder() -> None:
    found = remembered(
        in_place(
            '[{"key": "lum_60", "desired": 9, "acquired": 3, "accepted": 2, "gain": 100,'
            ' "statistics": {"hfr_mean": 2.5, "snr_mean": 12}}]'
        )
    )
    assert found == ((("lum_60", 3, 2),), {"lum_60": Statistics(hfr_mean=2.5)})


def test_a_field_that_this_version_does_not_know_comes_back_with_the_statistics() -> None:
    new: dict[str, JsonValue] = {"StarCount": [812, None]}
    found = remembered(published_target(replace(LUM, statistics=replace(SHARP, extra=new))))
    assert found is not None
    assert found[1]["lum_60"].extra == new


def test_one_bad_number_loses_nothing_of_what_the_rig_would_be_asked_for() -> None:
    payload = json.loads(published_target(LUM, HYDROGEN))
    whole = remembered(json.dumps(payload).encode())
    payload |= {"altitude_max_deg": "high", "first_seen": 7}
    payload["exposure_plans"][1] |= {"exposure_s": "long", "ungraded": -0.5}

    assert remembered(json.dumps(payload).encode()) == whole


BRIDGE = Bridge(
    version="1",
    instance="0-me",
    since=datetime(2026, 2, 27, tzinfo=UTC),
    protocol="5",
    log_level="info",
    last_problem=None,
    rigs_online=1,
    rigs=[BridgeRig(id="backyard", name="Backyard", url=None), BridgeRig(id="old", name="", url="http://rig")],
).to_bytes()
BEAT = Heartbeat(instance="0-me", number=3, returned=2, working=True)
QUESTION = Question(ask=True).to_bytes()


def test_a_bridge_names_itself_and_its_rigs() -> None:
    assert decode.rigs_named_in(BRIDGE) == {"backyard", "old"}
    assert decode.rigs_named_in(b'{"rigs": [{"id": "backyard"}]}') == {"backyard"}
    assert decode.instance_in(BRIDGE) == "0-me"
    assert decode.instance_in(b'{"version": "1", "instance": "me", "rigs": []}') == "me"


@pytest.mark.parametrize(
    "payload", [*UNREADABLE, b"{}", b'{"rigs": [{"id": 7}, {"id": "a"}]}', b'{"instance": null}']
)
def test_what_cannot_be_read_names_no_bridge_and_no_rigs(payload: bytes) -> None:
    assert decode.rigs_named_in(payload) == frozenset()
    assert decode.instance_in(payload) is None


@pytest.mark.parametrize("topic", [*rig_messages(NAMES, view_of(BACKYARD))])
def test_every_payload_of_a_rig_but_its_status_is_about_it(topic: str) -> None:
    subject = NAMES.subject(topic)
    assert subject is not None
    assert decode.is_about(published(topic), subject) is (topic != NAMES.rig_status("backyard"))
    assert not decode.is_about(published(topic), Subject("balcony"))


@pytest.mark.parametrize("payload", [*UNREADABLE, b"{}", b'{"id": 7, "rig_id": "backyard"}', b'{"name": "backyard"}'])
def test_what_cannot_be_read_is_about_nothing(payload: bytes) -> None:
    assert not decode.is_about(payload, Subject("backyard"))


@pytest.mark.parametrize(
    "payload",
    [
        *UNREADABLE,
        b"{}",
        QUESTION,
        b'{"instance": "a", "number": "many", "returned": 0, "working": true}',
        b'{"instance": "a", "number": 1, "returned": 0}',
    ],
)
def test_what_is_no_heartbeat_is_not_read(payload: bytes) -> None:
    assert decode.heartbeat_in(payload) is None


def test_a_question_is_told_from_a_heartbeat() -> None:
    assert decode.heartbeat_in(BEAT.to_bytes()) == BEAT
    assert decode.is_question(QUESTION)
    assert json.loads(QUESTION) == {"ask": True}
    assert not decode.is_question(b'{"ask": false}')
    assert not decode.is_question(BEAT.to_bytes())
    assert not decode.is_question(b"")


def test_the_latest_image_that_nina_told_comes_back() -> None:
    image = LightFrame(
        time=datetime(2026, 1, 10, 22, tzinfo=UTC),
        target_id=M31.id,
        filter="L",
        exposure_s=60.0,
        hfr=2.1,
        stars=900,
        guide_rms_arcsec=0.4,
    )
    facts = LiveFacts(connected=True, version="2", sequence_running=True, safe=True, last_image=image)
    published_with = rig_messages(NAMES, replace(view_of(BACKYARD), live=facts))
    retained = {topic: message.payload for topic, message in published_with.items()}

    assert decode.recall(NAMES, retained)["backyard"].last_image == image
    retained[NAMES.rig_state("backyard")] = published(NAMES.rig_state("backyard"))
    assert decode.recall(NAMES, retained)["backyard"].last_image is None
