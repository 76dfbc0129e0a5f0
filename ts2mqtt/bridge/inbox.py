"""What a session has to deal with, as values: what rigs report, what comes from the broker, and the stop."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ts2mqtt.logs.failures import FailureLog
from ts2mqtt.logs.tallies import Kind
from ts2mqtt.timing import SystemClock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ts2mqtt.logs.failures import Failure
    from ts2mqtt.observatory.model import Rig
    from ts2mqtt.topics.message import Message

from ts2mqtt.bridge.deliveries import BrokerCounted

_LOG = logging.getLogger(__name__)

_DROPPED = Kind("rigs of which only the latest events are kept")

_MOST_COMMANDS = 1_000
_MOST_EVENTS, _MOST_EVENTS_OF_A_RIG, _LEAST_EVENTS_OF_A_RIG = 20_000, 1_000, 20


def most_events_of_a_rig(rigs: int) -> int:
    """So many are kept while the broker is away, where there are so many rigs; older ones are dropped first."""
    return max(_LEAST_EVENTS_OF_A_RIG, min(_MOST_EVENTS_OF_A_RIG, _MOST_EVENTS // max(1, rigs)))


@dataclass(frozen=True, slots=True, kw_only=True)
class RigUpdate:
    """A rig after something about it has changed: all that should stand on the broker, and what has just happened.

    `states` and `devices` by topic; `events` are payloads, in their order; `problem` is what fails now.
    """

    rig: Rig
    states: Mapping[str, Message]
    devices: Mapping[str, Message]
    events: tuple[bytes, ...] = ()
    problem: Failure | None = None

    @property
    def rig_id(self) -> str:
        return self.rig.id


@dataclass(frozen=True, slots=True)
class HomeAssistantSpoke:
    """Home Assistant's birth (`is_up`) or last will; `is_retained` where the broker had kept it.

    `heard` is when, on the monotonic clock.
    """

    is_up: bool
    is_retained: bool
    heard: float


@dataclass(frozen=True, slots=True)
class CommandCame:
    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class StatusOverwritten:
    """Somebody else published on this bridge's own status topic."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class BridgeChanged:
    """Something has changed that stands on the bridge's own topic."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The bridge shall end."""


Happening = BrokerCounted | RigUpdate | HomeAssistantSpoke | CommandCame | StatusOverwritten | BridgeChanged | Stop


class Inbox:
    """Anybody may put; one task takes.

    Of each rig the latest update is kept, with the events of those that it replaced: what waits for a broker that is
    away for days does not grow. Everything else goes first, in its order.
    """

    def __init__(self, events_of_a_rig: int = _MOST_EVENTS_OF_A_RIG, *, failures: FailureLog | None = None) -> None:
        self.turns = 0
        """How often everything was taken."""

        self._events_of_a_rig = events_of_a_rig
        self._failures = failures or FailureLog(_LOG, SystemClock())
        self._updates: dict[str, RigUpdate] = {}
        self._others: deque[Happening] = deque()
        self._dropping: set[str] = set()
        self._filled = asyncio.Event()

    def put(self, happening: Happening) -> None:
        match happening:
            case RigUpdate():
                earlier = self._updates.get(happening.rig_id)
                events = (*(earlier.events if earlier else ()), *happening.events)
                if len(events) > self._events_of_a_rig and happening.rig_id not in self._dropping:
                    self._dropping.add(happening.rig_id)
                    text = f"the broker is away for long: only the latest {self._events_of_a_rig} events are kept"
                    self._failures.noted(_DROPPED, happening.rig_id, f"{happening.rig.name}: {text}")
                self._updates[happening.rig_id] = replace(happening, events=events[-self._events_of_a_rig :])
            case CommandCame() | StatusOverwritten() if len(self._others) >= _MOST_COMMANDS:
                return
            case _:
                self._others.append(happening)
        self._filled.set()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to take."""
        return not self._filled.is_set()

    def take_all(self) -> list[Happening]:
        """Everything that is there; what is no rig's update first."""
        taken = [*self._others, *self._updates.values()]
        self._others.clear()
        self._updates.clear()
        self._dropping.clear()
        self._filled.clear()
        self.turns += 1
        return taken

    async def filled(self) -> None:
        """Returns when there is something to take."""
        await self._filled.wait()
