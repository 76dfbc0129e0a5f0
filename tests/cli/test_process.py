"""What surrounds a process: standard streams that are closed or full, signals at its start and end, its time zone."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from tests.support.mosquitto import free_port
from tests.support.observer import observing
from ts2mqtt.simulator.broker import EmbeddedBroker

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator
    from pathlib import Path

_PATIENCE_S = 60.0
FULL = "/dev/full"
EARLY_MODULES = ("ts2mqtt.cli", "ts2mqtt.commands", "ts2mqtt.bridge.bridge", "ts2mqtt.config.load")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Of a bridge without broker and rig."""
    path = tmp_path / "config.yaml"
    path.write_text(f"mqtt: {{host: 127.0.0.1, port: {free_port()}}}\nrigs: [{{url: 'http://127.0.0.1:1'}}]\n")
    return path


def ended(line: str, **variables: str) -> tuple[int, str]:
    """Exit code and output of a line of a shell, in which `ts2mqtt` is this one."""
    script = f'ts2mqtt() {{ "{sys.executable}" -m ts2mqtt "$@"; }}; {line}'
    done = subprocess.run(  # noqa: S603 - our own line
        ("/bin/sh", "-c", script),
        env=os.environ | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_PATIENCE_S,
        check=False,
    )
    return done.returncode, done.stdout.decode()


@asynccontextmanager
async def running(config: Path, redirection: str = "", program: str = "ts2mqtt") -> AsyncIterator[Process]:
    """`ts2mqtt run`, with its standard streams redirected as a shell does it."""
    process = await asyncio.create_subprocess_exec(
        *("/bin/sh", "-c", f'exec "{sys.executable}" -m {program} run -c "{config}" {redirection}'),
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


async def output_until_end(process: Process) -> str:
    async with asyncio.timeout(_PATIENCE_S):
        output, _ = await process.communicate()
    return output.decode()


class TestStandardStreams:
    @pytest.mark.parametrize("redirection", [">&-", "2>&-", "<&- >&- 2>&-", f">{FULL}", f"2>{FULL}", f">{FULL} 2>&1"])
    async def test_a_bridge_works_and_stops_without_them(self, tmp_path: Path, redirection: str) -> None:
        async with EmbeddedBroker() as broker, observing(broker.port) as observer:
            path = tmp_path / "config.yaml"
            path.write_text(
                f"mqtt: {{host: 127.0.0.1, port: {broker.port}}}\nrigs: [{{url: 'http://127.0.0.1:1'}}]\n"
            )
            async with running(path, redirection) as bridge:
                await observer.wait_for("ts2mqtt/status", b"online")
                bridge.terminate()
                assert "Traceback" not in await output_until_end(bridge)
                assert bridge.returncode == 0

    @pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-", "<&-"])
    @pytest.mark.parametrize(
        ("command", "code"), [("schema", 0), ("check", 1), ("healthcheck", 1), ("clean", 1), ("run -c nowhere", 2)]
    )
    def test_a_command_with_closed_ones_ends_as_ever(
        self, config: Path, command: str, code: int, redirection: str
    ) -> None:
        # The bridges of other tests have left no sign of life there.
        apart = {"TMPDIR": str(config.parent)}
        ended_with, output = ended(f"ts2mqtt {command} {redirection}", TS2MQTT_CONFIG=str(config), **apart)
        assert (ended_with, "Traceback" in output) == (code, False)

    @pytest.mark.parametrize("command", ["schema", "check", "simulate --port 0", "demo --port 0 --plain"])
    def test_a_command_whose_output_is_full_says_so(self, config: Path, command: str) -> None:
        assert ended(f"ts2mqtt {command} 2>&1 >{FULL}", TS2MQTT_CONFIG=str(config)) == (
            1,
            "ts2mqtt: the output cannot be written: No space left on device\n",
        )

    @pytest.mark.parametrize(("command", "code"), [("schema", 0), ("check", 1), ("run -c nowhere", 2)])
    def test_a_command_that_cannot_complain_ends_as_ever(self, config: Path, command: str, code: int) -> None:
        ended_with, output = ended(f"ts2mqtt {command} 2>{FULL}", TS2MQTT_CONFIG=str(config))
        assert (ended_with, "Traceback" in output) == (code, False)


class TestSignals:
    @pytest.mark.parametrize("module", EARLY_MODULES)
    async def test_a_hangup_in_the_first_moments_ends_no_bridge_and_is_heard(self, config: Path, module: str) -> None:
        async with running(config, program=f"tests.support.signal_at_import SIGHUP {module}") as bridge:
            assert bridge.stdout
            async with asyncio.timeout(_PATIENCE_S):
                while b"SIGHUP: the configuration was read again" not in (line := await bridge.stdout.readline()):
                    assert line, "it ended"
            bridge.terminate()
            await output_until_end(bridge)
            assert bridge.returncode == 0

    @pytest.mark.parametrize("module", EARLY_MODULES)
    async def test_ctrl_c_in_the_first_moments_leaves_no_traceback(self, config: Path, module: str) -> None:
        async with running(config, program=f"tests.support.signal_at_import SIGINT {module}") as bridge:
            assert await output_until_end(bridge) == ""
            assert bridge.returncode == 0

    async def test_ctrl_c_again_and_again_leaves_no_traceback(self, config: Path) -> None:
        async with running(config) as bridge:
            assert bridge.stdout
            output = (await bridge.stdout.readline()).decode()
            pressing = asyncio.create_task(_press_ctrl_c(bridge))
            output += await output_until_end(bridge)
            pressing.cancel()
            assert output.splitlines()[-1].endswith("ts2mqtt has stopped")
            assert bridge.returncode == 0


async def _press_ctrl_c(process: Process) -> None:
    """For ever, until the process has ended."""
    with suppress(ProcessLookupError):
        while True:
            # send_signal() would take the exit code from whoever waits for it.
            os.kill(process.pid, signal.SIGINT)
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("zone", ["XXX-30", "XXX+30", "XXX-24"])
def test_a_time_zone_of_more_than_a_day_is_refused_in_words(config: Path, zone: str) -> None:
    assert ended("ts2mqtt run", TS2MQTT_CONFIG=str(config), TZ=zone) == (
        2,
        "TZ: this machine's time zone is a day or more from UTC; expected a name such as Europe/Berlin\n",
    )
