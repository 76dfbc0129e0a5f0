"""Image statistics: expensive for the rig, and so read only when a target's counts moved, one at a time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ts2mqtt.errors import RigError
from ts2mqtt.scheduler import translate
from ts2mqtt.scheduler.rig_failures import Subject

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from ts2mqtt.config import PollingConfig
    from ts2mqtt.observatory.model import Statistics, Target
    from ts2mqtt.scheduler.client import TargetSchedulerClient
    from ts2mqtt.scheduler.rig_failures import RigFailures
    from ts2mqtt.timing import Clock

# A request that takes the rig 3 s to answer is made at most once in a minute: 5 % of its time.
_SHARE_OF_TIME = 0.05

Counts = tuple[tuple[str, int, int], ...]
"""Exposure plan key, acquired and accepted of each plan: while these stand still, so do the statistics."""


@dataclass(frozen=True, slots=True)
class _Completed:
    """A target with its statistics, and what it was made of: a look that changes neither makes no new one."""

    bare: Target
    by_plan: Mapping[str, Statistics]
    target: Target


@dataclass(slots=True)
class _Known:
    """Of one target; `due` and `not_before` are by the clock that never goes back."""

    by_plan: Mapping[str, Statistics] = field(default_factory=dict)
    counts: Counts | None = None
    due: float = 0.0
    not_before: float = 0.0
    patience_s: float | None = None
    completed: _Completed | None = None


class StatisticsReader:
    """Keeps the statistics of one rig's targets."""

    def __init__(self, failures: RigFailures, polling: PollingConfig, clock: Clock, rng: random.Random) -> None:
        self._failures = failures
        self._polling = polling
        self._clock = clock
        self._rng = rng
        self._known: dict[str, _Known] = {}

    def note_counts(self, target: Target) -> None:
        """Takes the counts of a look: the first that are seen have statistics soon, a target that was reset none."""
        known = self._known.setdefault(target.id, _Known(due=self._later(self._polling.slow_interval)))
        counts = exposure_counts(target)
        if not _any_acquired(counts):
            known.by_plan, known.counts = {}, counts

    def is_due(self, target: Target) -> bool:
        """Whether to ask for the statistics of a target: its counts moved, or it is time, which is spread."""
        known, counts = self._known[target.id], exposure_counts(target)
        if not _any_acquired(counts):
            return False
        has_moved = known.counts is not None and known.counts != counts
        return self._clock.monotonic() >= (known.not_before if has_moved else max(known.due, known.not_before))

    async def read(self, client: TargetSchedulerClient, target: Target) -> None:
        with self._failures.reading(Subject.statistics_of(target)):
            await self._read(client, target, self._known[target.id])

    def recall(self, remembered: Mapping[str, tuple[Counts, Mapping[str, Statistics]]]) -> None:
        """Takes what was published before a restart, by target id, unless a target's were read since."""
        for target_id, (counts, by_plan) in remembered.items():
            known = self._known.get(target_id)
            if known is None or known.counts is None:
                self._known[target_id] = _Known(by_plan, counts, self._later(self._polling.statistics_interval))

    def use(self, polling: PollingConfig) -> None:
        """From now on; what a shorter interval makes due is spread over it."""
        shorter = polling.statistics_interval < self._polling.statistics_interval
        self._polling = polling
        if shorter:
            for known in self._known.values():
                known.due = min(known.due, self._later(polling.statistics_interval))

    def attach(self, target: Target) -> Target:
        """The target with its statistics; the very same as last time if neither has changed."""
        known = self._known.get(target.id)
        if known is None or not known.by_plan:
            return target
        last = known.completed
        if last is not None and last.bare is target and last.by_plan is known.by_plan:
            return last.target
        plans = tuple(replace(plan, statistics=known.by_plan.get(plan.key)) for plan in target.exposure_plans)
        known.completed = _Completed(target, known.by_plan, replace(target, exposure_plans=plans))
        return known.completed.target

    def spread_again(self) -> None:
        """After an outage: what has become due meanwhile is not asked for all at once."""
        for known in self._known.values():
            if known.due <= self._clock.monotonic():
                known.due = self._later(self._polling.slow_interval)

    def forget_all_but(self, target_ids: frozenset[str]) -> None:
        self._known = {key: known for key, known in self._known.items() if key in target_ids}

    async def _read(self, client: TargetSchedulerClient, target: Target, known: _Known) -> None:
        started = self._clock.monotonic()
        try:
            answer = await client.statistics(target.id)
        except RigError:
            known.due = known.not_before = self._clock.monotonic() + self._polling.slow_interval
            raise
        now = self._clock.monotonic()
        known.not_before = now + (now - started) / _SHARE_OF_TIME
        if not answer.items and not answer.lost and self._must_have_some(known, target):
            # A locked database answers as if there were none.
            known.patience_s = min(2 * (known.patience_s or self._polling.slow_interval / 2), self._longest_s)
            known.due = known.not_before = max(known.not_before, now + known.patience_s)
            return
        known.patience_s = None
        self._failures.note_answer(Subject.statistics_of(target), answer.faults)
        known.by_plan = translate.statistics_by_plan(target.exposure_plans, answer.items)
        known.counts = exposure_counts(target)
        known.due = now + self._polling.statistics_interval * self._rng.uniform(0.9, 1.1)

    @property
    def _longest_s(self) -> float:
        return max(self._polling.slow_interval, self._polling.statistics_interval)

    def _must_have_some(self, known: _Known, target: Target) -> bool:
        """Whether images of which there were statistics are still counted."""
        before = {key: acquired for key, acquired, _ in known.counts or ()}
        return any(
            plan.key in known.by_plan and plan.acquired >= before.get(plan.key, 0) for plan in target.exposure_plans
        )

    def _later(self, interval: float) -> float:
        return self._clock.monotonic() + interval * self._rng.random()


def _any_acquired(counts: Counts) -> bool:
    return any(acquired for _, acquired, _ in counts)


def exposure_counts(target: Target) -> Counts:
    return tuple((plan.key, plan.acquired, plan.accepted) for plan in target.exposure_plans)
