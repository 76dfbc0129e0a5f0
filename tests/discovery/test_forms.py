"""A device whose form was filled in is byte for byte the device that is built of its models."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st

from tests.discovery.test_devices import NAMES, RIGS, SHOWN_STATES
from tests.support.sample_rig import AUTUMN, BACKYARD, HOSTILE_TEXTS, LUM, M31, rig_of
from ts2mqtt.home_assistant.devices import MOST_PLANS, DeviceWriter, RigDevices, device_messages
from ts2mqtt.home_assistant.forms import Form, blanks
from ts2mqtt.home_assistant.languages import LANGUAGES
from ts2mqtt.observatory.model import ExposurePlan, Listing, Rig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ts2mqtt.topics.message import Message

# No half of a UTF-16 pair: neither an API's JSON nor a configuration can hold one.
_TEXTS = st.text(st.characters(codec="utf-8")) | st.sampled_from(HOSTILE_TEXTS)
_PLANS = st.lists(
    st.builds(
        replace,
        st.just(LUM),
        template=st.none() | _TEXTS,
        filter=st.none() | _TEXTS,
        exposure_s=st.none() | st.floats(0, 3_600),
    ),
    max_size=5,
)


def _filled_in(rig: Rig, language: str) -> dict[str, Message]:
    return _written_out(device_messages(NAMES, rig, SHOWN_STATES, LANGUAGES[language]))


def _built(rig: Rig, language: str) -> dict[str, Message]:
    """Without forms, as a target of very many exposure plans always is."""
    devices = RigDevices(DeviceWriter(NAMES, LANGUAGES[language], most_plans=-1))
    return _written_out(devices.messages(rig, SHOWN_STATES))


def _written_out(messages: Mapping[str, Message]) -> dict[str, Message]:
    return {topic: replace(message, written=message.payload) for topic, message in messages.items()}


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("rig", RIGS.values(), ids=RIGS)
def test_a_rig(rig: Rig, language: str) -> None:
    assert _filled_in(rig, language) == _built(rig, language)


@given(st.tuples(_TEXTS, _TEXTS, _TEXTS), st.none() | _TEXTS, _PLANS, st.sampled_from(sorted(LANGUAGES)))
def test_any_texts(
    names: tuple[str, str, str], version: str | None, plans: list[ExposurePlan], language: str
) -> None:
    rig_name, project_name, target_name = names
    keyed = tuple(replace(plan, key=f"plan_{number}") for number, plan in enumerate(plans))
    target = replace(M31, name=target_name, exposure_plans=keyed)
    rig = rig_of(replace(AUTUMN, name=project_name, targets=Listing((target,))))
    rig = replace(rig, name=rig_name, plugin_version=version)
    assert _filled_in(rig, language) == _built(rig, language)


def test_a_target_of_very_many_exposure_plans_has_them_all() -> None:
    plans = tuple(replace(LUM, key=f"lum_{number}") for number in range(MOST_PLANS + 1))
    writer = DeviceWriter(NAMES)
    shown = RigDevices(writer)
    rig = rig_of(replace(AUTUMN, targets=Listing((replace(M31, exposure_plans=plans),))))
    payloads = [json.loads(message.payload) for message in shown.messages(rig, SHOWN_STATES).values()]
    assert sum("lum_32_accepted" in payload["components"] for payload in payloads) == 1
    entities = [one for payload in payloads for one in payload["components"].values() if "unique_id" in one]
    assert shown.announced.entities == len(entities)
    assert shown.announced.disabled == sum(one.get("enabled_by_default") is False for one in entities)


def test_what_a_rig_announces_follows_it() -> None:
    shown = RigDevices(DeviceWriter(NAMES))
    assert shown.announced.devices == 0
    shown.messages(BACKYARD, SHOWN_STATES)
    many = shown.announced
    shown.messages(replace(BACKYARD, profiles=Listing(())), SHOWN_STATES)
    assert (many.devices > 1, shown.announced.devices) == (True, 1)
    assert 0 < shown.announced.entities < many.entities


def test_devices_are_the_very_same_until_something_is_called_otherwise() -> None:
    shown = RigDevices(DeviceWriter(NAMES))
    before = shown.messages(BACKYARD, SHOWN_STATES)
    exposed = replace(M31, exposure_plans=(replace(LUM, acquired=13), *M31.exposure_plans[1:]))
    assert shown.messages(rig_of(replace(AUTUMN, targets=Listing((exposed,)))), SHOWN_STATES) is before
    for changed in (
        rig_of(replace(AUTUMN, name="Winter")),
        rig_of(replace(AUTUMN, targets=Listing(()))),
        replace(BACKYARD, plugin_version="6"),
        replace(BACKYARD, profiles=None),
    ):
        assert shown.messages(changed, SHOWN_STATES) == device_messages(NAMES, changed, SHOWN_STATES) != before
        assert shown.messages(BACKYARD, SHOWN_STATES) == before
    assert shown.messages(BACKYARD, frozenset()) == device_messages(NAMES, BACKYARD, frozenset()) != before


@given(st.lists(_TEXTS, min_size=1, max_size=4))
def test_a_text_may_look_like_a_blank_or_a_format(texts: list[str]) -> None:
    texts = [*texts, "%b %% %s", "".join(blanks(3))]
    payload = {blank: f"100 % {blank} {blank}" for blank in blanks(len(texts))}
    form = Form.of(json.dumps(payload, ensure_ascii=False).encode())
    pairs = json.loads(bytes(form.filled_in(texts)), object_pairs_hook=list)
    assert pairs == [(text, f"100 % {text} {text}") for text in texts]
