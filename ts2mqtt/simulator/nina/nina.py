"""N.I.N.A. on the rig's PC: what it announces while the observatory's time passes, and what its REST calls show.

    nina = SimulatedNina(observatory)
    nina.advance(observatory.now + timedelta(hours=12))
    nina.announced                       # the truth: every event with its time, before any fault
    nina.take_deliveries()               # the raw texts of the socket, with the time of each
    async for delivery in nina.deliveries(clock): ...

Faults for the texts are in faults.py.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ts2mqtt.simulator.nina.announcement import IMAGE_SAVE, PROFILE_CHANGED, Announcement
from ts2mqtt.simulator.nina.day import new_process
from ts2mqtt.simulator.nina.faults import Delivery, LiveFaults
from ts2mqtt.simulator.nina.process import Happening, ProcessState
from ts2mqtt.simulator.nina.timeline import Timeline
from ts2mqtt.simulator.nina.v2 import live_message
from ts2mqtt.simulator.nina.v3 import live_message as live_message_v3, scheduler_stopped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from ts2mqtt.simulator.observatory import SimulatedObservatory
    from ts2mqtt.simulator.rows import JsonValue, SimulatedProfile
    from ts2mqtt.timing import Clock

_LONGEST_SLEEP = timedelta(hours=1)
_SHORTEST_SLEEP_S = 1e-5
"""More than the resolution of an event loop's clock: a shorter timer is due at once, and no time passes."""


class SimulatedNina:
    """One process of N.I.N.A. and those that follow it; `state`, `history` and `images` are those of the last one.

    `kept` limits how many announcements stay in `announced`; None keeps them all. `speaks_v3` replaces the messages
    of version 2 by those of version 3.
    """

    def __init__(
        self, observatory: SimulatedObservatory, *, speaks_v3: bool = False, kept: int | None = None
    ) -> None:
        observatory.notes_steps = True
        self.observatory = observatory
        self.speaks_v3 = speaks_v3
        self.version = "3.0.0.0" if speaks_v3 else "2.2.15.2"
        self.faults = LiveFaults()
        self.announced: deque[Announcement] = deque(maxlen=kept)
        self.states: deque[tuple[datetime, ProcessState]] = deque(maxlen=kept)
        """The state since each time at which it changed."""
        self.history: list[Announcement] = []
        self.images: list[Announcement] = []
        self._timeline = Timeline(
            observatory.seed,
            observatory.site,
            observatory.timezone,
            observatory.now_utc,
            is_imaging=observatory.is_imaging,
        )
        self.state = self._timeline.state
        self.states.append((observatory.now_utc, self.state))
        self._pending: deque[Happening] = deque()
        self._deliveries: list[Delivery] = []
        self._profile_id = _active_profile_id(observatory)
        self._changed = asyncio.Event()

    @property
    def next_at(self) -> datetime | None:
        """When something happens next, as far as it is known; None if nothing will by itself."""
        moments = [happening.time for happening in self._next_pending()]
        if self.observatory.automation is not None:
            moments.append(self.observatory.automation.acts_at)
        if self.faults.next_at is not None:
            moments.append(self.faults.next_at)
        return min(moments, default=None)

    def advance(self, to: datetime) -> None:
        """Let the observatory's time pass up to `to`, and announce what happens until then."""
        self._look_at_profile()
        self.observatory.advance(to)
        for step in self.observatory.take_steps():
            self._pending += self._timeline.happenings(step)
        now = self.observatory.now_utc
        while self._pending and self._pending[0].time <= now:
            self._happen(self._pending.popleft())
        for late in self.faults.take_late(now):
            self._send(late.instead, late.time)

    def announce(self, event: str, target_id: str | None = None, **fields: JsonValue) -> Announcement:
        """Announce an event by hand, now."""
        announcement = Announcement(time=self.observatory.now_utc, event=event, fields=fields, target_id=target_id)
        self._happen(Happening(time=announcement.time, state=self.state, announcement=announcement))
        return announcement

    def say(self, text: str) -> None:
        """The user's own message, as the sequence item "Send WebSocket Event" sends it: a bare string."""
        announcement = Announcement(time=self.observatory.now_utc, event="", bare_text=text)
        self._happen(Happening(time=announcement.time, state=self.state, announcement=announcement))

    def say_raw(self, text: str) -> None:
        """Any text on the socket, also one that is no JSON."""
        self._deliver(Delivery(time=self.observatory.now_utc, text=text))

    def set_state(self, state: ProcessState) -> None:
        """Change what the REST calls show, without a word on the socket."""
        self._happen(Happening(time=self.observatory.now_utc, state=state))

    def set_safe(self, *, is_safe: bool) -> None:
        """The safety monitor changes, by hand; the rig goes on as it was."""
        self.state = replace(self.state, is_safe=is_safe)
        self.announce("SAFETY-CHANGED", IsSafe=is_safe)

    def switch_profile(self, profile: SimulatedProfile) -> None:
        """The user loads another profile: N.I.N.A. says that one was changed, and not which."""
        self.observatory.activate_profile(profile)
        self._look_at_profile()

    def restart(self) -> None:
        """N.I.N.A. ends now and is started anew: what it was about to do is lost, its history is empty.

        The rig of the observatory goes on; a test that wants it to stop as well stops it.
        """
        self._pending.clear()
        self.observatory.take_steps()
        state = new_process(self.observatory.now_utc, is_safe=self.state.is_safe)
        self._timeline.process_ended(state)
        self._happen(Happening(time=state.started_at, state=state))

    def look_again(self) -> None:
        """Somebody has changed by hand when the observatory acts next: nobody waits for longer than that."""
        self._changed.set()

    def take_deliveries(self) -> list[Delivery]:
        """What was sent since it was last taken."""
        deliveries, self._deliveries = self._deliveries, []
        return deliveries

    async def deliveries(self, clock: Clock) -> AsyncIterator[Delivery]:
        """Everything that is sent from now on, each when the clock has come to its time; never ends."""
        while True:
            self._changed.clear()
            self.advance(clock.now())
            for delivery in self.take_deliveries():
                yield delivery
            if self._deliveries:
                continue
            next_at = self.next_at or clock.now() + _LONGEST_SLEEP
            try:
                async with asyncio.timeout(max(_SHORTEST_SLEEP_S, clock.seconds_until(next_at))):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _next_pending(self) -> Sequence[Happening]:
        return [self._pending[0]] if self._pending else []

    def _look_at_profile(self) -> None:
        """Notice when somebody has activated another profile in the observatory."""
        profile_id = _active_profile_id(self.observatory)
        if profile_id != self._profile_id:
            self._profile_id = profile_id
            self.announce(PROFILE_CHANGED)

    def _happen(self, happening: Happening) -> None:
        before, self.state = self.state, happening.state
        if self.state != before:
            self.states.append((happening.time, self.state))
        if self.state.started_at != before.started_at:
            self.faults.forget()
            self.history.clear()
            self.images.clear()
            self._deliver(Delivery(time=happening.time, ending="restart"))
        announcement = happening.announcement
        if announcement is not None:
            self._announce(announcement)
        elif self.speaks_v3 and before.scheduler == "RUNNING" != self.state.scheduler:
            self._deliver(Delivery(time=happening.time, text=scheduler_stopped()))

    def _announce(self, announcement: Announcement) -> None:
        self.announced.append(announcement)
        if announcement.is_in_history:
            self.history.append(announcement)
        if announcement.event == IMAGE_SAVE:
            self.images.append(announcement)
        for instead in self.faults.alter(announcement):
            self._send(instead, announcement.time)

    def _send(self, what: Announcement | Delivery, time: datetime) -> None:
        if isinstance(what, Delivery):
            self._deliver(what)
            return
        text = live_message_v3(what) if self.speaks_v3 else live_message(what, self.observatory.seed)
        if text is not None:
            self._deliver(Delivery(time=time, text=text))

    def _deliver(self, delivery: Delivery) -> None:
        self._deliveries.append(delivery)
        self._changed.set()


def _active_profile_id(observatory: SimulatedObservatory) -> str | None:
    return next((profile.id for profile in observatory.profiles if profile.active), None)
