"""A hundred rigs shared by replicas whose number changes: each rig is served by one of them, whatever happens."""

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

from tests.support.observer import observing, retained_on
from tests.support.running import Log, mqtt_config, polling, running_bridge
from ts2mqtt.bridge.sharding import Shard, owner
from ts2mqtt.config import Config, RigConfig
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.observatory import SimulatedObservatory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer, Seen

_LOG = logging.getLogger(__name__)
_ZONE = timezone(timedelta(hours=-5))
_NIGHT = datetime(2026, 2, 27, 22, tzinfo=_ZONE)
_POLL_S = 30.0
"""As by default: a whole scaling takes less than two looks even on a busy machine."""

_PATIENCE_S = 60.0
_SERIAL = [f"rig-{number:03}" for number in range(100)]
_PLANNED, _OFF = _SERIAL[:10], _SERIAL[90:]
"""Rigs that have a night plan, and rigs whose PCs are off while the replicas change."""


class Site:
    """A hosting site: a hundred rigs, and replicas that start and stop as a StatefulSet's pods do."""

    def __init__(self, port: int, observer: Observer) -> None:
        self.rigs: dict[str, SimulatedApi] = {}
        self.acquired: Counter[str] = Counter()
        self._port = port
        self._observer = observer
        self._began = asyncio.get_running_loop().time()
        self._pods: dict[int, AsyncExitStack] = {}

    def clock(self) -> datetime:
        """A night that lasts as long as the test."""
        return _NIGHT + timedelta(seconds=asyncio.get_running_loop().time() - self._began)

    async def build(self, stack: AsyncExitStack) -> None:
        for seed, rig_id in enumerate(_SERIAL):
            observatory = SimulatedObservatory(seed=seed, timezone=_ZONE, now=_NIGHT)
            project = observatory.add_project(observatory.add_profile("Refractor"), "Galaxies")
            target = observatory.add_target(project, "M 31", ra_hours=0.712, dec_deg=41.27)
            observatory.add_exposure_plan(target, "Lum", exposure_s=60, desired=100)
            api = SimulatedApi(observatory, clock=self.clock)
            self.rigs[rig_id] = await stack.enter_async_context(api)

    def expose(self) -> None:
        """Every rig that is on saves an image."""
        for rig_id, api in self.rigs.items():
            if api.is_listening:
                api.observatory.acquire(next(iter(api.observatory.targets())))
                self.acquired[rig_id] += 1

    async def scale(self, count: int) -> None:
        """New pods come first and those too many go first, the highest last and first; the others start anew."""
        before = len(self._pods)
        for index in reversed(range(count, before)):
            await self.stop(index)
        for index in range(before, count):
            await self.start(index, count)
            self.expose()
        for index in reversed(range(min(before, count))):
            self.expose()
            await self.stop(index)
            self.expose()
            await self.start(index, count)

    async def start(self, index: int, count: int) -> None:
        """Returns when it is ready, as `ts2mqtt healthcheck` would say."""
        after = self._observer.mark()
        self._pods[index] = AsyncExitStack()
        config = Config(
            mqtt=mqtt_config(self._port),
            rigs=tuple(RigConfig(name=rig_id, id=rig_id, url=(api.url,)) for rig_id, api in self.rigs.items()),
            polling=polling(interval=_POLL_S, slow_interval=600.0),
            shard=Shard(index, count),
        )
        await self._pods[index].enter_async_context(running_bridge(config, self.clock))
        await self._observer.wait_for(f"ts2mqtt/bridge/{index}/status", b"online", after=after)

    async def stop(self, index: int) -> None:
        await self._pods.pop(index).aclose()

    async def stop_all(self) -> None:
        for index in list(self._pods):
            await self.stop(index)


def serving(held: dict[str, bytes]) -> dict[str, list[str]]:
    """By rig, the replicas that are online and say that they serve it."""
    found: dict[str, list[str]] = {rig_id: [] for rig_id in _SERIAL}
    for topic, payload in held.items():
        if topic.startswith("ts2mqtt/bridge/") and held.get(f"{topic}/status") == b"online":
            for rig in json.loads(payload)["rigs"]:
                found[rig["id"]].append(topic.removeprefix("ts2mqtt/bridge/"))
    return found


def as_it_belongs(count: int) -> dict[str, list[str]]:
    return {rig_id: [str(owner(rig_id, count))] for rig_id in _SERIAL}


def followed(held: dict[str, bytes]) -> dict[str, set[str]]:
    """By rig, the replicas that its devices follow."""
    found: dict[str, set[str]] = {rig_id: set() for rig_id in _SERIAL}
    for topic, payload in held.items():
        rig_id = topic.removeprefix("homeassistant/device/ts2mqtt/")[:7]
        if rig_id in found and topic.endswith("/config"):
            availability = json.loads(payload)["availability"]
            found[rig_id] |= {one["topic"].split("/")[2] for one in availability}
    return found


def of_rigs(held: Iterable[str]) -> set[str]:
    return {topic for topic in held if "rig-" in topic}


def first_seen(held: dict[str, bytes]) -> dict[str, Any]:
    return {
        topic: json.loads(payload)["first_seen"]
        for topic, payload in held.items()
        if "/project/" in topic or "/target/" in topic
    }


def overlaps(seen: Iterable[Seen]) -> list[dict[str, list[str]]]:
    """Every moment at which two replicas that are online say that they serve one rig."""
    held: dict[str, bytes] = {}
    found = []
    for message in seen:
        if message.topic.startswith("ts2mqtt/bridge/") and not message.topic.endswith("/heartbeat"):
            held[message.topic] = message.payload
            held = {topic: payload for topic, payload in held.items() if payload}
            twice = {rig_id: replicas for rig_id, replicas in serving(held).items() if len(replicas) > 1}
            if twice:
                found.append(twice)
    return found


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


async def settled(site: Site, observer: Observer, count: int) -> None:
    """Every rig is served by the replica to which it belongs, and all that it has done is told."""
    await until(observer, lambda: serving(observer.held) == as_it_belongs(count), "each rig at its replica")
    belongs = {rig_id: set(replicas) for rig_id, replicas in as_it_belongs(count).items()}
    await until(observer, lambda: followed(observer.held) == belongs, "each rig's devices to follow its replica")
    for rig_id in site.acquired:
        await observer.publish(f"ts2mqtt/{rig_id}/command", "refresh")
    await until(observer, lambda: events_of(observer.seen) == site.acquired, "every exposure to be told once")


@pytest.mark.timeout(240)
async def test_four_replicas_with_a_hundred_rigs(
    mosquitto_with: Callable[..., Mosquitto],
    monkeypatch: pytest.MonkeyPatch,
    log: Log,
) -> None:
    """Two replicas become four and then three, while rigs expose at every step and ten of them are off."""
    monkeypatch.setattr("tests.support.observer._PATIENCE_S", _PATIENCE_S)
    async with (
        mosquitto_with(options=["max_queued_messages 0"]) as mosquitto,
        observing(mosquitto.port) as observer,
        AsyncExitStack() as stack,
    ):
        site = Site(mosquitto.port, observer)
        await site.build(stack)
        stack.push_async_callback(site.stop_all)

        for index in range(2):
            await site.start(index, 2)
        await settled(site, observer, 2)
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

        for count in (4, 3):
            await site.scale(count)
            await settled(site, observer, count)

        await observer.wait_until_gone(
            "ts2mqtt/bridge/3", "ts2mqtt/bridge/3/status", "homeassistant/device/ts2mqtt_replica_3/config"
        )
        held = dict(observer.held)
        assert held == await retained_on(mosquitto.port)
        assert held.keys() - of_rigs(held) == {
            topic
            for index in range(3)
            for topic in (
                f"ts2mqtt/bridge/{index}",
                f"ts2mqtt/bridge/{index}/status",
                f"homeassistant/device/ts2mqtt_replica_{index}/config",
            )
        }
        assert of_rigs(held) == of_rigs(before)
        assert first_seen(held) == first_seen(before)
        for rig_id in _PLANNED:
            for topic in (f"ts2mqtt/{rig_id}/plan", f"ts2mqtt/{rig_id}/plan/image"):
                assert held[topic] == before[topic]
            assert len(site.rigs[rig_id].requests_to("/profiles/*/preview")) == 1

        since = observer.since(mark)
        assert [seen.topic for seen in since if not seen.payload and "rig-" in seen.topic] == []
        assert [seen.topic for seen in since if seen.topic.endswith("/status") and "rig-" in seen.topic] == []
        assert overlaps(observer.seen) == []
        expected = ("the API does not answer", "reading the night plan on request")
        assert [line for line in log.problems if not any(text in line for text in expected)] == []
        longest = max(longest_gap_s(site.rigs[rig_id]) for rig_id in _SERIAL if rig_id not in _OFF)
        _LOG.info("the longest gap between two looks at a rig was %.1f s", longest)
        assert longest <= 2 * _POLL_S
