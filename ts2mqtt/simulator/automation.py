"""Makes a simulated observatory change by itself: its actors (the rig, the user) act one after the other.

Each actor acts at its own times and draws its own random numbers. So the outcome depends on the seed and the time
alone, and not on the steps in which somebody advances the observatory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from ts2mqtt.simulator.rig import Rig


class Actor(Protocol):
    """Acts at certain times."""

    acts_at: datetime

    def act(self) -> None:
        """Do what is due at `acts_at`, and set `acts_at` to the next time."""


class ObservatoryAutomation:
    """The rig, which images at night, and other actors such as a user."""

    def __init__(self, rig: Rig, *others: Actor) -> None:
        self._rig = rig
        self._actors: tuple[Actor, ...] = (*others, rig)

    @property
    def is_imaging(self) -> bool:
        return self._rig.is_imaging

    @property
    def acts_at(self) -> datetime:
        return self._next_actor().acts_at

    def advance(self, to: datetime) -> None:
        """Let the actors do everything that is due up to `to`, in the order of time."""
        while (actor := self._next_actor()).acts_at <= to:
            actor.act()

    def _next_actor(self) -> Actor:
        return min(self._actors, key=lambda actor: actor.acts_at)
