"""The time axis of the picture: the position of a moment, the full hours to label, the name of their zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

_QUARTER = timedelta(minutes=15)
_HOURS_PER_LABEL = ((8, 1), (16, 2), (25, 3))
"""Up to 8 hours every hour has a label, up to 16 every second one, and so on."""
_MAXIMUM_HOURS_PER_LABEL = 6
_MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Maps moments from `start` to `end` to positions from `left` to `right`."""

    start: datetime
    end: datetime
    left: float
    right: float

    def x(self, moment: datetime) -> float:
        """The position of a moment; a moment outside is at the nearer end of the axis."""
        share = (moment - self.start) / (self.end - self.start)
        return self.left + min(1.0, max(0.0, share)) * (self.right - self.left)

    def hours(self, zone: tzinfo | None) -> Iterator[tuple[float, datetime]]:
        """Position and local time of every full hour to label; `zone` None means the bridge's time zone."""
        hours = (self.end - self.start) / timedelta(hours=1)
        hours_per_label = next((step for limit, step in _HOURS_PER_LABEL if hours <= limit), _MAXIMUM_HOURS_PER_LABEL)
        # Some zones differ from UTC by 30 or 45 minutes: their full hours are quarter hours of UTC.
        quarter = self.start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        while quarter <= self.end:
            local = quarter.astimezone(zone)
            if quarter >= self.start and local.minute == 0 and local.hour % hours_per_label == 0:
                yield self.x(quarter), local
            quarter += _QUARTER

    def zone_names(self, zone: tzinfo | None) -> tuple[str, ...]:
        """The names of the hours' time zone, the best one first; empty if its hours are those of the bridge's zone.

        The bridge assumes that the people who look at the picture are in its own time zone.
        """
        edges = (self.start, self.end)
        if all(edge.astimezone(zone).utcoffset() == edge.astimezone().utcoffset() for edge in edges):
            return ()
        offset = _offset_name(self.start.astimezone(zone))
        return (zone.key, offset) if isinstance(zone, ZoneInfo) else (offset,)


def _offset_name(moment: datetime) -> str:
    """The offset of this moment from UTC, such as `UTC+05:30`."""
    text = f"{moment:%z}"
    return f"UTC{text[0].replace('-', _MINUS)}{text[1:3]}:{text[3:5]}"
