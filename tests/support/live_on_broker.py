"""Plays nights in front of a whole bridge that hears a simulated N.I.N.A.; a client of the broker notes what it gets.

site = play_on_broker(observatory, datetime(2026, 4, 14, 12, tzinfo=UTC))
site.events, site.imaging, site.nina.nina.announced

In simulated time, over real sockets but for the Target Scheduler's API, whose answers need none. What takes time of a
processor takes no simulated time.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from tests.support.api_in_memory import ApiInMemory, answering_every_client
from tests.support.clocks import LoopClock
from tests.support.listener import listening
from tests.support.simulated_time import run_in_simulated_time
from ts2mqtt.bridge.bridge import Bridge
from ts2mqtt.config import Config, HomeAssistantConfig, MqttConfig, RigConfig
from ts2mqtt.simulator.broker import EmbeddedBroker
from ts2mqtt.simulator.nina.server import NinaServer
from ts2mqtt.simulator.random_numbers import random_numbers
from ts2mqtt.topics.names import TopicNames

if TYPE_CHECKING:
    from datetime import datetime

    from ts2mqtt.simulator.observatory import SimulatedObservatory

_NAMES = TopicNames("ts2mqtt")
_RIG_ID = "backyard"
# The broker's time-out would be most of what happens at rest.
_KEEPALIVE_S = 300.0


class LiveSite:
    """A rig, its N.I.N.A., the bridge, a broker, and a client that observes; without `hears` the bridge polls."""

    def __init__(self, observatory: SimulatedObservatory, *, hears: bool) -> None:
        self.observatory = observatory
        self.clock = LoopClock(observatory.now)
        self.api = ApiInMemory(observatory, self.clock)
        self.nina = NinaServer(observatory, clock=self.clock)
        self.events: list[tuple[datetime, dict[str, Any]]] = []
        """Each with the time at which the client had it."""
        self.imaging: list[tuple[datetime, bool | None]] = []
        """What the rig's state said, whenever that changed."""
        self._hears = hears

    async def play(self, until: datetime) -> None:
        async with (
            EmbeddedBroker() as broker,
            self.nina,
            listening(broker.port, f"ts2mqtt/{_RIG_ID}/#", self._note),
        ):
            bridge = Bridge(self._config(broker.port), clock=self.clock, rng=random_numbers(1, "bridge"))
            running = asyncio.create_task(bridge.run())
            await asyncio.sleep(self.clock.seconds_until(until))
            bridge.stop()
            await running

    def _config(self, port: int) -> Config:
        nina_url = (self.nina.url,) if self._hears else ()
        return Config(
            mqtt=MqttConfig(host="127.0.0.1", port=port, keepalive=_KEEPALIVE_S),
            home_assistant=HomeAssistantConfig(),
            rigs=(RigConfig(name="Backyard", id=_RIG_ID, url=("http://rig",), nina_url=nina_url),),
        )

    def _note(self, topic: str, payload: bytes) -> None:
        now = self.clock.now()
        if topic == _NAMES.rig_event(_RIG_ID):
            self.events.append((now, json.loads(payload)))
        elif topic == _NAMES.rig_state(_RIG_ID):
            imaging = json.loads(payload)["imaging"]
            if not self.imaging or self.imaging[-1][1] is not imaging:
                self.imaging.append((now, imaging))


def play_on_broker(observatory: SimulatedObservatory, until: datetime, *, hears: bool = True) -> LiveSite:
    """Lets the observatory's time pass until then, with the bridge at work."""
    site = LiveSite(observatory, hears=hears)
    with answering_every_client(site.api):
        run_in_simulated_time(lambda: site.play(until))
    return site
