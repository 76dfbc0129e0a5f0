"""Nights in which everything goes wrong between N.I.N.A. and the bridge, held against what the rig really did.

python -m tests.faults.live_nights 0 30             # seeds: some faults each, at random
python -m tests.faults.live_nights 0 3 --alone      # every fault alone, in each of these nights

In the end it says for how many minutes something wrong was said of now, and for how many the polled path says so in
the same nights.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from bisect import bisect_right
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from tests.faults.live_faults import FAULTS, RESTARTED, TWIN
from tests.faults.nights import A_LOOK, NOON, POLLING, DisturbedNight
from tests.support.bridge_zone import bridge_in
from tests.support.live_night import play_live
from ts2mqtt.observatory import events
from ts2mqtt.observatory.evidence import patience
from ts2mqtt.observatory.present import IMAGING, OFFLINE
from ts2mqtt.simulator.nina.announcement import (
    AFTER_FLIP,
    BEFORE_FLIP,
    IMAGE_SAVE,
    SAFETY_CHANGED,
    Announcement,
)
from ts2mqtt.simulator.random_numbers import random_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from tests.support.live_night import LiveRig
    from tests.support.recorded_rig import RecordedRig, TrueExposure
    from ts2mqtt.simulator.observatory import SimulatedObservatory

_DUSK, _DAWN, _END = timedelta(hours=5), timedelta(hours=18, minutes=30), timedelta(hours=20)
# The Target Scheduler says what it is about to do.
_ANNOUNCED_BEFORE = timedelta(seconds=15)
_LONGEST_WAIT_S = 0.05
_TO_THE_NEXT_TARGET = timedelta(minutes=3)


@dataclass(slots=True)
class LiveOutcome:
    """What was wrong in one night; durations in seconds, `polled_wrong_s` of the same night without N.I.N.A."""

    seed: int
    fault: str | None
    steps: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    wrong_s: float = 0.0
    polled_wrong_s: float = 0.0
    starts: int = 0
    polled_starts: int = 0
    exposures: int = 0


class LiveNight:
    """One observatory, its N.I.N.A. and its bridge; with `fault` that alone goes wrong, from dusk to dawn."""

    def __init__(self, seed: int, fault: str | None = None) -> None:
        self.outcome = LiveOutcome(seed, fault)
        furnished = DisturbedNight(seed)
        self.observatory, self.recorded = furnished.observatory, furnished.rig
        self._chance = random_numbers(seed, "live faults", fault)
        for profile in self.observatory.profiles:
            for project in profile.projects[1:4:2]:
                project.name = project.targets[0].name = TWIN

    def played(self, *, hears: bool = True) -> LiveRig:
        """The night with its faults; without `hears` those that the rig itself has are the only ones."""
        return play_live(self.observatory, self._disturbed, hears=hears, polling=POLLING, recorded=self.recorded)

    async def _disturbed(self, rig: LiveRig) -> None:
        await rig.until(NOON + _DUSK)
        end = NOON + _DAWN
        alone = self.outcome.fault
        while rig.now < end:
            await rig.until(rig.now + timedelta(minutes=self._chance.uniform(0, 60)))
            kind = alone or self._chance.choice(tuple(FAULTS))
            began = rig.now
            await FAULTS[kind].begin(rig)
            await rig.until(rig.now + timedelta(minutes=self._chance.choice((1, 10, 60, 120))))
            await FAULTS[kind].end(rig)
            self.outcome.steps.append(f"{began:%H:%M:%S} to {rig.now:%H:%M:%S} {kind}")
        await rig.until(NOON + _END)


def play_live_night(seed: int, fault: str | None = None, *, polls_too: bool = True) -> LiveOutcome:
    """Plays the night of this seed, and judges what was told of it; then once more without N.I.N.A., to compare."""
    night = LiveNight(seed, fault)
    with bridge_in("UTC"):
        LiveJudge(night, night.played()).judge()
    if polls_too:
        _note_polled(night.outcome)
    return night.outcome


def _note_polled(outcome: LiveOutcome) -> None:
    # What goes wrong with words alone is nothing to a bridge that hears none: one night stands for all of these.
    fault = outcome.fault if outcome.fault in {None, RESTARTED} else next(iter(FAULTS))
    note_polled(outcome, *_polled(outcome.seed, fault))


@cache
def _polled(seed: int, fault: str | None) -> tuple[LiveRig, RecordedRig]:
    night = LiveNight(seed, fault)
    with bridge_in("UTC"):
        return night.played(hears=False), night.recorded


def note_polled(outcome: LiveOutcome, rig: LiveRig, recorded: TrueRig) -> None:
    """What a bridge told that heard no N.I.N.A."""
    outcome.polled_wrong_s = sum(wrong.seconds for wrong in wrong_times(rig, recorded))
    outcome.polled_starts = len(_told(rig, events.TARGET_STARTED))


class TrueRig(Protocol):
    """What a rig really did."""

    exposures: list[TrueExposure]

    @property
    def changes(self) -> Sequence[tuple[datetime, str | None]]: ...

    def target_at(self, moment: datetime) -> str | None: ...


class Judged(Protocol):
    """What is played: a night, or less."""

    outcome: LiveOutcome

    @property
    def recorded(self) -> TrueRig: ...

    @property
    def observatory(self) -> SimulatedObservatory: ...


@dataclass(frozen=True, slots=True)
class WrongTime:
    """From one moment to another it was told that the rig images, or that it does not, and the reverse was true."""

    began: datetime
    until: datetime
    is_imaging: bool

    @property
    def seconds(self) -> float:
        return (self.until - self.began).total_seconds()


def wrong_times(rig: LiveRig, recorded: TrueRig) -> list[WrongTime]:
    """In the order of time; while the API does not answer nothing is told."""
    said = [(update.time, update.state["activity"]) for update in rig.updates]
    times = [time for time, _ in said]
    moments = sorted({*times, *(time for time, _ in recorded.changes)})
    wrong: list[WrongTime] = []
    for moment, following in pairwise(moments):
        number = bisect_right(times, moment)
        activity = said[number - 1][1] if number else OFFLINE
        is_imaging = recorded.target_at(moment) is not None
        if activity in (OFFLINE, None) or (activity == IMAGING) is is_imaging:
            continue
        if wrong and wrong[-1].until == moment and wrong[-1].is_imaging is is_imaging:
            wrong[-1] = WrongTime(wrong[-1].began, following, is_imaging)
        else:
            wrong.append(WrongTime(moment, following, is_imaging))
    return wrong


class LiveJudge:
    """Compares what was told with what was, and with what N.I.N.A. announced."""

    def __init__(self, night: Judged, rig: LiveRig) -> None:
        self._outcome = night.outcome
        self._recorded = night.recorded
        self._observatory = night.observatory
        self._rig = rig

    def judge(self) -> None:
        self._outcome.exposures = len(self._recorded.exposures)
        self._outcome.starts = len(_told(self._rig, events.TARGET_STARTED))
        self._judge_exposures()
        self._judge_starts()
        self._judge_images()
        self._judge_flips()
        self._judge_safety()
        self._judge_activity()
        self._judge_previews()
        if self._rig.nina.longest_wait_s > _LONGEST_WAIT_S:
            self._problem(f"N.I.N.A. waited for {self._rig.nina.longest_wait_s:.3f} s")

    def _problem(self, words: str) -> None:
        self._outcome.problems.append(words)

    def _announced(self, *names: str) -> list[Announcement]:
        return [one for one in self._rig.nina.nina.announced if one.event in names]

    def _judge_exposures(self) -> None:
        """Each once."""
        true = Counter((one.target_id, one.filter, one.exposure_s) for one in self._recorded.exposures)
        told: Counter[tuple[str, str, float]] = Counter()
        for _, event in _told(self._rig, events.EXPOSURE_ACQUIRED):
            told[event["target_id"], event["filter"], event["exposure_s"]] += event["count"] or 1
        for key in true.keys() | told.keys():
            if true[key] != told[key]:
                self._problem(f"{told[key]} exposures of {key} were told, and {true[key]} taken")

    def _judge_starts(self) -> None:
        """A target that is told to have started was at work, and each stretch of its work is told once."""
        stretches: Counter[datetime] = Counter()
        for time, event in _told(self._rig, events.TARGET_STARTED):
            began = self._began(event["target_id"], time)
            name = event["target_name"]
            if began is None:
                self._problem(f"{name} did not start at {time:%H:%M:%S}")
                continue
            stretches[began] += 1
            if stretches[began] > 1:
                self._problem(f"{name} was told to start at {time:%H:%M:%S} once more, and had been at work since")

    def _began(self, target_id: str, told: datetime) -> datetime | None:
        """Since when the rig was at work on the target, at the time or a little before it; None if it was not."""
        changes = self._recorded.changes
        number = bisect_right([time for time, _ in changes], told + _ANNOUNCED_BEFORE) - 1
        while number >= 0:
            began, target = changes[number]
            ended = changes[number + 1][0] if number + 1 < len(changes) else told
            if target == target_id and told - ended < A_LOOK + timedelta(minutes=1):
                return began
            number -= 1
        return None

    def _judge_images(self) -> None:
        """None that was not saved, and none twice."""
        saved = Counter(_date(one) for one in self._announced(IMAGE_SAVE) if _statistics(one)["ImageType"] == "LIGHT")
        told = Counter(_moment(event["time"]) for _, event in _told(self._rig, events.IMAGE_SAVED))
        for time, number in told.items():
            if number > saved[time]:
                self._problem(f"{number} images of {time:%H:%M:%S} were told, and {saved[time]} saved")

    def _judge_flips(self) -> None:
        for event_type, name in (
            (events.MERIDIAN_FLIP_STARTED, BEFORE_FLIP),
            (events.MERIDIAN_FLIP_FINISHED, AFTER_FLIP),
        ):
            times = [one.time for one in self._announced(name)]
            self._each_follows_another(event_type, [time for time, _ in _told(self._rig, event_type)], times)

    def _judge_safety(self) -> None:
        changes = self._announced(SAFETY_CHANGED)
        for event_type, is_safe in ((events.BECAME_SAFE, True), (events.BECAME_UNSAFE, False)):
            times = [one.time for one in changes if one.fields["IsSafe"] is is_safe]
            self._each_follows_another(event_type, [time for time, _ in _told(self._rig, event_type)], times)

    def _each_follows_another(self, event_type: str, told: Sequence[datetime], true: Iterable[datetime]) -> None:
        left = list(true)
        for time in told:
            # In front of a next event that waits for it one comes as late as that: a reordered event.
            cause = next((one for one in left if one <= time), None)
            if cause is None:
                self._problem(f"{event_type} was told at {time:%H:%M:%S}, and was not so")
            else:
                left.remove(cause)

    def _judge_activity(self) -> None:
        """No wrong word stands for longer than the polled path's may: until the next look, or until patience ends."""
        longest_s = max(plan.exposure_s for target in self._observatory.targets() for plan in target.exposure_plans)
        # What was announced and did not come about has an exposure more than what was seen. What the plan has follow
        # may begin an exposure and a slew after the last one was seen, as it may where nobody hears N.I.N.A.
        limits = {
            True: patience(longest_s) + A_LOOK,
            False: patience(longest_s) + timedelta(seconds=longest_s) + _TO_THE_NEXT_TARGET + A_LOOK,
        }
        wrong = wrong_times(self._rig, self._recorded)
        self._outcome.wrong_s = sum(one.seconds for one in wrong)
        for one in wrong:
            if one.until - one.began > limits[one.is_imaging]:
                words = "not imaging" if one.is_imaging else "imaging"
                self._problem(f"{words} was told from {one.began:%H:%M:%S} to {one.until:%H:%M:%S}")

    def _judge_previews(self) -> None:
        """None while the sequence runs, once anything has shown that it does."""
        for preview in self._rig.previews:
            since = self._runs_since(preview)
            if since is not None and any(since < one.time < preview - A_LOOK for one in self._recorded.exposures):
                self._problem(f"a preview while the sequence was running, at {preview:%H:%M:%S}")

    def _runs_since(self, moment: datetime) -> datetime | None:
        since: datetime | None = None
        for time, state in self._rig.nina.nina.states:
            if time > moment:
                break
            since = (since or time) if state.sequence == "RUNNING" else None
        return since


def _told(rig: LiveRig, event_type: str) -> list[tuple[datetime, dict[str, Any]]]:
    return [(time, event) for time, event in rig.events if event["event_type"] == event_type]


def _statistics(image: Announcement) -> dict[str, Any]:
    statistics = image.fields["ImageStatistics"]
    assert isinstance(statistics, dict)
    return dict(statistics)


def _date(image: Announcement) -> datetime:
    return _moment(_statistics(image)["Date"])


def _moment(text: str) -> datetime:
    """To the second: the two write fractions of other lengths."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)


def report(outcomes: Sequence[LiveOutcome]) -> str:
    """The figures of all nights together."""
    exposures, starts, polled_starts = (
        sum(getattr(one, name) for one in outcomes) for name in ("exposures", "starts", "polled_starts")
    )
    wrong, polled = (sum(getattr(one, name) for one in outcomes) / 60 for name in ("wrong_s", "polled_wrong_s"))
    return (
        f"{len(outcomes)} nights, {exposures} exposures\n"
        f"{starts:8} starts told with N.I.N.A. and its faults, {polled_starts} when polled\n"
        f"{wrong:8.1f} min wrong with N.I.N.A. and its faults, {polled:.1f} when polled"
    )


def told(outcome: LiveOutcome) -> str:
    steps = "\n".join(f"  {step}" for step in outcome.steps)
    problems = "\n".join(f"  ! {problem}" for problem in outcome.problems)
    return f"the night of seed {outcome.seed}, {outcome.fault or 'at random'}:\n{steps}\n{problems}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.live_nights", description="Plays live nights.")
    parser.add_argument("first", type=int, help="the first seed")
    parser.add_argument("end", type=int, help="the seed before which to end")
    parser.add_argument("--alone", action="store_true", help="every fault alone")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes side by side")
    wanted = parser.parse_args()
    faults: tuple[str | None, ...] = tuple(FAULTS) if wanted.alone else (None,)
    nights = [(seed, fault) for seed in range(wanted.first, wanted.end) for fault in faults]
    outcomes: list[LiveOutcome] = []
    with ProcessPoolExecutor(wanted.workers, initializer=quietly) as workers:
        for outcome in workers.map(play_live_night, *zip(*nights, strict=True)):
            outcomes.append(outcome)
            if outcome.problems:
                sys.stdout.write(f"{told(outcome)}\n")
                sys.stdout.flush()
    sys.stdout.write(f"{report(outcomes)}\n")
    return 1 if any(outcome.problems for outcome in outcomes) else 0


def quietly() -> None:
    """Nights of faults would fill the log."""
    logging.getLogger("ts2mqtt").setLevel(logging.CRITICAL)


if __name__ == "__main__":
    sys.exit(main())
