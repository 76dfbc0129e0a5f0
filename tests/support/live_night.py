"""Plays nights in front of a rig's whole worker that hears a simulated N.I.N.A. over a socket, in simulated time.

async def script(rig: LiveRig) -> None:
    await rig.until(datetime(2026, 1, 11, 12, tzinfo=UTC))

rig = play_live(observatory, recorded_rig, script)
rig.updates, rig.nina.nina.announced, rig.previews
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tests.support.api_in_memory import ApiInMemory, answering_every_client
from tests.support.clocks import LoopClock
from tests.support.simulated_time import run_in_simulated_time
from ts2mqtt.bridge.inbox import Happening, Inbox, RigUpdate
from ts2mqtt.bridge.rig_worker import RigWorker, Surroundings
from ts2mqtt.config import PollingConfig, RigConfig
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.observatory.changes import Watch
from ts2mqtt.simulator.nina.server import NinaServer
from ts2mqtt.simulator.random_numbers import random_numbers
from ts2mqtt.timing import Timings
from ts2mqtt.topics.decode import Recalled, recall
from ts2mqtt.topics.names import TopicNames

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from ts2mqtt.config.models import SiteConfig
    from ts2mqtt.simulator.observatory import SimulatedObservatory

NAMES = TopicNames("ts2mqtt")
RIG_ID = "backyard"


class StoppableRig(Protocol):
    """One that stops with its N.I.N.A."""

    def crash(self, at: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class Update:
    """What was put into the inbox of the bridge at a moment: the rig's state, and what had just happened."""

    time: datetime
    state: dict[str, Any]
    events: tuple[dict[str, Any], ...]
    problem: str | None


class _Inbox(Inbox):
    def __init__(self, clock: LoopClock) -> None:
        super().__init__()
        self.updates: list[Update] = []
        self.latest: RigUpdate | None = None
        self._clock = clock

    def put(self, happening: Happening) -> None:
        if isinstance(happening, RigUpdate):
            self.latest = happening
            state = json.loads(happening.states[NAMES.rig_state(RIG_ID)].payload)
            events = tuple(json.loads(event) for event in happening.events)
            problem = happening.problem.text if happening.problem else None
            self.updates.append(Update(self._clock.now(), state, events, problem))


class LiveRig:
    """A rig, its N.I.N.A., and the bridge's worker for it; without `hears` the worker polls alone.

    Only with a `recorded` rig N.I.N.A. can end while the rig images.
    """

    def __init__(
        self,
        observatory: SimulatedObservatory,
        *,
        hears: bool,
        polling: PollingConfig,
        recorded: StoppableRig | None = None,
        site: SiteConfig | None = None,
    ) -> None:
        self.observatory = observatory
        self.recorded = recorded
        self.clock = LoopClock(observatory.now)
        self.api = ApiInMemory(observatory, self.clock)
        self.nina = NinaServer(observatory, clock=self.clock)
        self._hears = hears
        self._polling = polling
        self._site = site
        self._inbox = _Inbox(self.clock)
        self._worker: asyncio.Task[None] | None = None
        self._retained: dict[str, bytes] = {}
        self._starts = 0

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def updates(self) -> list[Update]:
        return self._inbox.updates

    @property
    def events(self) -> list[tuple[datetime, dict[str, Any]]]:
        """All that were told, each with the time at which it was."""
        return [(update.time, event) for update in self.updates for event in update.events]

    @property
    def previews(self) -> list[datetime]:
        """When a night plan was asked for."""
        return [request.time for request in self.api.requests_to("/preview")]

    def start_bridge(self) -> None:
        self._starts += 1
        config = RigConfig(
            name="Backyard",
            id=RIG_ID,
            url=("http://rig",),
            nina_url=(self.nina.url,) if self._hears else (),
            site=self._site,
        )
        surroundings = Surroundings(
            ids=DiscoveryIds("homeassistant", NAMES),
            writer=None,
            clock=self.clock,
            timings=Timings(),
            rng=random_numbers(1, "bridge", self._starts),
        )
        worker = RigWorker(config, self._polling, frozenset({"active"}), surroundings, self._inbox)
        worker.recall(recall(NAMES, self._retained).get(RIG_ID, Recalled(Watch())))
        self._worker = asyncio.create_task(worker.run())

    async def stop_bridge(self) -> None:
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
            self._worker = None
        if self._inbox.latest is not None:
            states = self._inbox.latest.states
            self._retained |= {topic: message.payload for topic, message in states.items()}

    async def end_nina(self) -> None:
        """N.I.N.A. ends, and all that runs in it: the sequence, the Target Scheduler and both APIs."""
        assert self.recorded is not None
        self.nina.pass_time()
        self.recorded.crash(self.now)
        self.nina.nina.restart()
        self.api.on = False
        await self.nina.stop()

    async def start_nina(self) -> None:
        """A new run of it; its sequence does not run yet, and the history is empty."""
        self.api.on = True
        await self.nina.start()

    async def until(self, moment: datetime) -> None:
        """Lets time pass."""
        await asyncio.sleep(self.clock.seconds_until(moment))
        self.observatory.advance(self.now)


def play_live(  # noqa: PLR0913 - what a night may have, each with a default
    observatory: SimulatedObservatory,
    script: Callable[[LiveRig], Awaitable[None]],
    *,
    hears: bool = True,
    polling: PollingConfig | None = None,
    recorded: StoppableRig | None = None,
    site: SiteConfig | None = None,
) -> LiveRig:
    """Plays the script from the observatory's now on, with the bridge already started."""
    rig = LiveRig(observatory, hears=hears, polling=polling or PollingConfig(), recorded=recorded, site=site)

    async def played() -> None:
        async with rig.nina:
            rig.start_bridge()
            await script(rig)
            await rig.stop_bridge()

    with answering_every_client(rig.api):
        run_in_simulated_time(played)
    return rig
