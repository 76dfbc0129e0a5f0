"""A poller at work in the test's own event loop."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from tests.support.asking import polling
from ts2mqtt.config import RigConfig
from ts2mqtt.scheduler.poller import PollerOptions, RigPoller
from ts2mqtt.simulator.observatory import SimulatedObservatory
from ts2mqtt.timing import RigTimings, SystemClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from ts2mqtt.config import PollingConfig
    from ts2mqtt.network.http_requests import Transport
    from ts2mqtt.observatory.model import Project, Rig, Target
    from ts2mqtt.scheduler.report import RigReport
    from ts2mqtt.simulator.api import SimulatedApi
    from ts2mqtt.simulator.rows import SimulatedProfile
    from ts2mqtt.timing import Clock

PATIENCE_S = 15.0
IMPATIENT = RigTimings(first_retry_s=0.02, longest_retry_s=0.1, least_gap_s=0.02)


class Watched:
    """A poller, all that it has reported, and a way to wait for a report."""

    def __init__(
        self,
        looks: PollingConfig,
        *urls: str,
        clock: Clock = SystemClock(),
        timings: RigTimings = IMPATIENT,
        transport: Transport | None = None,
    ) -> None:
        self._queue: asyncio.Queue[RigReport] = asyncio.Queue()
        self._reports: list[RigReport] = []
        rng = random.Random(5)  # noqa: S311 - repeatable
        options = PollerOptions(clock=clock, timings=timings, transport=transport, rng=rng)
        self.poller = RigPoller(RigConfig(name="Backyard", url=urls), looks, self._queue, options)

    @property
    def rig(self) -> Rig:
        return self.poller.report.rig

    @property
    def reports(self) -> list[RigReport]:
        """All so far."""
        while not self._queue.empty():
            self._reports.append(self._queue.get_nowait())
        return self._reports

    async def until(self, is_as_expected: Callable[[Rig], bool]) -> Rig:
        """Waits until the rig is as described."""
        return (await self.until_reported(lambda report: is_as_expected(report.rig))).rig

    async def until_reported(self, is_as_expected: Callable[[RigReport], bool]) -> RigReport:
        """Waits until the latest report is as described."""
        async with asyncio.timeout(PATIENCE_S):
            while not is_as_expected(self.poller.report):
                self._reports.append(await self._queue.get())
        return self.poller.report


def looks(**keys: Any) -> PollingConfig:
    """A look every 20 ms, slow things never again; no plan."""
    return polling(**{"interval": 0.02, "slow_interval": 600.0, "plan": "off", **keys})


@asynccontextmanager
async def at_work(watched: Watched) -> AsyncIterator[Watched]:
    """Polls while the block runs; a poller that died fails the test."""
    running = asyncio.create_task(watched.poller.run())
    try:
        yield watched
        assert not running.done(), running
    finally:
        running.cancel()
        await asyncio.wait((running,))


@asynccontextmanager
async def watching(
    api: SimulatedApi, polls: PollingConfig | None = None, clock: Clock | None = None
) -> AsyncIterator[Watched]:
    """A poller of this API that has read everything once."""
    async with at_work(Watched(polls or looks(), api.url, clock=clock or SystemClock())) as watched:
        await watched.until(lambda rig: rig.online is True)
        yield watched


async def more_looks(api: SimulatedApi, number: int = 3) -> None:
    """Waits until so many more looks are over."""
    before = len(api.requests_to("/profiles"))
    async with asyncio.timeout(PATIENCE_S):
        await api.wait_for_request("/profiles", after=before + number)


def two_profiles() -> SimulatedObservatory:
    """Two profiles with two Active projects of two targets each, and a Draft and a Closed project in the first."""
    observatory = SimulatedObservatory()
    for name in ("Wide", "Narrow"):
        profile = observatory.add_profile(name)
        for number in (1, 2):
            _add_project(observatory, profile, f"{name} {number}", "Active")
    for state in ("Draft", "Closed"):
        _add_project(observatory, observatory.profiles[0], f"Wide {state}", state)
    return observatory


def _add_project(observatory: SimulatedObservatory, profile: SimulatedProfile, name: str, state: str) -> None:
    project = observatory.add_project(profile, name, state=state)
    for letter in "ab":
        target = observatory.add_target(project, f"{name} {letter}", ra_hours=1.5, dec_deg=20)
        observatory.add_exposure_plan(target, "Lum")
        observatory.add_exposure_plan(target, "Hα", exposure_s=300)


def projects_of(rig: Rig) -> dict[str, Project]:
    """All projects by name."""
    return {p.name: p for profile in rig.known_profiles if profile.projects for p in profile.projects.items}


def targets_of(rig: Rig) -> dict[str, Target]:
    """All targets by name."""
    return {t.name: t for project in projects_of(rig).values() if project.targets for t in project.targets.items}
