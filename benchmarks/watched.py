"""A program under measurement, and what it has cost so far: CPU seconds and memory, read from /proc."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_ENDS_WITHIN_S = 15.0


@dataclass(frozen=True, slots=True)
class Watched:
    pid: int

    @property
    def cpu_s(self) -> float:
        """User and system time, in steps of the kernel's tick (10 ms)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    @property
    def resident_mb(self) -> float:
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * _PAGE / 1e6


@asynccontextmanager
async def running(*arguments: str) -> AsyncIterator[Watched]:
    """`python -m …`, ended by its pid when the block is left."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, stdin=asyncio.subprocess.DEVNULL
    )
    try:
        yield Watched(process.pid)
    finally:
        if process.returncode is None:
            process.terminate()
            async with asyncio.timeout(_ENDS_WITHIN_S):
                await process.wait()
