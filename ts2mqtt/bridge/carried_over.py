"""What outlives a connection to the broker: the bridge owns it and hands it to one session after the other."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ts2mqtt.bridge.deliveries import Deliveries
from ts2mqtt.bridge.kept import Kept
from ts2mqtt.logs.tallies import Kind
from ts2mqtt.logs.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ts2mqtt.bridge.desired_state import DesiredState
    from ts2mqtt.logs.failures import FailureLog

_DROPPED = Kind("rigs whose events were dropped")


def _untold() -> defaultdict[str, deque[bytes]]:
    return defaultdict(deque)


@dataclass(slots=True, kw_only=True)
class CarriedOver:
    """`events` are those that the broker has not got yet: payloads, by rig, in their order, so many of each at most.

    `welcome_is_owed`: Home Assistant has started, or somebody asked for it, and it was not told everything again yet.
    `has_worked`: an earlier session with the same client id has published.
    `deliveries` says what subscribers may not have got.
    """

    desired: DesiredState
    failures: FailureLog
    kept: Kept = field(default_factory=Kept)
    events_of_a_rig: int = 1_000
    events: defaultdict[str, deque[bytes]] = field(default_factory=_untold)
    welcome_is_owed: bool = False
    has_worked: bool = False
    deliveries: Deliveries = field(default_factory=Deliveries)

    def add_events(self, rig_id: str, payloads: Iterable[bytes]) -> None:
        """Keeps the latest of each rig; what is dropped is said."""
        waiting = self.events[rig_id]
        waiting.extend(payloads)
        too_many = len(waiting) - self.events_of_a_rig
        if too_many > 0:
            text = f"{rig_id}: dropped {counted(too_many, 'event')} that waited for the broker for too long"
            self.failures.noted(_DROPPED, rig_id, text)
            for _ in range(too_many):
                waiting.popleft()
