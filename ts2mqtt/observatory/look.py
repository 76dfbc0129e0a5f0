"""One look at a rig: everything that is known of it at one moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, tzinfo

    from ts2mqtt.observatory.live import LiveState
    from ts2mqtt.observatory.model import NightPlan, Rig


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a rig has answered until `now`, which is aware.

    `zone`: the rig's time zone, None for the bridge's own. `read_before`: by project id, when its targets were last
    read with the answer before this one; a list that was read for the first time is missing.
    """

    rig: Rig
    plan: NightPlan | None
    now: datetime
    zone: tzinfo | None = None
    profiles_read: datetime | None = None
    """When its list of profiles was asked for last; None before it has answered."""
    read_before: Mapping[str, datetime] = field(default_factory=dict)
    live: LiveState | None = None
    """What N.I.N.A. has told; None where nobody listens to it."""
    dawn: datetime | None = None
    """When the sun rises; None without a site, where it does not rise, and until that was worked out."""
