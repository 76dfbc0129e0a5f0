"""A bridge that runs in the test's own event loop, impatient, and what it says in its log."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.support.build import RIG_NAMES, bridge_config, mqtt_config, polling
from ts2mqtt.bridge.bridge import Bridge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    from ts2mqtt.config import Config

__all__ = ["RIG_NAMES", "Log", "bridge_config", "mqtt_config", "polling", "running_bridge"]

_PATIENCE_S = 60.0


@asynccontextmanager
async def running_bridge(
    config: Config, now: Callable[[], datetime] | None = None, *, pace: float = 1.0
) -> AsyncIterator[Bridge]:
    """Runs while the block does; stopped in peace afterwards, as by SIGTERM."""
    bridge = Bridge(config, now=now, pace=pace) if now else Bridge(config)
    running = asyncio.create_task(bridge.run())
    try:
        yield bridge
    finally:
        bridge.stop()
        async with asyncio.timeout(_PATIENCE_S):
            await running


class Log(logging.Handler):
    """What ts2mqtt says, in order, as `WARNING message`."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self._happened = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {record.getMessage()}")
        self._happened.set()

    def about(self, *parts: str) -> list[str]:
        """The lines with all of these texts in them."""
        return [line for line in self.lines if all(part in line for part in parts)]

    @property
    def problems(self) -> list[str]:
        return [line for line in self.lines if line.startswith(("WARNING", "ERROR", "CRITICAL"))]

    async def says(self, *parts: str) -> str:
        """Waits for a line with all of these texts in it."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while not self.about(*parts):
                    self._happened.clear()
                    await self._happened.wait()
        except TimeoutError:
            raise AssertionError(f"the log never said {parts}: {self.lines}") from None
        return self.about(*parts)[0]
