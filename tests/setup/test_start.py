"""`ts2mqtt setup` with a real broker and a simulated rig: in the process, through a terminal, and without one."""

from __future__ import annotations

import asyncio
import errno
import os
import pty
import re
import signal
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.check.impatience import IMPATIENT
from tests.support.mosquitto import Mosquitto, free_port
from ts2mqtt import cli
from ts2mqtt.config import load_config
from ts2mqtt.errors import Ts2mqttError
from ts2mqtt.setup import Installation, Terminal, setup
from ts2mqtt.setup.steps import Question
from ts2mqtt.simulator.nina.server import NinaServer
from ts2mqtt.timing import SystemClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from ts2mqtt.check import Finding
    from ts2mqtt.simulator.api import SimulatedApi
    from ts2mqtt.simulator.observatory import SimulatedObservatory

USER = "astro"
PASSWORD = "never-shown #9 'f3\\\""  # noqa: S105 - the point is to look for it
INSTALLATION = Installation("ts2mqtt", "/usr")
_PATIENCE_S = 120.0


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    async with Mosquitto(tmp_path / "broker", users={USER: PASSWORD}) as mosquitto:
        yield mosquitto


@dataclass
class Scripted:
    """A user who has these answers; an exception is raised in place of one."""

    answers: list[str | type[BaseException]]
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    shown: list[Finding] = field(default_factory=list)

    def answer_to(self, question: Question) -> str:
        self.asked.append(question.text)
        answer = self.answers.pop(0)
        if not isinstance(answer, str):
            raise answer
        return answer or question.proposal

    def tell(self, text: str) -> None:
        self.said.append(text)

    def show(self, finding: Finding) -> None:
        self.shown.append(finding)


def names_in(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


async def set_up(path: Path, user: Scripted) -> None:
    """In a thread, as it has event loops of its own."""
    await asyncio.to_thread(setup, path, INSTALLATION, user, IMPATIENT)


async def test_a_broker_with_a_login_and_a_rig(broker: Mosquitto, example_api: SimulatedApi, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    address = f"127.0.0.1:{broker.port}"
    user = Scripted([address, USER, "wrong", USER, PASSWORD, example_api.url, "Backyard", ""])
    await set_up(path, user)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    loaded = load_config(path, {})
    assert loaded.warnings == ()
    assert loaded.config.mqtt.password
    assert loaded.config.mqtt.password.get_secret_value() == PASSWORD
    assert [(rig.name, rig.id, rig.urls) for rig in loaded.config.rigs] == [
        ("Backyard", "backyard", (example_api.url,))
    ]
    refusals = [finding.message for finding in user.shown if finding.ok is False]
    assert len(refusals) == 2
    assert {finding.step for finding in user.shown if finding.ok is False} == {"login"}
    assert user.shown[-1].step == "clock"
    assert user.said[-1].startswith(f"{path} is written. Next:\n  ts2mqtt check -c {path} ")
    assert PASSWORD not in str((user.said, user.shown))


async def test_live_events_where_the_rigs_nina_tells_them(
    mosquitto: Mosquitto, example: SimulatedObservatory, example_api: SimulatedApi, tmp_path: Path
) -> None:
    user = Scripted([f"127.0.0.1:{mosquitto.port}", example_api.url, "", "", ""])
    async with NinaServer(example, clock=SystemClock()) as nina:
        ports = (free_port(), nina.port)
        await asyncio.to_thread(setup, tmp_path / "config.yaml", INSTALLATION, user, IMPATIENT, ports)

    assert user.asked[2].startswith(f"N.I.N.A.'s plugin Advanced API answers at {nina.url}.")
    (rig,) = load_config(tmp_path / "config.yaml", {}).config.rigs
    assert rig.nina_urls == (nina.url,)


async def test_a_file_that_appears_meanwhile_is_not_overwritten(
    mosquitto: Mosquitto, example_api: SimulatedApi, tmp_path: Path
) -> None:
    path = tmp_path / "config.yaml"

    class Other(Scripted):
        def answer_to(self, question: Question) -> str:
            if question.text.startswith("Is there another rig"):
                path.write_text("of somebody else")
            return super().answer_to(question)

    user = Other([f"127.0.0.1:{mosquitto.port}", example_api.url, "", "", ""])
    await set_up(path, user)

    assert path.read_text() == "of somebody else"
    assert load_config(tmp_path / "config-2.yaml", {}).config.rigs
    assert f"{path} cannot be written: {os.strerror(errno.EEXIST)}." in user.said


async def test_nothing_is_half_written(
    mosquitto: Mosquitto, example_api: SimulatedApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("ts2mqtt.setup.start.open", full, raising=False)
    path = tmp_path / "config.yaml"
    user = Scripted([f"127.0.0.1:{mosquitto.port}", example_api.url, "", "", EOFError])
    with pytest.raises(Ts2mqttError, match="nothing was written"):
        await set_up(path, user)

    assert f"{path} cannot be written: No space left on device." in user.said
    assert [name for name in names_in(tmp_path) if name.endswith(".yaml")] == []


@pytest.mark.parametrize("end", [EOFError, KeyboardInterrupt])
async def test_a_user_who_ends_it(end: type[BaseException], tmp_path: Path) -> None:
    with pytest.raises(Ts2mqttError, match=r"^setup was ended before the last question; nothing was written$"):
        await set_up(tmp_path / "config.yaml", Scripted([end]))
    assert names_in(tmp_path) == []


def test_no_terminal(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["setup"]) == 2
    assert capsys.readouterr().err == (
        "ts2mqtt setup asks questions, and there is no terminal here to ask them in (in a container: "
        "docker run -it); or copy config.yaml.example to config.yaml and write the addresses into it\n"
    )
    assert list(tmp_path.iterdir()) == []


async def test_a_closed_standard_input(tmp_path: Path) -> None:
    command = f"exec {sys.executable} -m ts2mqtt setup <&-"
    process = await asyncio.create_subprocess_shell(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": ":".join(sys.path)}, stderr=asyncio.subprocess.PIPE
    )
    _, err = await process.communicate()
    assert process.returncode == 2
    assert b"there is no terminal here" in err


@pytest.mark.filterwarnings("default")
def test_a_terminal_that_cannot_hide_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """getpass() would warn, and show what is typed: standard input is no terminal here, and there is no other."""

    def no_terminal(*_: object) -> int:
        raise OSError(errno.ENXIO, "no terminal")

    monkeypatch.setattr("os.open", no_terminal)
    with pytest.raises(
        Ts2mqttError, match=r"^this terminal cannot hide a password that is typed; run setup in another"
    ):
        Terminal(sys.stdout).answer_to(Question("Password", is_secret=True))


class Screen:
    """A ts2mqtt setup in a terminal of its own, and what stands there."""

    def __init__(self, terminal: int, pid: int) -> None:
        self._terminal = terminal
        self._pid = pid
        self._read = 0
        self.text = ""

    async def asks(self, pattern: str) -> None:
        """Waits until the last that stands there, after what was answered, is this question."""
        async with asyncio.timeout(_PATIENCE_S):
            while not re.search(pattern, self.text[self._read :]):
                if not await self._take():
                    raise AssertionError(f"it ended without asking {pattern!r}: {self.text}")
        self._read = len(self.text)

    async def answer(self, question: str, line: str) -> None:
        await self.asks(question)
        os.write(self._terminal, f"{line}\n".encode())

    async def press(self, key: bytes) -> None:
        """Waits until the program sleeps, as input() misses a Ctrl-C that comes between its question and its read."""
        async with asyncio.timeout(_PATIENCE_S):
            while not self._sleeps():  # noqa: ASYNC110 - a kernel tells nobody
                await asyncio.sleep(0.01)
        os.write(self._terminal, key)

    async def ends(self) -> int:
        async with asyncio.timeout(_PATIENCE_S):
            while await self._take():
                pass
        _, status = os.waitpid(self._pid, 0)  # noqa: ASYNC222 - it has closed its terminal, and ends at once
        return os.waitstatus_to_exitcode(status)

    def _sleeps(self) -> bool:
        """True also where the kernel has no /proc."""
        state = Path(f"/proc/{self._pid}/stat")
        return not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "S"

    async def _take(self) -> bool:
        loop, readable = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._terminal, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(self._terminal)
        try:
            piece = os.read(self._terminal, 4096)
        except OSError:
            # Linux's word for a terminal whose program has ended.
            return False
        self.text += piece.decode(errors="replace")
        return bool(piece)


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Callable[..., Screen]]:
    opened: list[tuple[int, int]] = []

    def start(*arguments: str) -> Screen:
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(tmp_path)
            environment = {**os.environ, "PYTHONPATH": ":".join(sys.path), "PYTHONIOENCODING": "utf-8"}
            os.execve(sys.executable, [sys.executable, "-m", "ts2mqtt", "setup", *arguments], environment)  # noqa: S606
        opened.append((pid, terminal))
        return Screen(terminal, pid)

    yield start
    for pid, terminal in opened:
        os.close(terminal)
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


async def test_through_a_terminal(
    screen: Callable[..., Screen], broker: Mosquitto, example_api: SimulatedApi, tmp_path: Path
) -> None:
    shown = screen()
    await shown.answer(r"MQTT broker \[homeassistant.local\]: $", f"mqtt://127.0.0.1:{broker.port}")
    await shown.answer(r"User name for the broker: $", USER)
    await shown.answer(r"Password for the broker \(it is not shown\): $", PASSWORD)
    await shown.answer(r"such as 192.168.1.50: $", f"{example_api.url}/ts/v0/profiles")
    await shown.answer(r"Name of the rig in Home Assistant \[Rig\]: $", "Sternwarte Süd")
    await shown.answer(r"another rig\? \(y or n\) \[n\]: $", "")

    assert await shown.ends() == 0
    assert PASSWORD not in shown.text
    assert "config.yaml is written. Next:\r\n  python -m ts2mqtt check " in shown.text
    config = load_config(tmp_path / "config.yaml", {}).config
    assert (config.rigs[0].name, config.rigs[0].id) == ("Sternwarte Süd", "sternwarte_sud")
    assert config.mqtt.password
    assert config.mqtt.password.get_secret_value() == PASSWORD


@pytest.mark.parametrize("key", [b"\x03", b"\x04"], ids=["Ctrl-C", "Ctrl-D"])
async def test_a_key_that_ends_it(key: bytes, screen: Callable[..., Screen], tmp_path: Path) -> None:
    shown = screen()
    await shown.asks(r"MQTT broker \[homeassistant.local\]: $")
    await shown.press(key)

    assert await shown.ends() == 1
    assert "ts2mqtt: setup was ended before the last question; nothing was written\r\n" in shown.text
    assert "Traceback" not in shown.text
    assert names_in(tmp_path) == []


async def test_ctrl_c_while_something_is_tried(
    screen: Callable[..., Screen], tmp_path: Path, mosquitto: Mosquitto
) -> None:
    mosquitto.freeze()
    try:
        shown = screen("-c", "other.yaml")
        await shown.answer(r"MQTT broker \[homeassistant.local\]: $", f"127.0.0.1:{mosquitto.port}")
        await shown.asks(r"takes connections")
        await shown.press(b"\x03")
        assert await shown.ends() == 1
    finally:
        mosquitto.thaw()
    assert "nothing was written" in shown.text
    assert not (tmp_path / "other.yaml").exists()


async def test_nothing_answers_in_a_terminal(screen: Callable[..., Screen], tmp_path: Path) -> None:
    shown = screen("--config", "other.yaml")
    await shown.answer(r"MQTT broker \[homeassistant.local\]: $", f"127.0.0.1:{free_port()}")
    await shown.answer(r"keep it as it is \[c\]: $", "k")
    await shown.answer(r"such as 192.168.1.50: $", f"127.0.0.1:{free_port()}")
    await shown.answer(r"keep it as it is \[c\]: $", "k")
    await shown.answer(r"\[Rig\]: $", "")
    await shown.answer(r"\[n\]: $", "n")

    assert await shown.ends() == 0
    assert (tmp_path / "other.yaml").exists()
    assert "ts2mqtt check -c other.yaml " in shown.text
