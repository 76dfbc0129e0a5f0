"""What the bridge does when somebody publishes a command."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

from tests.support import topics_of_example as of
from tests.support.clocks import HandClock
from ts2mqtt.bridge.commands import Commands

if TYPE_CHECKING:
    from ts2mqtt.bridge.rig_worker import RigWorker


class _Worker:
    """The worker of the example's rig; writes down what it is ordered."""

    def __init__(self, done: list[str]) -> None:
        self._done = done

    def refresh(self) -> None:
        self._done.append(f"refresh {of.RIG}")

    def refresh_plan(self) -> None:
        self._done.append(f"refresh_plan {of.RIG}")


def carried_out(topic: str, payload: str) -> list[str]:
    """By a bridge with the rig of the example: `refresh backyard`, `rediscover`, `log_level debug`."""
    done: list[str] = []
    commands = Commands(of.NAMES.topics, {of.RIG: cast("RigWorker", _Worker(done))}, HandClock())
    logger = logging.getLogger("ts2mqtt")
    before = logger.level
    logger.setLevel(logging.NOTSET)
    try:
        if commands.carry_out(topic, payload.encode()):
            done.append("rediscover")
        if logger.level != logging.NOTSET:
            done.append(f"log_level {logging.getLevelName(logger.level).lower()}")
    finally:
        logger.setLevel(before)
    return done
