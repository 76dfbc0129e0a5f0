"""A hosting site: many rigs in a process of their own, a Mosquitto, and somebody who sees what is published."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.rig_server import COUNT, EXPOSE, FORGET, USUAL, Counted, Listening
from tests.support.mosquitto import Mosquitto
from tests.support.observer import Observer, observing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from benchmarks.rig_server import Size

_LONGEST_LINE = 1_000_000

# By default it drops what the observer has not read yet, and the observer counts; and Nagle's algorithm keeps back
# for 40 ms what the observer should see as soon as it is acknowledged to its publisher.
_FOR_THE_OBSERVER = ["max_queued_messages 0", "set_tcp_nodelay true"]


@dataclass(frozen=True, slots=True)
class HostingSite:
    urls: list[str]
    broker_port: int
    observer: Observer
    folder: Path
    _server: asyncio.subprocess.Process

    async def counted(self) -> Counted:
        return await self._ask(COUNT)

    async def expose(self) -> None:
        """The first rig saves an image, which its next answer tells."""
        await self._ask(EXPOSE)

    async def forget(self) -> None:
        """Counts anew from now on."""
        await self._ask(FORGET)

    async def retained(self, count: int, patience_s: float) -> None:
        """Returns when so many topics are retained."""
        await self.observer.wait_until(
            lambda: len(self.observer.held) >= count, f"{count} retained topics", patience_s=patience_s
        )

    async def _ask(self, what: str) -> Counted:
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.write(f"{what}\n".encode())
        return Counted.model_validate_json(await self._server.stdout.readline())


@asynccontextmanager
async def hosting_site(
    count: int, size: Size = USUAL, options: Sequence[str] = _FOR_THE_OBSERVER
) -> AsyncIterator[HostingSite]:
    """So many rigs, each with a port of its own on 127.0.0.1; `options` are lines of Mosquitto's configuration."""
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.rig_server", *map(str, (count, *astuple(size)))),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
    )
    assert server.stdin
    assert server.stdout
    try:
        listening = Listening.model_validate_json(await server.stdout.readline())
        with tempfile.TemporaryDirectory(prefix="ts2mqtt-bench-") as name:
            folder = Path(name)
            mosquitto = Mosquitto(folder / "broker", options=options)
            async with mosquitto, observing(mosquitto.port) as observer:
                yield HostingSite(listening.urls, mosquitto.port, observer, folder, server)
    finally:
        server.stdin.close()
        await server.wait()
