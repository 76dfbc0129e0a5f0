"""What one rig's worker does with the live events of N.I.N.A.: folds them, and has the poller look sooner."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING

from ts2mqtt.logs.failures import Failure, FailureLog
from ts2mqtt.logs.tallies import Kind
from ts2mqtt.nina.client import LiveEventQueue, NinaClient
from ts2mqtt.observatory.announcement import announced_place, is_in_several_profiles
from ts2mqtt.observatory.live import LiveState, folded, image_place, live_happenings
from ts2mqtt.observatory.live_events import (
    CaughtUp,
    ImageSaved,
    ProfileChanged,
    SafetyChanged,
    SequenceFinished,
    SequenceStarted,
    TargetAnnounced,
    WaitAnnounced,
)
from ts2mqtt.scheduler.look_policy import Announced

if TYPE_CHECKING:
    import random
    from datetime import datetime, tzinfo

    from ts2mqtt.config import RigConfig
    from ts2mqtt.logs.tallies import Tallies
    from ts2mqtt.observatory.events import Event
    from ts2mqtt.observatory.lease import Heard
    from ts2mqtt.observatory.live import LightFrame
    from ts2mqtt.observatory.live_events import LiveEvent
    from ts2mqtt.observatory.model import Rig
    from ts2mqtt.scheduler.poller import RigPoller
    from ts2mqtt.timing import Clock, NinaTimings

_LOG = logging.getLogger(__name__)

_CONTRADICTED = Kind("rigs whose N.I.N.A. is contradicted")

_MOST_EVENTS = 1_000
"""Until the broker was reached once nothing is told."""

# The plugin stores an image a little after N.I.N.A. has saved it. The next word of the Target Scheduler proves that
# it has, but after a target's last exposure none may come.
_STORED_AFTER = timedelta(seconds=2)


class LiveWork:
    """Listens to N.I.N.A. for one rig; its events come through the worker's own queue."""

    def __init__(  # noqa: PLR0913 - what the worker has, handed down
        self,
        config: RigConfig,
        poller: RigPoller,
        events: LiveEventQueue,
        *,
        clock: Clock,
        timings: NinaTimings,
        rng: random.Random | None,
        tallies: Tallies | None,
    ) -> None:
        self.state = LiveState()
        """What N.I.N.A. has told."""

        self.events: tuple[Event, ...] = ()
        """What has happened, and was not told yet."""

        self._subject = f"{config.name}: live events"
        self._clock = clock
        self._poller = poller
        self._failures = FailureLog(_LOG, clock, tallies)
        self._client = NinaClient(config, events, clock=clock, timings=timings, rng=rng, tallies=tallies)
        self._leased: str | None = None
        self._announces = False
        self._started: datetime | None = None
        self._imaged: str | None = None
        self._read_again: tuple[datetime, str] | None = None
        # Until N.I.N.A. was asked once, or does not answer, its sequence may be running.
        poller.note_sequence(may_run=True)

    async def listen(self) -> None:
        """For ever."""
        await self._client.run()

    def recall(self, last_image: LightFrame) -> None:
        """Takes up the latest image of an earlier run of the bridge, unless a later one was told since."""
        if self.state.last_image is None:
            self.state = replace(self.state, last_image=last_image)

    def note_rig(self, rig: Rig) -> None:
        """Takes what the Target Scheduler's API tells of the rig."""
        self._client.note_rig(rig)

    def take(self, event: LiveEvent, rig: Rig) -> None:
        """Folds the event into the state, and has read what it may have changed."""
        now = self._clock.now()
        self.events = (*self.events, *live_happenings(self.state, event, rig, now))[-_MOST_EVENTS:]
        self._hasten(event, rig, now)
        self._announces |= isinstance(event, TargetAnnounced | WaitAnnounced)
        if isinstance(event, SequenceStarted | CaughtUp):
            self._started = event.time if isinstance(event, SequenceStarted) else None
        self.state = folded(self.state, event, rig)
        self._poller.note_sequence(may_run=self.state.may_run(now))

    def note_told(self, heard: Heard, zone: tzinfo | None) -> None:
        """The events were told; `heard` is what was made of N.I.N.A.'s words."""
        self.events = ()
        self._leased = heard.lease.target_id if heard.lease else None
        if heard.is_believed(self._clock.now(), zone):
            self._failures.succeeded(self._subject)
        else:
            self._failures.failed(
                self._subject,
                "the counts of the Target Scheduler contradict what N.I.N.A. tells, three times in this night; until "
                "noon it is not believed",
                kind=_CONTRADICTED,
            )

    def announced(self, heard: Heard, rig: Rig, zone: tzinfo | None) -> Announced | None:
        """What N.I.N.A. has announced last; None where a word may have been missed, or is not believed.

        It has to have announced something before: not every version of the Advanced API passes such words on.
        """
        state, word = self.state, self.state.word
        is_heard = self._announces and state.connected and state.is_unbroken
        if not is_heard or not heard.is_believed(self._clock.now(), zone):
            return None
        match word:
            case None:
                return Announced(project_ids=frozenset(), time=self._started) if self._started else None
            case TargetAnnounced():
                place = announced_place(word, rig)
                if place is None or self._is_doubtful(word, rig):
                    return None
                return Announced(project_ids=frozenset({place.project.id}), time=word.time)
            case _:
                return Announced(project_ids=frozenset(), time=word.time)

    def latest_problem(self, of_api: Failure | None) -> Failure | None:
        """Of what fails now, here or at the API, what was told last."""
        problems = (of_api, self._client.problem, self._failures.latest)
        return max((one for one in problems if one is not None), key=attrgetter("told"), default=None)

    @property
    def next_hastening(self) -> datetime | None:
        """When a list is to be read once more."""
        return self._read_again[0] if self._read_again else None

    def hasten_what_is_due(self) -> None:
        """Reads the list of an image that must have been stored by now."""
        if self._read_again and self._clock.now() >= self._read_again[0]:
            self._poller.hasten(self._read_again[1])
            self._read_again = None

    def _hasten(self, event: LiveEvent, rig: Rig, now: datetime) -> None:
        match event:
            case ImageSaved():
                place = image_place(self.state, event, rig)
                if place is not None:
                    self._imaged = place.project.id
                    self._read_again = (now + _STORED_AFTER, place.project.id)
            case ProfileChanged():
                self._poller.hasten(None)
            case TargetAnnounced() if self._is_doubtful(event, rig):
                self._poller.hasten(None)
            case TargetAnnounced() | WaitAnnounced() | SequenceFinished() | SafetyChanged():
                if self._imaged is not None:
                    self._poller.hasten(self._imaged)
                    self._imaged = self._read_again = None
            case _:
                pass

    def _is_doubtful(self, event: TargetAnnounced, rig: Rig) -> bool:
        """Whether the rig has to be read before it is known which target is meant."""
        place = announced_place(event, rig)
        return place is None or (place.target.id != self._leased and is_in_several_profiles(event, rig))
