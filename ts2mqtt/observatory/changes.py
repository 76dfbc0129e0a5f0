"""Compares one look at a rig with the one before: what has happened, what is so now, what the night has brought."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ts2mqtt.observatory.events import NIGHT_FINISHED, TARGET_COMPLETED, Event
from ts2mqtt.observatory.evidence import (
    LIVE,
    OBSERVED,
    PLANNED,
    last_exposure,
    lasting,
    latest_gain,
    may_image_until,
    observed,
    planned_after,
    recalled,
    recalled_announcement,
)
from ts2mqtt.observatory.exposures import Before, Counted, count
from ts2mqtt.observatory.happenings import Happenings
from ts2mqtt.observatory.last_known import remembered
from ts2mqtt.observatory.lease import Heard, hear
from ts2mqtt.observatory.model import ACTIVE
from ts2mqtt.observatory.night import night_of
from ts2mqtt.observatory.night_reports import NightLook, NightReports, follow
from ts2mqtt.observatory.outlook import recorded
from ts2mqtt.observatory.plan_in_hand import marked
from ts2mqtt.observatory.present import IMAGING, next_edge, present
from ts2mqtt.observatory.tally import Tally, add
from ts2mqtt.observatory.tree import all_projects, all_targets

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from ts2mqtt.observatory.evidence import Evidence, LastExposure, Pause
    from ts2mqtt.observatory.exposures import Gain, PlanId, Progress
    from ts2mqtt.observatory.live import LightFrame
    from ts2mqtt.observatory.look import Look
    from ts2mqtt.observatory.model import NightPlan, Rig
    from ts2mqtt.observatory.night_report import NightReport
    from ts2mqtt.observatory.outlook import History
    from ts2mqtt.observatory.present import Present

# Few users have their rigs looked at more seldom.
_BETWEEN_LOOKS = timedelta(minutes=20)
# A bridge that is updated is back within minutes.
_A_RESTART = timedelta(minutes=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What is remembered from one look to the next.

    `evidence` is that of counts and plan, `heard` what N.I.N.A. said; while the latter holds, it goes first.
    `first_seen` holds projects and targets by id; `peaks`, `left` as in `exposures.Before`. `read_night` is the night
    in which the rig was last read, `has_read` whether this run of the bridge has read it, and `recalled` until when
    an earlier run is known to have looked at it. Until `may_image_until` it may image, although nothing is evidence
    of that. `frames`: the light frames that are in the night's report already.
    """

    rig: Rig | None = None
    plan: NightPlan | None = None
    present: Present | None = None
    evidence: Evidence | None = None
    tally: Tally | None = None
    nights: NightReports = field(default_factory=NightReports)
    history: History = field(default_factory=dict)
    read_night: date | None = None
    has_read: bool = False
    recalled: datetime | None = None
    may_image_until: datetime | None = None
    first_seen: Mapping[str, datetime] = field(default_factory=dict)
    left: Mapping[str, datetime] = field(default_factory=dict)
    peaks: Mapping[PlanId, int] = field(default_factory=dict)
    # They change with every word, and say nothing by themselves.
    heard: Heard = field(default_factory=Heard, compare=False)
    frames: tuple[LightFrame, ...] = field(default=(), compare=False)

    def basis(self, look: Look) -> Evidence | Pause | None:
        """What all that is said of now rests on."""
        return self.heard.basis(look) or self.evidence

    def next_edge(self, look: Look) -> datetime | None:
        """Until then the next look finds the same, if nothing new is read; None: for ever."""
        edges = (next_edge(look, self.basis(look)), self.may_image_until)
        return min((edge for edge in edges if edge and edge > look.now), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What a look has brought: what is to be remembered, what is so now, and what has happened since the last one.

    `plan`: the night plan in hand, with what cannot happen marked. `edited`: counts that somebody must have edited.
    """

    watch: Watch
    present: Present
    plan: NightPlan | None
    events: tuple[Event, ...] = ()
    edited: tuple[Progress, ...] = ()


def recalled_watch(  # noqa: PLR0913 - what an earlier run has published, each from its own place
    *,
    rig: Rig | None,
    plan: NightPlan | None,
    present: Present | None,
    tally: Tally | None,
    nights: NightReports,
    history: History,
    first_seen: Mapping[str, datetime],
    peaks: Mapping[PlanId, int],
) -> Watch:
    """The watch of an earlier run of the bridge, as far as it was published: a rig that was imaging still is."""
    if rig is None:
        present = None
    evidence = _recalled_evidence(present, rig, plan) if present and rig else None
    if present is not None and evidence is None:
        # What it rested on is not known: neither that it goes on nor that it has ended can be told.
        present = replace(present, current_target=None)
    last = present.last_exposure if present else None
    times = [_looked_at(present) if present else None, last.time if last else None]
    return Watch(
        rig=rig,
        plan=plan,
        present=present,
        evidence=evidence,
        tally=tally,
        nights=nights,
        history=history,
        read_night=tally.night if tally else None,
        recalled=max((time for time in times if time), default=None),
        first_seen=first_seen,
        peaks=peaks,
    )


def _looked_at(present: Present) -> datetime | None:
    """By when the rig was looked at: only a look tells that it images, and all else the clock may tell."""
    since = present.activity_since
    return since - _BETWEEN_LOOKS if since and present.activity != IMAGING else since


def _recalled_evidence(present: Present, rig: Rig, plan: NightPlan | None) -> Evidence | None:
    """That of a rig that was imaging, as far as what was said of it fits together."""
    current, last = present.current_target, present.last_exposure
    if present.activity != IMAGING or current is None:
        return None
    if current.source == LIVE and not _is_of_now(last, present):
        times = [time for time in (present.activity_since, last.time if last else None) if time]
        return recalled_announcement(current.target_id, max(times), rig) if times else None
    if last is None:
        return None
    if current.source == PLANNED:
        blocks = plan.blocks if plan else ()
        ahead = (block for block in blocks if block.target_id == current.target_id and block.end > last.time)
        return planned_after(last.time, current.target_id, next(ahead, None))
    is_observed = current.source in {LIVE, OBSERVED} and current.target_id == last.target_id
    return recalled(last, rig, plan) if is_observed else None


def _is_of_now(last: LastExposure | None, present: Present) -> bool:
    """Whether it is of the target at work, and was taken since the rig images: there may have been a pause."""
    if last is None or present.current_target is None or last.target_id != present.current_target.target_id:
        return False
    return present.activity_since is None or last.time >= present.activity_since


def observe(watch: Watch, look: Look) -> Observation:
    """Nothing has happened at the very first look."""
    plan = marked(look.plan, watch.plan, look.rig, look.now)
    look = replace(look, plan=plan)
    left = _left(watch, look)
    counted = _counted(watch, look, left)
    latest = latest_gain(counted.gains, watch.evidence, look.rig)
    last = _last_exposure(watch, latest)
    heard = hear(watch.heard, look, counted.gains, last, _at_work(watch))
    evidence = _lasting(_evidence(watch, look, latest, heard), watch, look)
    basis = heard.basis(look) or evidence
    now_so = present(look, basis, last, watch.present)
    is_known = look.rig.online is not None
    frames = look.live.recent_frames if look.live else ()
    events = Happenings(
        rig_before=watch.rig,
        plan_before=watch.plan,
        present_before=watch.present,
        first_seen=watch.first_seen,
        look=look,
        gains=counted.gains,
        announced=heard.since if heard.lease else None,
    ).events(now_so if is_known else watch.present)
    night = night_of(look.now, look.zone)
    times = (watch.may_image_until, may_image_until(latest) if latest else None)
    may_image = max((time for time in times if time and time > look.now), default=None)
    nights, over = follow(
        watch.nights,
        NightLook(
            look=look,
            night=night,
            rig_before=watch.rig,
            read_night=watch.read_night,
            has_read=watch.has_read,
            gains=counted.gains,
            images=now_so.activity == IMAGING or may_image is not None,
            frames=tuple(frame for frame in frames if frame not in watch.frames),
            completed=frozenset(
                event.target_id for event in events if event.event_type == TARGET_COMPLETED and event.target_id
            ),
        ),
    )
    if over is not None:
        events += (_night_finished(over, look.now),)
    known = remembered(watch.rig, look.rig)
    first_seen = _first_seen(watch, known, look.now)
    history = watch.history
    if nights.last is not None and nights.last is not watch.nights.last:
        history = recorded(history, nights.last, first_seen)
    has_been_read = bool(look.rig.online and look.rig.profiles is not None)
    return Observation(
        watch=Watch(
            rig=known,
            plan=plan or watch.plan,
            present=now_so if is_known else watch.present,
            evidence=evidence,
            tally=_tally(watch, look, counted.gains, night),
            nights=nights,
            history=history,
            read_night=night if has_been_read else watch.read_night,
            has_read=watch.has_read or has_been_read,
            recalled=watch.recalled,
            may_image_until=may_image,
            first_seen=first_seen,
            left=left,
            peaks=counted.peaks,
            heard=heard,
            frames=frames,
        ),
        present=now_so,
        plan=plan,
        events=events,
        edited=counted.edited,
    )


def _counted(watch: Watch, look: Look, left: Mapping[str, datetime]) -> Counted:
    if watch.rig is None or look.rig.profiles is None:
        return Counted(peaks=watch.peaks)
    before = Before(
        rig=watch.rig,
        since=_since(watch, look),
        left=left,
        is_watched=watch.has_read,
        last_ended=watch.present.last_exposure.time if watch.present and watch.present.last_exposure else None,
        peaks=watch.peaks,
    )
    return count(before, look)


def _since(watch: Watch, look: Look) -> Mapping[str, datetime]:
    """When each list was last read as it is remembered; of what an earlier run has read that is known roughly."""
    if watch.has_read:
        since = look.read_before
        unread = [place.project.id for place in all_projects(look.rig) if place.project.id not in since]
    else:
        since = {}
        unread = [place.project.id for place in all_projects(look.rig)]
    return {**dict.fromkeys(unread, watch.recalled), **since} if watch.recalled else since


def _left(watch: Watch, look: Look) -> Mapping[str, datetime]:
    """By id: until when a profile was the active one, and a project was Active."""
    if watch.rig is None or look.rig.profiles is None:
        return watch.left
    left = _active_ids(watch.rig) - _active_ids(look.rig)
    return {**watch.left, **dict.fromkeys(left, look.now)} if left else watch.left


def _active_ids(rig: Rig) -> frozenset[str]:
    profiles = {profile.id for profile in rig.known_profiles if profile.active}
    return frozenset(profiles | {place.project.id for place in all_projects(rig) if place.project.state == ACTIVE})


def _last_exposure(watch: Watch, latest: Gain | None) -> LastExposure | None:
    known = watch.present.last_exposure if watch.present else None
    if latest is None:
        return known
    new = last_exposure(latest)
    # That of a project that is not Active any more is read late. What seems to lie ahead is from a wrong clock.
    return known if known and new.time < known.time <= latest.latest else new


def _evidence(watch: Watch, look: Look, latest: Gain | None, heard: Heard) -> Evidence | None:
    """That of the latest exposure, unless the API was away meanwhile: N.I.N.A. may have been started anew since."""
    before, held = watch.rig, _still_held(watch, heard)
    if latest is None or before is None or not before.online or heard.is_old_news(latest):
        return held
    if _is_for_nina_to_tell(latest, watch, look):
        return held
    profile = latest.step.place.profile
    was_active = before.active_profile is not None and before.active_profile.id == profile.id
    if not (profile.active and was_active and (watch.has_read or watch.recalled)):
        return held
    return observed(latest, look, is_watched=watch.has_read) or held


def _at_work(watch: Watch) -> str | None:
    """The id of the target that was seen at work, or announced; what the plan alone tells names nobody."""
    believed = watch.heard.lease or watch.evidence
    return believed.target_id if believed and believed.kind != PLANNED else None


def _lasting(evidence: Evidence | None, watch: Watch, look: Look) -> Evidence | None:
    """What is left of it; an announcement to an earlier run is left until N.I.N.A. was asked.

    When that was announced is known roughly: it may have been repeated since.
    """
    if evidence is not None and evidence.kind == LIVE and not _was_nina_asked(watch, look):
        age = look.now - evidence.time
        return evidence if age < _A_RESTART and lasting(replace(evidence, time=look.now), look) else None
    return lasting(evidence, look)


def _was_nina_asked(watch: Watch, look: Look) -> bool:
    """Also where it is not to be asked, or has not answered while the rig was read."""
    return watch.has_read or look.live is None or look.live.connected


def _is_for_nina_to_tell(gain: Gain, watch: Watch, look: Look) -> bool:
    """Whether a target has gained that was not believed to be at work before, and N.I.N.A. was not asked yet.

    While the bridge was away, N.I.N.A. may since have announced another target, stopped, or been started anew.
    """
    if _was_nina_asked(watch, look):
        return False
    return watch.evidence is None or gain.step.place.target.id != watch.evidence.target_id


def _still_held(watch: Watch, heard: Heard) -> Evidence | None:
    """None once N.I.N.A. has said something else than the counts said before."""
    evidence = watch.evidence
    if evidence is None or heard.since is None or heard.since == watch.heard.since:
        return evidence
    return evidence if heard.lease and heard.lease.target_id == evidence.target_id else None


def _tally(watch: Watch, look: Look, gains: tuple[Gain, ...], night: date) -> Tally:
    tally = watch.tally
    if tally is None or not (tally.night == night or look.rig.profiles is None):
        # Before the rig was read its time zone, and with it the night, is a guess.
        tally = Tally(night=night)
    # What came in a night of which nobody saw the end is not this one's.
    return add(tally, gains) if watch.read_night in (None, night) else tally


def _night_finished(report: NightReport, now: datetime) -> Event:
    return Event(event_type=NIGHT_FINISHED, time=now, noticed=now, night=report.night, count=report.acquired)


def _first_seen(watch: Watch, rig: Rig | None, now: datetime) -> Mapping[str, datetime]:
    if rig is None:
        return watch.first_seen
    ids = {place.project.id for place in all_projects(rig)} | {place.target.id for place in all_targets(rig)}
    if len(ids) == len(watch.first_seen) and all(thing_id in watch.first_seen for thing_id in ids):
        return watch.first_seen
    return {thing_id: watch.first_seen.get(thing_id, now.replace(microsecond=0)) for thing_id in ids}
