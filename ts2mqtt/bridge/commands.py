"""What can be ordered over MQTT, and how often; a command that is not listed here does nothing."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from ts2mqtt.config.words import LOG_LEVELS
from ts2mqtt.logs.failures import FailureLog
from ts2mqtt.logs.tallies import Kind
from ts2mqtt.timing.rate_limit import RateLimit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ts2mqtt.timing import Clock
    from ts2mqtt.topics.names import TopicNames

_LOG = logging.getLogger(__name__)

_TOO_FAST = Kind("commands that come too fast")
_NOT_UNDERSTOOD = Kind("commands that are not understood")
_LEVELS = Kind("changes of the log level")

_LONGEST_QUOTE = 60
_AT_ONCE = 10
_EVERY_S = 3.0
_MOST_COMMANDED = 1_000


class Commanded(Protocol):
    """What can be ordered of a rig."""

    def refresh(self) -> None: ...

    def refresh_plan(self) -> None: ...


class Commands:
    """Carries out what comes on the command topics of the bridge and of these rigs; other rigs are unknown."""

    def __init__(
        self,
        topics: TopicNames,
        workers: Mapping[str, Commanded],
        clock: Clock,
        failures: FailureLog | None = None,
        reload_ordered: asyncio.Event | None = None,
    ) -> None:
        """`reload_ordered` is set when the configuration is to be read again, which others do."""
        self._topics = topics
        self._workers = workers
        self._clock = clock
        self._failures = failures or FailureLog(_LOG, clock)
        self._reload_ordered = reload_ordered or asyncio.Event()
        self._limits: dict[str, RateLimit] = {}

    def carry_out(self, topic: str, payload: bytes) -> bool:
        """Whether Home Assistant is to be told everything again; what comes too often is ignored."""
        if not self._limit_of(topic).try_take():
            text = (
                f"commands come faster than one in {_EVERY_S:g} s, the last on {topic}; what is too much is ignored"
            )
            self._failures.noted(_TOO_FAST, topic, text)
            return False
        words = payload[: 4 * _LONGEST_QUOTE].decode(errors="replace").split()
        rig_id = self._topics.commanded_rig(topic)
        if rig_id is None and words == ["rediscover"]:
            return True
        carried_out = self._carry_out_for_bridge(words) if rig_id is None else self._carry_out_for_rig(rig_id, words)
        if not carried_out:
            text = f"a command on {topic} is not understood: {payload[:_LONGEST_QUOTE]!r}"
            self._failures.noted(_NOT_UNDERSTOOD, topic, text)
        return False

    def _limit_of(self, topic: str) -> RateLimit:
        """Each topic has its own, so that a flood on one leaves the others alone; beyond many they share one."""
        known = topic if topic in self._limits or len(self._limits) < _MOST_COMMANDED else ""
        return self._limits.setdefault(known, RateLimit(_AT_ONCE, _EVERY_S, self._clock))

    def _carry_out_for_bridge(self, words: list[str]) -> bool:
        match words:
            case ["log_level", level] if level in LOG_LEVELS:
                self._failures.noted(_LEVELS, "log level", f"the log level changes to {level}")
                logging.getLogger("ts2mqtt").setLevel(level.upper())
                return True
            case ["reload"]:
                self._reload_ordered.set()
                return True
            case _:
                return False

    def _carry_out_for_rig(self, rig_id: str, words: list[str]) -> bool:
        worker = self._workers.get(rig_id)
        match words:
            case ["refresh"] if worker:
                worker.refresh()
            case ["refresh_plan"] if worker:
                worker.refresh_plan()
            case _:
                return False
        return True
