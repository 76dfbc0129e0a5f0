"""The dates that a rig sends with an offset, which tell in which time zone it stands."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ts2mqtt.observatory.night import rig_zone
from ts2mqtt.scheduler import translate

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta, tzinfo

_MOST_DATES = 50
_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class RigDates:
    """The latest of them, each once."""

    def __init__(self) -> None:
        # The same moment with another offset is another fact.
        self._dates: dict[tuple[datetime, timedelta | None], datetime] = {}
        self._zone: tzinfo | None = None
        self._zone_from = self._zone_until = _EARLIEST

    def __bool__(self) -> bool:
        return bool(self._dates)

    def note(self, dates: Iterable[datetime | None]) -> None:
        """Takes those that are real and have an offset."""
        new = {(date, date.utcoffset()): date for date in dates if translate.is_dated(date)}
        if new.keys() <= self._dates.keys():
            return
        self._dates |= new
        if len(self._dates) > _MOST_DATES:
            self._dates = {key: self._dates[key] for key in sorted(self._dates)[-_MOST_DATES:]}
        self._zone_until = _EARLIEST

    def zone(self, now: datetime) -> tzinfo | None:
        """As rig_zone(); it can only be another one after new dates, or when `now` has passed one that was ahead."""
        if not self._zone_from <= now < self._zone_until:
            dates = self._dates.values()
            self._zone = rig_zone(dates, now)
            self._zone_from = max((date for date in dates if date <= now), default=_EARLIEST)
            self._zone_until = min((date for date in dates if date > now), default=_LATEST)
        return self._zone
