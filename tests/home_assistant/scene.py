"""A bridge and its simulated rigs beside the house of the session, under a base topic of their own."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING

from tests.home_assistant.expected import differences, discovered
from tests.support.observer import observing
from tests.support.running import bridge_config, mqtt_config, polling, running_bridge
from ts2mqtt.bridge.clean import clean
from ts2mqtt.simulator.api import SimulatedApi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from tests.home_assistant.conftest import House
    from tests.home_assistant.hass import HomeAssistant
    from tests.support.observer import Observer
    from ts2mqtt.bridge.bridge import Bridge
    from ts2mqtt.config import Config
    from ts2mqtt.simulator.observatory import SimulatedObservatory

_PATIENCE_S = 60.0
_serial = count(1)


class Scene:
    """Made by scene(); its bridge runs while the block of running() does."""

    def __init__(self, house: House, observer: Observer, config: Config, api: SimulatedApi) -> None:
        self.hass: HomeAssistant = house.hass
        self.broker = house.broker
        self.observer = observer
        self.config = config
        self.api = api
        self.base = config.mqtt.base_topic
        self._log_began = self.hass.mark()

    @property
    def rig_id(self) -> str:
        return self.config.rigs[0].id

    @property
    def observatory(self) -> SimulatedObservatory:
        return self.api.observatory

    def running(self) -> AbstractAsyncContextManager[Bridge]:
        return running_bridge(self.config)

    def unique_id(self, kind: str | None, thing_id: str | None, key: str) -> str:
        thing = f"_{kind}_{thing_id}" if kind else ""
        return f"{self.base}_{self.rig_id}{thing}_{key}"

    def topic(self, leaf: str) -> str:
        return f"{self.base}/{leaf}"

    async def shown(self) -> None:
        """Returns when Home Assistant shows exactly what the broker holds now."""
        await self.observer.catch_up()
        held = self.observer.held
        assert discovered(held, self.base)

        await self.wait_until(
            lambda: not differences(self.hass, held, self.base),
            lambda: differences(self.hass, held, self.base)[:20],
        )

    async def wait_until(self, condition: Callable[[], bool], missing: Callable[[], object]) -> None:
        """For a condition about both, the broker and Home Assistant: either may be the last to hear of a change."""
        seen = asyncio.create_task(self.observer.wait_until(condition, patience_s=_PATIENCE_S))
        told = asyncio.create_task(self.hass.wait_until(condition, missing))
        await asyncio.wait((seen, told), return_when=asyncio.FIRST_COMPLETED)
        seen.cancel()
        if not condition():
            await told
        told.cancel()
        await asyncio.gather(seen, told, return_exceptions=True)

    async def published(self) -> None:
        """Returns when the bridge has told of every profile, project and target."""
        await self.observer.wait_until(
            lambda: self.observer.held.get(self.topic("status")) == b"online", "the bridge to be online"
        )
        await self.observer.wait_until(
            lambda: self.observer.held.get(self.topic(f"{self.rig_id}/status")) == b"online", "the rig to be online"
        )
        things = {
            f"{self.rig_id}/{kind}/{row.id}"
            for kind, rows in (
                ("profile", self.observatory.profiles),
                ("project", self.observatory.projects()),
                ("target", self.observatory.targets()),
            )
            for row in rows
        }
        wanted = {self.topic(thing) for thing in things}
        await self.observer.wait_until(lambda: wanted <= self.observer.held.keys(), "every thing")

    @property
    def problems(self) -> list[str]:
        """Warnings and worse in Home Assistant's log since the scene began, whatever they are about."""
        return self.hass.problems(self._log_began)

    def nothing_to_complain_about(self) -> None:
        assert not self.problems, "\n".join(self.problems)


@asynccontextmanager
async def scene(house: House, observatory: SimulatedObservatory) -> AsyncIterator[Scene]:
    """A rig called Backyard and nothing published yet; at the end all of it is cleaned away and forgotten."""
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(SimulatedApi(observatory))
        observer = await stack.enter_async_context(observing(house.broker.port))
        base = f"scene{next(_serial)}"
        config = bridge_config(
            mqtt_config(house.broker.port, base_topic=base), api, looks=polling(interval=0.5, slow_interval=0.5)
        )
        try:
            yield Scene(house, observer, config, api)
        finally:
            await clean(config)
            await observer.wait_until(lambda: not observer.held_below(f"{base}/", f"homeassistant/device/{base}/"))
            await house.hass.wait_until(
                lambda: not differences(house.hass, {}, base), lambda: differences(house.hass, {}, base)
            )


@asynccontextmanager
async def shown_scene(house: House, observatory: SimulatedObservatory) -> AsyncIterator[Scene]:
    """A scene whose bridge is at work, from the moment on at which Home Assistant shows all of it."""
    async with scene(house, observatory) as made, made.running():
        await made.published()
        await made.shown()
        yield made
