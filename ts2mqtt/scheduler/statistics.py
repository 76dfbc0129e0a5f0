"""Image statistics: expensive for the rig, and so read only when a target's counts moved, one at a time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ts2mqtt.errors import RigError
from ts2mqtt.scheduler import translate as translation
from ts2mqtt.scheduler.lists import Subject

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Mapping

    from ts2mqtt.config import PollingConfig
    from ts2mqtt.observatory.model import Statistics, Target
    from ts2mqtt.scheduler.client import TargetSchedulerClient
    from ts2mqtt.scheduler.lists import RigLists

# A request that takes the rig 3 s to answer is made at most once in a minute: 5 % of its time.
_SHARE_OF_TIME = 0.05

Counts = tuple[tuple[str, int, int], ...]
"""Exposure plan key, acquired and accepted of each plan: while these stand still, so do the statistics."""


@dataclass(slots=True)
class _Known:
    by_plan: Mapping[str, Statistics] = field(default_factory=dict)
    counts: Counts | None = None
    due: float = 0.0
    not_before: float = 0.0
    patience_s: float | None = None


class StatisticsReader:
    """Keeps the statistics of one rig's targets."""

    def __init__(self, reader: RigLists, polling: PollingConfig, rng: random.Random) -> None:
        self._reader = reader
        self._polling = polling
        self._rng = rng
        self._known: dict[str, _Known] = {}

    async def read_due(self, client: TargetSchedulerClient, targets: Iterable[Target]) -> None:
        """Asks for those whose counts moved, and for the others when they are due, which is spread over time."""
        for target in targets:
            known = self._known.setdefault(target.id, _Known(due=self._later(self._polling.slow_interval)))
            counts = exposure_counts(target)
            if not any(acquired for _, acquired, _ in counts):
                known.by_plan, known.counts = {}, counts
                continue
            moved = known.counts is not None and known.counts != counts
            if time.monotonic() >= (known.not_before if moved else max(known.due, known.not_before)):
                what = Subject("statistics of target", target.name, target.id)
                await self._reader.kept(what, self._read, client, target, known)

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
        known = self._known.get(target.id)
        if known is None or not known.by_plan:
            return target
        plans = tuple(replace(plan, statistics=known.by_plan.get(plan.key)) for plan in target.exposure_plans)
        return replace(target, exposure_plans=plans)

    def spread_again(self) -> None:
        """After an outage: what has become due meanwhile is not asked for all at once."""
        for known in self._known.values():
            if known.due <= time.monotonic():
                known.due = self._later(self._polling.slow_interval)

    def drop_all_but(self, target_ids: frozenset[str]) -> None:
        self._known = {key: known for key, known in self._known.items() if key in target_ids}

    async def _read(self, client: TargetSchedulerClient, target: Target, known: _Known) -> None:
        started = time.monotonic()
        try:
            answer = await client.statistics(target.id)
        except RigError:
            known.due = known.not_before = time.monotonic() + self._polling.slow_interval
            raise
        now = time.monotonic()
        known.not_before = now + (now - started) / _SHARE_OF_TIME
        if not answer.items and not answer.lost and self._must_have_some(known, target):
            # A locked database answers as if there were none.
            known.patience_s = min(2 * (known.patience_s or self._polling.slow_interval / 2), self._longest_s)
            known.due = known.not_before = max(known.not_before, now + known.patience_s)
            return
        known.patience_s = None
        self._reader.tell_faults(answer, Subject("statistics of target", target.name, target.id))
        known.by_plan = translation.statistics_by_plan(target.exposure_plans, answer.items)
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
        return time.monotonic() + interval * self._rng.random()


def exposure_counts(target: Target) -> Counts:
    return tuple((plan.key, plan.acquired, plan.accepted) for plan in target.exposure_plans)
