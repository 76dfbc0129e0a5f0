"""A bridge that runs in the test's own event loop, impatient, and what it says in its log."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.support.build import RIG_NAMES, bridge_config, mqtt_config, polling
from ts2mqtt.bridge.bridge import Bridge
from ts2mqtt.timing import BrokerTimings, HomeAssistantTimings, LogTimings, RigTimings, Timings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ts2mqtt.config import Config
    from ts2mqtt.timing import Clock

__all__ = [
    "IMPATIENT",
    "RIG_NAMES",
    "TALKATIVE",
    "Log",
    "bridge_config",
    "mqtt_config",
    "polling",
    "running_bridge",
    "with_broker",
]

_PATIENCE_S = 60.0


IMPATIENT = Timings(
    rig=RigTimings(first_retry_s=0.1),
    broker=BrokerTimings(first_retry_s=0.1, refused_retry_s=0.5),
    home_assistant=HomeAssistantTimings(birth_delay_s=(0.05, 0.1), least_birth_gap_s=0.05, registry_written_s=2.0),
)
"""What is retried after seconds is retried after a fraction of them."""


TALKATIVE = replace(IMPATIENT, log=LogTimings(next_line_s=0.0001, next_line_of_subject_s=0.0001, first_sum_s=3_600.0))
"""Every failure has a line of its own, however many there were before."""


def with_broker(**seconds: float) -> Timings:
    """Impatient, with other timings towards the broker."""
    return replace(IMPATIENT, broker=replace(IMPATIENT.broker, **seconds))


@asynccontextmanager
async def running_bridge(
    config: Config, clock: Clock | None = None, timings: Timings = IMPATIENT
) -> AsyncIterator[Bridge]:
    """Runs while the block does; stopped in peace afterwards, as by SIGTERM."""
    bridge = Bridge(config, clock=clock, timings=timings)
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
