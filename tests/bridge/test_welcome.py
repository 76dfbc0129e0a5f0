"""What Home Assistant is told again, while what there is to tell goes on changing."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tests.bridge.test_publisher import publishing
from tests.support import topics_of_example as of
from tests.support.clocks import HandClock
from tests.support.running import IMPATIENT
from ts2mqtt.bridge.about import Identity
from ts2mqtt.bridge.agenda import Agenda, BeginWelcome, LookAgain
from ts2mqtt.bridge.carried_over import CarriedOver
from ts2mqtt.bridge.desired_state import DesiredState
from ts2mqtt.bridge.publisher import Stale
from ts2mqtt.bridge.setting import Setting
from ts2mqtt.bridge.welcome import Welcome
from ts2mqtt.config import HomeAssistantConfig
from ts2mqtt.logs.failures import FailureLog

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer

_LOG = logging.getLogger("ts2mqtt")
_DEVICES = [of.target_device(f"{number:08}") for number in range(250)]


async def test_what_goes_while_everything_is_told_again_does_not_come_back(
    mosquitto: Mosquitto, observer: Observer
) -> None:
    clock = HandClock()
    agenda = Agenda(clock)
    async with publishing(mosquitto.port, clock=clock) as publisher:
        setting = Setting(
            ids=of.NAMES,
            identity=Identity(instance="0-me", since=clock.now(), protocol="3.1.1", rigs=()),
            home_assistant=HomeAssistantConfig(),
            clock=clock,
            timings=IMPATIENT,
        )
        carried = CarriedOver(desired=DesiredState(of.NAMES, []), failures=FailureLog(_LOG, clock))
        welcome = Welcome(setting, publisher, carried, agenda)
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
