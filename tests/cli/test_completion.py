"""The Tab key in a real bash on a terminal of its own, with the completion that ts2mqtt prints."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import shutil
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import shtab

from tests.conftest import need
from ts2mqtt.cli import SHELLS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

_PATIENCE_S = 60.0
# Shows the words that the command would have been given.
_TS2MQTT = "ts2mqtt() { printf '<%s>' \"$@\"; printf 'done\\n'; }"


class Bash:
    """An interactive bash that has read the completion, in a directory with a config.yaml and a mine.yaml."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._said = ""
        self._happened = asyncio.Event()
        asyncio.get_running_loop().add_reader(terminal, self._read)

    async def words(self, typed: str) -> list[str]:
        """What ts2mqtt is called with after this was typed, and Enter."""
        self._said = ""
        os.write(self._terminal, f"ts2mqtt {typed}\n".encode())
        found = await self._says(r"((?:<[^<>\n]*>)+)done")
        return re.findall("<([^>]*)>", found)

    async def does(self, command: str) -> None:
        self._said = ""
        os.write(self._terminal, f"{command} && echo is'-'done\n".encode())
        await self._says("(is-done)")

    async def _says(self, pattern: str) -> str:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while not (found := re.search(pattern, self._said)):
                    self._happened.clear()
                    await self._happened.wait()
        except TimeoutError:
            raise AssertionError(f"bash never said {pattern!r}: {self._said!r}") from None
        return found[1]

    def _read(self) -> None:
        self._said += os.read(self._terminal, 65_536).decode(errors="replace")
        self._happened.set()


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    printed = subprocess.run(
        (sys.executable, "-m", "ts2mqtt", "--print-completion", "bash"), check=True, capture_output=True
    )
    path = tmp_path_factory.mktemp("completion") / "ts2mqtt.bash"
    path.write_bytes(printed.stdout)
    return path


@asynccontextmanager
async def _bash(directory: Path) -> AsyncIterator[Bash]:
    ours, terminal = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *("bash", "--noprofile", "--norc", "-i"),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        cwd=directory,
        env={"PATH": os.environ["PATH"], "TERM": "dumb", "INPUTRC": os.devnull, "HISTFILE": ""},
        start_new_session=True,
    )
    try:
        yield Bash(ours)
    finally:
        asyncio.get_running_loop().remove_reader(ours)
        process.kill()
        await process.wait()
        os.close(ours)
        os.close(terminal)


@pytest.fixture
async def bash(script: Path, tmp_path: Path) -> AsyncIterator[Bash]:
    need("bash", is_there=shutil.which("bash") is not None)
    for name in ("config.yaml", "mine.yaml"):
        (tmp_path / name).touch()
    async with _bash(tmp_path) as bash:
        await bash.does(_TS2MQTT)
        await bash.does(f"source {script}")
        yield bash


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("ch\t", ["check"]),
        ("h\t", ["healthcheck"]),
        ("check --j\t", ["check", "--json"]),
        ("demo --spe\t 5", ["demo", "--speed", "5"]),
        ("run --con\t mi\t", ["run", "--config", "mine.yaml"]),
        ("run -c co\t", ["run", "-c", "config.yaml"]),
        ("schema --con\t", ["schema", "--config"]),
        ("--print-completion ba\t", ["--print-completion", "bash"]),
        ("xy\t", ["xy"]),
    ],
)
async def test_bash_completes(bash: Bash, typed: str, words: list[str]) -> None:
    assert await bash.words(typed) == words


def test_the_command_line_names_the_shells_of_the_library() -> None:
    assert list(SHELLS) == shtab.SUPPORTED_SHELLS
