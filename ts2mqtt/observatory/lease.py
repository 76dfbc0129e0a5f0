"""What N.I.N.A.'s word says of now: a lease that ends by itself, and falls to the counts that contradict it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ts2mqtt.observatory.announcement import announced_place, is_in_several_profiles
from ts2mqtt.observatory.evidence import Evidence, Pause, announced, stands
from ts2mqtt.observatory.exposures import LATE_IMAGES
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
# Where it does not say until when; for humidity it waits a quarter of an hour, and says so again.
_UNTOLD_WAIT = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What was made of the words so far.

    `since` is the time of the word that holds, None without one; then either `lease` or `pause` is what it says,
    whether or not that has ended. `contradicted` has the times at which counts have shown that a word was wrong,
    `silent` is when the API of the Target Scheduler was seen not to answer last, `stopped` when N.I.N.A. said last
    that all has stopped, and `ended` the time of the last word that holds no more: it does not come back.
    `profile_id` is the profile that was active when the profiles were read last.
    """

    since: datetime | None = None
    lease: Evidence | None = None
    pause: Pause | None = None
    contradicted: tuple[datetime, ...] = ()
    silent: datetime | None = None
    stopped: datetime | None = None
    ended: datetime | None = None
    profile_id: str | None = None

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
        if self.stopped is not None and gain.earliest <= self.stopped + LATE_IMAGES:
            return True
        return self.since is not None and gain.earliest <= self.since + (_A_READ if self.lease else LATE_IMAGES)


def hear(
    heard: Heard, look: Look, gains: Iterable[Gain], last: LastExposure | None, at_work: str | None = None
) -> Heard:
    """Takes the latest word, and has it fall if one of these gains contradicts it.

    `last` is the latest exposure, `at_work` the id of the target that was believed to be at work before.
    """
    nothing = Heard(
        contradicted=heard.contradicted[-MOST_CONTRADICTIONS:],
        silent=look.now if look.rig.online is False else heard.silent,
        stopped=heard.stopped,
        ended=heard.ended,
        profile_id=look.rig.active_profile.id if look.rig.active_profile else heard.profile_id,
    )
    word = look.live.word if look.live else None
    if word is None or _is_void(word, nothing, look) or not heard.is_believed(look.now, look.zone):
        return nothing
    was_active = heard.profile_id
    heard = replace(heard, contradicted=nothing.contradicted, silent=nothing.silent, profile_id=nothing.profile_id)
    if heard.since != word.time:
        if was_active not in (None, heard.profile_id) and _is_of_several_profiles(word, look):
            # Nobody knows with which of the two profiles it was said.
            return replace(nothing, ended=word.time)
        taken = _taken(word, look, last, nothing, at_work)
        # A name that means nothing here does not tell that what was announced before has ended.
        heard = heard if taken.since is None and heard.lease is not None else taken
    if heard.since is not None and _is_contradicted(heard, look, gains):
        return replace(nothing, contradicted=(*nothing.contradicted, look.now))
    return replace(nothing, ended=heard.since) if _has_ended(heard, look) else heard


def _has_ended(heard: Heard, look: Look) -> bool:
    """Whether its word holds no more, and does not come back."""
    if heard.lease is not None:
        return bool(look.rig.online) and look.rig.profiles is not None and not stands(heard.lease, look)
    # What has begun since the connection broke is told by nobody, also once there is a connection again.
    return heard.pause is not None and heard.pause.until is None and heard.basis(look) is None


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


def _taken(word: Word, look: Look, last: LastExposure | None, nothing: Heard, at_work: str | None) -> Heard:
    """A target that the rig does not have yet may be read soon: until then the word does not hold."""
    heard = replace(nothing, since=word.time)
    match word:
        case TargetAnnounced():
            place = announced_place(word, look.rig, at_work)
            if place is None:
                return replace(heard, since=None)
            is_at_work = place.target.id == at_work
            if not is_at_work and _is_of_several_profiles(word, look) and not _are_profiles_read_since(word, look):
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


def _is_of_several_profiles(word: Word, look: Look) -> bool:
    """N.I.N.A. may have changed its profile, and nobody has heard of it."""
    return isinstance(word, TargetAnnounced) and is_in_several_profiles(word, look.rig)


def _are_profiles_read_since(word: Word, look: Look) -> bool:
    return look.profiles_read is not None and look.profiles_read >= word.time


def _is_contradicted(heard: Heard, look: Look, gains: Iterable[Gain]) -> bool:
    if heard.basis(look) is None:
        return False
    taken = [gain for gain in gains if gain.acquired and may_be_imaged(gain.step.place)]
    if heard.lease and any(gain.step.place.target.id == heard.lease.target_id for gain in taken):
        return False
    return any(not heard.is_old_news(gain) for gain in taken)
