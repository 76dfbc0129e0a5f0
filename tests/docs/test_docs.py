"""What README.md and docs/ say is true: blocks parse, links lead somewhere, commands do what they are there for."""

from __future__ import annotations

import asyncio
import configparser
import json
import os
import plistlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jinja2 import Environment
from paho.mqtt.client import topic_matches_sub

from tests.bridge.test_bridge import all_published
from tests.conftest import need
from tests.support import topics_of_example as of
from tests.support.build import bridge_config
from tests.support.markdown import Block, anchors, blocks, links, pages, spans
from tests.support.observer import Observer, observing
from tests.support.project import ROOT
from tests.support.running import Log, running_bridge
from ts2mqtt import cli
from ts2mqtt.bridge.sign_of_life import SignOfLife, sign_paths
from ts2mqtt.config import load_config
from ts2mqtt.config.durations import parse_duration
from ts2mqtt.config.keys import all_keys, key_from, keys_below
from ts2mqtt.config.models import PollingConfig
from ts2mqtt.exit_codes import DONE, WRONG_USE
from ts2mqtt.interface.pages import pages as pages_made
from ts2mqtt.observatory.events import EVENT_TYPES
from ts2mqtt.observatory.present import ACTIVITIES
from ts2mqtt.timing import SystemClock
from ts2mqtt.topics.payloads import Event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from tests.support.mosquitto import Mosquitto
    from ts2mqtt.simulator.api import SimulatedApi

PAGES = pages()
BLOCKS = [block for page in PAGES for block in blocks(page)]
LANGUAGES = {"yaml", "json", "ini", "sh", "text", "powershell", "xml"}
"""A block in another one, or in none, is one that nobody checks."""

RUN_ELSEWHERE = {"sh reverse-proxy": "tests/scheduler/test_reverse_proxy.py"}

SYSTEMS = {
    "docs/brokers.md": "brokers of every make",
    "docs/container.md": "a container engine",
    "docs/dependencies.md": "an index of packages",
    "docs/kubernetes.md": "a cluster",
    "docs/reliability.md": "hours",
}
"""What the commands of these pages need, in blocks without a language: suites of their own run them, here they are
only looked at."""

_ANY_ID = re.compile("<[^>]*>|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

BROKER, RIG = "192.168.1.10", "192.168.1.50:8188"
_PATIENCE_S = 60.0


def of_kind(kind: str) -> list[Block]:
    """Those with this language and purpose."""
    found = [block for block in BLOCKS if block.info == kind]
    assert found, f"no {kind} is left to be checked"
    return found


def in_language(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language]


def of_systems() -> list[Block]:
    return [block for block in BLOCKS if block.page in SYSTEMS and not block.info]


def commands() -> list[str]:
    """Every line of every block for the shell, once."""
    here = (block for block in in_language("sh") if block.info not in RUN_ELSEWHERE)
    return list(dict.fromkeys(line for block in here for line in block.text.splitlines() if line))


class TestBlocks:
    def test_every_block_is_in_a_language_that_is_checked(self) -> None:
        unchecked = [block for block in BLOCKS if block.language not in LANGUAGES and block not in of_systems()]
        assert [str(block) for block in unchecked] == []

    def test_what_is_run_elsewhere_is_there(self) -> None:
        for kind, where in RUN_ELSEWHERE.items():
            assert of_kind(kind)
            assert f'"{kind}"' in (ROOT / where).read_text()

    @pytest.mark.parametrize("block", in_language("json"), ids=str)
    def test_json_parses(self, block: Block) -> None:
        json.loads(block.text)

    @pytest.mark.parametrize("block", in_language("yaml"), ids=str)
    def test_yaml_parses(self, block: Block) -> None:
        assert list(yaml.safe_load_all(block.text)) != [None]

    @pytest.mark.parametrize("block", of_kind("yaml config.yaml"), ids=str)
    def test_configurations_are_taken_without_a_word(self, block: Block, tmp_path: Path) -> None:
        """A part of one stands for a file in which the rest is as it has to be."""
        written = yaml.safe_load(block.text)
        assert isinstance(written, dict)
        for file in re.findall(r"[\w-]+\.(?:crt|key|txt)", block.text):
            (tmp_path / file).write_text("content")
            (tmp_path / file).chmod(0o600)
        path = tmp_path / "config.yaml"
        needed = {"mqtt": {"host": "broker"}, "rigs": [{"url": "http://rig"}]}
        rest = {key: value for key, value in needed.items() if key not in written}
        path.write_text(block.text + (yaml.safe_dump(rest) if rest else ""))
        # Some have a password in them.
        path.chmod(0o600)
        assert load_config(path, {}).warnings == ()

    @pytest.mark.parametrize("block", of_kind("yaml automations.yaml"), ids=str)
    def test_automations_are_complete(self, block: Block) -> None:
        for automation in yaml.safe_load(block.text):
            assert automation.keys() - {"conditions"} == {"alias", "triggers", "actions"}
            for trigger in automation["triggers"]:
                if trigger["trigger"] == "mqtt":
                    assert trigger["payload"] in EVENT_TYPES
                    assert trigger["topic"] == "ts2mqtt/backyard/event"
            for event_key in re.findall(r"trigger\.payload_json\.(\w+)", block.text):
                assert event_key in Event.model_fields
            for template in _templates(automation):
                Environment(autoescape=False).parse(template)  # noqa: S701 - is not rendered

    @pytest.mark.parametrize("block", of_kind("yaml configuration.yaml"), ids=str)
    def test_what_goes_into_home_assistants_configuration_is_a_template_sensor(self, block: Block) -> None:
        ((sensors,),) = yaml.safe_load(block.text).values()
        for sensor in sensors["sensor"]:
            assert sensor.keys() == {"name", "unique_id", "state"}
            Environment(autoescape=False).parse(sensor["state"])  # noqa: S701 - is not rendered

    @pytest.mark.parametrize("block", of_kind("json node-red"), ids=str)
    def test_flows_are_wired_together(self, block: Block) -> None:
        nodes = {node["id"]: node for node in json.loads(block.text)}
        (tab,) = (node["id"] for node in nodes.values() if node["type"] == "tab")
        wired = {target for node in nodes.values() for output in node.get("wires", []) for target in output}
        on_the_tab = {node["id"] for node in nodes.values() if "wires" in node}
        assert {node.get("z") for node in nodes.values() if "wires" in node} == {tab}
        (inlet,) = on_the_tab - wired
        assert wired < on_the_tab
        assert nodes[nodes[inlet]["broker"]]["broker"] == BROKER
        for key in re.findall(r"payload\.(\w+)", block.text):
            assert key in Event.model_fields

    @pytest.mark.parametrize("block", of_kind("json event"), ids=str)
    def test_events_have_the_keys_that_are_published(self, block: Block) -> None:
        event = json.loads(block.text)
        assert event.keys() == Event.model_fields.keys()
        Event.model_validate(event)

    @pytest.mark.parametrize("block", of_kind("ini .env"), ids=str)
    def test_variables_are_those_of_the_example(self, block: Block) -> None:
        variables = dict(line.split("=", 1) for line in block.text.splitlines())
        assert variables["RIG_URL"] == f"http://{RIG}"
        example = ROOT / "env.example"
        known = re.findall(r"^(\w+)=", example.read_text(), re.MULTILINE)
        assert variables.keys() <= set(known)

    @pytest.mark.parametrize("block", of_kind("yaml mqtt-exporter.yaml"), ids=str)
    async def test_prometheus_is_given_numbers_that_are_published(
        self, block: Block, mosquitto: Mosquitto, example_api: SimulatedApi
    ) -> None:
        exporter = yaml.safe_load(block.text)
        async with observing(mosquitto.port) as observer, running_bridge(bridge_config(mosquitto.port, example_api)):
            await all_published(observer)
            held = list(observer.held)
            (topic, *_) = [one for one in held if topic_matches_sub(exporter["mqtt"]["topic_path"], one)]
            payload = observer.json(topic)
        for metric in exporter["metrics"]:
            value: Any = payload
            for key in metric["mqtt_name"].split("."):
                value = value[key]
            # The exporter keeps the last number where it gets none, so a value that can be null has to be a word.
            words = metric.get("string_value_mapping", {"map": {}})["map"]
            assert words.keys() <= set(ACTIVITIES)
            assert isinstance(value, str if words else int | float), metric

    @pytest.mark.parametrize("block", of_kind("yaml compose.yaml"), ids=str)
    def test_a_bridge_in_a_container_is_configured_by_its_environment(self, block: Block) -> None:
        ((name, service),) = yaml.safe_load(block.text)["services"].items()
        assert name == "ts2mqtt"
        loaded = load_config(None, service["environment"])
        assert loaded.warnings == ()
        assert [rig.urls for rig in loaded.config.rigs] == [(f"http://{RIG}",)]
        assert loaded.config.mqtt.host == BROKER

    @pytest.mark.parametrize("block", of_kind("ini /etc/systemd/system/ts2mqtt.service"), ids=str)
    def test_the_service_calls_a_command_that_there_is(self, block: Block) -> None:
        unit = configparser.ConfigParser(interpolation=None)
        unit.optionxform = str  # type: ignore[assignment,method-assign] # how configparser is told to keep the case
        unit.read_string(block.text)
        assert unit.sections() == ["Unit", "Service", "Install"]
        program, *arguments = shlex.split(unit["Service"]["ExecStart"])
        assert Path(program).name == "ts2mqtt"
        assert _understood(arguments)
        assert unit["Service"]["RestartPreventExitStatus"] == str(WRONG_USE)

    @pytest.mark.parametrize("block", of_kind("xml ~/Library/LaunchAgents/ts2mqtt.plist"), ids=str)
    def test_launchd_calls_a_command_that_there_is(self, block: Block) -> None:
        agent = plistlib.loads(block.text.encode())
        program, *arguments = agent["ProgramArguments"]
        assert Path(program).name == "ts2mqtt"
        assert _understood(arguments)
        assert agent["RunAtLoad"] is agent["KeepAlive"] is True

    @pytest.mark.parametrize("block", in_language("powershell"), ids=str)
    def test_windows_is_told_commands_that_there_are(self, block: Block) -> None:
        for line in block.text.splitlines():
            if found := re.match(r"(?:\.|C:\\ts2mqtt)\\ts2mqtt\.exe (.*)", line):
                assert _understood(found[1].split()), line
            else:
                assert re.match("Copy-Item|Get-Content|Remove-Item|netsh|notepad|pipx|schtasks|uv", line), line

    @pytest.mark.parametrize("block", of_kind("text log"), ids=str)
    def test_the_log_looks_like_that(self, block: Block) -> None:
        for line in block.text.splitlines():
            assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (INFO   |WARNING) \S", line), line


def _templates(value: object) -> Iterable[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _templates(inner)
    elif isinstance(value, str):
        yield value


def test_the_readme_says_whether_there_is_a_release() -> None:
    is_released = re.search(r"^## \d+\.\d+\.\d+", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    for page in (ROOT / name for name in ("README.md", "docs/nas.md", "docs/windows.md")):
        assert ("no release yet" in page.read_text(encoding="utf-8")) is (is_released is None), page.name


class TestLinks:
    @pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
    def test_lead_to_something(self, page: Path) -> None:
        for link in links(page):
            if link.startswith("https://"):
                continue
            file, _, fragment = link.partition("#")
            target = (page.parent / file).resolve() if file else page
            assert target.exists(), link
            if fragment:
                assert fragment in anchors(target), link

    def test_lead_to_every_page(self) -> None:
        linked = {(page.parent / link.partition("#")[0]).resolve() for page in PAGES for link in links(page)}
        assert {page for page in PAGES if page not in linked} == {ROOT / "README.md"}


def _understood(arguments: list[str]) -> bool:
    try:
        cli.parser().parse_args(arguments)
    except SystemExit as ended:
        # --help and --version end the program in peace.
        return ended.code == DONE
    return True


class TestNames:
    """Of commands, keys, topics and entities, wherever in the text they stand."""

    @pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
    def test_commands_are_understood(self, page: Path) -> None:
        for span in spans(page):
            if span.startswith("ts2mqtt "):
                command = span.partition(" > ")[0].replace("[", "").replace("]", "").replace(" N", " 1")
                assert _understood(shlex.split(command)[1:] or ["--help"]), span

    def test_the_page_of_commands_names_every_command(self) -> None:
        named = {span.split()[1] for span in spans(ROOT / "docs" / "commands.md") if span.startswith("ts2mqtt ")}
        listed = re.findall(r"^    (\w+)", cli.parser().format_help(), re.MULTILINE)
        assert named == set(listed)

    @pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
    def test_keys_are_keys_of_the_configuration(self, page: Path) -> None:
        known = {*all_keys(), *(key[:-1] for key in all_keys())}
        sections = keys_below(())
        for span in spans(page):
            if re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", span) and span.split(".")[0] in sections:
                assert key_from(span) in known, span

    @pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
    def test_defaults_are_those_of_the_configuration(self, page: Path) -> None:
        defaults = PollingConfig()
        for key, value in re.findall(r"`polling\.(\w+)` \((\d[\w ]*)\)", page.read_text()):
            written = value.replace(" ", "").replace("min", "m")
            assert parse_duration(written) == float(getattr(defaults, key)), key

    async def test_topics_and_entities_are_there(self, mosquitto: Mosquitto, example_api: SimulatedApi) -> None:
        async with observing(mosquitto.port) as observer, running_bridge(bridge_config(mosquitto.port, example_api)):
            await all_published(observer)
            held = set(observer.held)
            entities = set(_entity_ids(observer))
        # Not retained, or not yet there in this observatory.
        held |= {of.HEARTBEAT, "ts2mqtt/command", "ts2mqtt/backyard/command", "ts2mqtt/backyard/event"}
        held |= {"ts2mqtt/backyard/plan/image"}
        # Those that are made from the models have examples of another observatory, and tests of their own.
        for page in (page for page in PAGES if page.name not in pages_made()):
            text = page.read_text(encoding="utf-8")
            for topic in re.findall(r"(?<![\w/.~])(?:ts2mqtt|homeassistant)/[\w+#/<>.-]*[\w+#>]", text):
                if (ROOT / topic).exists():
                    continue
                wanted = _ANY_ID.sub("+", topic)
                found = wanted == "homeassistant/status" or any(topic_matches_sub(wanted, one) for one in held)
                assert found, f"{page.name}: {topic}"
            for entity in re.findall(r"\b(?:sensor|binary_sensor|image|event|button)\.backyard_\w+", text):
                assert entity in entities, f"{page.name}: {entity}"


def _entity_ids(observer: Observer) -> Iterable[str]:
    """As Home Assistant makes them of what is proposed to it."""
    for topic in observer.held_below("homeassistant/device/"):
        for component in observer.json(topic)["components"].values():
            if proposed := component.get("default_entity_id"):
                domain, _, name = proposed.partition(".")
                yield f"{domain}.{re.sub('[^a-z0-9]+', '_', name.lower())}"


class TestAccessRules:
    async def test_a_user_with_the_documented_rights_has_all_that_the_bridge_needs(
        self, mosquitto_with: Callable[..., Mosquitto], example_api: SimulatedApi, tmp_path: Path
    ) -> None:
        (rules,) = (block.text.splitlines() for block in of_kind("text") if block.text.startswith("user ts2mqtt"))
        users = {"ts2mqtt": "secret", "eye": "secret"}
        acl = [*rules, "", "user eye", "topic readwrite #"]
        async with mosquitto_with(users=users, acl=acl) as broker:
            config = tmp_path / "config.yaml"
            config.write_text(
                f"mqtt: {{host: 127.0.0.1, port: {broker.port}, username: ts2mqtt, password: secret}}\n"
                f"rigs: [{{name: Backyard, url: '{example_api.url}'}}]\n"
            )
            world = World(tmp_path, broker, example_api.url)
            code, output = await world.ended("ts2mqtt check")
            assert (code, "✖" in output) == (0, False), output
            loaded = load_config(config, {}).config
            async with (
                observing(broker.port, username="eye", password="secret") as observer,  # noqa: S106 - a test's
                running_bridge(loaded),
            ):
                await all_published(observer)


@dataclass(frozen=True)
class World:
    """Where a command is run: a directory like a clone, a home, and in place of the documented addresses ours."""

    directory: Path
    broker: Mosquitto
    api_url: str

    def moved(self, command: str) -> str:
        for documented, here in (
            (f"http://{RIG}", self.api_url),
            (f"-h {BROKER}", f"-h 127.0.0.1 -p {self.broker.port}"),
            (f"HOST={BROKER}", f"HOST=127.0.0.1 TS2MQTT_MQTT__PORT={self.broker.port}"),
            ("-p 1883", f"-p {self.broker.port}"),
        ):
            command = command.replace(documented, here)
        return command

    async def started(self, command: str) -> asyncio.subprocess.Process:
        paths = (str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))
        return await asyncio.create_subprocess_shell(
            f"exec {self.moved(command)}" if not re.search("[=>&]", command) else self.moved(command),
            cwd=self.directory,
            env={"PATH": os.pathsep.join(paths), "HOME": str(self.directory), "PYTHONIOENCODING": "utf-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    async def ended(self, command: str) -> tuple[int | None, str]:
        """Exit code and output of a command that ends by itself."""
        process = await self.started(command)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        return process.returncode, output.decode()

    @asynccontextmanager
    async def running(self, command: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """A command that runs until it is ended, at the latest when the block is left."""
        process = await self.started(command)
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


async def says(process: asyncio.subprocess.Process, pattern: str) -> None:
    """Returns when its output has this in it."""
    said = ""
    async with asyncio.timeout(_PATIENCE_S):
        while process.stdout and not re.search(pattern, said):
            line = (await process.stdout.readline()).decode()
            assert line, f"ended without saying {pattern!r}: {said}"
            said += line


@pytest.fixture
def world(mosquitto: Mosquitto, example_api: SimulatedApi, tmp_path: Path) -> World:
    for file in ("config.yaml.example", "config.schema.json"):
        shutil.copy(ROOT / file, tmp_path)
    (tmp_path / "env.example").touch()
    (tmp_path / "config.yaml").write_text(
        f"mqtt: {{host: 127.0.0.1, port: {mosquitto.port}}}\nrigs: [{{name: Backyard, url: '{example_api.url}'}}]\n"
    )
    return World(tmp_path, mosquitto, example_api.url)


ENDS = (
    r"cp .*",
    r"mkdir .*",
    r"curl .*",
    r"ts2mqtt (check|clean|schema|--print-completion).*",
    r"TS2MQTT_\S+=.* ts2mqtt check",
)
"""Commands that end by themselves, with 0, and need no bridge at work."""

WITH_BRIDGE = (r"ts2mqtt healthcheck( --ready)?", r"mosquitto_sub .*-(C|W) .*")
"""Commands that end by themselves and need one; the second of two kinds ends with mosquitto_sub's own time-out."""

ONLY_EXISTS = {
    r"docker compose .*": "a container engine; the container has tests of its own",
    r"git pull && .*": "a repository elsewhere",
    r"(uvx|pipx run) ts2mqtt .*": "a release; a clone runs the same with `uvx --from .` and `pipx run --spec .`",
    r"pipx install .*": "minutes of installing; the same as `make` does for every test run",
    r"pip install .*": "as above",
    r"python3 -m venv .*": "as above",
    r"nano config.yaml": "a person",
    r"ts2mqtt setup": "a person at a terminal",
    r"(pipx|uv tool) uninstall ts2mqtt": "an installation that may go",
    r"/opt/ts2mqtt/bin/ts2mqtt .*": "the service",
    r"(rm -r|userdel) .*ts2mqtt.*": "root on a machine that is one's own",
    r"uname -m": "a Raspberry Pi",
    r"useradd .*": "root on a machine that is one's own",
    r"install -d /etc/.*": "as above",
    r"launchctl .*": "macOS",
    r"systemctl .*": "systemd",
    r"journalctl .*": "systemd",
    r"make .*": "these tests are run by it",
    r"\.ci/run": "as above",
}
"""Commands that no test can run, and what they would need; what they name has to exist all the same."""


def matching(patterns: Iterable[str]) -> list[str]:
    return [command for command in commands() if any(re.fullmatch(pattern, command) for pattern in patterns)]


RUN = "ts2mqtt run"
PUBLISHES = r"mosquitto_pub .*"
EVENTS = "mosquitto_sub -h 192.168.1.10 -t 'ts2mqtt/+/event'"
EVERYTHING = r"mosquitto_sub -p 1883 .*"


class TestCommands:
    def test_each_is_run_or_has_a_reason_why_not(self) -> None:
        kinds = (ENDS, WITH_BRIDGE, tuple(ONLY_EXISTS), (PUBLISHES,), (EVERYTHING,))
        known = [command for patterns in kinds for command in matching(patterns)]
        assert len(known) == len(set(known)), "one command, one way"
        assert {*known, RUN, EVENTS} == set(commands())

    def test_no_reason_is_left_over(self) -> None:
        assert [pattern for pattern in (*ENDS, *WITH_BRIDGE, *ONLY_EXISTS) if not matching([pattern])] == []

    @pytest.mark.parametrize("command", matching(ENDS))
    async def test_does_its_work(self, world: World, command: str) -> None:
        if command.startswith("curl"):
            need("curl", is_there=shutil.which("curl") is not None)
        (world.directory / ".local/share/bash-completion/completions").mkdir(parents=True)
        if command.startswith("TS2MQTT_"):
            (world.directory / "config.yaml").unlink()
        code, output = await world.ended(command)
        assert code == 0, output
        if command.startswith("curl"):
            assert json.loads(output.splitlines()[-1]) == "5.9.3.0"

    async def test_run_runs(self, world: World) -> None:
        async with world.running(RUN) as process:
            await says(process, "Home Assistant gets")
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0

    @pytest.mark.parametrize("command", matching(WITH_BRIDGE))
    async def test_does_its_work_beside_a_bridge(
        self, world: World, example_api: SimulatedApi, observer: Observer, command: str
    ) -> None:
        config = bridge_config(world.broker.port, example_api)
        async with running_bridge(config):
            await all_published(observer)
            SignOfLife(sign_paths(config.mqtt, os.environ), SystemClock()).show()
            code, output = await world.ended(command)
        if command.startswith("mosquitto_sub"):
            # 27 is "timed out", which -W asks for.
            assert code == (27 if "-W" in command else 0), output
            assert output.startswith(("homeassistant/device/ts2mqtt/", '{"id":"backyard"'))
        else:
            assert (code, output) == (0, "")

    @pytest.mark.parametrize("command", matching([PUBLISHES]))
    async def test_is_understood_by_the_bridge(
        self, world: World, example_api: SimulatedApi, observer: Observer, log: Log, command: str
    ) -> None:
        async with running_bridge(bridge_config(world.broker.port, example_api)):
            await all_published(observer)
            assert await world.ended(command) == (0, "")
            topic = shlex.split(command)[shlex.split(command).index("-t") + 1]
            await observer.publish(topic, "dance")
            await log.says("not understood", "dance")
        assert len(log.about("not understood")) == 1

    @pytest.mark.parametrize("command", [EVENTS, *matching([EVERYTHING])])
    async def test_shows_what_comes(
        self, world: World, observer: Observer, example_api: SimulatedApi, command: str
    ) -> None:
        example = example_api.observatory
        async with running_bridge(bridge_config(world.broker.port, example_api)):
            await all_published(observer)
            async with world.running(command) as process:
                # Nobody but mosquitto_sub has the broker choose its client id.
                await world.broker.says("Sending SUBACK to auto-")
                example.acquire(example.target(of.M31), accepted=True)
                await says(process, '"event_type":"exposure_accepted"')

    @pytest.mark.parametrize("command", matching([r"make .*"]))
    def test_the_makefile_knows_it(self, command: str) -> None:
        _, target, *variables = shlex.split(command)
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        for name, _, value in (variable.partition("=") for variable in variables):
            assert f"$({name})" in (ROOT / "Makefile").read_text()
            assert _understood([target, *shlex.split(value)])

    @pytest.mark.parametrize("command", matching([r"(uvx|pipx run|/opt/ts2mqtt/bin/)\s*ts2mqtt .*"]))
    def test_an_installation_elsewhere_is_told_a_command_that_there_is(self, command: str) -> None:
        assert _understood(shlex.split(command.partition("ts2mqtt ")[2]))

    @pytest.mark.parametrize("page", SYSTEMS)
    def test_what_commands_for_whole_systems_name_is_there(self, page: str) -> None:
        text = "\n".join(block.text for block in of_systems() if block.page == page)
        assert text
        for target in re.findall(r"^make ([\w-]+)", text, re.MULTILINE):
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), target
        for path in re.findall(r"(?<![\w/])(?:deploy|tests)/[\w./-]+", text):
            assert (ROOT / path).exists(), path
        for command in re.findall(r"(?:^|\s)ts2mqtt ((?:run|check|clean|healthcheck)\b[^\n#]*)", text):
            assert _understood(shlex.split(command)), command

    def test_ci_can_be_run(self) -> None:
        assert os.access(ROOT / ".ci" / "run", os.X_OK)

    @pytest.mark.parametrize("command", matching([r"docker compose .*"]))
    def test_compose_has_the_service(self, command: str) -> None:
        compose = ROOT / "compose.yaml"
        _, _, subcommand, *words = shlex.split(command)
        services = yaml.safe_load(compose.read_text())["services"]
        if subcommand in {"up", "down"}:
            return
        (service,) = services.keys() & set(words)
        if subcommand == "run":
            assert _understood(words[words.index(service) + 1 :])


async def test_the_check_looks_like_that(world: World) -> None:
    (block,) = of_kind("text check")
    documented = re.findall(r"^[✔✖?] +[\d.]+ s  ([^:]+): ([^:]+):", block.text, re.MULTILINE)
    findings: list[dict[str, Any]] = json.loads((await world.ended("ts2mqtt check --json"))[1])
    steps = [(finding["subject"], finding["step"]) for finding in findings]
    assert len(documented) > 8
    assert documented == steps[: len(documented)]
