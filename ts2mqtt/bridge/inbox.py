"""What a session has to deal with, as values: what rigs report, what comes from the broker, and the stop."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ts2mqtt.logs.failures import Failure
    from ts2mqtt.observatory.model import Rig
    from ts2mqtt.topics.message import Message

MOST_EVENTS_OF_A_RIG = 1_000
"""Kept while the broker is away; older ones are dropped first."""


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
    """Home Assistant's birth (`is_up`) or last will; `is_retained` where the broker had kept it."""

    is_up: bool
    is_retained: bool


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


Happening = RigUpdate | HomeAssistantSpoke | CommandCame | StatusOverwritten | BridgeChanged | Stop


class Inbox:
    """Anybody may put; one task takes.

    Of each rig the latest update is kept, with the events of those that it replaced: what waits for a broker that is
    away for days does not grow. Everything else goes first, in its order.
    """

    def __init__(self) -> None:
        self._updates: dict[str, RigUpdate] = {}
        self._others: deque[Happening] = deque()
        self._filled = asyncio.Event()

    def put(self, happening: Happening) -> None:
        if isinstance(happening, RigUpdate):
            earlier = self._updates.get(happening.rig_id)
            events = (*earlier.events, *happening.events)[-MOST_EVENTS_OF_A_RIG:] if earlier else happening.events
            self._updates[happening.rig_id] = replace(happening, events=events)
        else:
            self._others.append(happening)
        self._filled.set()

    def take_all(self) -> list[Happening]:
        """Everything that is there; what is no rig's update first."""
        taken = [*self._others, *self._updates.values()]
        self._others.clear()
        self._updates.clear()
        self._filled.clear()
        return taken

    async def filled(self) -> None:
        """Returns when there is something to take."""
        await self._filled.wait()
