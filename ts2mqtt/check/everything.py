"""The whole check: the configuration, the broker, and every rig at the same time."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from ts2mqtt.check.broker import check_broker
from ts2mqtt.check.findings import Steps, Verdict
from ts2mqtt.check.rig import check_rig
from ts2mqtt.config import load_config
from ts2mqtt.errors import ConfigError
from ts2mqtt.logs.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from pathlib import Path

    from ts2mqtt.check.findings import Finding
    from ts2mqtt.config import Config

    Tell = Callable[[Finding], None]

CONFIG = "config"
"""The subject of what is found about the configuration; a fault there ends the check."""


async def check(path: Path | None, environment: Mapping[str, str], tell: Tell) -> None:
    """Tells every finding as soon as it is its turn: the configuration, the broker, rig by rig as configured."""
    config = _read(path, environment, Steps(CONFIG, tell))
    if config is None:
        return
    first, *others = (
        partial(check_broker, config.mqtt, config.home_assistant, replica=config.replica),
        *(partial(check_rig, rig, config.polling) for rig in config.rigs),
    )
    waiting = [_Waiting(other) for other in others]
    try:
        await first(tell)
        for other in waiting:
            await other.tell_to(tell)
    finally:
        for other in waiting:
            other.work.cancel()
        await asyncio.gather(*(other.work for other in waiting), return_exceptions=True)


class _Waiting:
    """A check under way whose findings are kept until those before it have been told."""

    def __init__(self, work: Callable[[Tell], Coroutine[None, None, None]]) -> None:
        self._findings: asyncio.Queue[Finding | None] = asyncio.Queue()
        self.work = asyncio.create_task(self._run(work))

    async def tell_to(self, tell: Tell) -> None:
        while (finding := await self._findings.get()) is not None:
            tell(finding)
        await self.work

    async def _run(self, work: Callable[[Tell], Coroutine[None, None, None]]) -> None:
        try:
            await work(self._findings.put_nowait)
        finally:
            self._findings.put_nowait(None)


def _read(path: Path | None, environment: Mapping[str, str], steps: Steps) -> Config | None:
    try:
        loaded = load_config(path, environment)
    except ConfigError as error:
        for fault in str(error).splitlines():
            steps.add("read", Verdict(ok=False, message=fault))
        return None
    source = "the environment alone" if loaded.source is None else str(loaded.source)
    steps.add("read", Verdict(ok=True, message=f"{source}, {counted(len(loaded.config.rigs), 'rig')}"))
    for warning in loaded.warnings:
        steps.add("warning", Verdict(ok=None, message=warning))
    return loaded.config
