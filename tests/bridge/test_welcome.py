"""What Home Assistant is told again, while what there is to tell goes on changing."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.bridge.test_publisher import publishing
from tests.support import topics_of_example as of
from tests.support.clocks import HandClock
from tests.support.running import IMPATIENT
from ts2mqtt.bridge.about import Identity
from ts2mqtt.bridge.agenda import Agenda, BeginWelcome, LookAgain, TellMore
from ts2mqtt.bridge.carried_over import CarriedOver
from ts2mqtt.bridge.desired_state import DesiredState
from ts2mqtt.bridge.publisher import Stale
from ts2mqtt.bridge.setting import Setting
from ts2mqtt.bridge.welcome import Welcome
from ts2mqtt.config import HomeAssistantConfig
from ts2mqtt.logs.failures import FailureLog
from ts2mqtt.timing import PaceTimings

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer
    from ts2mqtt.timing import Timings

_LOG = logging.getLogger("ts2mqtt")
_DEVICES = [of.target_device(f"{number:08}") for number in range(250)]


def setting_with(timings: Timings, clock: HandClock) -> Setting:
    return Setting(
        ids=of.NAMES,
        identity=Identity(instance="0-me", since=clock.now(), protocol="3.1.1", rigs=()),
        home_assistant=HomeAssistantConfig(),
        clock=clock,
        timings=timings,
    )


def nothing_carried_over(clock: HandClock) -> CarriedOver:
    return CarriedOver(desired=DesiredState(of.NAMES, []), failures=FailureLog(_LOG, clock))


async def test_what_goes_while_everything_is_told_again_does_not_come_back(
    mosquitto: Mosquitto, observer: Observer
) -> None:
    clock = HandClock()
    agenda = Agenda(clock)
    async with publishing(mosquitto.port, clock=clock) as publisher:
        carried = nothing_carried_over(clock)
        welcome = Welcome(setting_with(IMPATIENT, clock), publisher, carried, agenda)
        for topic in _DEVICES:
            publisher.note_retained(topic, b'{"components": {}}')
        welcome.plan()
        welcome.plan()
        clock.advance(1.0)
        assert agenda.take_due() == [BeginWelcome()]
        welcome.begin()
        await welcome.go_on()
        assert welcome.has_more_to_tell
        await publisher.publish({}, [Stale(_DEVICES[-1])])
        assert carried.welcome_is_owed, "a connection that breaks now must not forget it"
        for _ in range(5):
            await welcome.go_on()
        assert (carried.welcome_is_owed, welcome.has_more_to_tell) == (False, False)
        assert agenda.take_due() == [LookAgain("backyard")]
        await observer.catch_up()
        assert set(_DEVICES[:-1]) <= observer.held.keys()
        assert _DEVICES[-1] not in observer.held


@pytest.mark.parametrize(("many", "told"), [(120, 120), (121, 60)])
async def test_states_are_told_again_where_the_broker_may_have_dropped_them(
    mosquitto: Mosquitto, observer: Observer, many: int, told: int
) -> None:
    """Home Assistant asks for all of them at its start; what does not fit into the broker's queue is lost to it."""
    clock = HandClock()
    timings = replace(IMPATIENT, pace=PaceTimings(many=many))
    devices, states = _DEVICES[:60], [of.target(f"{number:08}") for number in range(60)]
    async with publishing(mosquitto.port, clock=clock) as publisher:
        for topic in states + devices:
            publisher.note_retained(topic, b"{}")
        welcome = Welcome(setting_with(timings, clock), publisher, nothing_carried_over(clock), Agenda(clock))
        welcome.begin()
        while welcome.has_more_to_tell:
            await welcome.go_on()
        await observer.catch_up()
    assert observer.topics_since(0) == sorted((devices + states)[:told])


async def test_what_is_told_again_waits_for_room(mosquitto: Mosquitto, observer: Observer) -> None:
    clock = HandClock()
    agenda = Agenda(clock)
    timings = replace(IMPATIENT, pace=PaceTimings(many=30, handful=10, devices_per_second=10.0))
    async with publishing(mosquitto.port, clock=clock, timings=timings) as publisher:
        for topic in _DEVICES[:45]:
            publisher.note_retained(topic, b"{}")
        welcome = Welcome(setting_with(timings, clock), publisher, nothing_carried_over(clock), agenda)
        welcome.begin()
        await welcome.go_on()
        await observer.catch_up()
        assert len(observer.since(0)) == 30
        assert not welcome.has_more_to_tell
        clock.advance(agenda.next_due_in_s() or 0.0)
        assert agenda.take_due() == [TellMore()]
        await welcome.go_on()
        await observer.catch_up()
        assert len(observer.since(0)) == 40
