"""ts2mqtt in Python for Windows, under Wine: its commands, and the signals of Windows."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.observer import observing
from tests.support.project import ROOT
from tests.windows.prepare import NEWEST, VERSIONS
from tests.windows.program import LONGEST_S, SHORT, WindowsPython, prepared, windows_path
from ts2mqtt.cli import parser

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.certificates import Certificates
    from tests.support.mosquitto import Mosquitto
    from ts2mqtt.simulator.api import SimulatedApi

pytestmark = [SHORT, pytest.mark.timeout(LONGEST_S)]

TS2MQTT = ("-m", "ts2mqtt")


@pytest.fixture
def windows() -> WindowsPython:
    return prepared(NEWEST)


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [name for name in os.environ if name.startswith("TS2MQTT_")]:
        monkeypatch.delenv(variable)


def written(folder: Path, mqtt: str, url: str) -> str:
    """The configuration's path, as Windows has it."""
    path = folder / "config.yaml"
    path.write_text(f"mqtt: {mqtt}\nrigs: [{{name: Backyard, url: '{url}'}}]\npolling: {{interval: 5s}}\n")
    return windows_path(path)


async def test_the_bridge_works_and_ctrl_c_ends_it(
    windows: WindowsPython, mosquitto: Mosquitto, example_api: SimulatedApi, tmp_path: Path
) -> None:
    config = written(tmp_path, f"{{host: 127.0.0.1, port: {mosquitto.port}}}", example_api.url)
    async with observing(mosquitto.port) as observer:
        async with windows.started(*TS2MQTT, "run", "-c", config) as bridge:
            await bridge.says("Home Assistant gets")
            await observer.wait_for("ts2mqtt/backyard/state")
            assert await windows.output_of(*TS2MQTT, "healthcheck", "-c", config) == (0, "")
            code, output = await windows.output_of(*TS2MQTT, "check", "-c", config, "--json")
            assert (code, {finding["ok"] for finding in json.loads(output)} - {None}) == (0, {True})

            await mosquitto.stop()
            await bridge.says("WARNING MQTT:")
            mark = observer.mark()
            await mosquitto.start(keep_retained=False)
            await bridge.says("connected to the broker")
            await observer.wait_for("ts2mqtt/backyard/state", after=mark)
            assert await bridge.ended_by_ctrl_c() == 0
            assert bridge.lines[-1].endswith("ts2mqtt has stopped")
        await observer.wait_for("ts2mqtt/status", b"offline", after=mark)
        code, output = await windows.output_of(*TS2MQTT, "clean", "-c", config)
        assert (code, output.startswith("cleared ")) == (0, True)


async def test_the_bridge_speaks_tls(
    windows: WindowsPython,
    mosquitto_with: Callable[..., Mosquitto],
    certificates: Certificates,
    example_api: SimulatedApi,
    tmp_path: Path,
) -> None:
    shutil.copy(certificates.ca, tmp_path / "ca.crt")
    async with mosquitto_with(tls=certificates) as broker:
        tls = "tls: {enabled: true, ca_file: ca.crt}"
        config = written(tmp_path, f"{{host: 127.0.0.1, port: {broker.port}, {tls}}}", example_api.url)
        async with windows.started(*TS2MQTT, "run", "-c", config) as bridge:
            await bridge.says("connected to the broker")
            await bridge.says("Home Assistant gets")
            assert await bridge.ended_by_ctrl_c() == 0


@pytest.mark.parametrize("encoding", ["cp437", "cp1252"])
async def test_the_demo_shows_messages_whatever_the_code_page_until_ctrl_c(
    windows: WindowsPython, encoding: str
) -> None:
    async with windows.started(
        *TS2MQTT, "demo", "--port", "0", "--seed", "1", "--plain", PYTHONIOENCODING=encoding
    ) as demo:
        await demo.says("ts2mqtt/backyard/status  online")
        await demo.says("ts2mqtt/backyard/plan  {")
        assert await demo.ended_by_ctrl_c() == 0
        assert "Traceback" not in "".join(demo.lines)


# Each version of asyncio has its own way with signals.
@pytest.mark.parametrize("version", VERSIONS)
async def test_signals_and_the_close_of_the_console_end_a_command(version: str) -> None:
    code, output = await prepared(version).output_of("-m", "tests.windows.signals_inside")
    assert (code, output.splitlines()) == (0, ["SIGINT 0", "SIGTERM 0", "SIGBREAK 0", "later 0", "close 0 []"])


async def test_windows_takes_the_scheduled_task_and_the_task_starts_the_bridge(windows: WindowsPython) -> None:
    task = ROOT / "deploy" / "windows" / "ts2mqtt-task.xml"
    assert task.read_bytes().isascii()
    assert (await windows.ended("schtasks", "/create", "/tn", "ts2mqtt", "/f", "/xml", windows_path(task)))[0] == 0
    (arguments,) = re.findall("<Arguments>/c ts2mqtt.exe (.*) &gt;&gt; ts2mqtt.log", task.read_text())
    assert parser().parse_args(arguments.split()).config == Path("config.yaml")


async def test_a_file_whose_ending_windows_hides_is_named(windows: WindowsPython, tmp_path: Path) -> None:
    (tmp_path / "config.yaml.txt").write_text("mqtt: {host: broker}\n")
    code, output = await windows.output_of(*TS2MQTT, "check", "-c", windows_path(tmp_path / "config.yaml"))
    assert code == 2
    assert "config.yaml.txt" in output
