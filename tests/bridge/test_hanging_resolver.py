"""A resolver that hangs, as processes meet it: it makes neither another rig silent nor a stop slow."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.bridge import test_process as process
from tests.support.observer import observing
from tests.support.odd_resolver import HANGS_WHILE_THERE

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto
    from ts2mqtt.simulator.api import SimulatedApi

_HANGING_RIGS = 8
"""More than asyncio has threads of its own on a machine with two cores."""


def written(directory: Path, host: str, broker_port: int, api_port: int) -> Path:
    hanging = "".join(
        f"  - {{name: Hangs {number}, url: 'http://rig-{number}.hangs.test:8188'}}\n"
        for number in range(_HANGING_RIGS)
    )
    path = directory / "config.yaml"
    path.write_text(
        f"mqtt: {{host: {host}, port: {broker_port}}}\n"
        "polling: {interval: 5s}\n"
        f"rigs:\n{hanging}  - {{name: Works, url: 'http://works.test:{api_port}'}}\n"
    )
    return path


def started(config: Path, **environment: str) -> AbstractAsyncContextManager[Process]:
    """A bridge with a resolver that hangs."""
    return process.started("run", config, program="tests.support.odd_resolver", **environment)


async def says(bridge: Process, text: str) -> str:
    """The first line of the log with this text."""
    assert bridge.stdout
    async with asyncio.timeout(60):
        async for line in bridge.stdout:
            if text in line.decode():
                return line.decode()
    raise AssertionError(f"the log ended before it said {text!r}")


async def stopped(bridge: Process) -> int | None:
    bridge.terminate()
    async with asyncio.timeout(30):
        return await bridge.wait()


async def test_another_rig_stays_online_and_a_stop_does_not_wait(
    mosquitto: Mosquitto, example_api: SimulatedApi, tmp_path: Path
) -> None:
    config = written(tmp_path, "works.test", mosquitto.port, example_api.port)
    hanging = tmp_path / "hanging"
    async with observing(mosquitto.port) as observer, started(config, **{HANGS_WHILE_THERE: str(hanging)}) as bridge:
        assert (
            "the name in http://rig-0.hangs.test:8188 cannot be looked up (the name server does not answer)"
            in await says(bridge, "Hangs 0: the API does not answer")
        )
        await observer.wait_for("ts2mqtt/works/status", b"online")
        # What worked goes on with its last address, also on a new connection to the broker.
        hanging.touch()
        await mosquitto.kill()
        await says(bridge, "MQTT: ")
        await mosquitto.start()
        await says(bridge, "connected to the broker at works.test")
        assert await stopped(bridge) == 0


async def test_a_bridge_whose_broker_hangs_in_the_resolver_says_so_and_stops(
    example_api: SimulatedApi, tmp_path: Path
) -> None:
    async with started(written(tmp_path, "broker.hangs.test", 1883, example_api.port)) as bridge:
        line = await says(bridge, "MQTT: ")
        assert (
            "no broker at broker.hangs.test:1883: its name cannot be looked up (the name server does not answer)"
            in line
        )
        assert await stopped(bridge) == 0
