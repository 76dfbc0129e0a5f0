"""What the other bridges under a base topic say of themselves: who is at work, and which rigs each of them serves.

A rig is served by one replica at a time: whoever serves it keeps it until it says that it does not, or falls silent.
So when their count changes and they start again one by one, a rig's new owner waits until the old one lets it go.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field, ValidationError

from ts2mqtt.bridge import heartbeat
from ts2mqtt.observatory.ids import RIG_ID_PATTERN
from ts2mqtt.topics.encode import ONLINE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ts2mqtt.bridge.sharding import Shard
    from ts2mqtt.mqtt.connection import Received
    from ts2mqtt.topics.names import TopicNames

SILENT_S = 3.5 * heartbeat.INTERVAL_S
"""A bridge that is said to be online, and has not been heard for this long, counts as gone."""


STARTING_S = 5.0
"""A replica that starts says which rigs it serves before it says that it is online: that is not left behind."""


class _Rig(BaseModel):
    id: str = Field(pattern=f"^{RIG_ID_PATTERN}$")


class _About(BaseModel):
    instance: str
    rigs: list[_Rig]


@dataclass(slots=True)
class _Other:
    """`rigs` are the ids of those that it serves, `retained` the topics that the broker keeps about it.

    `heard` is when the last of these arrived or it showed itself at work, `moved` when something last happened.
    """

    instance: str = ""
    rigs: frozenset[str] = frozenset()
    online: bool = False
    heard: float = -inf
    moved: float = -inf
    retained: set[str] = field(default_factory=set)


class OtherBridges:
    """All under the base topic but the one with these names; feed it everything that arrives."""

    def __init__(self, names: TopicNames, clock: Callable[[], float]) -> None:
        self._names = names
        self._clock = clock
        self._others: dict[TopicNames, _Other] = {}

    def hear(self, message: Received) -> bool:
        """Whether this was about another bridge."""
        names = self._names.of_bridge(message.topic)
        if names is None or names == self._names:
            return False
        other = self._others.setdefault(names, _Other())
        if message.topic == names.heartbeat:
            beat = heartbeat.read(message.payload)
            if beat is not None and beat.working:
                other.heard = self._clock()
            return True
        other.heard = self._clock()
        if not message.retain:
            other.moved = self._clock()
        if message.payload:
            other.retained.add(message.topic)
        else:
            other.retained.discard(message.topic)
        if message.topic == names.bridge:
            other.instance, other.rigs = _instance_and_rigs(message.payload)
        elif message.topic == names.status:
            other.online = message.payload == ONLINE
            if not other.online:
                # When it is online again, it first says anew which rigs it serves.
                other.rigs = frozenset()
        return True

    def rigs(self, *, of_those_before: str | None = None) -> frozenset[str]:
        """The ids of all rigs that others serve; or only others that began before this instance."""
        return frozenset(
            rig_id
            for _, other in self._at_work()
            if of_those_before is None or other.instance < of_those_before
            for rig_id in other.rigs
        )

    def heartbeats(self) -> list[str]:
        """The heartbeat topics of those that are said to be at work."""
        return [names.heartbeat for names, _ in self._at_work()]

    def nobody_answered(self) -> None:
        """All have been asked, and are not at work whatever the broker keeps of them."""
        for other in self._others.values():
            other.heard = -inf

    def forget(self, names: TopicNames) -> None:
        self._others.pop(names, None)

    def left_behind(self, shard: Shard | None) -> dict[TopicNames, list[str]]:
        """What is retained about bridges that there will be no more, as this one knows how many there are."""
        at_work = {names for names, _ in self._at_work()}
        long_enough = self._clock() - STARTING_S
        return {
            names: sorted(other.retained)
            for names, other in self._others.items()
            if other.retained
            and names not in at_work
            and other.moved < long_enough
            and (shard is None or names.replica is None or names.replica >= shard.count)
        }

    def _at_work(self) -> Iterator[tuple[TopicNames, _Other]]:
        still_heard = self._clock() - SILENT_S
        return ((names, other) for names, other in self._others.items() if other.online and other.heard > still_heard)


def _instance_and_rigs(payload: bytes) -> tuple[str, frozenset[str]]:
    try:
        about = _About.model_validate_json(payload)
    except ValidationError:
        return "", frozenset()
    return about.instance, frozenset(rig.id for rig in about.rigs)
