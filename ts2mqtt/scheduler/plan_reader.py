"""Reads a rig's night plan beside the looks, when the plan's policy says so or somebody asks for it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from ts2mqtt.logs.tallies import Kind
from ts2mqtt.observatory.model import NightPlan
from ts2mqtt.observatory.night import night_of, planning_inputs
from ts2mqtt.observatory.tree import all_targets
from ts2mqtt.scheduler.plan_policy import Situation, plan_request

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime, tzinfo

    from ts2mqtt.config import PollingConfig
    from ts2mqtt.observatory.model import PlanBlock, Rig
    from ts2mqtt.scheduler.client import TargetSchedulerClient
    from ts2mqtt.scheduler.lists import RigLists
    from ts2mqtt.scheduler.plan_policy import PlanRequest, Rise
    from ts2mqtt.timing import Clock, RigTimings

_REQUESTS = Kind("requests for night plans")
_FOREIGN_BLOCKS = Kind("night plans that name targets of others")


class PlanReader:
    """Keeps the night plan of one rig."""

    def __init__(
        self,
        rig: Rig,
        polling: PollingConfig,
        lists: RigLists,
        *,
        clock: Clock,
        timings: RigTimings,
    ) -> None:
        self.plan: NightPlan | None = None
        """The latest night plan that was read, or taken over from an earlier run of the bridge."""
        self._polling = polling
        self._lists = lists
        self._failures = lists.failures
        self._clock = clock
        self._timings = timings
        self._rig = rig
        self._last_rise: Rise | None = None
        self.watched_since: datetime | None = None
        """Since when the rig has been looked at with its active profile and without a break."""
        self._asked: datetime | None = None
        self._is_requested = False
        self._next_request = 0.0
        self._earliest = clock.monotonic() + timings.recall_s
        self._may_sequence_run = False
        self._wake = asyncio.Event()

    def note_sequence(self, *, may_run: bool) -> None:
        """Takes whether the sequence of N.I.N.A. may be running."""
        if self._may_sequence_run and not may_run:
            self._wake.set()
        self._may_sequence_run = may_run

    def looked(self, rig: Rig, last_rise: Rise | None) -> None:
        """Takes what a look at the rig has brought."""
        if _active_id(rig) != _active_id(self._rig):
            # Of what the rig does with this profile nothing has been seen yet.
            self.watched_since = None
        self.watched_since = self.watched_since or self._clock.now()
        self._rig, self._last_rise = rig, last_rise
        self._wake.set()

    def lost_sight(self) -> None:
        """The rig does not answer any more; what it does now cannot be told from what it did."""
        self.watched_since = None

    def clock_was_set_back(self) -> None:
        """Forgets what now seems to lie ahead."""
        self._last_rise = self._asked = self.watched_since = None
        if self.plan is not None and self.plan.fetched > self._clock.now():
            self.plan = None

    def use(self, polling: PollingConfig) -> None:
        self._polling = polling
        self._wake.set()

    def request(self) -> None:
        """Asks for the plan as soon as the rig answers, whatever it is doing."""
        if self._polling.plan == "off":
            self._failures.note(_REQUESTS, "no plan is read, because polling.plan is off")
            return
        if self._is_requested:
            return
        self._failures.note(
            _REQUESTS,
            "reading the night plan on request; while the rig images this can upset its dithering, and it "
            "writes the filter cadence of projects that switch filters",
        )
        self._is_requested = True
        self._wake.set()

    def recall(self, plan: NightPlan | None) -> None:
        """Takes over the plan of an earlier run of the bridge, unless one was read since."""
        self._earliest = self._clock.monotonic()
        if self.plan is None and plan is not None:
            self.plan = plan
            self._lists.note_dates(*(block.start for block in plan.blocks))
        self._wake.set()

    async def next_request(self) -> PlanRequest:
        """Waits until a plan is to be asked for."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            request = self._due_request()
            if request is not None:
                return request

    async def read(self, client: TargetSchedulerClient, request: PlanRequest) -> None:
        """Asks for a plan and keeps it; a failure leaves the one that was known, and is not repeated soon."""
        self._is_requested = False
        asked = self._asked = self._clock.now()
        self._next_request = self._clock.monotonic() + self._timings.least_plan_gap_s
        profile = self._rig.active_profile
        inputs = planning_inputs(profile) if profile else None
        planned = await self._lists.read_plan(client, request)
        blocks = self._own_blocks(planned)
        self.plan = NightPlan(
            profile_id=request.profile_id,
            night=_night_of(blocks, asked, self._lists.zone),
            fetched=asked,
            blocks=blocks,
            inputs=inputs,
        )

    def _own_blocks(self, blocks: Iterable[PlanBlock]) -> tuple[PlanBlock, ...]:
        """Without blocks of targets that the active profile does not have: the API plans some of another's."""
        own = {place.target.id for place in all_targets(self._rig) if place.profile.active}
        kept: list[PlanBlock] = []
        foreign: list[PlanBlock] = []
        for block in blocks:
            (kept if block.is_wait or block.target_id in own else foreign).append(block)
        if foreign:
            self._failures.note(
                _FOREIGN_BLOCKS,
                f"the night plan names {len(foreign)} blocks of targets that this rig does not have, among them "
                f"{foreign[0].name!r}; they are left out",
            )
        return tuple(kept)

    def _due_request(self) -> PlanRequest | None:
        now = self._clock.monotonic()
        by_itself = self._polling.plan == "auto" and now >= self._earliest
        if self.watched_since is None or not (by_itself or self._is_requested):
            return None
        if self._is_requested and now < self._next_request:
            # Asked for by anybody, as often as they like: the next look sees to it when its time has come.
            return None
        situation = Situation(
            rig=self._rig,
            plan=self.plan,
            last_rise=self._last_rise,
            asked=self._asked,
            watched_since=self.watched_since,
            now=self._clock.now(),
            zone=self._lists.zone,
            plan_interval=timedelta(seconds=self._polling.plan_interval),
            may_sequence_run=self._may_sequence_run,
        )
        return plan_request(situation, requested=self._is_requested)


def _night_of(blocks: Iterable[PlanBlock], asked: datetime, zone: tzinfo | None) -> date:
    """That of the first target: asked for in the morning, when nothing of a night is left, it is the coming one."""
    return night_of(next((block.start for block in blocks if not block.is_wait), asked), zone)


def _active_id(rig: Rig) -> str | None:
    return rig.active_profile.id if rig.active_profile else None
