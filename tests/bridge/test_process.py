"""`ts2mqtt run`, `clean` and `healthcheck` as processes of their own, as a container or systemd runs them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.bridge.test_bridge import all_published
from tests.support import topics_of_example as of
from tests.support.mosquitto import Mosquitto, free_port
from tests.support.observer import observing, retained_on
from tests.support.running import mqtt_config
from ts2mqtt.bridge.sign_of_life import FRESH_S, make_sure_of_life, sign_paths
from ts2mqtt.errors import NoSignOfLifeError
from ts2mqtt.timing import SystemClock

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator
    from pathlib import Path

    from ts2mqtt.simulator.api import SimulatedApi
    from ts2mqtt.simulator.observatory import SimulatedObservatory

_CONFIG = """\
mqtt: {{host: 127.0.0.1, port: {port}}}
rigs: [{{name: Backyard, url: "{url}"}}]
polling: {{interval: 5s, edit_interval: 5s}}
"""


def written(directory: Path, port: int, url: str) -> Path:
    path = directory / "config.yaml"
    path.write_text(_CONFIG.format(port=port, url=url))
    return path


@asynccontextmanager
async def started(
    command: str, config: Path, *options: str, program: str = "ts2mqtt", **environment: str
) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", program, command, "-c", str(config), *options),
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def finished(command: str, config: Path, *options: str, **environment: str) -> tuple[int | None, str]:
    """Exit code and output of a command that ends by itself."""
    async with started(command, config, *options, **environment) as process, asyncio.timeout(20):
        output, _ = await process.communicate()
        return process.returncode, output.decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_bridge_that_is_told_to_stop_says_offline_and_exits_with_0_soon(
    mosquitto: Mosquitto, example_api: SimulatedApi, tmp_path: Path, number: signal.Signals
) -> None:
    loop = asyncio.get_running_loop()
    config = written(tmp_path, mosquitto.port, example_api.url)
    async with observing(mosquitto.port) as observer, started("run", config) as bridge:
        await all_published(observer)
        bridge.send_signal(number)
        stopping = loop.time()
        assert await bridge.wait() == 0
        assert loop.time() - stopping < 5
        await observer.catch_up()
        assert observer.since(0)[-1] == observer.seen[-1]
        assert (observer.seen[-1].topic, observer.seen[-1].payload) == (of.STATUS, b"offline")
        assert of.all_devices() | of.all_states() <= observer.held.keys()


async def test_a_bridge_that_is_killed_is_offline_by_its_last_will(
    mosquitto: Mosquitto, example_api: SimulatedApi, tmp_path: Path
) -> None:
    async with observing(mosquitto.port) as observer:
        async with started("run", written(tmp_path, mosquitto.port, example_api.url)) as bridge:
            await all_published(observer)
            bridge.kill()
            await observer.wait_for(of.STATUS, b"offline")
        assert (await retained_on(mosquitto.port))[of.STATUS] == b"offline"


async def test_a_bridge_without_broker_and_rig_stops_when_told(tmp_path: Path) -> None:
    async with started("run", written(tmp_path, free_port(), f"http://127.0.0.1:{free_port()}")) as bridge:
        assert bridge.stdout
        lines: list[str] = []
        while not any("no broker" in line for line in lines):
            lines.append((await bridge.stdout.readline()).decode())
            assert lines[-1], lines
        bridge.terminate()
        async with asyncio.timeout(5):
            assert await bridge.wait() == 0
        assert not any("Traceback" in line for line in lines)


class TestReadiness:
    async def test_healthcheck_says_0_while_the_bridge_hears_itself_and_1_after(
        self, mosquitto: Mosquitto, example_api: SimulatedApi, tmp_path: Path
    ) -> None:
        config = written(tmp_path, mosquitto.port, example_api.url)
        async with observing(mosquitto.port) as observer, started("run", config) as bridge:
            await all_published(observer)
            assert await finished("healthcheck", config, "--ready") == (0, "")
            bridge.send_signal(signal.SIGSTOP)
            code, output = await finished("healthcheck", config, "--ready")
            assert code == 1
            assert "no bridge at work under 'ts2mqtt'" in output
            bridge.send_signal(signal.SIGCONT)

    async def test_healthcheck_says_1_without_a_broker(self, tmp_path: Path) -> None:
        code, output = await finished("healthcheck", written(tmp_path, free_port(), "http://127.0.0.1:9"), "--ready")
        assert code == 1
        assert output.startswith("ts2mqtt: no broker at 127.0.0.1:")
        assert "Traceback" not in output


class TestLiveness:
    async def test_healthcheck_says_0_while_the_broker_is_away_and_the_events_arrive_afterwards(
        self, mosquitto: Mosquitto, example: SimulatedObservatory, example_api: SimulatedApi, tmp_path: Path
    ) -> None:
        config, signs = written(tmp_path, mosquitto.port, example_api.url), {"TMPDIR": str(tmp_path)}
        async with observing(mosquitto.port) as observer, started("run", config, **signs) as bridge:
            await all_published(observer)
            assert await finished("healthcheck", config, **signs) == (0, "")
            await mosquitto.stop()
            example.add_project(example.active_profile, "Of the outage")
            projects = f"/profiles/{example.active_profile.id}/projects"
            # The second look from now on begins after the first has been dealt with.
            await example_api.wait_for_request(projects, after=len(example_api.requests_to(projects)) + 1)
            assert await finished("healthcheck", config, **signs) == (0, "")
            assert (await finished("healthcheck", config, "--ready", **signs))[0] == 1
            restarted = datetime.now(UTC)
            await mosquitto.start()
            async with observing(mosquitto.port) as later:
                added = await later.wait_for(
                    f"ts2mqtt/{of.RIG}/event", lambda event: event["event_type"] == "project_added"
                )
                assert added.json["project_name"] == "Of the outage"
                assert datetime.fromisoformat(added.json["noticed"]) < restarted
            assert bridge.returncode is None

    async def test_healthcheck_says_1_after_the_bridge_has_stopped(
        self, mosquitto: Mosquitto, example_api: SimulatedApi, tmp_path: Path
    ) -> None:
        config, signs = written(tmp_path, mosquitto.port, example_api.url), {"TMPDIR": str(tmp_path)}
        async with observing(mosquitto.port) as observer, started("run", config, **signs) as bridge:
            await observer.wait_for(of.STATUS, b"online")
            bridge.terminate()
            await bridge.wait()
            code, output = await finished("healthcheck", config, **signs)
            assert code == 1
            assert f"shows a sign of life in {tmp_path} or /dev/shm; does `ts2mqtt run` work here" in output

    async def test_the_sign_grows_old_when_the_main_loop_hangs_though_the_process_lives(
        self, mosquitto: Mosquitto, example_api: SimulatedApi, tmp_path: Path
    ) -> None:
        config, signs = written(tmp_path, mosquitto.port, example_api.url), {"TMPDIR": str(tmp_path)}
        paths = sign_paths(mqtt_config(mosquitto.port), signs)
        program = "tests.support.hanging_loop"
        async with observing(mosquitto.port) as observer, started("run", config, program=program, **signs) as bridge:
            await observer.wait_for(of.STATUS, b"online")
            make_sure_of_life(paths, SystemClock())
            bridge.send_signal(signal.SIGUSR1)
            async with asyncio.timeout(6 * FRESH_S):
                with pytest.raises(NoSignOfLifeError, match="its main loop hangs"):
                    await _stays_alive(paths)
            assert bridge.returncode is None
            code, output = await finished("healthcheck", config, **signs)
            assert (code, "its main loop hangs" in output) == (1, True)


async def _stays_alive(paths: tuple[Path, ...]) -> None:
    """Looks at the signs of life once a second, for ever."""
    while True:
        make_sure_of_life(paths, SystemClock())
        await asyncio.sleep(1)


async def test_clean_tells_how_much_it_cleared(
    mosquitto: Mosquitto, example_api: SimulatedApi, tmp_path: Path
) -> None:
    config = written(tmp_path, mosquitto.port, example_api.url)
    async with observing(mosquitto.port) as observer:
        async with started("run", config) as bridge:
            await all_published(observer)
            code, output = await finished("clean", config)
            assert (code, "another bridge is at work" in output) == (1, True)
            bridge.terminate()
            await bridge.wait()
        held = len(observer.held)
        assert await finished("clean", config) == (0, f"cleared {held} topics under 'ts2mqtt'\n")
        assert await retained_on(mosquitto.port) == {}
