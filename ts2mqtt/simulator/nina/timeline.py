"""From the steps of a rig to what happens in N.I.N.A., with the order and the timing of a real night.

    timeline = Timeline(observatory.seed, observatory.site, observatory.timezone, observatory.now)
    for step in observatory.take_steps():
        happenings = timeline.happenings(step)

All that follows from a step lies between its beginning and its end. The random numbers are the timeline's own, so
that the nights of the rig are the same with and without it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ts2mqtt.simulator.nina import images
from ts2mqtt.simulator.nina.announcement import (
    AFTER_FLIP,
    BEFORE_FLIP,
    HOMED,
    NEW_TARGET_START,
    SAFETY_CHANGED,
    TARGET_START,
    WAIT_START,
    Announcement,
)
from ts2mqtt.simulator.nina.day import evening, join_in_the_night, morning
from ts2mqtt.simulator.nina.habits import habits_of
from ts2mqtt.simulator.nina.process import Happening, ProcessState
from ts2mqtt.simulator.nina.script import Script
from ts2mqtt.simulator.nina.target_fields import target_fields, visible_until
from ts2mqtt.simulator.random_numbers import random_numbers
from ts2mqtt.simulator.rig_steps import CloudedOver, Counted, Evening, Exposing, NightOver, Preparing, Waiting
from ts2mqtt.simulator.sky import Sky
from ts2mqtt.simulator.wire import net_time

if TYPE_CHECKING:
    from datetime import tzinfo

    from ts2mqtt.simulator.planner import NextExposure
    from ts2mqtt.simulator.rig_steps import RigStep
    from ts2mqtt.simulator.sky import Night, Site

_TOO_LATE_FOR_AN_EVENING = timedelta(minutes=5)
_SAVED_BEFORE_COUNTED_S = (0.3, 1.5)
_PLANNED_AFTER_COUNTED_S = (0.4, 4.4)
_SAME_MOMENT_S = (0.0, 0.006)
_HOMED_EVERY_S = 80
_AUTOFOCUS_POINTS = 7
_AUTOFOCUS_FAILS = 0.12
_STARTED_ANEW = 0.03
_SHORTEST_NIGHT = timedelta(hours=12)


class Timeline:
    """Remembers what was announced last, and on which side of the pier the mount is."""

    def __init__(self, seed: int, site: Site, timezone: tzinfo, start: datetime, *, is_imaging: bool = False) -> None:
        self._seed = seed
        self._site = site
        self._timezone = timezone
        self._numbers = random_numbers(seed, "nina", "first")
        self._habits = habits_of(self._numbers)
        started_at = start - timedelta(minutes=self._numbers.uniform(20, 200))
        self.state = ProcessState(started_at=started_at)
        """After everything that is announced up to now."""
        if is_imaging:
            self.state = join_in_the_night(self.state)
        self._dawn = start + _SHORTEST_NIGHT
        self._announced: NextExposure | None = None
        self._last_target_id: str | None = None
        self._waits_until: datetime | None = None
        self._is_waiting = False
        self._visible_until: dict[str, datetime] = {}
        self._is_east_of_the_meridian = False
        self._last_of_filter: dict[str, NextExposure] = {}

    def happenings(self, step: RigStep) -> list[Happening]:
        """What happens in N.I.N.A. because of this step, in the order of time."""
        if isinstance(step, Evening):
            self._begin_night(step.night)
        script = Script(self.state, step.at, _end_of(step), self._numbers, self._timezone)
        match step:
            case Evening():
                self._evening(script, step)
            case CloudedOver():
                self._clouded_over(script, step)
            case Waiting():
                self._waiting(script, step)
            case Preparing():
                self._preparing(script, step)
            case Exposing():
                self._exposing(script, step)
            case Counted():
                self._counted(script, step)
            case NightOver():
                self._night_over(script)
        before, self.state = self.state, script.state
        if not self._habits.homes_all_night or isinstance(step, Evening | NightOver):
            return script.happenings
        return _with_homing(script.happenings, step, before)

    def process_ended(self, state: ProcessState) -> None:
        """N.I.N.A. was started anew, not by the timeline: Target Scheduler has forgotten its target."""
        self.state = state
        self._forget_target()

    def _begin_night(self, night: Night) -> None:
        self._numbers = random_numbers(self._seed, "nina", night.dusk.date())
        self._habits = habits_of(self._numbers)
        self._dawn = night.dawn
        self._visible_until.clear()
        self._last_of_filter.clear()
        self._forget_target()

    def _forget_target(self) -> None:
        """Target Scheduler is interrupted: the next target is new to it, also if it is the same."""
        self._announced = self._last_target_id = self._waits_until = None
        self._is_waiting = False

    def _evening(self, script: Script, step: Evening) -> None:
        if step.night.dusk - step.at < _TOO_LATE_FOR_AN_EVENING:
            script.set(join_in_the_night(script.state))
            return
        evening(script, step, self._habits)
        if step.ready_at is not None and not step.is_cloudy:
            self._wait_for(script, step.ready_at)

    def _clouded_over(self, script: Script, step: CloudedOver) -> None:
        """The safety monitor interrupts Target Scheduler, which says nothing."""
        self._forget_target()
        script.state = replace(script.state, scheduler="CREATED", exposes_until=None)
        if script.state.is_safe:
            script.wait(0.0, 0.5)
            script.state = replace(script.state, is_safe=False)
            script.tell(SAFETY_CHANGED, IsSafe=False)
        script.wait(1.5, 3)
        script.stop_guiding()
        script.wait(20, 50)
        script.park()
        if step.before_dawn:
            script.go_to(step.until - timedelta(seconds=self._numbers.uniform(50, 170)))
            script.state = replace(script.state, is_safe=True)
            script.tell(SAFETY_CHANGED, IsSafe=True)

    def _waiting(self, script: Script, step: Waiting) -> None:
        """Target Scheduler tells a wait when it begins; that nothing is left for tonight it tells nobody."""
        if step.ready_at is None:
            self._forget_target()
            if script.state.scheduler != "FINISHED":
                script.set(replace(script.state, scheduler="FINISHED", exposes_until=None))
            self._rest(script, parks=True)
            return
        is_news = not self._is_waiting or self._waits_until != step.ready_at
        if is_news or self._numbers.random() < _STARTED_ANEW:
            script.wait(0.1, 1.0)
            self._wait_for(script, step.ready_at)
            self._rest(script, parks=self._habits.parks_to_wait)

    def _rest(self, script: Script, *, parks: bool) -> None:
        script.wait(0, 2)
        script.stop_guiding()
        if parks:
            script.wait(5, 60)
            script.park()

    def _wait_for(self, script: Script, ready_at: datetime) -> None:
        self._forget_target()
        self._is_waiting, self._waits_until = True, ready_at
        script.state = replace(script.state, scheduler="RUNNING", exposes_until=None)
        script.tell(WAIT_START, WaitEndTime=net_time(ready_at, self._numbers.randrange(10), self._timezone))

    def _preparing(self, script: Script, step: Preparing) -> None:
        self._announce(script, step.exposure)
        if step.slews:
            self._slew(script, step)
        else:
            self._focus(script, step)

    def _slew(self, script: Script, step: Preparing) -> None:
        """Slew, centre with two solved images, rotate."""
        script.wait(0.3, 1.2)
        script.stop_guiding()
        for share in (0.5, 0.8):
            script.go_to(_part(step, share))
            script.tell("IMAGE-PREPARED")
            script.wait(0.1, 0.4)
            script.tell("ROTATOR-SYNCED")
        self._is_east_of_the_meridian = self._hour_angle(step.exposure, step.until) < 0

    def _focus(self, script: Script, step: Preparing) -> None:
        """Focus, after a flip if the target has crossed the meridian; a run that fails just stops."""
        script.wait(0.1, 0.4)
        begins = 0.02
        if self._is_east_of_the_meridian and self._hour_angle(step.exposure, step.at) >= 0:
            self._is_east_of_the_meridian = False
            script.tell(BEFORE_FLIP)
            script.wait(0.1, 0.3)
            script.stop_guiding()
            begins = self._numbers.uniform(0.4, 0.55)
            script.go_to(_part(step, begins))
            script.tell(AFTER_FLIP)
            script.wait(0.5, 1)
        script.tell("AUTOFOCUS-STARTING")
        script.wait(0.2, 0.5)
        script.stop_guiding()
        fails = self._numbers.random() < _AUTOFOCUS_FAILS
        position = self._numbers.randrange(2300, 2700)
        for number in range(1, (3 if fails else _AUTOFOCUS_POINTS) + 1):
            script.go_to(_part(step, begins + (0.95 - begins) * number / (_AUTOFOCUS_POINTS + 1)))
            script.tell("IMAGE-PREPARED")
            hfr = 1.4 + 1.1 * abs(number - _AUTOFOCUS_POINTS // 2) + self._numbers.random() / 10
            script.tell("AUTOFOCUS-POINT-ADDED", HFR=hfr, Position=position - 35 * number)
        script.go_to(_part(step, 0.95))
        script.tell("ERROR-AF" if fails else "AUTOFOCUS-FINISHED")

    def _exposing(self, script: Script, step: Exposing) -> None:
        exposure = step.exposure
        self._announce(script, exposure)
        length_s = (step.until - step.at) / timedelta(seconds=1)
        script.wait(0, min(0.3, length_s / 20))
        script.change_filter(exposure.plan.filter_name)
        script.wait(0, min(0.3, length_s / 20))
        least, most = _SAVED_BEFORE_COUNTED_S
        saved_at = step.until - timedelta(seconds=min(self._numbers.uniform(least, most), length_s / 3))
        downloaded_at = saved_at - timedelta(seconds=min(0.8, length_s / 6))
        script.state = replace(script.state, is_guiding=True, exposes_until=downloaded_at)
        # N.I.N.A. makes sure before each exposure that the rig guides: it says START each time, without a STOP.
        script.tell("GUIDER-START")
        script.go_to(saved_at)
        statistics = images.light(
            exposure.target.name,
            exposure.plan.filter_name,
            exposure.plan.exposure_s,
            step.measurements,
            self._numbers,
        )
        script.save_image(statistics, exposure.target.id)
        self._announced = None

    def _counted(self, script: Script, step: Counted) -> None:
        self._last_of_filter[script.state.filter_name] = step.exposure
        if self._habits.stacks:
            script.wait(0.1, 0.3)
            script.tell("STACK-UPDATED", StackCount=1, Target=step.exposure.target.name, IsMonochrome=True)
        if step.following is None:
            return
        spare = (step.until - step.at) / timedelta(seconds=1) - 0.1
        least, most = _PLANNED_AFTER_COUNTED_S
        script.go_to(step.at + timedelta(seconds=self._numbers.uniform(least, min(most, spare))))
        self._announce(script, step.following)
        if step.dithers and step.following.target is step.exposure.target:
            script.wait(0.01, 0.05)
            script.tell("GUIDER-DITHER")

    def _night_over(self, script: Script) -> None:
        self._forget_target()
        morning(script, self._habits, self._last_of_filter)

    def _announce(self, script: Script, exposure: NextExposure) -> None:
        """Target Scheduler is about to take this exposure; it says so once."""
        if self._announced is not None and _is_same(self._announced, exposure):
            return
        self._announced = exposure
        self._is_waiting = False
        script.state = replace(script.state, sequence="RUNNING", scheduler="RUNNING", exposes_until=None)
        script.state = replace(script.state, devices_connected=True, monitor_connected=True)
        target = exposure.target
        fields = target_fields(exposure, self._end_of(exposure, script.at), self._timezone)
        if target.id != self._last_target_id:
            self._last_target_id = target.id
            script.tell(NEW_TARGET_START, target.id, **fields)
            if script.state.is_parked:
                script.wait(4, 9)
                script.unpark()
                script.wait(0.05, 0.2)
            else:
                script.wait(*_SAME_MOMENT_S)
        script.tell(TARGET_START, target.id, **fields)

    def _end_of(self, exposure: NextExposure, at: datetime) -> datetime:
        end = self._visible_until.get(exposure.target.id)
        if end is None:
            end = visible_until(exposure, self._sky(exposure), at, self._dawn)
            self._visible_until[exposure.target.id] = end
        return end

    def _hour_angle(self, exposure: NextExposure, at: datetime) -> float:
        return self._sky(exposure).hour_angle(exposure.target.ra_hours, at)

    def _sky(self, exposure: NextExposure) -> Sky:
        return Sky(exposure.profile.site or self._site)


def _with_homing(
    happenings: list[Happening],
    step: CloudedOver | Waiting | Preparing | Exposing | Counted,
    state: ProcessState,
) -> list[Happening]:
    """What happens in this step, and in between the mount that reports its home position; `state` is at its begin."""
    first = -(-step.at.timestamp() // _HOMED_EVERY_S)
    last = -(-step.until.timestamp() // _HOMED_EVERY_S)
    for number in range(int(first), int(last)):
        time = datetime.fromtimestamp(number * _HOMED_EVERY_S, UTC)
        happenings.append(Happening(time=time, state=state, announcement=Announcement(time=time, event=HOMED)))
    merged: list[Happening] = []
    for happening in sorted(happenings, key=lambda happening: happening.time):
        is_homing = happening.announcement is not None and happening.announcement.event == HOMED
        state = state if is_homing else happening.state
        merged.append(replace(happening, state=state))
    return merged


def _end_of(step: RigStep) -> datetime | None:
    """When the next step begins; None for the morning, whose next step is the evening."""
    match step:
        case Evening():
            return step.night.dusk
        case NightOver():
            return None
        case _:
            return step.until


def _part(step: Preparing, share: float) -> datetime:
    """The moment when this share of the step is done."""
    return step.at + (step.until - step.at) * share


def _is_same(one: NextExposure, other: NextExposure) -> bool:
    return one.target is other.target and one.plan_index == other.plan_index
