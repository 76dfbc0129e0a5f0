"""What the poller of a rig tells of it: one value, put into the queue of whoever made the poller."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, tzinfo

    from ts2mqtt.logs.failures import Failure
    from ts2mqtt.observatory.model import NightPlan, Rig


@dataclass(frozen=True, slots=True, kw_only=True)
class RigReport:
    """What one look at a rig has brought.

    `zone`: the rig's time zone, None for the bridge's own. `problem`: what goes wrong with the rig now.
    `read_before`: by project id, when its targets were last read and said what the report before this one says.
    `profiles_read`: when the profiles were asked for last, None before they were.
    """

    rig: Rig
    plan: NightPlan | None
    zone: tzinfo | None
    problem: Failure | None
    # They change with every look, and say nothing by themselves.
    read_before: Mapping[str, datetime] = field(default_factory=dict, compare=False)
    profiles_read: datetime | None = field(default=None, compare=False)


class ReportQueue(Protocol):
    """Takes reports; its owner may put other things into it, too."""

    def put_nowait(self, item: RigReport, /) -> None: ...
