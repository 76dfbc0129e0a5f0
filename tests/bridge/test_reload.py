"""SIGHUP to a bridge at work: what it takes up, what it says, and what it leaves alone."""

from __future__ import annotations

import asyncio
import logging
import os
import pty
import re
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from tests.bridge.test_bridge import all_published
from tests.bridge.test_process import started
from tests.cli.test_cli import Running
from tests.support import topics_of_example as of
from tests.support.observer import Observer, observing
from ts2mqtt.bridge.reload import hangup, reload
from ts2mqtt.config import Changes
from ts2mqtt.logs import format as log_format
from ts2mqtt.timing import RigTimings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto
    from tests.support.running import Log
    from ts2mqtt.config import Config
    from ts2mqtt.simulator.api import SimulatedApi

SECRET = "never-shown-8e2"  # noqa: S105 - the point is to look for it
# A look at the start, and then none before the test is over.
QUIET = "polling: {interval: 1h, plan: 'off'}\n"
VARIABLES = {"TS2MQTT_MQTT__HOST": "broker", "TS2MQTT_RIG_URL": "http://rig"}
READ_AGAIN = "SIGHUP: the configuration was read again; "


class ReloadedBridge:
    """A `ts2mqtt run` that has published everything of the documentation's example."""

    def __init__(self, running: Running, observer: Observer, path: Path, needed: str) -> None:
        self.observer = observer
        self.process = running.process
        self._running = running
        self._path = path
        self._needed = needed

    def write(self, text: str, **replaced: str) -> None:
        """The configuration from now on: broker and rig, and this."""
        needed = self._needed
        for old, new in replaced.items():
            needed = needed.replace(old, new)
        self._path.write_text(needed + text, encoding="utf-8")

    async def hang_up(self, pattern: str) -> str:
        """Sends SIGHUP; the line that then says this."""
        self.process.send_signal(signal.SIGHUP)
        return (await self.says(pattern)).string.rstrip("\n")

    async def says(self, pattern: str) -> re.Match[str]:
        found = await self._running.says(pattern)
        assert SECRET not in "".join(self._running.lines)
        return found

    async def has_gone_on(self) -> None:
        """Returns when the bridge has done what there was to do at this moment.

        A look that somebody wanted just after another is put off for so long.
        """
        await asyncio.sleep(RigTimings().least_gap_s)
        await self.observer.publish("ts2mqtt/command", "dance")
        await self.says("not understood: b'dance'")
        await self.observer.catch_up()

    @property
    def lines(self) -> list[str]:
        return self._running.lines


@pytest.fixture
async def bridge(mosquitto: Mosquitto, example_api: SimulatedApi, tmp_path: Path) -> AsyncIterator[ReloadedBridge]:
    path = tmp_path / "config.yaml"
    needed = (
        f"mqtt: {{host: 127.0.0.1, port: {mosquitto.port}}}\nrigs: [{{name: Backyard, url: '{example_api.url}'}}]\n"
    )
    path.write_text(needed + QUIET)
    path.chmod(0o600)
    async with observing(mosquitto.port) as observer, started("run", path) as process:
        bridge = ReloadedBridge(Running(process), observer, path, needed)
        await all_published(observer)
        await bridge.says("connected to the broker")
        yield bridge
        if process.returncode is None:
            process.terminate()
            assert await process.wait() == 0


async def test_a_reload_that_changes_nothing_touches_nothing(
    bridge: ReloadedBridge, example_api: SimulatedApi
) -> None:
    await bridge.has_gone_on()
    mark, asked = bridge.observer.mark(), len(example_api.requests)
    for _ in range(3):
        await bridge.hang_up(f"INFO    {READ_AGAIN}nothing in it has changed$")
    await bridge.has_gone_on()
    assert bridge.observer.topics_since(mark, but=("ts2mqtt/command",)) == []
    assert len(example_api.requests) == asked


async def test_polling_is_applied_at_once(bridge: ReloadedBridge, example_api: SimulatedApi) -> None:
    asked = len(example_api.requests_to("/profiles"))
    bridge.write("polling: {interval: 5s, timeout: 10s, plan: 'off'}\n")
    assert (await bridge.hang_up(READ_AGAIN)).endswith("; applied: polling.interval, polling.timeout")
    # The look with which the shorter interval begins, and one more.
    await example_api.wait_for_request("/profiles", after=asked + 1)


async def test_the_same_is_ordered_over_mqtt(bridge: ReloadedBridge) -> None:
    for level in ("debug", "info"):
        bridge.write(QUIET + f"log: {{level: {level}}}\n")
        await bridge.observer.publish("ts2mqtt/command", "reload")
        await bridge.says("reload: the configuration was read again; applied: log.level$")
        await bridge.observer.wait_for(of.BRIDGE, lambda about: about["log_level"] == level)  # noqa: B023 - waited for in this turn
    bridge.write("polling: {interval: soon}\n")
    await bridge.observer.publish("ts2mqtt/command", "reload")
    await bridge.says("ERROR   reload: the configuration is wrong, so the one before stays:$")


async def test_other_projects_become_devices_at_once(bridge: ReloadedBridge, example_api: SimulatedApi) -> None:
    asked = len(example_api.requests)
    bridge.write(QUIET + "home_assistant: {project_states: [Active]}\n")
    await bridge.hang_up("; applied: home_assistant.project_states")
    await bridge.observer.wait_until_gone(of.project_device(of.P2))
    assert bridge.observer.held.keys() >= (of.all_devices() - {of.project_device(of.P2)}) | of.all_states()
    bridge.write(QUIET)
    await bridge.hang_up("; applied: home_assistant.project_states")
    await bridge.observer.wait_for(of.project_device(of.P2), after=bridge.observer.mark())
    assert bridge.observer.held.keys() >= of.all_devices() | of.all_states()
    assert len(example_api.requests) == asked


async def test_the_log_changes_its_level_and_its_form_at_once(bridge: ReloadedBridge) -> None:
    bridge.write(QUIET + "log: {level: error}\n")
    await bridge.hang_up("applied: log.level$")
    # Home Assistant shows it.
    await bridge.observer.wait_for(of.BRIDGE, lambda about: about["log_level"] == "error")
    await bridge.observer.publish("ts2mqtt/command", "dance")
    bridge.write(QUIET + "log: {level: info, format: json}\n")
    await bridge.hang_up("applied: log.level, log.format$")
    assert not [line for line in bridge.lines if "dance" in line]
    assert '"level": "info"' in await bridge.hang_up("nothing in it has changed")


async def test_a_level_set_over_mqtt_lasts_until_the_next_reload(bridge: ReloadedBridge) -> None:
    await bridge.observer.publish("ts2mqtt/command", "log_level error")
    await bridge.says("the log level changes to error")
    await bridge.hang_up("nothing in it has changed")
    await bridge.has_gone_on()


async def test_what_needs_a_restart_is_told_and_not_applied(
    bridge: ReloadedBridge, example_api: SimulatedApi
) -> None:
    await bridge.has_gone_on()
    mark, asked = bridge.observer.mark(), len(example_api.requests)
    bridge.write(QUIET, **{"host: 127": f"username: me, password: {SECRET}, host: 127", "name: B": "name: Far b"})
    for _ in range(2):
        line = await bridge.hang_up("not applied")
        assert re.search(
            r"WARNING SIGHUP: changed, but not applied before ts2mqtt is restarted: "
            r"mqtt.username, mqtt.password, rigs.far_backyard \(added\), rigs.backyard \(removed\)$",
            line,
        )
    await bridge.has_gone_on()
    assert bridge.observer.topics_since(mark, but=("ts2mqtt/command",)) == []
    assert len(example_api.requests) == asked
    assert [line for line in bridge.lines if READ_AGAIN in line] == []


async def test_a_wrong_configuration_is_told_in_full_and_the_old_one_stays(bridge: ReloadedBridge) -> None:
    bridge.write("polling: {interval: soon}\nlog: {levl: debug}\n")
    await bridge.hang_up("ERROR   SIGHUP: the configuration is wrong, so the one before stays:$")
    await bridge.says("ERROR .*config.yaml:3: polling.interval: found 'soon'; expected")
    await bridge.says("ERROR .*config.yaml:4: log.levl: unknown key")
    bridge.write(QUIET)
    await bridge.hang_up("nothing in it has changed$")


async def test_a_file_that_is_gone_is_told(bridge: ReloadedBridge, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").unlink()
    await bridge.hang_up("the configuration is wrong")
    await bridge.says("ERROR .*config.yaml")


class TestWhatIsSaid:
    """The same without a process: level by level, for each kind of change."""

    @pytest.fixture(autouse=True)
    def _the_log_as_it_was(self) -> Iterator[None]:
        logger = logging.getLogger("ts2mqtt")
        before = (list(logger.handlers), logger.level, logger.propagate)
        yield
        logger.handlers[:], logger.level, logger.propagate = before

    @pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            (Changes((), ()), ["INFO SIGHUP: the configuration was read again; nothing in it has changed"]),
            (Changes(("log.level",), ()), ["INFO SIGHUP: the configuration was read again; applied: log.level"]),
            (
                Changes(("polling.plan",), ("mqtt.host", "rigs[0].url")),
                [
                    "INFO SIGHUP: the configuration was read again; applied: polling.plan",
                    "WARNING SIGHUP: changed, but not applied before ts2mqtt is restarted: mqtt.host, rigs[0].url",
                ],
            ),
        ],
    )
    def test_of_every_change_whatever_the_level(
        self, log: Log, level: str, changed: Changes, said: list[str]
    ) -> None:
        logging.getLogger("ts2mqtt").setLevel("ERROR")
        variables = {**VARIABLES, "TS2MQTT_LOG__LEVEL": level}
        taken: list[Config] = []

        def take_up(config: Config) -> Changes:
            taken.append(config)
            return changed

        reload(take_up, None, variables)
        assert log.lines == said
        assert [config.log.level for config in taken] == [level]
        assert log_format.level() == level

    def test_of_a_configuration_that_is_wrong(self, log: Log) -> None:
        reload(_never, None, VARIABLES | {"TS2MQTT_POLLING__INTERVAL": "soon", "TS2MQTT_MQTT__PORT": "0"})
        assert log.lines[0] == "ERROR SIGHUP: the configuration is wrong, so the one before stays:"
        assert len(log.lines) == 3
        assert "soon" in "".join(log.lines[1:])

    def test_of_what_is_unwise_in_it(self, log: Log) -> None:
        reload(lambda _: Changes((), ()), None, VARIABLES | {"TS2MQTT_MQTT__TLS__CA_FILE": __file__})
        assert len(log.about("WARNING", "mqtt.tls.ca_file", "no effect")) == 1


def _never(config: Config) -> Changes:
    raise AssertionError(config)


class TestHangup:
    @pytest.mark.parametrize(
        ("began_on_a_terminal", "ignored", "still_there", "done"),
        [
            (True, False, False, "stop"),
            (True, False, True, "reload"),
            (True, True, False, "reload"),
            (False, False, False, "reload"),
        ],
    )
    def test_stops_only_what_was_watched(
        self, monkeypatch: pytest.MonkeyPatch, began_on_a_terminal: bool, ignored: bool, still_there: bool, done: str
    ) -> None:
        handler = signal.SIG_IGN if ignored else signal.SIG_DFL
        monkeypatch.setattr("ts2mqtt.bridge.reload.signal.getsignal", lambda _: handler)
        stderr = SimpleNamespace(isatty=lambda: began_on_a_terminal, fileno=lambda: 2)
        monkeypatch.setattr("ts2mqtt.bridge.reload.sys.stderr", stderr)
        monkeypatch.setattr("ts2mqtt.bridge.reload.os.isatty", lambda _: still_there)
        happened: list[str] = []
        hangup(lambda: happened.append("reload"), lambda: happened.append("stop"))()
        assert happened == [done]


@asynccontextmanager
async def _on_a_terminal(*command: str, **variables: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    ours, terminal = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=terminal, env=os.environ | variables
    )
    os.close(terminal)
    try:
        yield process, ours
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _connected(observer: Observer) -> None:
    await observer.wait_for(of.STATUS, b"online")
    await observer.wait_for(of.RIG_STATUS, b"offline")


@pytest.mark.parametrize("nohup", [False, True])
async def test_a_bridge_ends_with_its_terminal_unless_it_was_told_to_outlive_it(
    mosquitto: Mosquitto, nohup: bool
) -> None:
    # A test run that was begun with nohup itself has its children ignore the signal.
    begun_with = ["nohup"] if nohup else ["env", "--default-signal=HUP"]
    command = [*begun_with, sys.executable, "-m", "ts2mqtt", "run"]
    variables = {
        "TS2MQTT_MQTT__HOST": "127.0.0.1",
        "TS2MQTT_MQTT__PORT": str(mosquitto.port),
        "TS2MQTT_RIG_URL": "http://127.0.0.1:1",
        "TS2MQTT_RIG_NAME": "Backyard",
    }
    async with observing(mosquitto.port) as observer, _on_a_terminal(*command, **variables) as (process, ours):
        await _connected(observer)
        process.send_signal(signal.SIGHUP)
        await observer.publish("ts2mqtt/command", "rediscover")
        await observer.wait_for(of.rig_device(), after=observer.mark())
        os.close(ours)
        process.send_signal(signal.SIGHUP)
        if nohup:
            await observer.publish("ts2mqtt/command", "rediscover")
            await observer.wait_for(of.rig_device(), after=observer.mark())
            process.terminate()
        async with asyncio.timeout(15):
            assert await process.wait() == 0
        await observer.wait_for(of.STATUS, b"offline")
