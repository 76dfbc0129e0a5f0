"""Which of several replicas of the bridge a rig belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Shard:
    """One replica's part of the rigs; replicas are numbered from 0."""

    index: int
    count: int

    def owns(self, rig_id: str) -> bool:
        """Of any rig, also one that is no longer configured: what is left of it has one owner, too."""
        return owner(rig_id, self.count) == self.index

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def owner(rig_id: str, count: int) -> int:
    """The replica with the highest draw for this rig (rendezvous hashing).

    With another count only the rigs of replicas that come or go change hands.
    """
    return max(range(count), key=lambda index: sha256(f"{index}/{rig_id}".encode()).digest())
