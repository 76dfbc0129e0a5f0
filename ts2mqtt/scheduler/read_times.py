"""When each list of targets was read, so that it can be told how many exposures may have been taken since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Set as AbstractSet
    from datetime import datetime


_CLOCK_SLACK = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class _ReadTime:
    """By this machine's clock, and by that of the rig, None where the rig does not tell it."""

    here: datetime
    rig: datetime | None


class ReadTimes:
    """The latest reads, and those of which the latest report tells."""

    def __init__(self) -> None:
        self._latest: dict[str, _ReadTime] = {}
        self._told: dict[str, _ReadTime] = {}

    def note(self, project_id: str, now: datetime, rig_time: datetime | None) -> None:
        """The targets of this project have just been read."""
        self._latest[project_id] = _ReadTime(now, rig_time)

    def before(self) -> Mapping[str, datetime]:
        """By project id, when each list was read that was told before, by this machine's clock.

        Earlier, if by the rig's clock more time has passed since: one of the two may have been set, and the clock of
        a simulated rig runs faster than life.
        """
        return {
            project_id: _earlier(told, self._latest[project_id])
            for project_id, told in self._told.items()
            if project_id in self._latest
        }

    @property
    def is_rig_faster(self) -> bool:
        """Whether by the rig's clock clearly more time has passed between two reads: that of a simulated rig may."""
        return any(
            _earlier(told, self._latest[project_id]) < told.here - _CLOCK_SLACK
            for project_id, told in self._told.items()
            if project_id in self._latest
        )

    def tell(self) -> None:
        """What the latest reads have brought is told now."""
        self._told = dict(self._latest)

    def forget_all_but(self, project_ids: AbstractSet[str]) -> None:
        self._latest = {project_id: time for project_id, time in self._latest.items() if project_id in project_ids}


def _earlier(before: _ReadTime, after: _ReadTime) -> datetime:
    elapsed = after.here - before.here
    if before.rig is not None and after.rig is not None:
        elapsed = max(elapsed, after.rig - before.rig)
    return after.here - elapsed
