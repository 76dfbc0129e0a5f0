"""What the poller of a rig tells of it: one value, put into the queue of whoever made the poller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import tzinfo

    from ts2mqtt.logs.failures import Failure
    from ts2mqtt.observatory.exposures import LastExposure
    from ts2mqtt.observatory.model import NightPlan, Rig


@dataclass(frozen=True, slots=True, kw_only=True)
class RigReport:
    """What one look at a rig has brought.

    `zone`: the rig's time zone, None for the bridge's own. `problem`: what goes wrong with the rig now.
    """

    rig: Rig
    plan: NightPlan | None
    last: LastExposure | None
    zone: tzinfo | None
    problem: Failure | None


class ReportQueue(Protocol):
    """Takes reports; its owner may put other things into it, too."""

    def put_nowait(self, item: RigReport, /) -> None: ...
