"""The time axis: from which moment to which, the full hours of the rig's clock on it, and whose clock that is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

_QUARTER = timedelta(minutes=15)
_LABEL_EVERY = ((8, 1), (16, 2), (25, 3))
_LONG_SPAN_EVERY = 6
_MINUS = "\N{MINUS SIGN}"


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

    def zone_names(self, zone: tzinfo | None) -> tuple[str, ...]:
        """What the zone of the hours is called, the best name first; nothing where it is the bridge's own.

        The bridge's own zone is that of whoever looks at the picture, as far as anybody can know.
        """
        edges = (self.start, self.end)
        if all(edge.astimezone(zone).utcoffset() == edge.astimezone().utcoffset() for edge in edges):
            return ()
        offset = _offset_name(self.start.astimezone(zone))
        return (zone.key, offset) if isinstance(zone, ZoneInfo) else (offset,)


def _offset_name(moment: datetime) -> str:
    """The moment's offset such as `UTC+05:30`."""
    text = f"{moment:%z}"
    return f"UTC{text[0].replace('-', _MINUS)}{text[1:3]}:{text[3:5]}"
