"""Programs of Python for Windows, run by Wine."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.conftest import need
from tests.windows.prepare import environment, is_ready, python

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator
    from pathlib import Path

LONGEST_S = 1800.0
"""No test takes longer, however busy the machine is."""
SHORT = pytest.mark.xdist_group("short")
"""Together these tests take about as long as all pure tests: so each core has as much to do."""
_PATIENCE_S = 900.0
_LONGEST_LINE = 1 << 20


class Running:
    """A program with a pipe as standard output; `lines` is what was read of it."""

    def __init__(self, process: Process) -> None:
        self.lines: list[str] = []
        self._process = process

    async def says(self, text: str) -> None:
        """Reads its output up to the first line with this text in it."""
        assert self._process.stdout
        async with asyncio.timeout(_PATIENCE_S):
            while line := (await self._process.stdout.readline()).decode(errors="replace"):
                self.lines.append(line.rstrip())
                if text in line:
                    return
        raise AssertionError(f"it ended without saying {text!r}: {self.lines}")

    async def ended_by_ctrl_c(self) -> int:
        """Its exit code; Wine passes SIGINT on as the event that Windows has for Ctrl-C."""
        self._process.send_signal(signal.SIGINT)
        async with asyncio.timeout(_PATIENCE_S):
            output, _ = await self._process.communicate()
        self.lines += output.decode(errors="replace").splitlines()
        assert self._process.returncode is not None
        return self._process.returncode


@dataclass(frozen=True, slots=True)
class WindowsPython:
    """A Python for Windows that is prepared."""

    version: str

    @asynccontextmanager
    async def started(self, *arguments: str, **variables: str) -> AsyncIterator[Running]:
        async with _begun(str(python(self.version)), *arguments, **variables) as process:
            yield Running(process)

    async def output_of(self, *arguments: str, **variables: str) -> tuple[int, str]:
        """Exit code and all output of a Python that ends by itself; its output is a pipe."""
        return await self.ended(str(python(self.version)), *arguments, **variables)

    async def ended(self, *command: str, **variables: str) -> tuple[int, str]:
        """As output_of(), of any program for Windows."""
        async with _begun(*command, **variables) as process:
            output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode("cp1252").replace("\r\n", "\n")


def prepared(version: str) -> WindowsPython:
    """Skips the test where it is not."""
    need(f"Wine with Python {version} for Windows", is_there=is_ready(version))
    return WindowsPython(version)


@asynccontextmanager
async def _begun(*command: str, **variables: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *("wine", *command),
        env=environment() | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        limit=_LONGEST_LINE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


def windows_path(path: Path) -> str:
    """To Wine, Z: is the root of this machine's files."""
    return f"Z:{path}".replace("/", "\\")
