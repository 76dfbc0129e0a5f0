"""What N.I.N.A.'s word says of now: a lease that ends by itself, and falls to the counts that contradict it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ts2mqtt.observatory.announcement import announced_place
from ts2mqtt.observatory.evidence import Evidence, Pause, announced, stands
from ts2mqtt.observatory.live_events import TargetAnnounced, WaitAnnounced
from ts2mqtt.observatory.night import night_of
from ts2mqtt.observatory.plan_in_hand import may_be_imaged

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, tzinfo

    from ts2mqtt.observatory.evidence import LastExposure
    from ts2mqtt.observatory.exposures import Gain
    from ts2mqtt.observatory.live import Word
    from ts2mqtt.observatory.look import Look

MOST_CONTRADICTIONS = 3
"""In one night; then N.I.N.A. is not believed until the next noon."""

# A list that was being read while the word came may not have had the exposure before it.
_A_READ = timedelta(seconds=30)
# The plugin stores an image up to a minute and a half after it was taken, also of a sequence that has ended since.
_LATE_IMAGES = timedelta(seconds=90)
# Where it does not say until when; for humidity it waits a quarter of an hour, and says so again.
_UNTOLD_WAIT = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What was made of the words so far.

    `since` is the time of the word that holds, None without one; then either `lease` or `pause` is what it says,
    whether or not that has ended. `contradicted` has the times at which counts have shown that a word was wrong,
    `silent` is when the API of the Target Scheduler was seen not to answer last, `stopped` when N.I.N.A. said last
    that all has stopped, and `ended` the time of the word whose lease has ended last: it does not come back.
    """

    since: datetime | None = None
    lease: Evidence | None = None
    pause: Pause | None = None
    contradicted: tuple[datetime, ...] = ()
    silent: datetime | None = None
    stopped: datetime | None = None
    ended: datetime | None = None

    def is_believed(self, now: datetime, zone: tzinfo | None) -> bool:
        tonight = night_of(now, zone)
        return sum(night_of(time, zone) == tonight for time in self.contradicted) < MOST_CONTRADICTIONS

    def basis(self, look: Look) -> Evidence | Pause | None:
        """What it says of this moment; None once that has ended."""
        if self.lease is not None:
            return self.lease if stands(self.lease, look) else None
        if self.pause is None:
            return None
        if self.pause.until is None:
            # What has begun again since is told by nobody.
            return self.pause if look.live is not None and look.live.connected else None
        return self.pause if look.now < self.pause.until else None

    def is_old_news(self, gain: Gain) -> bool:
        """Whether the exposure may have been before the word, or before a stop: it says nothing of what is since."""
        if self.lease and gain.step.place.target.id == self.lease.target_id:
            return False
        # That the sequence has been started again since does not make it later.
        if self.stopped is not None and gain.earliest <= self.stopped + _LATE_IMAGES:
            return True
        return self.since is not None and gain.earliest <= self.since + (_A_READ if self.lease else _LATE_IMAGES)


def hear(heard: Heard, look: Look, gains: Iterable[Gain], last: LastExposure | None) -> Heard:
    """Takes the latest word, and has it fall if one of these gains contradicts it; `last` is the latest exposure."""
    nothing = Heard(
        contradicted=heard.contradicted[-MOST_CONTRADICTIONS:],
        silent=look.now if look.rig.online is False else heard.silent,
        stopped=heard.stopped,
        ended=heard.ended,
    )
    word = look.live.word if look.live else None
    if word is None or _is_void(word, nothing, look) or not heard.is_believed(look.now, look.zone):
        return nothing
    heard = replace(heard, contradicted=nothing.contradicted, silent=nothing.silent)
    if heard.since != word.time:
        taken = _taken(word, look, last, nothing)
        # A name that means nothing here does not tell that what was announced before has ended.
        heard = heard if taken.since is None and heard.lease is not None else taken
    if heard.since is not None and _is_contradicted(heard, look, gains):
        return replace(nothing, contradicted=(*nothing.contradicted, look.now))
    is_read = look.rig.online and look.rig.profiles is not None
    if is_read and heard.lease and not stands(heard.lease, look):
        return replace(nothing, ended=heard.since)
    return heard


def _is_void(word: Word, heard: Heard, look: Look) -> bool:
    """Whether counts have contradicted it, its lease has ended, or N.I.N.A. may have been started anew since.

    The API of the Target Scheduler answers as long as N.I.N.A. runs. So once it was silent, and the connection to
    N.I.N.A. broke, too, N.I.N.A. has to be asked first.
    """
    if any(word.time <= time for time in (*heard.contradicted, heard.ended) if time is not None):
        return True
    if look.live is None or look.live.is_unbroken or look.rig.online is False:
        return False
    return heard.silent is not None and word.time <= heard.silent


def _taken(word: Word, look: Look, last: LastExposure | None, nothing: Heard) -> Heard:
    """A target that the rig does not have yet may be read soon: until then the word does not hold."""
    heard = replace(nothing, since=word.time)
    match word:
        case TargetAnnounced():
            place = announced_place(word, look.rig)
            if place is None:
                return replace(heard, since=None)
            # Without a fold, as N.I.N.A. writes it by the wall clock of its PC.
            until = word.until.replace(tzinfo=look.zone).astimezone() if word.until else None
            # A target that is announced is not gone: nobody knows then how long it can be seen.
            is_ahead = until is not None and until > word.time
            return replace(heard, lease=announced(place, word.time, until if is_ahead else None, last, look))
        case WaitAnnounced():
            return replace(heard, pause=Pause(time=word.time, until=word.until or word.time + _UNTOLD_WAIT))
        case _:
            return replace(heard, pause=Pause(time=word.time), stopped=word.time)


def _is_contradicted(heard: Heard, look: Look, gains: Iterable[Gain]) -> bool:
    if heard.basis(look) is None:
        return False
    taken = [gain for gain in gains if gain.acquired and may_be_imaged(gain.step.place)]
    if heard.lease and any(gain.step.place.target.id == heard.lease.target_id for gain in taken):
        return False
    return any(not heard.is_old_news(gain) for gain in taken)
