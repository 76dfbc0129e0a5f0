"""How the tests of brokers log in, look at what a broker keeps, and run a bridge at a place of its own."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any

from tests.brokers.served import PASSWORD, USER
from tests.support import topics_of_example as of
from tests.support.observer import observing
from tests.support.running import bridge_config, mqtt_config
from ts2mqtt.config import HomeAssistantConfig
from ts2mqtt.mqtt.connection import connect

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from tests.brokers.served import AnyServedBroker
    from tests.support.observer import Observer
    from ts2mqtt.config import Config, MqttConfig
    from ts2mqtt.mqtt.connection import Connection
    from ts2mqtt.mqtt.message import Received
    from ts2mqtt.simulator.api import SimulatedApi

_serial = count(1)
_PATIENCE_S = 20.0
_QUIET_S = 0.5


def new_place() -> str:
    """A base topic that no other test uses."""
    return f"contract{next(_serial)}"


def login(broker: AnyServedBroker, **keys: Any) -> MqttConfig:
    known = {"username": USER, "password": PASSWORD, "client_id": f"contract-client-{next(_serial)}"}
    return mqtt_config(broker.port, **known | keys)


def watching(broker: AnyServedBroker) -> AbstractAsyncContextManager[Observer]:
    return observing(broker.port, username=USER, password=PASSWORD)


def bridging(broker: AnyServedBroker, place: str, api: SimulatedApi) -> Config:
    home_assistant = HomeAssistantConfig(discovery_prefix=f"{place}-ha", status_topic=f"{place}-ha/status")
    return bridge_config(login(broker, base_topic=place), api, home_assistant=home_assistant)


async def heard(connection: Connection, wished: int) -> list[Received]:
    """The next so many messages, or fewer if no more come."""
    messages: list[Received] = []
    incoming = aiter(connection.received())
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while len(messages) < wished:
                messages.append(await anext(incoming))
    except TimeoutError:
        pass
    return messages


async def kept(broker: AnyServedBroker, topic_filter: str, *, host: str = "127.0.0.1") -> dict[str, bytes]:
    """What a newcomer is given for this filter: all that comes until half a second of silence."""
    fence = f"fence/{next(_serial)}"
    given: dict[str, bytes] = {}
    async with connect(login(broker).model_copy(update={"host": host})) as connection:

        async def listen() -> None:
            async for message in connection.received():
                if message.topic == fence:
                    return
                if message.retain:
                    given[message.topic] = message.payload

        await connection.subscribe([fence, topic_filter])
        await (await connection.publish(fence, b"", retain=False))
        async with asyncio.timeout(_PATIENCE_S):
            await listen()
        known = -1
        while known != len(given):
            known = len(given)
            with suppress(TimeoutError):
                async with asyncio.timeout(_QUIET_S):
                    await listen()
    return given


async def everything_published(observer: Observer, place: str) -> None:
    """All that the example's observatory has: seven devices; and the bridge's own topics and device."""
    await observer.wait_until(
        lambda: (
            len(observer.held_below(f"{place}-ha/device/")) == len(of.all_devices()) + 1
            and f"{place}/{of.RIG}/target/{of.M31}" in observer.held
            and f"{place}/bridge" in observer.held
            and observer.held.get(f"{place}/status") == b"online"
        ),
        "everything of the example",
    )
