"""The commands as a user meets them: words, exit codes, and real processes that end in peace."""

from __future__ import annotations

import asyncio
import errno
import io
import json
import logging
import os
import re
import signal
import socket
import sys
from contextlib import asynccontextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.observer import observing
from ts2mqtt import __version__, cli
from ts2mqtt.config import config_json_schema
from ts2mqtt.interface.pages import pages
from ts2mqtt.simulator.broker import EmbeddedBroker

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Iterator

    from ts2mqtt.simulator.api import SimulatedApi

COMMANDS = ("run", "setup", "check", "clean", "report", "healthcheck", "schema", "simulate", "demo")
_PATIENCE_S = 60.0


@pytest.fixture(autouse=True)
def _nothing_configured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No variable of the machine, no config.yaml beside the tests; help for a terminal of 80 columns."""
    for variable in [name for name in os.environ if name.startswith("TS2MQTT_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("COLUMNS", "80")
    # Bridges of other tests leave their signs of life elsewhere.
    monkeypatch.setenv("TMPDIR", str(tmp_path_factory.mktemp("signs")))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _the_log_as_it_was() -> Iterator[None]:
    logger = logging.getLogger("ts2mqtt")
    before = (list(logger.handlers), logger.level, logger.propagate)
    yield
    logger.handlers[:], logger.level, logger.propagate = before


def called(*arguments: str) -> int:
    """The exit code, whether main() returned or argparse ended the program."""
    try:
        return cli.main(arguments)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1


class TestSchema:
    def test_prints_the_interface(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert called("schema") == 0
        document = json.loads(capsys.readouterr().out)
        assert (document["asyncapi"], document["info"]["title"]) == ("3.0.0", "ts2mqtt")

    def test_prints_the_configurations_schema(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert called("schema", "--config") == 0
        assert capsys.readouterr().out == config_json_schema()

    def test_writes_the_pages(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert called("schema", "--docs", str(tmp_path)) == 0
        assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == pages()
        assert capsys.readouterr().out == ""

    def test_says_where_it_cannot_write(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert called("schema", "--docs", str(tmp_path / "nowhere")) == 1
        assert "nowhere: No such file or directory" in capsys.readouterr().err

    def test_does_one_of_them_at_a_time(self, tmp_path: Path) -> None:
        assert called("schema", "--config", "--docs", str(tmp_path)) == 2


class Running:
    """A ts2mqtt process."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def says(self, pattern: str) -> re.Match[str]:
        """Reads standard output up to the first line in which this is found."""
        assert self.process.stdout
        async with asyncio.timeout(_PATIENCE_S):
            while line := (await self.process.stdout.readline()).decode():
                self.lines.append(line.rstrip("\n"))
                if found := re.search(pattern, line):
                    return found
        raise AssertionError(f"it ended without saying {pattern!r}: {self.lines}, {await self.errors()}")

    async def errors(self) -> str:
        assert self.process.stderr
        return (await self.process.stderr.read()).decode()

    async def ended_by(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        async with asyncio.timeout(_PATIENCE_S):
            await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode


@asynccontextmanager
async def process_of(*arguments: str, **variables: str) -> AsyncIterator[Running]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "ts2mqtt",
        *arguments,
        env=dict(os.environ) | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Running(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def output_of(*arguments: str, **variables: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command that ends by itself."""
    async with process_of(*arguments, **variables) as running, asyncio.timeout(_PATIENCE_S):
        out, err = await running.process.communicate()
        assert running.process.returncode is not None
        return running.process.returncode, out.decode(), err.decode()


class TestHelp:
    def test_names_every_command(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert called("--help") == 0
        text = capsys.readouterr().out
        assert [command for command in COMMANDS if not re.search(rf"^ +{command}\s+\w", text, re.MULTILINE)] == []

    @pytest.mark.parametrize("command", ["", *COMMANDS])
    def test_fits_on_80_columns(self, command: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert called(*filter(None, [command]), "--help") == 0
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) > 5
        assert [line for line in lines if len(line) > 80] == []

    @pytest.mark.parametrize(("command", "port", "speed"), [("demo", "1883", "60"), ("simulate", "8188", "60")])
    def test_tells_the_defaults(
        self, command: str, port: str, speed: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        called(command, "--help")
        text = capsys.readouterr().out
        assert f"({port})" in text
        assert f"({speed})" in text

    def test_is_shown_where_there_is_no_command(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert called() == 2
        alone = capsys.readouterr().err
        called("--help")
        assert alone == capsys.readouterr().out

    def test_tells_the_version(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert called("--version") == 0
        assert capsys.readouterr().out == f"ts2mqtt {__version__}\n"

    async def test_needs_neither_config_nor_broker_as_a_process(self) -> None:
        assert await output_of("--version") == (0, f"ts2mqtt {__version__}\n", "")


class TestAWrongCommandLine:
    @pytest.mark.parametrize(
        "arguments",
        [
            (),
            ("fly",),
            ("run", "--fast"),
            ("run", "now"),
            ("run", "-c"),
            ("demo", "--port"),
            ("simulate", "-c", "config.yaml"),
            ("--print-completion", "edlin"),
        ],
        ids=" ".join,
    )
    def test_ends_with_2_and_the_usage(self, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
        assert called(*arguments) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith("usage: ts2mqtt")

    @pytest.mark.parametrize("command", ["demo", "simulate"])
    @pytest.mark.parametrize("port", ["-1", "65536", "mqtt", "", "1883.0", "9" * 5000], ids=lambda port: port[:8])
    def test_says_what_a_port_is(self, command: str, port: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert called(command, f"--port={port}") == 2
        assert f"argument --port: {port!r} is no port; expected 0 to 65535" in capsys.readouterr().err

    @pytest.mark.parametrize("command", ["demo", "simulate"])
    @pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf", "100001", "fast", ""])
    def test_says_what_a_speed_is(self, command: str, speed: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert called(command, f"--speed={speed}") == 2
        expected = f"argument --speed: {speed!r} is no speed; expected more than 0 and at most 100000"
        assert expected in capsys.readouterr().err


WITH_CONFIG = ("run", "clean", "healthcheck")


class TestAWrongConfiguration:
    @pytest.mark.parametrize("command", WITH_CONFIG)
    def test_ends_with_2_and_tells_all_faults_at_once(
        self, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        config = tmp_path / "mine.yaml"
        config.write_text("mqtt:\n  hots: broker\n  port: 70000\nrigs:\n  - url: nowhere\n", encoding="utf-8")
        assert called(command, "-c", str(config)) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert "Traceback" not in captured.err
        for part in ("mine.yaml", "hots", "host", "70000", "nowhere"):
            assert part in captured.err

    async def test_shows_no_traceback_as_a_process(self, tmp_path: Path) -> None:
        (tmp_path / "config.yaml").write_text("mqtt: {\n", encoding="utf-8")
        code, out, err = await output_of("run")
        assert (code, out) == (2, "")
        assert "config.yaml" in err
        assert "Traceback" not in err

    def test_may_be_a_file_that_is_not_there(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert called("run", "--config", "missing.yaml") == 2
        assert "missing.yaml" in capsys.readouterr().err

    def test_may_be_none_at_all(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert called("run") == 2
        assert "mqtt" in capsys.readouterr().err


class TestWhichConfiguration:
    """Each file has a fault of its own, so that the one that was read shows."""

    @pytest.fixture(autouse=True)
    def _three_files(self, tmp_path: Path) -> None:
        for name in ("given", "named", "config"):
            (tmp_path / f"{name}.yaml").write_text(f"mqtt: {{{name}_key: 1}}\n", encoding="utf-8")

    def fault(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
        assert called("run", *arguments) == 2
        (found,) = set(re.findall(r"(\w+)_key", capsys.readouterr().err))
        return str(found)

    def test_is_config_yaml_by_default(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.fault(capsys) == "config"

    def test_is_named_by_the_environment(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TS2MQTT_CONFIG", "named.yaml")
        assert self.fault(capsys) == "named"

    def test_is_above_all_the_one_on_the_command_line(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TS2MQTT_CONFIG", "named.yaml")
        assert self.fault(capsys, "-c", "given.yaml") == "given"

    def test_may_lie_where_we_may_not_look(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Made up here, as root may look anywhere; `make test-container` meets a real one."""

        def refuse(_path: Path) -> bool:
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr("pathlib.Path.exists", refuse)
        assert called("healthcheck") == 2
        assert "config.yaml: cannot look for it in" in capsys.readouterr().err

    def test_is_not_an_empty_name(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TS2MQTT_CONFIG", "")
        assert self.fault(capsys) == "config"


class TestNoConfiguration:
    def test_says_where_it_was_looked_for_and_what_writes_it(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert called("run") == 2
        assert capsys.readouterr().err == (
            f"config.yaml: no such file in {Path.cwd()}; 'ts2mqtt setup' asks for what has to stand in it and writes "
            "it, or name another file with -c\n"
        )


class TestAMisnamedConfiguration:
    @pytest.fixture(autouse=True)
    def _with_an_ending_that_windows_hides(self, tmp_path: Path) -> None:
        (tmp_path / "config.yaml.txt").write_text("mqtt: {host: broker}\n", encoding="utf-8")

    def test_is_named(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert called("run") == 2
        assert capsys.readouterr().err == (
            f"config.yaml: no such file in {Path.cwd()}; there is config.yaml.txt in the same folder: rename it to "
            "config.yaml\n"
        )

    def test_hinders_nobody_who_has_variables(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("TS2MQTT_MQTT__HOST", "broker")
        assert called("run") == 2
        assert "environment: rigs: missing" in capsys.readouterr().err


def broker_variables(port: int) -> dict[str, str]:
    return {
        "TS2MQTT_MQTT__HOST": "127.0.0.1",
        "TS2MQTT_MQTT__PORT": str(port),
        "TS2MQTT_RIG_URL": "http://127.0.0.1:1",
        "TS2MQTT_RIG_NAME": "Backyard",
    }


@pytest.fixture
def nobodys_port() -> int:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return int(closed.getsockname()[1])


class TestOtherFailures:
    @pytest.mark.parametrize("command", ["clean", "healthcheck --ready"])
    async def test_a_broker_that_is_not_there_ends_with_1(self, command: str, nobodys_port: int) -> None:
        code, out, err = await output_of(*command.split(), **broker_variables(nobodys_port))
        assert (code, out) == (1, "")
        assert err.splitlines()[-1].startswith("ts2mqtt: ")
        assert str(nobodys_port) in err
        assert "Traceback" not in err

    @pytest.mark.parametrize("command", ["demo", "simulate"])
    async def test_a_port_that_is_taken_ends_with_1(self, command: str) -> None:
        async with EmbeddedBroker() as broker:
            code, _, err = await output_of(command, f"--port={broker.port}")
        assert code == 1
        assert f"port {broker.port}" in err
        assert "Traceback" not in err


class TestClean:
    async def test_clears_what_is_ours_and_says_how_much(self) -> None:
        async with EmbeddedBroker() as broker, observing(broker.port) as observer:
            await observer.publish("ts2mqtt/backyard/state", b'{"id":"backyard"}', retain=True)
            await observer.publish("ts2mqtt/notes", b"mine", retain=True)
            code, out, _ = await output_of("clean", **broker_variables(broker.port))
            assert (code, out) == (0, "cleared 1 topic under 'ts2mqtt'\n")
            assert dict(broker.retained) == {"ts2mqtt/notes": b"mine"}
            code, out, _ = await output_of("clean", **broker_variables(broker.port))
            assert (code, out) == (0, "cleared 0 topics under 'ts2mqtt'\n")


class TestRun:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    async def test_bridges_until_it_is_told_to_stop(self, number: signal.Signals, example_api: SimulatedApi) -> None:
        async with EmbeddedBroker() as broker, observing(broker.port) as observer:
            variables = broker_variables(broker.port) | {"TS2MQTT_RIG_URL": example_api.url}
            async with process_of("run", **variables) as running:
                await observer.wait_for("ts2mqtt/backyard/status", b"online")
                mark = observer.mark()
                assert await running.ended_by(number) == 0
            await observer.wait_for("ts2mqtt/status", b"offline", after=mark)

    @pytest.mark.parametrize("options", [(), ("--ready",)])
    async def test_a_healthy_bridge_is_called_healthy(
        self, example_api: SimulatedApi, options: tuple[str, ...]
    ) -> None:
        async with EmbeddedBroker() as broker, observing(broker.port) as observer:
            variables = broker_variables(broker.port) | {"TS2MQTT_RIG_URL": example_api.url}
            async with process_of("run", **variables) as running:
                await observer.wait_for("ts2mqtt/status", b"online")
                assert await output_of("healthcheck", *options, **variables) == (0, "", "")
                assert await running.ended_by(signal.SIGTERM) == 0

    async def test_a_report_as_text_as_json_and_as_a_picture(self, tmp_path: Path) -> None:
        picture = tmp_path / "night.png"
        night = b'{"rig_name": "Backyard", "night": "2026-02-26", "seen_from": "2026-02-26T12:00:00Z", "acquired": 3}'
        async with EmbeddedBroker() as broker, observing(broker.port) as observer:
            variables = broker_variables(broker.port) | {"TS2MQTT_RIG_URL": "http://127.0.0.1:9"}
            variables |= {"TS2MQTT_RIG_NAME": "Backyard"}
            await observer.publish("ts2mqtt/backyard/night", night, retain=True)
            await observer.publish("ts2mqtt/backyard/night/image", b"PNG", retain=True)
            code, text, _ = await output_of("report", "--night", "2026-02-26", **variables)
            assert (code, text.splitlines()[0]) == (0, "Backyard, night of 2026-02-26")
            code, text, _ = await output_of("report", "--json", **variables)
            assert (code, [one["acquired"] for one in json.loads(text)]) == (0, [3])
            assert (await output_of("report", "--png", str(picture), **variables))[0] == 0
            assert picture.read_bytes() == b"PNG"
            assert (await output_of("report", "--night", "2026-02-25", **variables))[0] == 1
            # Of several rigs each has a file of its own, whether or not all have a picture.
            two = tmp_path / "two.yaml"
            rigs = [{"name": name, "url": f"http://{name.lower()}:8188"} for name in ("Backyard", "Roof")]
            two.write_text(json.dumps({"mqtt": {"host": "127.0.0.1", "port": broker.port}, "rigs": rigs}))
            assert (await output_of("report", "-c", str(two), "--png", str(picture)))[0] == 0
            assert (tmp_path / "night-backyard.png").read_bytes() == b"PNG"
        assert called("report", "--night", "yesterday") == 2

    async def test_a_warning_about_the_config_is_logged_and_hinders_nothing(self, tmp_path: Path) -> None:
        config = tmp_path / "open.yaml"
        async with EmbeddedBroker() as broker:
            config.write_text(
                f"mqtt: {{host: 127.0.0.1, port: {broker.port}, username: me, password: secret}}\n"
                "rigs: [{name: Backyard, url: 'http://127.0.0.1:1'}]\n",
                encoding="utf-8",
            )
            config.chmod(0o644)
            code, out, err = await output_of("clean", "-c", str(config))
        assert (code, out) == (0, "cleared 0 topics under 'ts2mqtt'\n")
        assert "WARNING" in err
        assert "chmod 600" in err
        assert "secret" not in err


class TestSimulate:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    async def test_serves_the_api_until_it_is_told_to_stop(self, number: signal.Signals) -> None:
        async with process_of("simulate", "--port", "0", "--nina-port", "0", "--speed", "600") as running:
            said = await running.says(r"answers at (http://127\.0\.0\.1:\d+), 600 times")
            async with httpx.AsyncClient(base_url=said[1]) as client:
                assert (await client.get("/ts/v0/version")).json().startswith("5.")
                assert len((await client.get("/ts/v0/profiles")).json()) == 2
            assert await running.ended_by(number) == 0

    @pytest.mark.parametrize(("address", "shown"), [("127.0.0.2", r"127\.0\.0\.2"), ("::1", r"\[::1\]")])
    async def test_listens_where_it_is_told_to(self, address: str, shown: str) -> None:
        async with process_of("simulate", "--port", "0", "--nina-port", "0", "--host", address) as running:
            said = await running.says(rf"answers at (http://{shown}:\d+), 60 times")
            async with httpx.AsyncClient(base_url=said[1]) as client:
                assert (await client.get("/ts/v0/version")).json().startswith("5.")
            assert await running.ended_by(signal.SIGTERM) == 0

    def test_says_what_to_type_where_the_port_of_nina_is_taken(self, capsys: pytest.CaptureFixture[str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            assert called("simulate", "--port", "0", "--nina-port", str(port)) == 1
        err = capsys.readouterr().err
        assert f"The simulated N.I.N.A. cannot listen on 127.0.0.1 port {port}" in err
        assert f"ts2mqtt simulate --nina-port {port + 1}" in err

    def test_says_what_an_address_is(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert called("simulate", "--host", "everywhere") == 2
        assert "argument --host: 'everywhere' is no IP address" in capsys.readouterr().err


class TestDemo:
    async def test_prints_what_is_published_until_it_is_told_to_stop(self) -> None:
        async with process_of("demo", "--port", "0") as running:
            said = await running.says(r"MQTT broker for this demo: +127\.0\.0\.1:(\d+)")
            assert int(said[1]) > 0
            await running.says(r"^ts2mqtt/status  online$")
            await running.says(r"^ts2mqtt/backyard/state  \{\"id\":\"backyard\"")
            await running.says(r"^ts2mqtt/backyard/target/[0-9a-f-]{36}  \{")
            await running.says(r"^homeassistant/device/ts2mqtt/backyard\S*/config  \{")
            assert [line for line in running.lines if line.startswith("ts2mqtt/bridge/heartbeat")] == []
            assert await running.ended_by(signal.SIGINT) == 0
            assert "Traceback" not in await running.errors()

    async def test_ends_in_silence_when_nobody_reads_on(self) -> None:
        """As in `ts2mqtt demo | head -1`."""
        async with process_of("demo", "--port", "0") as running:
            await running.says("MQTT broker")
            assert running.process.stdout
            running.process.stdout._transport.close()  # type: ignore[attr-defined]
            async with asyncio.timeout(_PATIENCE_S):
                assert await running.process.wait() == 0
            assert await running.errors() == ""


class OutputWithSignal(io.StringIO):
    """Standard output that sends this process a signal when a line begins with certain words."""

    def __init__(self, words: str, number: signal.Signals) -> None:
        super().__init__()
        self._words = words
        self._number = number

    def write(self, text: str) -> int:
        if text.startswith(self._words):
            signal.raise_signal(self._number)
        return super().write(text)


class TestInThisProcess:
    """main() itself, stopped by a signal as soon as it has said that it works."""

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    @pytest.mark.parametrize(
        ("command", "last"), [("simulate --nina-port 0", "Try http"), ("demo", "ts2mqtt/backyard/status")]
    )
    def test_a_command_works_until_the_signal(self, command: str, last: str, number: signal.Signals) -> None:
        with redirect_stdout(OutputWithSignal(last, number)) as output:
            assert called(*command.split(), "--port", "0") == 0
        assert any(line.startswith(last) for line in output.getvalue().splitlines())

    def test_the_bridge_tries_again_until_the_signal(
        self, nobodys_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name, value in broker_variables(nobodys_port).items():
            monkeypatch.setenv(name, value)
        impatient = StopAtTheFirstWarning()
        logger = logging.getLogger("ts2mqtt.bridge.bridge")
        logger.addHandler(impatient)
        try:
            assert called("run") == 0
        finally:
            logger.removeHandler(impatient)
        assert "WARNING MQTT:" in capsys.readouterr().err

    @pytest.mark.parametrize("command", ["clean", "healthcheck"])
    def test_a_failure_is_one_line_and_1(
        self, command: str, nobodys_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name, value in broker_variables(nobodys_port).items():
            monkeypatch.setenv(name, value)
        assert called(command) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("ts2mqtt: ")

    def test_ctrl_c_before_a_command_listens_to_it_is_no_failure(self) -> None:
        with redirect_stdout(OutputWithSignal("", signal.SIGINT)) as output:
            assert called("schema") == 0
        assert output.getvalue() == ""


class StopAtTheFirstWarning(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno == logging.WARNING:
            signal.raise_signal(signal.SIGTERM)
