"""One bridge with a hundred rigs that starts again while they expose: nothing is lost, cleared or told twice."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from contextlib import AsyncExitStack
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import topics_of_example as of
from tests.support.observer import observing, retained_on
from tests.support.running import Log, mqtt_config, polling, running_bridge
from ts2mqtt.config import Config, RigConfig
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.observatory import SimulatedObservatory
from ts2mqtt.timing import PacedClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer, Seen

_LOG = logging.getLogger(__name__)
_ZONE = timezone(timedelta(hours=-5))
_NIGHT = datetime(2026, 2, 27, 22, tzinfo=_ZONE)
_POLL_S = 30.0
"""As by default: a restart takes less than two looks even on a busy machine."""

_PATIENCE_S = 60.0
_SERIAL = [f"rig-{number:03}" for number in range(100)]
_PLANNED, _OFF = _SERIAL[:10], _SERIAL[90:]
"""Rigs that have a night plan, and rigs whose PCs are off while the bridge starts again."""


class Site:
    """A hosting site: a hundred rigs, and the bridge that serves them."""

    def __init__(self, port: int, observer: Observer) -> None:
        self.rigs: dict[str, SimulatedApi] = {}
        self.acquired: Counter[str] = Counter()
        self._port = port
        self._observer = observer
        # A night that lasts as long as the test.
        self.clock = PacedClock(_NIGHT, 1)
        self._bridge = AsyncExitStack()

    async def build(self, stack: AsyncExitStack) -> None:
        for seed, rig_id in enumerate(_SERIAL):
            observatory = SimulatedObservatory(seed=seed, timezone=_ZONE, now=_NIGHT)
            project = observatory.add_project(observatory.add_profile("Refractor"), "Galaxies")
            target = observatory.add_target(project, "M 31", ra_hours=0.712, dec_deg=41.27)
            # So short that several can have been taken between any two looks.
            observatory.add_exposure_plan(target, "Lum", exposure_s=1, desired=100)
            api = SimulatedApi(observatory, clock=self.clock.now)
            self.rigs[rig_id] = await stack.enter_async_context(api)

    def expose(self) -> None:
        """Every rig that is on saves an image."""
        for rig_id, api in self.rigs.items():
            if api.is_listening:
                api.observatory.acquire(next(iter(api.observatory.targets())))
                self.acquired[rig_id] += 1

    async def restart(self) -> None:
        """Rigs expose before it, while no bridge is there, and after it."""
        self.expose()
        await self.stop()
        self.expose()
        await self.start()
        self.expose()

    async def start(self) -> None:
        """Returns when the bridge is online."""
        after = self._observer.mark()
        config = Config(
            mqtt=mqtt_config(self._port),
            rigs=tuple(RigConfig(name=rig_id, id=rig_id, url=(api.url,)) for rig_id, api in self.rigs.items()),
            polling=polling(interval=_POLL_S, slow_interval=600.0),
        )
        await self._bridge.enter_async_context(running_bridge(config, self.clock))
        await self._observer.wait_for(of.STATUS, b"online", after=after)

    async def stop(self) -> None:
        await self._bridge.aclose()


def of_rigs(held: Iterable[str]) -> set[str]:
    return {topic for topic in held if "rig-" in topic}


def first_seen(held: dict[str, bytes]) -> dict[str, Any]:
    return {
        topic: json.loads(payload)["first_seen"]
        for topic, payload in held.items()
        if "/project/" in topic or "/target/" in topic
    }


def events_of(seen: Iterable[Seen]) -> Counter[str]:
    """Exposures that were told as acquired, by rig."""
    counts: Counter[str] = Counter()
    for message in seen:
        if message.topic.endswith("/event") and message.json["event_type"] == "exposure_acquired":
            counts[message.topic.split("/")[1]] += message.json["count"]
    return counts


def longest_gap_s(api: SimulatedApi) -> float:
    """The longest time between two looks at a rig."""
    times = [recorded.time for recorded in api.requests_to("/profiles")]
    return max((after - before).total_seconds() for before, after in pairwise(times))


async def until(observer: Observer, condition: Callable[[], bool], what: str) -> None:
    """Looks again after every round trip to the broker: with every message would be too often for so many."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while not condition():
                await observer.catch_up()
    except TimeoutError:
        raise AssertionError(f"waited in vain for {what}") from None


async def all_told(site: Site, observer: Observer) -> None:
    """Every rig is read, and all that it has done is told."""
    for rig_id in site.acquired:
        await observer.publish(f"ts2mqtt/{rig_id}/command", "refresh")
    await until(observer, lambda: events_of(observer.seen) == site.acquired, "every exposure to be told once")


@pytest.mark.timeout(240)
async def test_a_bridge_with_a_hundred_rigs_starts_again_and_again(
    mosquitto_with: Callable[..., Mosquitto],
    monkeypatch: pytest.MonkeyPatch,
    log: Log,
) -> None:
    """Rigs expose at every step, and ten of them are off."""
    monkeypatch.setattr("tests.support.observer._PATIENCE_S", _PATIENCE_S)
    async with (
        mosquitto_with(options=["max_queued_messages 0"]) as mosquitto,
        observing(mosquitto.port) as observer,
        AsyncExitStack() as stack,
    ):
        site = Site(mosquitto.port, observer)
        await site.build(stack)
        stack.push_async_callback(site.stop)

        await site.start()
        # Rigs are begun one after the other.
        await observer.wait_until(lambda: len(of_rigs(observer.held)) == 100 * 10, "all that is read of every rig")
        for rig_id in _PLANNED:
            await observer.publish(f"ts2mqtt/{rig_id}/command", "refresh_plan")
        pictures = {f"ts2mqtt/{rig_id}/plan/image" for rig_id in _PLANNED}
        await observer.wait_until(lambda: pictures <= observer.held.keys(), "the night plans")
        for rig_id in _OFF:
            await site.rigs[rig_id].stop()
            await observer.publish(f"ts2mqtt/{rig_id}/command", "refresh")
        off = {f"ts2mqtt/{rig_id}/status" for rig_id in _OFF}
        await observer.wait_until(
            lambda: {observer.held[topic] for topic in off} == {b"offline"}, "rigs that are off"
        )
        before = dict(observer.held)
        mark = observer.mark()
        assert len(of_rigs(before)) == 100 * 10 + len(_PLANNED)

        for _ in range(2):
            await site.restart()
            await all_told(site, observer)

        held = dict(observer.held)
        assert held == await retained_on(mosquitto.port)
        assert held.keys() - of_rigs(held) == {of.STATUS, of.BRIDGE, of.BRIDGE_DEVICE}
        assert of_rigs(held) == of_rigs(before)
        assert first_seen(held) == first_seen(before)
        for rig_id in _PLANNED:
            for topic in (f"ts2mqtt/{rig_id}/plan", f"ts2mqtt/{rig_id}/plan/image"):
                assert held[topic] == before[topic]
            assert len(site.rigs[rig_id].requests_to("/profiles/*/preview")) == 1

        since = observer.since(mark)
        assert [seen.topic for seen in since if not seen.payload and "rig-" in seen.topic] == []
        assert [seen.topic for seen in since if seen.topic.endswith("/status") and "rig-" in seen.topic] == []
        expected = ("the API does not answer", "reading the night plan on request")
        assert [line for line in log.problems if not any(text in line for text in expected)] == []
        longest = max(longest_gap_s(site.rigs[rig_id]) for rig_id in _SERIAL if rig_id not in _OFF)
        _LOG.info("the longest gap between two looks at a rig was %.1f s", longest)
        assert longest <= 2 * _POLL_S
