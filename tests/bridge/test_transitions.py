"""What Home Assistant is told again, while what there is to tell goes on changing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.bridge.test_publisher import publishing
from tests.support import topics_of_example as of
from ts2mqtt.bridge.publisher import Stale
from ts2mqtt.bridge.transitions import HomeAssistantStatus, Transitions

if TYPE_CHECKING:
    import pytest

    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer

_DEVICES = [of.target_device(f"{number:08}") for number in range(50)]


async def test_what_goes_while_everything_is_told_again_does_not_come_back(
    mosquitto: Mosquitto, observer: Observer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ts2mqtt.bridge.transitions._BIRTH_DELAYS_S", (0.0, 0.0))
    first, *_, last = _DEVICES
    async with publishing(mosquitto.port) as publisher:
        for topic in _DEVICES:
            await publisher.put(topic, b'{"components": {}}')
        mark, publishing_now = observer.mark(), asyncio.Lock()
        news, told = HomeAssistantStatus(), asyncio.Event()
        transitions = Transitions(publisher, of.NAMES, news, publishing_now, enabled=True)
        welcoming = asyncio.create_task(transitions.welcome_home_assistant(told.set))
        news.births.set()
        await observer.wait_for(first, after=mark)
        async with publishing_now:
            await publisher.publish({}, [Stale(last)])
        await told.wait()
        welcoming.cancel()
        await observer.catch_up()
        assert set(_DEVICES[:-1]) <= observer.held.keys()
        assert last not in observer.held
