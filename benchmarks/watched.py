"""A program under measurement, and what it has cost so far: CPU seconds and memory, read from /proc."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from benchmarks.floor import Errand

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from benchmarks.floor import Retained
    from benchmarks.hosting_site import HostingSite

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_ENDS_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Watched:
    pid: int

    @property
    def cpu_s(self) -> float:
        """User and system time, in steps of the kernel's tick (10 ms)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    @property
    def resident_mb(self) -> float:
        return int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE / 1e6


def bridge(
    site: HostingSite, interval_s: float, *, for_home_assistant: bool = True, **mqtt: object
) -> AbstractAsyncContextManager[Watched]:
    config = bridge_config(site, interval_s, for_home_assistant=for_home_assistant, **mqtt)
    return running("ts2mqtt", "run", "-c", str(config))


def bridge_config(site: HostingSite, interval_s: float, *, for_home_assistant: bool = True, **mqtt: object) -> Path:
    """The file; `mqtt` are further keys of that section."""
    config = site.folder / "config.yaml"
    wanted = {
        "mqtt": {"host": "127.0.0.1", "port": site.broker_port, **mqtt},
        "rigs": [{"name": f"Rig {number}", "url": url} for number, url in enumerate(site.urls)],
        # Each look reads all that is live: requests.py tells what is saved. What is read once a night or once in six
        # hours is no part of a pass: night.py.
        "polling": {"interval": f"{interval_s}s", "edit_interval": f"{interval_s}s", "plan": "off"},
        "home_assistant": {"enabled": for_home_assistant},
        "log": {"level": "warning"},
    }
    config.write_text(yaml.safe_dump(wanted), encoding="utf-8")
    return config


def floor(
    site: HostingSite,
    interval_s: float,
    messages: list[Retained],
    on_change: list[Retained] | None = None,
) -> AbstractAsyncContextManager[Watched]:
    path = site.folder / "errand.json"
    errand = Errand(
        broker_port=site.broker_port,
        urls=site.urls,
        messages=messages,
        on_change=on_change or [],
        interval_s=interval_s,
    )
    path.write_text(errand.model_dump_json(), encoding="utf-8")
    return running("benchmarks.floor", str(path))


@asynccontextmanager
async def running(*arguments: str) -> AsyncIterator[Watched]:
    """`python -m …`, ended by its pid when the block is left."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", *arguments, stdin=asyncio.subprocess.DEVNULL)
    try:
        yield Watched(process.pid)
    finally:
        if process.returncode is None:
            process.terminate()
            async with asyncio.timeout(_ENDS_WITHIN_S):
                await process.wait()
