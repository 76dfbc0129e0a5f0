"""What is asked for at the slow interval: when each thing is due, spread over that time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Set as AbstractSet

    from ts2mqtt.scheduler.look_policy import SlowThing
    from ts2mqtt.timing import Clock


class SlowThings:
    """When each thing that is asked for at the slow interval is due; the first time it is due at once."""

    def __init__(self, slow_interval: float, clock: Clock, rng: random.Random) -> None:
        self._slow_interval = slow_interval
        self._clock = clock
        self._rng = rng
        self._due: dict[SlowThing, float] = {}

    def resting(self) -> frozenset[SlowThing]:
        """Those that are not due yet."""
        now = self._clock.monotonic()
        return frozenset(thing for thing, due in self._due.items() if now < due)

    def is_due(self, thing: SlowThing) -> bool:
        now = self._clock.monotonic()
        return now >= self._due.get(thing, now)

    def put_off(self, thing: SlowThing) -> None:
        """Until the slow interval is over, or up to a fifth of it sooner, so that they spread over time."""
        self._due[thing] = self._clock.monotonic() + self._slow_interval * self._rng.uniform(0.8, 1.0)

    def make_due(self, thing: SlowThing) -> None:
        """To be read in the next look."""
        self._due.pop(thing, None)

    def use(self, slow_interval: float) -> None:
        """From now on; nothing rests for longer than this interval."""
        self._slow_interval = slow_interval
        latest = self._clock.monotonic() + slow_interval
        self._due = {thing: min(due, latest) for thing, due in self._due.items()}

    def spread_again(self) -> None:
        """After an outage: what has become due meanwhile is not asked for all at once."""
        now = self._clock.monotonic()
        self._due = {
            thing: due if due > now else now + self._slow_interval * self._rng.random()
            for thing, due in self._due.items()
        }

    def forget_all_but(self, things: AbstractSet[SlowThing]) -> None:
        self._due = {thing: due for thing, due in self._due.items() if thing in things}
