"""Nights in which everything happens that may happen to a rig and its bridge, held against what the rig really did.

python -m tests.faults.nights 0 30

Each night has a seed of its own. In the end it says for how many minutes something wrong was said of now, by cause,
and how late things were told.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from bisect import bisect_right
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from tests.support.bridge_zone import bridge_in
from tests.support.recorded_rig import RecordedRig
from tests.support.simulated_night import BERLIN, WatchedRig, play
from ts2mqtt.config import PollingConfig
from ts2mqtt.observatory import events
from ts2mqtt.observatory.evidence import patience
from ts2mqtt.observatory.present import IMAGING, OFFLINE
from ts2mqtt.simulator.automation import ObservatoryAutomation
from ts2mqtt.simulator.observatory import SimulatedObservatory
from ts2mqtt.simulator.random_numbers import random_numbers
from ts2mqtt.simulator.sky import Sky
from ts2mqtt.simulator.weather import night_weather

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ts2mqtt.simulator.rows import SimulatedExposurePlan, SimulatedProfile, SimulatedTarget

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
POLLING = PollingConfig(interval=60.0)
_DUSK, _DAWN = timedelta(hours=5), timedelta(hours=18, minutes=30)
_LENGTHS_S = (60.0, 120.0, 180.0, 300.0, 600.0)
# A look that begins right after the change is followed by the next one; a rig that is silent is asked once more.
A_LOOK = timedelta(seconds=POLLING.interval + 6)
_OVERHEAD = timedelta(minutes=3)
_WEIGHTS = {
    "bridge_is_restarted": 4,
    "bridge_is_killed": 4,
    "nina_crashes": 3,
    "network_fails": 2,
    "profile_is_switched": 2,
    "target_is_deleted": 1,
    "project_is_paused": 2,
    "target_is_made_inactive": 1,
    "counts_are_raised": 3,
    "images_are_graded_anew": 2,
    "counts_are_reset": 1,
    "fewer_are_desired": 1,
    "clock_is_moved": 1,
}


@dataclass(slots=True)
class Outcome:
    """What was wrong in one night, and how late what was told; durations in seconds."""

    seed: int
    steps: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    wrong_s: Counter[str] = field(default_factory=Counter)
    late_s: dict[str, list[float]] = field(default_factory=dict)
    unseen_previews: int = 0
    exposures: int = 0
    imaging_s: float = 0.0


class DisturbedNight:
    """One observatory, its bridge, and all that happens to both from dusk to dawn."""

    def __init__(self, seed: int) -> None:
        self.outcome = Outcome(seed)
        self.observatory = SimulatedObservatory(seed=seed, site=BERLIN, timezone=UTC, now=NOON)
        self._chance = random_numbers(seed, "disturbed night")
        for name in ("Refractor", "Reflector"):
            self._furnish(self.observatory.add_profile(name))
        self.rig = RecordedRig(self.observatory, NOON)
        self.observatory.automation = ObservatoryAutomation(self.rig)
        self.changes: list[tuple[datetime, str]] = []
        """What somebody did that the API shows, and when."""
        self.lost_sight: list[datetime] = []
        """When what was known of now could not be known any more."""

    def _furnish(self, profile: SimulatedProfile) -> None:
        """Targets that are high at different hours, with few or many exposures to take."""
        sky = Sky(BERLIN)
        for number, hours in enumerate((6, 9, 12, 15, 18)):
            around = NOON + timedelta(hours=hours)
            ra_hours = max((tenth / 10 for tenth in range(0, 240, 5)), key=lambda ra: sky.altitude(ra, 30.0, around))
            name = f"{profile.name} {number}"
            cadence = self._chance.choice((0, 0, 0, 1, 4))
            project = self.observatory.add_project(profile, name, filter_switch_frequency=cadence)
            target = self.observatory.add_target(project, name, ra_hours=ra_hours, dec_deg=30.0)
            for template in self._chance.choice((("L",), ("Ha", "OIII"), ("L", "R", "G", "B"))):
                exposure_s = self._chance.choice(_LENGTHS_S)
                desired = self._chance.choice((8, 20, 60, 500))
                self.observatory.add_exposure_plan(target, template, exposure_s=exposure_s, desired=desired)

    async def script(self, rig: WatchedRig) -> None:
        rig.start_bridge()
        rig.look_every(600)
        await rig.until(NOON + _DUSK - timedelta(hours=1))
        rig.look_every(POLLING.interval)
        kinds = self._chance.choices(tuple(_WEIGHTS), tuple(_WEIGHTS.values()), k=self._chance.randint(4, 10))
        length = (_DAWN - _DUSK).total_seconds()
        moments = sorted(NOON + _DUSK + timedelta(seconds=self._chance.uniform(0, length)) for _ in kinds)
        for moment, kind in zip(moments, kinds, strict=True):
            if moment < rig.now:
                continue
            await rig.until(moment)
            words = await getattr(self, f"_{kind}")(rig)
            self.outcome.steps.append(f"{rig.now:%H:%M:%S} {kind.replace('_', ' ')}: {words}")
        await rig.until(NOON + timedelta(hours=22))

    def _changed(self, rig: WatchedRig, what: str) -> str:
        self.changes.append((rig.now, what))
        return what

    # What may happen.

    async def _bridge_is_restarted(self, rig: WatchedRig) -> str:
        seconds = self._chance.uniform(3, 240)
        await rig.stop_bridge()
        await rig.until(rig.now + timedelta(seconds=seconds))
        rig.start_bridge()
        return f"away for {seconds:.0f} s"

    async def _bridge_is_killed(self, rig: WatchedRig) -> str:
        # In the middle of a look as well as between two.
        await asyncio.sleep(0)
        return await self._bridge_is_restarted(rig)

    async def _nina_crashes(self, rig: WatchedRig) -> str:
        self.rig.crash(rig.now)
        away = self._chance.uniform(90, 400)
        await self._away(rig, away)
        again = self._chance.random() < 0.7
        if again:
            await rig.until(rig.now + timedelta(minutes=self._chance.uniform(2, 30)))
            self.rig.start_again(rig.now)
        return f"away for {away:.0f} s, {'started again' if again else 'not started again'}"

    async def _network_fails(self, rig: WatchedRig) -> str:
        away = self._chance.uniform(100, 1500)
        await self._away(rig, away)
        return f"for {away:.0f} s"

    async def _away(self, rig: WatchedRig, seconds: float) -> None:
        self._changed(rig, "the API goes away")
        rig.api_is_on = False
        await rig.until(rig.now + timedelta(seconds=seconds))
        rig.api_is_on = True
        self.lost_sight.append(rig.now)

    async def _profile_is_switched(self, rig: WatchedRig) -> str:
        other = next(profile for profile in self.observatory.profiles if not profile.active)
        self.rig.crash(rig.now)
        self.observatory.activate_profile(other)
        self._changed(rig, "another profile")
        self.lost_sight.append(rig.now)
        await rig.until(rig.now + timedelta(minutes=self._chance.uniform(2, 10)))
        self.rig.start_again(rig.now)
        return other.name

    async def _target_is_deleted(self, rig: WatchedRig) -> str:
        target = await self._any_target(rig)
        self.observatory.remove_target(target)
        return self._changed(rig, f"{target.name} is gone")

    async def _project_is_paused(self, rig: WatchedRig) -> str:
        target = await self._any_target(rig)
        project = self.observatory.project_of(target)
        self.observatory.set_project_state(project, "Inactive")
        self._changed(rig, f"{project.name} is paused")
        if self._chance.random() < 0.5:
            await rig.until(rig.now + timedelta(minutes=self._chance.uniform(1, 60)))
            self.observatory.set_project_state(project, "Active")
            self._changed(rig, f"{project.name} goes on")
        return project.name

    async def _target_is_made_inactive(self, rig: WatchedRig) -> str:
        target = await self._any_target(rig)
        target.active = False
        return self._changed(rig, f"{target.name} is inactive")

    async def _counts_are_raised(self, rig: WatchedRig) -> str:
        plan = self._resting_plan()
        number = int(1800 / plan.exposure_s) + self._chance.randint(2, 40)
        plan.acquired += number
        plan.accepted += number
        return self._changed(rig, f"{plan.template_name} + {number}")

    async def _images_are_graded_anew(self, rig: WatchedRig) -> str:
        plan = self._resting_plan()
        fewer = min(plan.accepted, self._chance.randint(1, 5))
        plan.accepted -= fewer
        self._changed(rig, f"{plan.template_name} - {fewer}")
        await rig.until(rig.now + timedelta(minutes=self._chance.uniform(2, 20)))
        plan.accepted += fewer
        return self._changed(rig, f"{plan.template_name} as before")

    async def _counts_are_reset(self, rig: WatchedRig) -> str:
        plan = self._resting_plan()
        plan.acquired = plan.accepted = 0
        return self._changed(rig, f"{plan.template_name} is reset")

    async def _fewer_are_desired(self, rig: WatchedRig) -> str:
        plan = self._chance.choice([plan for target in self._targets() for plan in target.exposure_plans])
        plan.desired = max(1, plan.accepted)
        return self._changed(rig, f"{plan.desired} of {plan.template_name}")

    async def _clock_is_moved(self, rig: WatchedRig) -> str:
        moved = timedelta(minutes=self._chance.choice((-90, -10, -0.5, 0.5, 10, 90)))
        rig.bridge_clock.moved += moved
        self.lost_sight.append(rig.now)
        return f"by {moved}"

    def _targets(self) -> list[SimulatedTarget]:
        """Those of the active profile."""
        return [target for project in self.observatory.active_profile.projects for target in project.targets]

    async def _any_target(self, rig: WatchedRig) -> SimulatedTarget:
        """Often the one at work; what it has just taken was seen before it is changed."""
        while self.rig.exposures and rig.now - self.rig.exposures[-1].time < A_LOOK:
            await rig.until(rig.now + timedelta(seconds=10))
        targets = self._targets()
        at_work = [target for target in targets if target.id == self.rig.target_at(rig.now)]
        return self._chance.choice(at_work if at_work and self._chance.random() < 0.5 else targets)

    def _resting_plan(self) -> SimulatedExposurePlan:
        """Of a target that is not at work: together with a real exposure nobody could tell an edit apart."""
        now = self.observatory.now
        resting = [target for target in self._targets() if target.id != self.rig.target_at(now)]
        return self._chance.choice([plan for target in resting for plan in target.exposure_plans])


def play_night(seed: int) -> Outcome:
    """Plays the night of this seed, and judges what was told of it."""
    night = DisturbedNight(seed)
    with bridge_in("UTC"):
        watched = play(night.observatory, night.script, POLLING)
    _Judge(night, watched).judge()
    return night.outcome


class _Judge:
    """Compares what was told with what was."""

    def __init__(self, night: DisturbedNight, watched: WatchedRig) -> None:
        self._night = night
        self._watched = watched
        self._outcome = night.outcome
        self._exposures = night.rig.exposures
        self._times = [exposure.time for exposure in self._exposures]
        self._interruptions = self._found_interruptions()

    def judge(self) -> None:
        self._outcome.exposures = len(self._exposures)
        self._judge_previews()
        self._judge_exposures()
        self._judge_starts()
        self._judge_activity()
        self._measure_lateness()

    def _found_interruptions(self) -> dict[datetime, str]:
        """When what the rig does could not be known any more, before its next exposure was saved; and why."""
        found = {time: "of a target" for time, _ in self._night.rig.changes}
        found |= dict.fromkeys(self._night.lost_sight, "after a break")
        said = [(shown.time, shown.present.activity) for shown in self._watched.looks]
        found |= {time: "after a break" for (_, was), (time, now) in pairwise(said) if was == OFFLINE != now}
        found |= {time: "after a change by hand" for time, _ in self._night.changes}
        found |= {
            told: "after a target was complete"
            for told, event in zip(self._watched.told_at, self._watched.events, strict=True)
            if event.event_type == events.TARGET_COMPLETED
        }
        return found

    def _problem(self, words: str) -> None:
        self._outcome.problems.append(words)

    def _judge_previews(self) -> None:
        """None while anything shows that the rig images; that it has begun to only the first exposure shows."""
        for preview in self._watched.previews:
            if self._night.rig.target_at(preview.time) is not None:
                self._outcome.unseen_previews += 1
                if self._first_shown(preview.time) is not None:
                    self._problem(f"a preview while the rig was imaging, at {preview.time:%H:%M:%S}")

    def _judge_exposures(self) -> None:
        """Each once."""
        true = Counter((one.target_id, one.filter, one.exposure_s) for one in self._exposures)
        told: Counter[tuple[str | None, str | None, float | None]] = Counter()
        for event in self._watched.of_type(events.EXPOSURE_ACQUIRED):
            told[event.target_id, event.filter, event.exposure_s] += event.count or 0
        for key in true.keys() | told.keys():
            if true[key] != told[key]:  # type: ignore[index]
                self._problem(f"{told[key]} exposures of {key} were told, and {true[key]} taken")  # type: ignore[index]
        tally = self._watched.looks[-1].tally
        if tally.exposures_acquired != len(self._exposures):
            self._problem(f"the tally has {tally.exposures_acquired} exposures of {len(self._exposures)}")

    def _judge_starts(self) -> None:
        """A target that is told to have started was at work."""
        for told, event in zip(self._watched.told_at, self._watched.events, strict=True):
            if event.event_type == events.TARGET_STARTED and not any(
                one.target_id == event.target_id and told - timedelta(minutes=45) < one.time <= told
                for one in self._exposures
            ):
                self._problem(f"{event.target_name} did not start at {told:%H:%M:%S}")

    def _judge_activity(self) -> None:
        """Second by second would be slow: from one change to the next, of what was and of what was said."""
        said = [(shown.time, shown.present.activity) for shown in self._watched.looks]
        said_times = [time for time, _ in said]
        runs = self._watched.starts_and_stops
        moments = sorted({*said_times, *runs, *(time for time, _ in self._night.rig.changes), *self._times})
        began: datetime | None = None
        cause = ""
        for moment, following in pairwise(moments):
            number = bisect_right(said_times, moment)
            is_running = bisect_right(runs, moment) % 2 == 1
            activity = said[number - 1][1] if number and is_running else OFFLINE
            is_imaging = self._night.rig.target_at(moment) is not None
            if is_imaging:
                self._outcome.imaging_s += (following - moment).total_seconds()
            if activity == OFFLINE or (activity == IMAGING) is is_imaging:
                began = None
                continue
            if began is None:
                began, cause = moment, self._cause(moment, is_imaging=is_imaging)
            self._outcome.wrong_s[cause] += int((following - moment).total_seconds())
            self._judge_wrong(began, moment, following, cause, is_imaging=is_imaging)

    def _cause(self, moment: datetime, *, is_imaging: bool) -> str:
        if is_imaging:
            return self._cause_of_silence(moment)
        night = Sky(BERLIN).night_from(NOON)
        assert night is not None
        lately = [what for time, what in self._night.changes if moment - A_LOOK < time <= moment]
        if lately:
            return lately[-1] if lately[-1] in ("the API goes away", "another profile") else "edited"
        if moment >= night.dawn - timedelta(minutes=15):
            return "the plan is over" if self._has_plan(moment) else "the night is over, and there is no plan"
        if night_weather(self._night.observatory.seed, night).is_cloudy(moment):
            return "clouds"
        return "nothing can be imaged"

    def _judge_wrong(
        self, began: datetime, moment: datetime, until: datetime, cause: str, *, is_imaging: bool
    ) -> None:
        if is_imaging:
            shown = self._first_shown(moment)
            if shown is not None and until > shown + A_LOOK:
                self._problem(f"imaging was not told from {shown:%H:%M:%S} to {until:%H:%M:%S}")
            return
        longest = max(
            plan.exposure_s for target in self._night.observatory.targets() for plan in target.exposure_plans
        )
        limits = {
            "the API goes away": A_LOOK,
            "another profile": A_LOOK,
            "the plan is over": timedelta(seconds=longest) + _OVERHEAD + A_LOOK,
        }
        if until - began > limits.get(cause, patience(longest) + A_LOOK):
            self._problem(f"imaging was told from {began:%H:%M:%S} to {until:%H:%M:%S}: {cause}")

    def _first_shown(self, moment: datetime) -> datetime | None:
        """When the API first showed what is being imaged at this moment; None if it has not yet."""
        since = max(time for time in self._interruptions if time <= moment)
        return next((one.time for one in self._exposures if since < one.time <= moment), None)

    def _has_plan(self, moment: datetime) -> bool:
        """Whether the plan in hand is for what the rig does, by a clock that is right."""
        plan, profile = self._watched.at(moment).plan, self._night.observatory.active_profile
        return plan is not None and plan.profile_id == profile.id and not self._watched.bridge_clock.moved

    def _cause_of_silence(self, moment: datetime) -> str:
        _, why = max((time, why) for time, why in self._interruptions.items() if time <= moment)
        return f"the first exposure {why} is under way"

    def _measure_lateness(self) -> None:
        """How long after it really was something was told."""
        late: dict[str, list[float]] = {}
        taken: dict[str, list[datetime]] = {}
        for one in self._exposures:
            taken.setdefault(one.target_id, []).append(one.time)
        told_before: Counter[str] = Counter()
        for told, event in zip(self._watched.told_at, self._watched.events, strict=True):
            true = taken.get(event.target_id or "", [])
            match event.event_type:
                case events.EXPOSURE_ACQUIRED:
                    told_before[event.target_id or ""] += event.count or 0
                    number = min(told_before[event.target_id or ""], len(true))
                    if number:
                        late.setdefault("exposures", []).append((told - true[number - 1]).total_seconds())
                case events.TARGET_STARTED | events.TARGET_FINISHED:
                    before = [time for time in true if time <= told]
                    if before:
                        late.setdefault(event.event_type, []).append((told - before[-1]).total_seconds())
                case _:
                    pass
        self._outcome.late_s = late


def report(outcomes: Iterable[Outcome]) -> str:
    """The figures of all nights together."""
    outcomes = list(outcomes)
    wrong: Counter[str] = Counter()
    late: dict[str, list[float]] = {}
    for outcome in outcomes:
        wrong.update(outcome.wrong_s)
        for what, seconds in outcome.late_s.items():
            late.setdefault(what, []).extend(seconds)
    hours = sum(outcome.imaging_s for outcome in outcomes) / 3600
    exposures = sum(outcome.exposures for outcome in outcomes)
    lines = [f"{len(outcomes)} nights, {exposures} exposures, {hours:.0f} h of imaging"]
    lines += [f"{seconds / 60:8.1f} min wrong: {cause}" for cause, seconds in wrong.most_common()]
    unseen = sum(outcome.unseen_previews for outcome in outcomes)
    lines.append(f"{unseen} previews after the rig had begun to image, before anything showed it")
    lines += [
        f"{what}: told {median(seconds):.0f} s late (median), {max(seconds):.0f} s at the worst"
        for what, seconds in sorted(late.items())
    ]
    return "\n".join(lines)


def told(outcome: Outcome) -> str:
    steps = "\n".join(f"  {step}" for step in outcome.steps)
    problems = "\n".join(f"  ! {problem}" for problem in outcome.problems)
    return f"the night of seed {outcome.seed}:\n{steps}\n{problems}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.nights", description="Plays disturbed nights.")
    parser.add_argument("first", type=int, help="the first seed")
    parser.add_argument("end", type=int, help="the seed before which to end")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes side by side")
    wanted = parser.parse_args()
    outcomes: list[Outcome] = []
    with ProcessPoolExecutor(wanted.workers, initializer=_quietly) as workers:
        for outcome in workers.map(play_night, range(wanted.first, wanted.end)):
            outcomes.append(outcome)
            if outcome.problems:
                sys.stdout.write(f"{told(outcome)}\n")
    sys.stdout.write(f"{report(outcomes)}\n")
    return 1 if any(outcome.problems for outcome in outcomes) else 0


def _quietly() -> None:
    logging.getLogger("ts2mqtt").setLevel(logging.CRITICAL)


if __name__ == "__main__":
    sys.exit(main())
