"""What can be ordered over MQTT, who may order it and how often; a command that is not listed here does nothing."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ts2mqtt.bridge.rate_limit import RateLimit

if TYPE_CHECKING:
    from collections.abc import Callable

    from ts2mqtt.mqtt.message import Received
    from ts2mqtt.topics.names import TopicNames

_LOG = logging.getLogger(__name__)

_LONGEST_QUOTE = 60
_AT_ONCE = 10
_EVERY_S = 3.0
_COMPLAINT_EVERY_S = 60.0
_MOST_COMMANDED = 1_000


@dataclass(frozen=True, slots=True)
class Commands:
    """What commands from the broker do; each answers whether it was meant for this bridge."""

    log_level: Callable[[str], bool]
    refresh: Callable[[str], bool]
    refresh_plan: Callable[[str], bool]


class CommandListener:
    """Carries out the commands that come over one connection.

    `is_of_others` says of a rig that another replica answers for it: its commands are no mistake here.
    """

    def __init__(
        self,
        topics: TopicNames,
        commands: Commands,
        rediscover: Callable[[], None],
        is_of_others: Callable[[str], bool],
    ) -> None:
        self._topics = topics
        self._commands = commands
        self._rediscover = rediscover
        self._is_of_others = is_of_others
        self._obedience: dict[str, RateLimit] = {}
        self._complaints = RateLimit(1, _COMPLAINT_EVERY_S)
        # One for all topics: there are as many as somebody thinks up.
        self._not_understood = RateLimit(_AT_ONCE, _EVERY_S)

    def hear(self, message: Received) -> None:
        """Ignores what is no command, comes too often, or is retained: that would be carried out at every start."""
        rig_id = self._topics.commanded_rig(message.topic)
        if message.retain or (rig_id is None and message.topic != self._topics.command):
            return
        if not self._allowance_of(message.topic).use():
            if self._complaints.use():
                _LOG.warning(
                    "commands come faster than one in %g s, the last on %s; what is too much is ignored",
                    _EVERY_S,
                    message.topic,
                )
            return
        words = message.payload[: 4 * _LONGEST_QUOTE].decode(errors="replace").split()
        if rig_id is None:
            understood = self._of_the_bridge(words)
        else:
            understood = self._of_a_rig(rig_id, words) or self._is_of_others(rig_id)
        if not understood and self._not_understood.use():
            _LOG.warning("a command on %s is not understood: %r", message.topic, message.payload[:_LONGEST_QUOTE])

    def _allowance_of(self, topic: str) -> RateLimit:
        """Each topic has its own, so that a flood on one leaves the others alone; beyond many they share one."""
        known = topic if topic in self._obedience or len(self._obedience) < _MOST_COMMANDED else ""
        return self._obedience.setdefault(known, RateLimit(_AT_ONCE, _EVERY_S))

    def _of_the_bridge(self, words: list[str]) -> bool:
        match words:
            case ["rediscover"]:
                self._rediscover()
                return True
            case ["log_level", level]:
                return self._commands.log_level(level)
            case _:
                return False

    def _of_a_rig(self, rig_id: str, words: list[str]) -> bool:
        match words:
            case ["refresh"]:
                return self._commands.refresh(rig_id)
            case ["refresh_plan"]:
                return self._commands.refresh_plan(rig_id)
            case _:
                return False
