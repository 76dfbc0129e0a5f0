"""What outlives a connection to the broker: the bridge owns it and hands it to one session after the other."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ts2mqtt.home_assistant.transition import Presence

if TYPE_CHECKING:
    from ts2mqtt.bridge.desired_state import DesiredState
    from ts2mqtt.logs.failures import FailureLog

_MOST_EVENTS = 1_000
"""Kept while the broker is away; older ones are dropped first."""


@dataclass(frozen=True, slots=True)
class UntoldEvent:
    """An event that the broker has not got yet."""

    rig_id: str
    payload: bytes


@dataclass(slots=True, kw_only=True)
class CarriedOver:
    """`is_born`: Home Assistant has started, and was not told everything again yet.

    `has_worked`: an earlier session with the same client id has published.
    """

    desired: DesiredState
    failures: FailureLog
    events: deque[UntoldEvent] = field(default_factory=lambda: deque(maxlen=_MOST_EVENTS))
    presence: Presence = Presence.UNKNOWN
    is_born: bool = False
    has_worked: bool = False
