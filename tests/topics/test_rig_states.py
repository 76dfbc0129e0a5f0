"""A rig's states as it changes: what has changed is written anew, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.support.sample_rig import AUTUMN, BACKYARD, LUM, M31, REFRACTOR, TONIGHT, rig_of, rig_of_targets, view_of
from ts2mqtt.observatory.changes import Watch
from ts2mqtt.observatory.model import Listing
from ts2mqtt.observatory.sky import NightSky
from ts2mqtt.topics.encode import RigStates, rig_messages
from ts2mqtt.topics.names import PROFILE, PROJECT, TARGET, TopicNames

if TYPE_CHECKING:
    from ts2mqtt.observatory.model import Rig
    from ts2mqtt.topics.encode import RigView

NAMES = TopicNames("ts2mqtt")
STATUS, STATE, PLAN = NAMES.rig_status("backyard"), NAMES.rig_state("backyard"), NAMES.rig_plan("backyard")
OF_PROFILE = NAMES.thing("backyard", PROFILE, REFRACTOR.id)
OF_PROJECT = NAMES.thing("backyard", PROJECT, AUTUMN.id)
OF_TARGET = NAMES.thing("backyard", TARGET, M31.id)
M33 = replace(M31, id="00000000-0000-0000-0000-000000000033", name="M 33")
OF_M33 = NAMES.thing("backyard", TARGET, M33.id)
PICTURE = NAMES.rig_plan_image("backyard")

UNGRADED = replace(AUTUMN, enable_grader=False)
BEFORE = view_of(rig_of_targets(M31, M33), plan=TONIGHT)
ALWAYS = {STATUS, STATE}
"""Written at each look: they are small, or change at most of them."""

SEEN = datetime(2026, 2, 27, 20, tzinfo=UTC)
EXPOSED = replace(M31, exposure_plans=(replace(LUM, acquired=13), *M31.exposure_plans[1:]))


@pytest.mark.parametrize(
    ("after", "changed"),
    [
        (BEFORE, set()),
        (view_of(rig_of_targets(EXPOSED, M33), plan=TONIGHT), {OF_PROFILE, OF_PROJECT, OF_TARGET}),
        (replace(BEFORE, picture=b"png"), {PICTURE}),
        (replace(BEFORE, plan=None), {PLAN, OF_TARGET}),
        (replace(BEFORE, plan=replace(TONIGHT, blocks=TONIGHT.blocks[:2])), {PLAN, OF_TARGET}),
        (
            replace(BEFORE, skies={M33.id: NightSky(altitude_max_deg=61.5, transit=SEEN, moon_separation_deg=40.0)}),
            {OF_M33},
        ),
        (replace(BEFORE, watch=Watch(first_seen={M31.id: SEEN})), {OF_TARGET}),
        (replace(BEFORE, watch=Watch(first_seen={AUTUMN.id: SEEN})), {OF_PROJECT}),
        (replace(BEFORE, watch=Watch(peaks={(M33.id, LUM.key): 11})), {OF_M33}),
        (replace(BEFORE, has_unknown_skies=True), {OF_TARGET, OF_M33}),
        (replace(BEFORE, rig=replace(BEFORE.rig, online=False)), set()),
    ],
)
def test_what_has_changed_is_written_anew_and_nothing_else(after: RigView, changed: set[str]) -> None:
    states = RigStates(NAMES)
    before, messages = states.messages(BEFORE), states.messages(after)

    assert messages == rig_messages(NAMES, after)
    assert list(messages) == list(rig_messages(NAMES, after))
    assert {topic for topic, message in messages.items() if message is not before.get(topic)} - ALWAYS == changed


@pytest.mark.parametrize(
    "after",
    [
        rig_of(AUTUMN),
        rig_of(replace(UNGRADED, name="Winter")),
        rig_of(replace(UNGRADED, targets=None)),
        replace(BEFORE.rig, profiles=None),
        replace(rig_of(UNGRADED), name="Garden"),
        replace(rig_of(UNGRADED), exposure_throttle_percent=150),
        replace(BACKYARD, profiles=Listing((replace(REFRACTOR, name="Reflector", projects=Listing((UNGRADED,))),))),
        replace(BACKYARD, profiles=Listing((replace(REFRACTOR, id="another", projects=Listing((UNGRADED,))),))),
    ],
)
def test_whatever_changes_of_a_rig_its_states_are_those_of_now(after: Rig) -> None:
    states = RigStates(NAMES)
    before = states.messages(view_of(rig_of(UNGRADED), plan=TONIGHT))
    view = view_of(after, plan=TONIGHT)

    assert states.messages(view) == rig_messages(NAMES, view)
    assert states.messages(view) != before
