"""The time axis: from which moment to which, and the full hours of the rig's clock on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

_QUARTER = timedelta(minutes=15)
_LABEL_EVERY = ((8, 1), (16, 2), (25, 3))
_LONG_SPAN_EVERY = 6


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Moments from `start` to `end` lie between the positions `left` and `right`."""

    start: datetime
    end: datetime
    left: float
    right: float

    def x(self, moment: datetime) -> float:
        """Where the moment lies; what is outside lies at the axis' end."""
        share = (moment - self.start) / (self.end - self.start)
        return self.left + min(1.0, max(0.0, share)) * (self.right - self.left)

    def hours(self, zone: tzinfo | None) -> Iterator[tuple[float, datetime]]:
        """Position and local time of every full hour to be labelled; `zone` None means the bridge's own."""
        hours = (self.end - self.start) / timedelta(hours=1)
        every = next((step for limit, step in _LABEL_EVERY if hours <= limit), _LONG_SPAN_EVERY)
        # Full hours of zones that are 30 or 45 minutes off lie on quarters of UTC.
        quarter = self.start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        while quarter <= self.end:
            local = quarter.astimezone(zone)
            if quarter >= self.start and local.minute == 0 and local.hour % every == 0:
                yield self.x(quarter), local
            quarter += _QUARTER
