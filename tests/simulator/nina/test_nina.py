"""N.I.N.A. without a socket: its messages in simulated time, restarts, profiles, and what a test does by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from tests.simulator.nina.conftest import START, busy
from tests.support.clocks import LoopClock
from tests.support.simulated_time import run_in_simulated_time
from ts2mqtt.simulator.nina.nina import SimulatedNina

if TYPE_CHECKING:
    from datetime import datetime

    from tests.simulator.nina.conftest import Month
    from ts2mqtt.simulator.observatory import SimulatedObservatory


def test_every_message_of_a_month_is_json_in_the_envelope(month: Month) -> None:
    for delivery in month.deliveries:
        assert (delivery.text is None) is (delivery.ending == "restart")
        if delivery.text is not None:
            message = json.loads(delivery.text)
            assert (message["Type"], message["Success"]) == ("Socket", True)
            assert len(delivery.text.encode()) < 1500


def test_an_in_memory_client_gets_each_message_at_its_time() -> None:
    """A night in a moment: the clock jumps to the next message."""

    async def night() -> list[tuple[datetime, datetime, str | None]]:
        observatory, clock = busy(), LoopClock(START)
        nina = SimulatedNina(observatory)
        end = START + timedelta(days=1)
        got: list[tuple[datetime, datetime, str | None]] = []
        async for delivery in nina.deliveries(clock):
            if delivery.time > end:
                break
            got.append((delivery.time, clock.now(), delivery.text))
        assert len(got) == len([event for event in nina.announced if event.time <= end])
        return got

    got = run_in_simulated_time(night)

    assert len(got) > 100
    assert all(abs(seen - time) < timedelta(milliseconds=1) for time, seen, _ in got)


def test_a_message_by_hand_wakes_the_client(observatory: SimulatedObservatory) -> None:
    async def two_messages() -> list[str | None]:
        nina = SimulatedNina(observatory)
        deliveries = nina.deliveries(LoopClock(observatory.now))
        nina.announce("MOUNT-HOMED")
        first = await anext(deliveries)
        nina.say_raw("{not json")
        return [first.text, (await anext(deliveries)).text]

    first, second = run_in_simulated_time(two_messages)
    assert "MOUNT-HOMED" in (first or "")
    assert second == "{not json"


def test_a_profile_that_somebody_activates_is_told_without_its_name(
    observatory: SimulatedObservatory, nina: SimulatedNina
) -> None:
    first, second = observatory.active_profile, observatory.add_profile("Remote")
    observatory.activate_profile(second)
    nina.advance(observatory.now + timedelta(minutes=1))
    nina.switch_profile(first)

    assert [(event.event, dict(event.fields)) for event in nina.announced] == [("PROFILE-CHANGED", {})] * 2
    assert first.active


def test_after_a_restart_history_and_images_are_gone(nina: SimulatedNina) -> None:
    nina.announce("IMAGE-SAVE", ImageStatistics={"ImageType": "LIGHT"})
    nina.announce("MOUNT-HOMED")
    nina.say("a text of the user")
    before = nina.state
    assert ([event.event for event in nina.history], len(nina.images)) == (["IMAGE-SAVE", "MOUNT-HOMED"], 1)

    nina.restart()

    assert (nina.history, nina.images) == ([], [])
    assert nina.state.started_at == nina.observatory.now_utc != before.started_at
    assert not nina.state.devices_connected
    assert nina.take_deliveries()[-1].ending == "restart"
    assert len(nina.announced) == 3


def test_an_exposure_that_a_restart_interrupts_is_never_announced() -> None:
    observatory = busy()
    nina = SimulatedNina(observatory)
    while nina.state.exposes_until is None:
        nina.advance(observatory.now + timedelta(minutes=1))
    nina.take_deliveries()
    saved = len(nina.images)

    nina.restart()
    nina.advance(observatory.now + timedelta(seconds=1))

    assert nina.images == []
    assert saved == len([event for event in nina.announced if event.event == "IMAGE-SAVE"])
    # The rig of the observatory goes on: to Target Scheduler its target is a new one.
    while not any(event.is_of_scheduler for event in nina.history):
        nina.advance(observatory.now + timedelta(minutes=1))
    assert next(event.event for event in nina.history if event.is_of_scheduler) == "TS-NEWTARGETSTART"


def test_safety_and_state_change_by_hand(nina: SimulatedNina) -> None:
    nina.set_safe(is_safe=False)
    nina.set_state(replace(nina.state, monitor_connected=False))

    assert [dict(event.fields) for event in nina.announced] == [{"IsSafe": False}]
    assert (nina.state.is_safe, nina.state.monitor_connected) == (False, False)


def test_version_3_tells_in_its_own_shape_and_that_the_scheduler_has_stopped() -> None:
    nina = SimulatedNina(busy(), speaks_v3=True)
    nina.advance(START + timedelta(days=2))

    messages = [json.loads(delivery.text) for delivery in nina.take_deliveries() if delivery.text]
    assert all(message.keys() == {"Event", "Data"} for message in messages)
    names = {message["Event"] for message in messages}
    assert {"ts-target-started", "image-saved", "ts-container-stopped"} <= names
    assert not [name for name in names if name.startswith("sequence-")]


@pytest.mark.parametrize("kept", [None, 10])
def test_the_truth_can_be_kept_short(kept: int | None) -> None:
    nina = SimulatedNina(busy(), kept=kept)
    nina.advance(START + timedelta(days=1))

    assert (len(nina.announced) == 10) is (kept == 10)
    assert list(islice(nina.announced, 1))
