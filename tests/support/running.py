"""A bridge that runs in the test's own event loop, impatient, and what it says in its log."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ts2mqtt.bridge.bridge import Bridge
from ts2mqtt.config import Config, HomeAssistantConfig, LogConfig, MqttConfig, PollingConfig, RigConfig
from ts2mqtt.timing import BrokerTimings, HomeAssistantTimings, RigTimings, Timings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ts2mqtt.simulator.api import SimulatedApi
    from ts2mqtt.timing import Clock

_PATIENCE_S = 60.0
RIG_NAMES = ("Backyard", "Remote", "Third")


def mqtt_config(port: int, **keys: Any) -> MqttConfig:
    return MqttConfig(host="127.0.0.1", port=port, **keys)


def polling(**keys: Any) -> PollingConfig:
    """Looks at everything ten times a second; the night plan on request only."""
    impatient = {"interval": 0.05, "slow_interval": 0.05, "statistics_interval": 3_600.0, "plan": "manual"}
    return PollingConfig().model_copy(update=impatient | keys)


def bridge_config(
    mqtt: MqttConfig | int,
    *rigs: SimulatedApi | str,
    home_assistant: HomeAssistantConfig | None = None,
    looks: PollingConfig | None = None,
) -> Config:
    """For a broker, or one on this port, and rigs called Backyard, Remote and Third."""
    return Config(
        mqtt=mqtt_config(mqtt) if isinstance(mqtt, int) else mqtt,
        home_assistant=home_assistant or HomeAssistantConfig(),
        rigs=tuple(
            RigConfig(name=name, url=(rig if isinstance(rig, str) else rig.url,))
            for name, rig in zip(RIG_NAMES, rigs, strict=False)
        ),
        polling=looks or polling(),
        log=LogConfig(),
    )


IMPATIENT = Timings(
    rig=RigTimings(first_retry_s=0.1),
    broker=BrokerTimings(first_retry_s=0.1, refused_retry_s=0.5),
    home_assistant=HomeAssistantTimings(birth_delay_s=(0.05, 0.1), least_birth_gap_s=0.05),
)
"""What is retried after seconds is retried after a tenth of them."""


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
