"""What a simulated rig has really done in a night: its exposures, and what the grader has made of each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ts2mqtt.observatory.night import night_of
from ts2mqtt.simulator.rig_steps import Counted, Exposing

if TYPE_CHECKING:
    from datetime import date, datetime, tzinfo

    from ts2mqtt.simulator.observatory import SimulatedObservatory
    from ts2mqtt.simulator.rows import SimulatedExposurePlan, SimulatedImage


@dataclass(frozen=True, slots=True)
class TrueExposure:
    target_id: str
    filter: str
    exposure_s: float
    start: datetime
    end: datetime
    image: SimulatedImage


class TrueNights:
    """Reads the rig's steps; to be called while the night is fresh, so that each image is found again."""

    def __init__(self, observatory: SimulatedObservatory) -> None:
        observatory.notes_steps = True
        self._observatory = observatory
        self._exposures: list[TrueExposure] = []
        self._before: dict[int, int] = {
            id(plan): len(plan.images) for target in observatory.targets() for plan in target.exposure_plans
        }

    def night(self, night: date, zone: tzinfo | None) -> list[TrueExposure]:
        self._read()
        return [one for one in self._exposures if night_of(one.end, zone) == night]

    def _read(self) -> None:
        begun: Exposing | None = None
        for step in self._observatory.take_steps():
            if isinstance(step, Exposing):
                begun = step
            elif isinstance(step, Counted) and begun is not None:
                plan = step.exposure.target.exposure_plans[step.exposure.plan_index]
                at = self._before.get(id(plan), 0)
                self._before[id(plan)] = at + 1
                self._exposures.append(_exposure(begun, plan, plan.images[at]))


def _exposure(begun: Exposing, plan: SimulatedExposurePlan, image: SimulatedImage) -> TrueExposure:
    return TrueExposure(begun.exposure.target.id, plan.filter_name, plan.exposure_s, begun.at, begun.until, image)


def by_plan(exposures: list[TrueExposure]) -> Counter[tuple[str, str, float]]:
    """How many there are of each target, filter and length."""
    return Counter((one.target_id, one.filter, one.exposure_s) for one in exposures)
