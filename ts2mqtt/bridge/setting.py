"""What the parts of one bridge have in common, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ts2mqtt.bridge.about import Identity
    from ts2mqtt.config import HomeAssistantConfig
    from ts2mqtt.home_assistant.ids import DiscoveryIds
    from ts2mqtt.timing import Clock, Timings


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Stays the same from the bridge's start to its end."""

    ids: DiscoveryIds
    identity: Identity
    home_assistant: HomeAssistantConfig
    clock: Clock
    timings: Timings
