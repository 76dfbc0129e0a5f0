"""Listens to one N.I.N.A. for as long as the bridge runs, and puts what it tells into a queue as domain events."""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from ts2mqtt.config.rig_tls import tls_of
from ts2mqtt.errors import NinaError, NotTheAdvancedApiError, OtherNinaError
from ts2mqtt.logs.failures import FailureLog
from ts2mqtt.logs.tallies import Kind
from ts2mqtt.nina.catch_up import Known, NinaApi, catch_up
from ts2mqtt.nina.events import SAFETY_CONNECTED, event_in, is_of_version_3, live_event
from ts2mqtt.nina.socket import Message, Received, event_socket, version_3
from ts2mqtt.observatory.live_events import CaughtUp, Disconnected, LiveEvent, ProfileChanged
from ts2mqtt.timing import NinaTimings, SystemClock

if TYPE_CHECKING:
    from ts2mqtt.config import RigConfig
    from ts2mqtt.logs.failures import Failure
    from ts2mqtt.logs.tallies import Tallies
    from ts2mqtt.nina.catch_up import NinaProfile
    from ts2mqtt.observatory.model import Rig
    from ts2mqtt.timing import Clock

_LOG = logging.getLogger(__name__)

_UNHEARD = Kind("rigs whose N.I.N.A. is not heard")
_MOST_DOUBLINGS = 10


class LiveEventQueue(Protocol):
    """Takes live events; its owner may put other things into it, too."""

    def put_nowait(self, item: LiveEvent, /) -> None: ...


class NinaClient:
    """Puts live events of one rig into `events`, an unbounded queue that never makes it wait."""

    def __init__(  # noqa: PLR0913 - all but the first two have a default, and come from the top together
        self,
        config: RigConfig,
        events: LiveEventQueue,
        *,
        clock: Clock = SystemClock(),
        timings: NinaTimings = NinaTimings(),
        rng: random.Random | None = None,
        tallies: Tallies | None = None,
    ) -> None:
        """`rng` spreads the attempts over time; `tallies` are those of the process's log."""
        self._config = config
        self._urls = list(config.nina_urls)
        self._events = events
        self._clock = clock
        self._timings = timings
        self._rng = rng or random.Random()  # noqa: S311 - guards nothing
        self._subject = f"{config.name}: live events"
        self._failures = FailureLog(_LOG, clock, tallies)
        self._rig_answers = asyncio.Event()
        self._rig_profile_id: str | None = None
        self._profile: NinaProfile | None = None
        self._known = Known()
        self._other_since: float | None = None
        self._failed_attempts = 0

    @property
    def problem(self) -> Failure | None:
        """What fails now."""
        return self._failures.latest

    def note_rig(self, rig: Rig) -> None:
        """Takes what is known of the rig: nobody listens to a PC that is off, or to another profile's N.I.N.A."""
        active = rig.active_profile
        self._rig_profile_id = active.id if active else None
        if not rig.online:
            self._rig_answers.clear()
        elif not self._rig_answers.is_set():
            self._failed_attempts = 0
            self._rig_answers.set()

    async def run(self) -> None:
        """Connects again and again for ever; at each failure it tries the next address."""
        while True:
            await self._rig_answers.wait()
            started = self._clock.monotonic()
            try:
                await self._listen(self._urls[0])
            except NinaError as error:
                if self._clock.monotonic() - started > self._timings.steady_s:
                    self._failed_attempts = 0
                await self._deal_with(error)

    async def _deal_with(self, error: NinaError) -> None:
        self._failed_attempts += 1
        self._failures.failed(self._subject, str(error), kind=_UNHEARD)
        self._events.put_nowait(Disconnected(time=self._clock.now()))
        self._urls.append(self._urls.pop(0))
        if self._failed_attempts % len(self._urls) == 0:
            await asyncio.sleep(self._retry_delay(error))

    def _retry_delay(self, error: NinaError) -> float:
        """How long to wait after all addresses have failed, in seconds; rigs do not come back in step."""
        timings = self._timings
        if isinstance(error, NotTheAdvancedApiError):
            return timings.refused_retry_s * self._rng.uniform(0.8, 1.0)
        if isinstance(error, OtherNinaError):
            return timings.longest_retry_s * self._rng.uniform(0.8, 1.0)
        doublings = min(self._failed_attempts // len(self._urls) - 1, _MOST_DOUBLINGS)
        return min(timings.longest_retry_s, timings.first_retry_s * 2.0**doublings * self._rng.uniform(1.0, 1.5))

    async def _listen(self, url: str) -> None:
        """One connection, from its beginning to the NinaError that ends it."""
        async with event_socket(url, self._clock, self._timings, tls_of(url, self._config)) as received:
            caught_up = await self._catch_up(url)
            if self._is_other_nina:
                raise self._other_nina(url)
            self._events.put_nowait(caught_up)
            self._failures.succeeded(self._subject)
            try:
                while True:
                    await self._deal_with_message(await self._next_message(received, url), url)
            finally:
                self._known = Known(self._known.process_started, self._clock.now())

    async def _next_message(self, received: Received, url: str) -> Message:
        """Waits for it; a N.I.N.A. that has had another profile for long is left."""
        while self._is_other_nina:
            self._other_since = self._other_since or self._clock.monotonic()
            left_s = self._other_since + self._timings.identity_s - self._clock.monotonic()
            if left_s <= 0:
                raise self._other_nina(url)
            with suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    return await received.take_next()
        self._other_since = None
        return await received.take_next()

    async def _deal_with_message(self, message: Message, url: str) -> None:
        event = event_in(message.content)
        if event is None:
            if is_of_version_3(message.content):
                raise NotTheAdvancedApiError(*version_3(url))
            return
        told = live_event(event, message.received)
        if told is not None:
            self._events.put_nowait(told)
        if isinstance(told, ProfileChanged) or event.name == SAFETY_CONNECTED:
            self._events.put_nowait(await self._catch_up(url))

    async def _catch_up(self, url: str) -> CaughtUp:
        async with NinaApi(url, self._timings, tls_of(url, self._config)) as api:
            caught_up, self._profile = await catch_up(api, self._known, self._clock, self._timings)
        self._known = Known(caught_up.process_started, caught_up.time)
        return caught_up

    @property
    def _is_other_nina(self) -> bool:
        mine, its = self._rig_profile_id, self._profile
        return mine is not None and its is not None and its.id.lower() != mine.lower()

    def _other_nina(self, url: str) -> OtherNinaError:
        name = self._profile.name if self._profile else ""
        return OtherNinaError(
            f"the N.I.N.A. at {url} runs with the profile {name!r}, which is not that of this rig",
            "of two N.I.N.A. on one PC the one that is started first has port 1888, the other one 1889: write both "
            "addresses into nina_url",
        )
