"""What differs from night to night: how the user starts the sequence, and what the sequence does besides imaging."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """The habits of one night.

    tells_start: the user starts the sequence by hand; if N.I.N.A. does, SEQUENCE-STARTING is missing.
    tells_end: the sequence comes to its end in the morning.
    restarts: N.I.N.A. is started anew in the evening.
    parks_to_wait: the mount parks while Target Scheduler waits, and does not only stop to track.
    homes_all_night: the mount reports its home position every 80 s.
    stacks: a live stack runs, with events that nobody needs.
    """

    tells_start: bool
    tells_end: bool
    restarts: bool
    takes_snapshot: bool
    parks_to_wait: bool
    homes_all_night: bool
    stacks: bool
    flats_per_filter: int


def habits_of(numbers: Random) -> Habits:
    return Habits(
        tells_start=_happens(numbers, 0.3),
        tells_end=_happens(numbers, 0.7),
        restarts=_happens(numbers, 0.4),
        takes_snapshot=_happens(numbers, 0.3),
        parks_to_wait=_happens(numbers, 0.5),
        homes_all_night=_happens(numbers, 0.2),
        stacks=_happens(numbers, 0.4),
        flats_per_filter=numbers.randrange(12, 23),
    )


def _happens(numbers: Random, share: float) -> bool:
    """True in this share of the nights."""
    return numbers.random() < share
