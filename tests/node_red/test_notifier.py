"""The notifier: each kind of event in words, those that were chosen, and silence in the quiet hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.node_red.events import NO_EVENTS, TOPIC, event
from tests.node_red.node_red import Flow
from ts2mqtt.observatory.events import EVENT_TYPES

if TYPE_CHECKING:
    from tests.node_red.conftest import Deploy
    from tests.support.observer import Observer

pytestmark = pytest.mark.asyncio(loop_scope="session")

CHOICE, YOURS = "What to tell, and when", "Connect your notifier here"
EXPOSURES: dict[str, Any] = {"target_name": "M 31", "filter": "Ha", "exposure_s": 300.0, "count": 3}
A_PROJECT = {"project_name": "Andromeda"}
A_TARGET = {"project_name": "Andromeda", "target_name": "M 31"}
IN_WORDS: dict[str, tuple[dict[str, Any], str]] = {
    "rig_online": ({}, "Backyard is online."),
    "rig_offline": ({}, "Backyard does not answer any more."),
    "profile_changed": ({"profile_name": "Refractor"}, "Backyard now uses the profile Refractor."),
    "target_started": (A_TARGET, "Backyard has begun M 31."),
    "target_finished": (A_TARGET, "Backyard has ended M 31 for now."),
    "exposure_acquired": (EXPOSURES, "Backyard has taken 3 × Ha 300 s of M 31."),
    "exposure_accepted": (EXPOSURES, "Backyard has accepted 3 × Ha 300 s of M 31."),
    "target_completed": (
        A_TARGET | {"accepted_s": 45_000.0, "took_s": 1_300_000.0},
        "Backyard has completed M 31: 12 h 30 min of integration, in 15 days.",
    ),
    "project_completed": (
        A_PROJECT | {"accepted_s": 3_600.0, "took_s": 7_300.0},
        "Backyard has completed the project Andromeda: 1 h of integration, in 2 h 2 min.",
    ),
    "project_state_changed": (
        A_PROJECT | {"state": "inactive", "previous_state": "active"},
        "Backyard has the project Andromeda inactive, which was active.",
    ),
    "project_added": (A_PROJECT, "Backyard has a new project, Andromeda."),
    "project_removed": (A_PROJECT, "Backyard no longer has the project Andromeda."),
    "target_added": (A_TARGET, "Backyard has a new target, M 31 in Andromeda."),
    "target_removed": (A_TARGET, "Backyard no longer has the target M 31 in Andromeda."),
    "plan_changed": ({"night": date(2026, 1, 10)}, "Backyard has a new plan for the night of 2026-01-10."),
    "night_finished": (
        {"night": date(2026, 1, 10), "count": 58},
        "Backyard has ended the night of 2026-01-10 with 58 exposures.",
    ),
}


def notifier(**settings: object) -> Flow:
    """Tells everything at any hour, unless the test says otherwise."""
    everything = {"tell": list(EVENT_TYPES), "quiet_from": "00:00", "quiet_until": "00:00"}
    return Flow("notifier").set(CHOICE, **everything | settings).tap(YOURS)


def clock(hours_from_now: float) -> str:
    """Of this machine's time zone, which is that of its Node-RED."""
    return (datetime.now(UTC) + timedelta(hours=hours_from_now)).astimezone().strftime("%H:%M")


async def test_every_kind_of_event_has_its_sentence(deploy: Deploy, observer: Observer) -> None:
    assert IN_WORDS.keys() == set(EVENT_TYPES)
    node_red = await deploy(notifier())
    for number, (event_type, (fields, sentence)) in enumerate(IN_WORDS.items()):
        await observer.publish(TOPIC, event(event_type, **fields))
        told = await node_red.tells(YOURS, after=number)
        assert (told["topic"], told["payload"]) == ("Backyard", sentence)


async def test_what_it_does_not_know_it_tells_all_the_same(deploy: Deploy, observer: Observer) -> None:
    node_red = await deploy(notifier(tell=["dome_opened", "constructor", "exposure_accepted"]))
    await observer.publish(TOPIC, event("dome_opened"))
    await observer.publish(TOPIC, event("constructor"))
    await observer.publish(TOPIC, event("exposure_accepted", count=1))
    assert (await node_red.tells(YOURS))["payload"] == "Backyard dome opened."
    assert (await node_red.tells(YOURS, after=1))["payload"] == "Backyard constructor."
    assert (await node_red.tells(YOURS, after=2))["payload"] == "Backyard has accepted 1 exposure of a target."


async def test_only_what_was_chosen_is_told(deploy: Deploy, observer: Observer) -> None:
    node_red = await deploy(notifier(tell=["rig_online"]))
    for event_type in (*EVENT_TYPES, "rig_online"):
        await observer.publish(TOPIC, event(event_type))
    await node_red.tells(YOURS, after=1)
    assert {told["payload"] for told in node_red.tapped(YOURS)} == {"Backyard is online."}


@pytest.mark.parametrize(
    ("begin", "end", "quiet"), [(-1, 21, True), (-21, 1, True), (-2, 2, True), (2, -2, False), (1, 3, False)]
)
async def test_the_quiet_hours(deploy: Deploy, observer: Observer, *, begin: int, end: int, quiet: bool) -> None:
    """Hours from now: whenever this runs, one of the two long ones passes midnight, and a short one does not."""
    node_red = await deploy(
        notifier(quiet_from=clock(begin), quiet_until=clock(end), tell_in_quiet=["project_completed"])
    )
    await observer.publish(TOPIC, event("rig_offline"))
    await observer.publish(TOPIC, event("project_completed", **A_PROJECT))
    last = "Backyard has completed the project Andromeda."
    await node_red.until(lambda: last in [told["payload"] for told in node_red.tapped(YOURS)], last)
    before = [] if quiet else ["Backyard does not answer any more."]
    assert [told["payload"] for told in node_red.tapped(YOURS)] == [*before, last]


async def test_hostile_names_and_payloads(deploy: Deploy, observer: Observer) -> None:
    node_red = await deploy(notifier())
    for payload in NO_EVENTS:
        await observer.publish(TOPIC, payload)
    await observer.publish(TOPIC, event("target_started", target_name="a\nb\r\n\x1b[31mc\u202e" + "x" * 500))
    told = await node_red.tells(YOURS)
    assert told["payload"] == f"Backyard has begun a b [31mc {'x' * 70}."
