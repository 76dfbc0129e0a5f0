"""Plays a season of changing weather, and compares `nights_left` of each noon with the nights that came."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tests.support.bridge_zone import bridge_in
from tests.support.simulated_night import BERLIN, NAMES, play
from tests.support.true_nights import TrueNights
from ts2mqtt.config.models import PollingConfig
from ts2mqtt.simulator.busy_observatory import busy_observatory
from ts2mqtt.topics import payloads
from ts2mqtt.topics.encode import rig_messages
from ts2mqtt.topics.names import PROJECT, TARGET

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from tests.support.simulated_night import WatchedRig
    from ts2mqtt.simulator.observatory import SimulatedObservatory

_ZONE_NAME = "Europe/Berlin"
_NOON = datetime(2026, 9, 15, 12, tzinfo=ZoneInfo(_ZONE_NAME))
_SELDOM = PollingConfig(interval=3_600, edit_interval=3_600, slow_interval=3_600, plan="off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What was said at the noon before `night` of a thing that was completed later, and what came.

    `came`: the nights from that one on in which it was imaged until it was complete; `completed`: the last of them.
    """

    night: date
    nights_left: int
    came: int
    completes: payloads.Completes | None
    completed: date

    @property
    def error(self) -> int:
        return self.nights_left - self.came

    @property
    def is_in_range(self) -> bool:
        range_ = self.completes
        if range_ is None or range_.earliest is None or range_.latest is None:
            return False
        return range_.earliest <= self.completed <= range_.latest


def season(seed: int, nights: int, *, times_as_large: int = 3) -> dict[str, list[Forecast]]:
    """The forecasts for targets and for projects, by kind; of what was not completed in the season there are none.

    So much larger are the projects than the demo's, which would be complete within three nights.
    """
    with bridge_in(_ZONE_NAME):
        return _season(_observatory(seed, times_as_large), nights)


_Thing = payloads.Target | payloads.Project


def _observatory(seed: int, times_as_large: int) -> SimulatedObservatory:
    observatory = busy_observatory(seed=seed, start=_NOON, site=BERLIN, timezone=_NOON.tzinfo)
    for target in observatory.targets():
        for plan in target.exposure_plans:
            plan.desired *= times_as_large
    return observatory


def _season(observatory: SimulatedObservatory, nights: int) -> dict[str, list[Forecast]]:
    truth = TrueNights(observatory)
    imaged: defaultdict[str, list[date]] = defaultdict(list)
    said: dict[str, defaultdict[str, list[tuple[date, _Thing]]]] = {
        kind: defaultdict(list) for kind in (TARGET, PROJECT)
    }

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        for day in range(nights + 1):
            noon = _NOON + timedelta(days=day)
            await rig.until(noon + timedelta(minutes=5))
            for kind, thing_id, thing in _told(rig):
                said[kind][thing_id].append((noon.date(), thing))
            last = noon.date() - timedelta(days=1)
            for target_id in {one.target_id for one in truth.night(last, _NOON.tzinfo)}:
                imaged[target_id].append(last)

    play(observatory, script, _SELDOM)
    projects = {project.id: [target.id for target in project.targets] for project in observatory.projects()}
    nights_of = {
        TARGET: {target_id: [target_id] for target_id in said[TARGET]},
        PROJECT: {project_id: projects.get(project_id, []) for project_id in said[PROJECT]},
    }
    return {
        kind: [
            forecast
            for thing_id, told in said[kind].items()
            for forecast in _forecasts(told, sorted({n for one in nights_of[kind][thing_id] for n in imaged[one]}))
        ]
        for kind in said
    }


def _told(rig: WatchedRig) -> Iterator[tuple[str, str, _Thing]]:
    for topic, message in rig_messages(NAMES, rig.views[-1]).items():
        subject = NAMES.subject(topic)
        if subject and subject.kind == TARGET:
            yield TARGET, subject.thing_id or "", payloads.Target.model_validate_json(message.payload)
        elif subject and subject.kind == PROJECT:
            yield PROJECT, subject.thing_id or "", payloads.Project.model_validate_json(message.payload)


def _forecasts(told: Sequence[tuple[date, _Thing]], imaged: Sequence[date]) -> Iterator[Forecast]:
    completed_by = next((noon for noon, thing in told if thing.remaining_s == 0), None)
    if completed_by is None:
        return
    for noon, thing in told:
        to_come = [night for night in imaged if noon <= night < completed_by]
        if thing.nights_left is not None and to_come:
            yield Forecast(
                night=noon,
                nights_left=thing.nights_left,
                came=len(to_come),
                completes=thing.completes,
                completed=to_come[-1],
            )
