"""Two simulated rigs through one night, in front of a real bridge; the night goes on with every request to a rig."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from tests.support.running import bridge_config, polling, running_bridge
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.busy_observatory import busy_observatory
from ts2mqtt.simulator.sky import Site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from ts2mqtt.simulator.observatory import SimulatedObservatory

# An autumn afternoon, with time for a night plan before it is dark.
BEGIN = datetime(2026, 10, 9, 15, tzinfo=timezone(timedelta(hours=1)))
_SITE = Site(latitude_deg=47.0, longitude_deg=15.0)
_STEP = timedelta(seconds=5)
# What is due in an hour of the night comes within half a second, whether or not a rig tells anything new.
_PACE = 10_000
_PATIENCE_S = 120.0


class PassingTime:
    """A clock that a busy machine cannot hurry: it moves on only when a rig has been asked."""

    def __init__(self) -> None:
        self._now = BEGIN
        self._end = BEGIN
        self._reached = asyncio.Event()

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def seconds_until(self, moment: datetime) -> float:
        return (moment - self._now).total_seconds() / _PACE

    def pass_a_request(self) -> datetime:
        """Stands still where until() has let it come."""
        self._now = min(self._now + _STEP, self._end)
        if self._now == self._end:
            self._reached.set()
        return self._now

    async def until(self, hours: float) -> None:
        """Returns when so many hours of the night are over; then time stands still."""
        self._end = max(self._now, BEGIN + timedelta(hours=hours))
        self._reached.clear()
        async with asyncio.timeout(_PATIENCE_S):
            await self._reached.wait()


@asynccontextmanager
async def night(
    broker_port: int, *, prepared: Callable[[SimulatedObservatory], None] | None = None
) -> AsyncIterator[PassingTime]:
    """Backyard and Remote, with projects and history of their own; `prepared` may change the one in the backyard."""
    time = PassingTime()
    observatories = [busy_observatory(seed=seed, start=BEGIN, site=_SITE, timezone=BEGIN.tzinfo) for seed in (3, 4)]
    if prepared:
        prepared(observatories[0])
    async with (
        SimulatedApi(observatories[0], clock=time.pass_a_request) as backyard,
        SimulatedApi(observatories[1], clock=time.pass_a_request) as remote,
        running_bridge(
            bridge_config(broker_port, backyard, remote, looks=polling(plan="auto", slow_interval=2.0)),
            time,
        ),
    ):
        yield time
