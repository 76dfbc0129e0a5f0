"""What a bridge with the rig of the example carries out when somebody publishes a command."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from tests.support import topics_of_example as of
from tests.support.clocks import HandClock
from ts2mqtt.bridge.commands import Commands


@dataclass(frozen=True)
class CommandedRig:
    """Writes down what it is told: `refresh backyard`."""

    rig_id: str
    done: list[str]

    def refresh(self) -> None:
        self.done.append(f"refresh {self.rig_id}")

    def refresh_plan(self) -> None:
        self.done.append(f"refresh_plan {self.rig_id}")


def carried_out(topic: str, payload: str) -> list[str]:
    """What is done, in words; the log's level is as before afterwards."""
    done: list[str] = []
    logger = logging.getLogger("ts2mqtt")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    commands = Commands(of.NAMES.topics, {of.RIG: CommandedRig(of.RIG, done)}, HandClock())
    if commands.carry_out(topic, payload.encode()):
        done.append("rediscover")
    if logger.level != logging.CRITICAL:
        done.append(f"log_level {logging.getLevelName(logger.level).lower()}")
    logger.setLevel(before)
    return done
