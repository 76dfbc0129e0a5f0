"""The whole check: the configuration, then the broker and every rig at the same time."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from ts2mqtt.check.broker import check_broker
from ts2mqtt.check.nina import check_nina
from ts2mqtt.check.rig import check_rig
from ts2mqtt.check.steps import Steps, Verdict
from ts2mqtt.config import load_config
from ts2mqtt.errors import ConfigError
from ts2mqtt.logs.wording import counted
from ts2mqtt.timing import CheckTimings, SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping
    from pathlib import Path

    from ts2mqtt.check.findings import Finding
    from ts2mqtt.config import Config
    from ts2mqtt.timing import Clock

    Tell = Callable[[Finding], None]
    Check = Callable[[Tell], Coroutine[None, None, None]]

CONFIG = "config"
"""The subject of what is found about the configuration; a fault there ends the check."""


async def check(
    path: Path | None,
    environment: Mapping[str, str],
    tell: Tell,
    *,
    clock: Clock = SystemClock(),
    timings: CheckTimings = CheckTimings(),
) -> None:
    """Tells every finding as soon as it is its turn: the configuration, the broker, rig by rig as configured."""
    config = _read_config(path, environment, Steps(CONFIG, tell, clock))
    if config is None:
        return
    broker = partial(check_broker, config.mqtt, config.home_assistant, clock=clock, timings=timings)
    rigs = (
        partial(check_one, rig, config.polling, clock=clock, timings=timings)
        for rig in config.rigs
        for check_one in ((check_rig, check_nina) if rig.nina_urls else (check_rig,))
    )
    await run_checks((broker, *rigs), tell)


async def run_checks(checks: Iterable[Check], tell: Tell) -> None:
    """Runs checks at the same time and tells their findings check by check; one that raises ends the others."""
    running = [_RunningCheck(one) for one in checks]
    try:
        for one in running:
            await one.tell_findings(tell)
    finally:
        for one in running:
            one.task.cancel()
        await asyncio.gather(*(one.task for one in running), return_exceptions=True)


class _RunningCheck:
    """A check that keeps its findings until those of the checks before it have been told."""

    def __init__(self, check: Check) -> None:
        self._findings: asyncio.Queue[Finding | None] = asyncio.Queue()
        self.task = asyncio.create_task(self._run(check))

    async def tell_findings(self, tell: Tell) -> None:
        """Those that are there, and each further one as it is made, until the check ends."""
        while (finding := await self._findings.get()) is not None:
            tell(finding)
        await self.task

    async def _run(self, check: Check) -> None:
        try:
            await check(self._findings.put_nowait)
        finally:
            self._findings.put_nowait(None)


def _read_config(path: Path | None, environment: Mapping[str, str], steps: Steps) -> Config | None:
    try:
        loaded = load_config(path, environment)
    except ConfigError as error:
        for fault in error.faults:
            steps.add("read", Verdict(ok=False, message=fault))
        return None
    source = "the environment alone" if loaded.source is None else str(loaded.source)
    steps.add("read", Verdict(ok=True, message=f"{source}, {counted(len(loaded.config.rigs), 'rig')}"))
    for warning in loaded.warnings:
        steps.add("warning", Verdict(ok=None, message=warning))
    return loaded.config
