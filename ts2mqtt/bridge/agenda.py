"""What a session has to do later, once something has settled."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ts2mqtt.home_assistant.transition import Showing
    from ts2mqtt.timing import Clock


@dataclass(frozen=True, slots=True)
class LookAgain:
    """Compare and publish this part once more: something had to settle, or Home Assistant is half of the way."""

    part: str


@dataclass(frozen=True, slots=True)
class TellStatesAgain:
    """Home Assistant has a device with another template, and goes on showing what it rendered with the old one."""

    state_topics: frozenset[str]


@dataclass(frozen=True, slots=True)
class BeginWelcome:
    """Home Assistant has started a moment ago, or somebody asked for it: it is to be told every device again."""


@dataclass(frozen=True, slots=True)
class RemoveAgain:
    """Home Assistant was shown a device with all that went while it was away."""

    object_id: str
    shown: Showing


@dataclass(frozen=True, slots=True)
class ForgetRecord:
    """Home Assistant has seen a removal, and has written its registry since; `record` is what stood on record."""

    topic: str
    record: bytes


@dataclass(frozen=True, slots=True)
class TellMore:
    """There is room for more devices: what waits for it goes on."""


Task = LookAgain | TellStatesAgain | BeginWelcome | RemoveAgain | ForgetRecord | TellMore


class Agenda:
    """Tasks, by the moment from which on they are due; of equal ones the earliest stands."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: dict[Task, float] = {}

    def add(self, in_s: float, task: Task) -> None:
        due = self._clock.monotonic() + in_s
        self._tasks[task] = min(due, self._tasks.get(task, due))

    def take_due(self) -> list[Task]:
        """What is due now, in its order."""
        now = self._clock.monotonic()
        due = sorted(((task, at) for task, at in self._tasks.items() if at <= now), key=itemgetter(1))
        for task, _ in due:
            del self._tasks[task]
        return [task for task, _ in due]

    def next_due_in_s(self) -> float | None:
        """None while there is nothing to do."""
        return max(0.0, min(self._tasks.values()) - self._clock.monotonic()) if self._tasks else None
