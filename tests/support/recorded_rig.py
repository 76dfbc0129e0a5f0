"""A simulated rig that writes down what it really did, and that N.I.N.A. can crash under.

rig = RecordedRig(observatory, observatory.now)
observatory.automation = ObservatoryAutomation(rig)
...
rig.exposures, rig.target_at(moment)
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ts2mqtt.simulator.rig import Rig

if TYPE_CHECKING:
    from ts2mqtt.simulator.observatory import SimulatedObservatory
    from ts2mqtt.simulator.rows import SimulatedExposurePlan

_NOT_TONIGHT = timedelta(hours=16)


@dataclass(frozen=True, slots=True)
class TrueExposure:
    """An image that was saved at `time`."""

    time: datetime
    target_id: str
    filter: str
    exposure_s: float


class RecordedRig(Rig):
    """What the rig was at is kept from one of its moments to the next."""

    def __init__(self, observatory: SimulatedObservatory, start: datetime) -> None:
        super().__init__(observatory, start.astimezone(UTC))
        self.exposures: list[TrueExposure] = []
        self._moments: list[datetime] = []
        self._targets: list[str | None] = []

    def act(self) -> None:
        at, before = self.acts_at, self._counts()
        super().act()
        for plan, (target_id, acquired) in self._counts().items():
            if acquired > before[plan][1]:
                self.exposures.append(TrueExposure(at, target_id, plan.filter_name, plan.exposure_s))
        self._note(at)

    def _counts(self) -> dict[SimulatedExposurePlan, tuple[str, int]]:
        """Target id and exposures taken, by exposure plan."""
        return {
            plan: (target.id, plan.acquired)
            for target in self._observatory.targets()
            for plan in target.exposure_plans
        }

    def crash(self, at: datetime) -> None:
        """The exposure under way is lost, and nothing runs until somebody starts it again, or the next evening."""
        self._imaging_night = None
        self.acts_at = at.astimezone(UTC) + _NOT_TONIGHT
        self._note(at)

    def start_again(self, at: datetime) -> None:
        self.acts_at = at.astimezone(UTC)

    def target_at(self, moment: datetime) -> str | None:
        """The id of the target that the rig was at work on."""
        number = bisect_right(self._moments, moment)
        return self._targets[number - 1] if number else None

    @property
    def changes(self) -> list[tuple[datetime, str | None]]:
        """When it went from one target to another, or to none."""
        return list(zip(self._moments, self._targets, strict=True))

    def _note(self, at: datetime) -> None:
        aimed_at = self._imaging_night.target if self._imaging_night else None
        target = aimed_at.id if aimed_at else None
        if not self._targets or target != self._targets[-1]:
            self._moments.append(at)
            self._targets.append(target)
