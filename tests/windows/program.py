"""Programs of Python for Windows, run by Wine."""

from __future__ import annotations

import asyncio
import os
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
# More than any program here writes before it is read.
_LONGEST_OUTPUT = 1 << 24
_END = b"\x04the program has ended\n"


class Running:
    """A program with a pipe as standard output; `lines` is what was read of it."""

    def __init__(self, process: Process, output: asyncio.StreamReader) -> None:
        self.lines: list[str] = []
        self._process = process
        self._output = output

    async def says(self, text: str) -> None:
        """Reads its output up to the first line with this text in it."""
        async with asyncio.timeout(_PATIENCE_S):
            while (line := await self._output.readline()) and not line.endswith(_END):
                self.lines.append(line.decode(errors="replace").rstrip())
                if text in self.lines[-1]:
                    return
        raise AssertionError(f"it ended without saying {text!r}: {self.lines}")

    async def ended_by_ctrl_c(self) -> int:
        """Its exit code; Wine passes SIGINT on as the event that Windows has for Ctrl-C."""
        self._process.send_signal(signal.SIGINT)
        async with asyncio.timeout(_PATIENCE_S):
            code, output = await self.end()
        self.lines += output.decode(errors="replace").splitlines()
        return code

    async def end(self) -> tuple[int, bytes]:
        """Waits for it; its exit code, and what of its output was not read yet."""
        output = await self._output.readuntil(_END)
        return await self._process.wait(), output.removesuffix(_END)


@dataclass(frozen=True, slots=True)
class WindowsPython:
    """A Python for Windows that is prepared."""

    version: str

    @asynccontextmanager
    async def started(self, *arguments: str, **variables: str) -> AsyncIterator[Running]:
        async with _begun(str(python(self.version)), *arguments, **variables) as running:
            yield running

    async def output_of(self, *arguments: str, **variables: str) -> tuple[int, str]:
        """Exit code and all output of a Python that ends by itself; its output is a pipe."""
        return await self.ended(str(python(self.version)), *arguments, **variables)

    async def ended(self, *command: str, **variables: str) -> tuple[int, str]:
        """As output_of(), of any program for Windows."""
        async with _begun(*command, **variables) as running:
            code, output = await running.end()
        return code, output.decode("cp1252").replace("\r\n", "\n")


def prepared(version: str) -> WindowsPython:
    """Skips the test where it is not."""
    need(f"Wine with Python {version} for Windows", is_there=is_ready(version))
    return WindowsPython(version)


@asynccontextmanager
async def _begun(*command: str, **variables: str) -> AsyncIterator[Running]:
    async with _pipe() as (output, writing):
        process = await asyncio.create_subprocess_exec(
            *("wine", *command),
            env=environment() | variables,
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=subprocess.STDOUT,
        )
        end = asyncio.create_task(_marked_end(process, writing))
        try:
            yield Running(process, output)
        finally:
            if process.returncode is None:
                process.kill()
            await end


async def _marked_end(process: Process, writing: int) -> None:
    """Wine's desktop may inherit the pipe, and keep it open as long as any program of Wine runs."""
    await process.wait()
    os.write(writing, _END)


@asynccontextmanager
async def _pipe() -> AsyncIterator[tuple[asyncio.StreamReader, int]]:
    reading, writing = os.pipe()
    output = asyncio.StreamReader(limit=_LONGEST_OUTPUT)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(output), os.fdopen(reading, "rb")
    )
    try:
        yield output, writing
    finally:
        transport.close()
        os.close(writing)


def windows_path(path: Path) -> str:
    """To Wine, Z: is the root of this machine's files."""
    return f"Z:{path}".replace("/", "\\")
