"""What Home Assistant remembers of discovery payloads, over its own restarts, as it was seen to do (2026.11).

It forgets a component only when it sees the removal of something that it discovered since its own start: what goes
while it is down stays in its registry as a ghost, until it is shown once more and then removed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.support.topics_of_example import NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOMBSTONE = frozenset({"platform"})


class RememberingHomeAssistant:
    """Its registry by discovery topic; it hears everything while it is up."""

    def __init__(self) -> None:
        self.registry: dict[str, set[str]] = {}
        self.is_up = False
        self._discovered: set[str] = set()

    def start(self, retained: Mapping[str, bytes]) -> None:
        self.is_up = True
        self._discovered.clear()
        self.reconnect(retained)

    def stop(self) -> None:
        self.is_up = False

    def reconnect(self, retained: Mapping[str, bytes]) -> None:
        for topic, payload in retained.items():
            self.hear(topic, payload)

    def hear(self, topic: str, payload: bytes) -> None:
        if not self.is_up or NAMES.subject(topic) is None:
            return
        if not payload:
            if topic in self._discovered:
                self._discovered.discard(topic)
                self.registry.pop(topic, None)
            return
        known = self.registry.setdefault(topic, set())
        for key, component in _components(payload).items():
            if component.keys() <= _TOMBSTONE:
                if topic in self._discovered:
                    known.discard(key)
            else:
                known.add(key)
        self._discovered.add(topic)


def _components(payload: bytes) -> dict[str, dict[str, object]]:
    try:
        found = json.loads(payload)["components"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
