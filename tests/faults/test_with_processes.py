"""The same with a real Mosquitto and real processes, which SIGKILL ends at any moment."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.rigs import RandomRig
from tests.faults.truth import comparable, differences
from tests.support.observer import observing, retained_on
from tests.support.running import bridge_config, running_bridge
from tests.support.topics_of_example import NAMES
from ts2mqtt.simulator.broker import EmbeddedBroker
from ts2mqtt.simulator.random_numbers import random_numbers

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

_SEQUENCES = int(os.environ.get("FAULT_PROCESSES", "4"))
_STEPS = 7
_PATIENCE_S = 90.0
_HAPPENINGS = ("database", "database", "rig", "rig", "bridge", "bridge", "broker", "frozen", "garbage")
_FOREIGN = {"ts2mqtt/notes/of/mine": b"kept", "homeassistant/device/other/backyard/config": b"{}"}
_CONFIG = """\
mqtt: {{host: 127.0.0.1, port: {port}, protocol: "{protocol}"}}
rigs: [{{name: Backyard, url: ["{urls[0]}", "{urls[1]}"]}}]
polling: {{interval: 5s, edit_interval: 5s, slow_interval: 5s, statistics_interval: 1m, plan: "off"}}
log: {{level: warning}}
"""


class _Places:
    """A Mosquitto, a rig, and the bridge as a process, which may be dead."""

    def __init__(self, seed: int, directory: Path, broker: Mosquitto) -> None:
        self.chance = random_numbers(seed, "processes")
        self.broker = broker
        noon = datetime(2026, 2, 27, 17, tzinfo=UTC)
        self.rig = RandomRig("backyard", "Backyard", seed, self.chance, lambda: noon)
        self._config = directory / "config.yaml"
        self._bridge: Process | None = None

    async def begin(self) -> None:
        await self.rig.start()
        protocol = self.chance.choice(("3.1.1", "5"))
        self._config.write_text(_CONFIG.format(port=self.broker.port, urls=self.rig.urls, protocol=protocol))
        await self.plant_foreign()
        await self.start_bridge()

    async def end(self) -> None:
        await self.kill_bridge()
        await self.rig.stop()

    async def start_bridge(self) -> None:
        if self._bridge is None:
            self._bridge = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "ts2mqtt", "run", "-c", str(self._config)), stdin=subprocess.DEVNULL
            )

    async def kill_bridge(self) -> None:
        bridge, self._bridge = self._bridge, None
        if bridge is not None:
            bridge.send_signal(signal.SIGKILL)
            await bridge.wait()

    async def plant_foreign(self) -> None:
        async with observing(self.broker.port) as stranger:
            for topic, payload in _FOREIGN.items():
                await stranger.publish(topic, payload, retain=True)

    async def happen(self) -> str:
        choose = self.chance
        match choose.choice(
            ("database", "database", "rig", "rig", "bridge", "bridge", "broker", "frozen", "garbage")
        ):
            case "database":
                return ", ".join(self.rig.change() for _ in range(3))
            case "rig":
                return f"the rig {await self.rig.disturb()}"
            case "bridge":
                await self.kill_bridge()
                await self.start_bridge()
                return "the bridge is killed and starts"
            case "broker":
                keeps = choose.random() < 0.5
                await self.broker.save()
                await self.broker.kill()
                await self.broker.start(keep_retained=keeps)
                await self.plant_foreign()
                return f"the broker is killed and starts {'with' if keeps else 'without'} what it had saved"
            case "frozen":
                self.broker.freeze()
                await asyncio.sleep(choose.random() * 2)
                self.broker.thaw()
                return "the broker hangs for a moment"
            case _:
                await self.kill_bridge()
                held = sorted(topic for topic in await retained_on(self.broker.port) if topic not in _FOREIGN)
                async with observing(self.broker.port) as stranger:
                    for topic in choose.sample(held, min(3, len(held))):
                        await stranger.publish(topic, choose.choice((b"\xff", b"{}", b"[]")), retain=True)
                await self.start_bridge()
                return "the bridge finds garbage at its start"

    async def make_well(self) -> None:
        await self.rig.make_well()
        await self.start_bridge()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(_SEQUENCES))
async def test_after_any_faults_a_mosquitto_holds_what_the_observatory_says(
    seed: int, tmp_path: Path, mosquitto_with: Callable[..., Mosquitto]
) -> None:
    steps: list[str] = []
    async with mosquitto_with() as broker:
        places = _Places(seed, tmp_path, broker)
        await places.begin()
        try:
            for _ in range(_STEPS):
                await asyncio.sleep(places.chance.random() * 2)
                steps.append(await places.happen())
            await places.make_well()
            expected = await _as_a_newcomer_says(places.rig)
            problems = await _settled(broker.port, expected)
        finally:
            await places.end()
    assert not problems, "\n".join([f"seed {seed}", *steps, *problems])


async def _as_a_newcomer_says(rig: RandomRig) -> dict[str, Any]:
    things = {
        NAMES.topics.thing(subject.rig_id, subject.kind or "", subject.thing_id or "") for subject in rig.subjects()
    }
    async with EmbeddedBroker() as broker, asyncio.timeout(_PATIENCE_S):
        config = bridge_config(broker.port, rig.api)
        async with running_bridge(config):
            statistics = [
                target.id for target in rig.observatory.targets() if any(p.images for p in target.exposure_plans)
            ]
            counters = rig.observatory.counters.statistics_requests
            before = dict(counters)
            while not things <= broker.retained.keys() or any(
                counters[target] == before.get(target, 0) for target in statistics
            ):
                await rig.api.wait_for_answer(after=len(rig.api.answered))
            # One more look, so that what was read last has been published.
            await rig.api.wait_for_answer("/profiles", after=len(rig.api.requests_to("/profiles")) + 1)
            await asyncio.sleep(0.5)
            return comparable(broker.retained)


async def _settled(port: int, expected: dict[str, Any]) -> list[str]:
    """Births are repeated, as the bridge may be away when one comes."""
    expected = _with_ones_own(expected)
    deadline = asyncio.get_running_loop().time() + _PATIENCE_S
    while True:
        async with observing(port) as home_assistant:
            await home_assistant.publish("homeassistant/status", "online")
        held = _with_ones_own(comparable(await retained_on(port)))
        problems = differences(held, expected, _FOREIGN)
        if not problems or asyncio.get_running_loop().time() > deadline:
            return problems
        await asyncio.sleep(3.0)


def _with_ones_own(held: dict[str, Any]) -> dict[str, Any]:
    """Without what the two configurations differ in, addresses and the protocol, and without records of removals.

    A record stays for two minutes after Home Assistant was shown what went; simulated sequences wait for that.
    """
    return {
        topic: {key: value for key, value in payload.items() if key not in {"rigs", "protocol"}}
        if topic == NAMES.topics.bridge and isinstance(payload, dict)
        else payload
        for topic, payload in held.items()
        if not topic.startswith(NAMES.topics.removed(""))
    }
