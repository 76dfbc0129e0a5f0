"""A rig that does much in little time, as a script at random has it, and writes down what it really did.

rig = ActingRig(seed=1)
await rig.act(live_rig, until=moment)        # N.I.N.A. tells what it tells of a real one
rig.steps, rig.exposures, rig.target_at(moment)

Its planner, sky and weather are left out: it images what it likes, for two minutes to ten, and then waits, is stopped
by clouds, by the user or by a new start of N.I.N.A., or goes on with another target.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.faults.live_faults import TWIN
from tests.support.recorded_rig import TrueExposure
from tests.support.simulated_night import BERLIN
from ts2mqtt.simulator.nina import images
from ts2mqtt.simulator.nina.announcement import (
    AFTER_FLIP,
    BEFORE_FLIP,
    IMAGE_SAVE,
    NEW_TARGET_START,
    SEQUENCE_FINISHED,
    SEQUENCE_STARTING,
    TARGET_START,
    WAIT_START,
)
from ts2mqtt.simulator.nina.target_fields import coordinates
from ts2mqtt.simulator.nina.v2 import naive_time
from ts2mqtt.simulator.observatory import SimulatedObservatory
from ts2mqtt.simulator.random_numbers import random_numbers
from ts2mqtt.simulator.sky import Sky
from ts2mqtt.simulator.wire import net_time

if TYPE_CHECKING:
    from tests.support.live_night import LiveRig
    from ts2mqtt.simulator.nina.process import Status
    from ts2mqtt.simulator.rows import JsonValue, SimulatedExposurePlan, SimulatedProfile, SimulatedTarget

EVENING = datetime(2026, 1, 10, 22, tzinfo=UTC)
_LENGTHS_S = (30.0, 60.0, 120.0, 180.0)
_INTERRUPTIONS = ("unsafe", "finish", "stop_silently", "restart", "switch_profile")
_WEIGHTS = {"image": 6, "wait": 2, "unsafe": 2, "finish": 2, "stop_silently": 1, "restart": 2, "switch_profile": 1}
_PARTS = 4
"""An interruption may come in any of these parts of what is under way."""


class ActingRig:
    """Its N.I.N.A. has two profiles of four targets, two of which have the same names."""

    def __init__(self, seed: int) -> None:
        self.observatory = SimulatedObservatory(seed=seed, site=BERLIN, timezone=UTC, now=EVENING)
        self.exposures: list[TrueExposure] = []
        self.changes: list[tuple[datetime, str | None]] = []
        """When it went from one target to another, or to none."""
        self.steps: list[str] = []
        self.may_restart = True
        """False while something else is done to its N.I.N.A."""
        self._chance = random_numbers(seed, "acting rig")
        for name in ("Refractor", "Reflector"):
            self._furnish(self.observatory.add_profile(name))
        self._last_target: SimulatedTarget | None = None

    def target_at(self, moment: datetime) -> str | None:
        number = bisect_right([time for time, _ in self.changes], moment)
        return self.changes[number - 1][1] if number else None

    def crash(self, at: datetime) -> None:
        """N.I.N.A. ends, and with it all that is under way."""
        self._note(at, None)
        self._last_target = None

    async def act(self, rig: LiveRig, until: datetime) -> None:
        await self._pass(rig, 5, 60)
        await self._start_sequence(rig)
        while rig.now < until:
            kinds = [kind for kind in _WEIGHTS if kind != "restart" or self.may_restart]
            await self._do(rig, self._chance.choices(kinds, [_WEIGHTS[kind] for kind in kinds])[0])
        await self._do(rig, "finish")

    async def _do(self, rig: LiveRig, kind: str) -> None:
        self.steps.append(f"{rig.now:%H:%M:%S} {kind.replace('_', ' ')}")
        await getattr(self, f"_{kind}")(rig)

    # What it may do.

    async def _image(self, rig: LiveRig) -> None:
        """Some exposures of a target, perhaps with a flip; one in four times something interrupts it."""
        target = self._chance.choice(self._incomplete_targets())
        interrupted_at = self._chance.randrange(_PARTS) if self._chance.random() < 1 / _PARTS else None
        is_new = target is not self._last_target
        for number in range(self._chance.randint(1, _PARTS)):
            plan = next(plan for plan in target.exposure_plans if plan.acquired < plan.desired)
            await self._announce(rig, target, is_new=is_new and not number)
            if is_new and not number:
                await self._pass(rig, 30, 80)
            if self._chance.random() < 0.15:
                await self._flip(rig)
            if number == interrupted_at:
                await self._pass(rig, 0, plan.exposure_s)
                await self._be_interrupted(rig)
                return
            await self._expose(rig, target, plan)
            if all(plan.acquired >= plan.desired for plan in target.exposure_plans):
                break
        self._last_target = target

    async def _announce(self, rig: LiveRig, target: SimulatedTarget, *, is_new: bool) -> None:
        fields: dict[str, JsonValue] = {
            "TargetName": target.name,
            "ProjectName": self.observatory.project_of(target).name,
            "Coordinates": coordinates(target),
            "Rotation": 90.0,
            "TargetEndTime": naive_time(rig.now + timedelta(hours=self._chance.uniform(0.01, 4)), 0, UTC),
        }
        self._set(rig, sequence="RUNNING", scheduler="RUNNING")
        self._note(rig.now, target.id)
        if is_new:
            self._tell(rig, NEW_TARGET_START, target.id, **fields)
            await self._pass(rig, 0, self._chance.choice((0.007, 8)))
        self._tell(rig, TARGET_START, target.id, **fields)

    async def _flip(self, rig: LiveRig) -> None:
        self._tell(rig, BEFORE_FLIP)
        await self._pass(rig, 40, 120)
        self._tell(rig, AFTER_FLIP)

    async def _expose(self, rig: LiveRig, target: SimulatedTarget, plan: SimulatedExposurePlan) -> None:
        """It is saved, and a second later it is in the database."""
        await self._pass(rig, plan.exposure_s, plan.exposure_s + 4)
        light = images.light(target.name, plan.filter_name, plan.exposure_s, {"hfr": 2.0}, self._chance)
        self._save(rig, light, target.id)
        await self._pass(rig, 0.3, 1.5)
        self.observatory.acquire(target, target.exposure_plans.index(plan), accepted=self._chance.random() < 0.9)
        self.exposures.append(TrueExposure(rig.now, target.id, plan.filter_name, plan.exposure_s))
        await self._pass(rig, 0.4, 4.4)

    async def _be_interrupted(self, rig: LiveRig) -> None:
        kinds = [kind for kind in _INTERRUPTIONS if kind != "restart" or self.may_restart]
        await self._do(rig, self._chance.choice(kinds))

    async def _wait(self, rig: LiveRig) -> None:
        self._rest(rig)
        until = rig.now + timedelta(seconds=self._chance.uniform(60, 400))
        self._set(rig, sequence="RUNNING", scheduler="RUNNING")
        self._tell(rig, WAIT_START, WaitEndTime=net_time(until, 0, UTC))
        await rig.until(until)

    async def _unsafe(self, rig: LiveRig) -> None:
        """The Target Scheduler is interrupted, and says nothing."""
        self._rest(rig)
        self._set(rig, sequence="RUNNING", scheduler="CREATED")
        rig.nina.nina.set_safe(is_safe=False)
        await self._pass(rig, 20, 300)
        rig.nina.nina.set_safe(is_safe=True)
        await self._pass(rig, 5, 60)

    async def _finish(self, rig: LiveRig) -> None:
        """The sequence ends, with flats or without; then the user starts it again."""
        self._rest(rig)
        self._set(rig, sequence="FINISHED", scheduler="FINISHED")
        self._tell(rig, SEQUENCE_FINISHED)
        if self._chance.random() < 0.3:
            for target in self._targets()[:2]:
                await self._pass(rig, 2, 4)
                self._save(rig, images.flat(target.name, "L", self._chance), None)
        await self._pass(rig, 10, 300)
        await self._start_sequence(rig)

    async def _stop_silently(self, rig: LiveRig) -> None:
        """The user stops the Target Scheduler alone, which nothing tells."""
        self._rest(rig)
        self._set(rig, sequence="RUNNING", scheduler="FINISHED")
        await self._pass(rig, 60, 400)

    async def _restart(self, rig: LiveRig) -> None:
        await rig.end_nina()
        await self._pass(rig, 10, 100)
        await rig.start_nina()
        await self._pass(rig, 10, 200)
        await self._start_sequence(rig)

    async def _switch_profile(self, rig: LiveRig) -> None:
        self._rest(rig)
        self._set(rig, sequence="FINISHED", scheduler="FINISHED")
        rig.nina.pass_time()
        rig.nina.nina.switch_profile(next(profile for profile in self.observatory.profiles if not profile.active))
        await self._pass(rig, 20, 120)
        await self._start_sequence(rig)

    async def _start_sequence(self, rig: LiveRig) -> None:
        """One that N.I.N.A. starts by itself is not told."""
        self._set(rig, sequence="RUNNING", scheduler="CREATED")
        if self._chance.random() < 0.5:
            self._tell(rig, SEQUENCE_STARTING)
        await self._pass(rig, 1, 20)

    # How.

    def _rest(self, rig: LiveRig) -> None:
        self._note(rig.now, None)
        self._last_target = None

    def _tell(self, rig: LiveRig, event: str, target_id: str | None = None, **fields: JsonValue) -> None:
        rig.nina.pass_time()
        rig.nina.nina.announce(event, target_id, **fields)

    def _save(self, rig: LiveRig, statistics: dict[str, JsonValue], target_id: str | None) -> None:
        self._tell(rig, IMAGE_SAVE, target_id, ImageStatistics=images.dated(statistics, rig.now, 0, UTC))

    def _set(self, rig: LiveRig, *, sequence: Status, scheduler: Status) -> None:
        rig.nina.pass_time()
        rig.nina.nina.set_state(replace(rig.nina.nina.state, sequence=sequence, scheduler=scheduler))

    async def _pass(self, rig: LiveRig, least_s: float, most_s: float) -> None:
        await rig.until(rig.now + timedelta(seconds=self._chance.uniform(least_s, most_s)))

    def _note(self, at: datetime, target_id: str | None) -> None:
        self.observatory.imaging_by_hand = target_id is not None
        if target_id != (self.changes[-1][1] if self.changes else None):
            self.changes.append((at, target_id))

    def _targets(self) -> list[SimulatedTarget]:
        """Those of the active profile."""
        return [target for project in self.observatory.active_profile.projects for target in project.targets]

    def _incomplete_targets(self) -> list[SimulatedTarget]:
        return [
            target
            for target in self._targets()
            if any(plan.acquired < plan.desired for plan in target.exposure_plans)
        ]

    def _furnish(self, profile: SimulatedProfile) -> None:
        sky = Sky(BERLIN)
        middle = max(range(24), key=lambda ra_hours: sky.altitude(ra_hours, 40.0, EVENING))
        for number in range(4):
            name = TWIN if number % 2 else f"{profile.name} {number}"
            project = self.observatory.add_project(profile, name)
            ra_hours = (middle - 1 + number) % 24
            target = self.observatory.add_target(project, name, ra_hours=float(ra_hours), dec_deg=40.0)
            for filter_name, desired in (("L", self._chance.choice((2, 4, 100))), ("Ha", 500)):
                exposure_s = self._chance.choice(_LENGTHS_S)
                self.observatory.add_exposure_plan(target, filter_name, exposure_s=exposure_s, desired=desired)
