"""What happens in a simulated observatory by itself: the actors of its life, woken one after the other.

Whoever advances the observatory, in whatever steps: each actor acts at its own times and draws its own random
numbers, so the outcome depends on the seed and the time alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from ts2mqtt.simulator.rig import Rig


class Actor(Protocol):
    """Somebody who does something at times: `act` at `wakes`, which it then moves on."""

    wakes: datetime

    def act(self) -> None: ...


class ObservatoryLife:
    """The rig's nights and whatever else moves, such as its user."""

    def __init__(self, rig: Rig, *others: Actor) -> None:
        self._rig = rig
        self._actors: tuple[Actor, ...] = (*others, rig)

    @property
    def is_imaging(self) -> bool:
        return self._rig.is_imaging

    def advance(self, to: datetime) -> None:
        """Everything that happens up to `to`, in the order of time."""
        while (actor := min(self._actors, key=lambda actor: actor.wakes)).wakes <= to:
            actor.act()
