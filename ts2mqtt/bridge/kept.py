"""What the broker was seen to keep, which is less than what it acknowledges."""

from __future__ import annotations


class Kept:
    """Over all connections to one broker.

    A family are topics with the same first level and as many levels, which access rules tend to treat alike.
    """

    def __init__(self) -> None:
        self._topics: set[str] = set()
        self._largest: dict[tuple[str, int], int] = {}

    @property
    def is_empty(self) -> bool:
        return not self._largest

    def note(self, topic: str, payload: bytes) -> None:
        self._topics.add(topic)
        family = _family(topic)
        self._largest[family] = max(self._largest.get(family, 0), len(payload))

    def forget(self, topic: str) -> None:
        """Nothing stands there any more; what was learnt of sizes stays."""
        self._topics.discard(topic)

    def knows(self, topic: str) -> bool:
        """Whether anything was seen to be kept there."""
        return topic in self._topics

    def is_surely(self, topic: str, payload: bytes) -> bool:
        """Whether it will be kept as the last one on this topic was: access rules tell topics apart, limits sizes."""
        return self.knows(topic) and len(payload) <= self._largest[_family(topic)]

    def likely_cause(self, topic: str, payload: bytes) -> str:
        """Why the broker may have thrown this away, and what to do."""
        largest = self._largest.get(_family(topic))
        if largest is not None and len(payload) > largest:
            return (
                f"it has {len(payload)} bytes, and the largest message like it that was kept has {largest}: raise "
                "the broker's limit (message_size_limit in Mosquitto)"
            )
        return "let this user write and read there, in the broker's access rules"


def _family(topic: str) -> tuple[str, int]:
    levels = topic.split("/")
    return levels[0], len(levels)
