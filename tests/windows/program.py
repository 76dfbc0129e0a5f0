"""Programs of Python for Windows, run by Wine: on a terminal, which is a console to them, or with pipes."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.windows.prepare import environment, python

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator
    from pathlib import Path

_PATIENCE_S = 120.0
_CTRL_C = b"\x03"
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
_ROWS, _COLUMNS = 50, 200


class Console:
    """A program on a console."""

    def __init__(self, process: Process, terminal: int) -> None:
        self._process = process
        self._terminal = terminal
        self._output = bytearray()
        self._is_open = True
        self._changed = asyncio.Event()
        asyncio.get_running_loop().add_reader(terminal, self._read)

    @property
    def text(self) -> str:
        """What it has shown so far; Wine moves the cursor over a space."""
        return _ESCAPES.sub("", self._output.replace(b"\x1b[1C", b" ").decode(errors="replace"))

    async def shows(self, text: str) -> None:
        async with asyncio.timeout(_PATIENCE_S):
            while text not in self.text:
                assert self._is_open, f"it ended without showing {text!r}: {self.text}"
                self._changed.clear()
                await self._changed.wait()

    async def ended_by_ctrl_c(self) -> int:
        """The exit code after the keys were pressed."""
        os.write(self._terminal, _CTRL_C)
        async with asyncio.timeout(_PATIENCE_S):
            return await self._process.wait()

    def _read(self) -> None:
        try:
            self._output += os.read(self._terminal, 65_536)
        except OSError:
            # Linux says so when nobody has the other side of the terminal any more.
            self._is_open = False
            asyncio.get_running_loop().remove_reader(self._terminal)
        self._changed.set()


@dataclass(frozen=True, slots=True)
class WindowsPython:
    """A Python for Windows that is prepared."""

    version: str

    @asynccontextmanager
    async def on_console(self, *arguments: str, **variables: str) -> AsyncIterator[Console]:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
        process = await asyncio.create_subprocess_exec(
            *("wine", str(python(self.version)), *arguments),
            env=environment() | variables,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        try:
            yield Console(process, ours)
        finally:
            asyncio.get_running_loop().remove_reader(ours)
            if process.returncode is None:
                process.kill()
                await process.wait()
            with suppress(OSError):
                os.close(ours)

    async def output_of(self, *arguments: str, **variables: str) -> tuple[int, str]:
        """Exit code and all output of a program that ends by itself; its output is a pipe."""
        process = await asyncio.create_subprocess_exec(
            *("wine", str(python(self.version)), *arguments),
            env=environment() | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode is not None
        return process.returncode, output.decode("cp1252").replace("\r\n", "\n")


def windows_path(path: Path) -> str:
    """To Wine, Z: is the root of this machine's files."""
    return f"Z:{path}".replace("/", "\\")
