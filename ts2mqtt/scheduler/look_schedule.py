"""When a rig is looked at again, and at which of its live lists: keeps what the look policy decides by."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from ts2mqtt.observatory.evidence import patience
from ts2mqtt.observatory.plan_in_hand import is_outdated
from ts2mqtt.observatory.tree import find_target
from ts2mqtt.scheduler.look_policy import (
    EVERYTHING,
    Knowledge,
    TargetsOf,
    attention,
    is_fully_read,
    is_unexpected,
    last_moment,
    longest_pause,
    next_try,
    used_up,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Set as AbstractSet
    from datetime import datetime, tzinfo

    from ts2mqtt.config import PollingConfig
    from ts2mqtt.observatory.evidence import Evidence, LastExposure
    from ts2mqtt.observatory.model import NightPlan, Rig
    from ts2mqtt.observatory.site import Site
    from ts2mqtt.scheduler.look_policy import Announced, Attention, LiveList
    from ts2mqtt.timing import Clock

_SOMEBODY_EDITS = timedelta(minutes=10)
"""Whoever has edited something edits more."""

_NOT_HEARD = timedelta(hours=12)
"""After an exposure that N.I.N.A. has not announced, its words do not tell where the next one comes, for a night."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """What was made of the latest report: what images, what it has taken last, and whether counts were edited.

    `announced` is what N.I.N.A. has announced last, None where not all of its words are heard.
    """

    evidence: Evidence | None = None
    last_exposure: LastExposure | None = None
    is_edited: bool = False
    announced: Announced | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody has asked for beyond the schedule: all there is, all that is live, or these projects' targets."""

    everything: bool = False
    all_live: bool = False
    projects: frozenset[str] = field(default_factory=frozenset)

    def __bool__(self) -> bool:
        return self.everything or self.all_live or bool(self.projects)

    def __or__(self, other: Wish) -> Wish:
        return Wish(
            everything=self.everything or other.everything,
            all_live=self.all_live or other.all_live,
            projects=self.projects | other.projects,
        )


@dataclass(frozen=True, slots=True)
class _Outdated:
    """Whether this plan is outdated at this rig, which takes long to tell."""

    plan: NightPlan | None
    rig: Rig
    is_outdated: bool

    def holds_for(self, plan: NightPlan | None, rig: Rig) -> bool:
        return self.plan is plan and self.rig is rig


@dataclass(frozen=True, slots=True)
class _UsedUp:
    """What this plan uses up, by the counts of the moment at which both were known first."""

    plan: NightPlan | None
    target_ids: frozenset[str]


class LookSchedule:
    """The live lists of one rig; all moments are by the monotonic clock."""

    def __init__(self, polling: PollingConfig, clock: Clock, least_gap_s: float, site: Site | None = None) -> None:
        self._polling = polling
        self._clock = clock
        self._least_gap_s = least_gap_s
        self._site = site
        self.noticed = Noticed()
        """What was made of the latest report."""
        self.attention: Attention = EVERYTHING
        self.wish = Wish()
        self._owed = Wish()
        self._outdated: _Outdated | None = None
        self._used_up = _UsedUp(None, frozenset())
        self._profiles_read: float | None = None
        self._read: dict[LiveList, float] = {}
        self._pressing: set[LiveList] = set()
        self._unclear_until = 0.0
        self._unheard_until = 0.0
        self._announced_before: dict[str, float] = {}
        self._saved_from: datetime | None = None

    @property
    def gap_s(self) -> float:
        """However often somebody asks for a look, the rig is left in peace for this long."""
        return min(self._least_gap_s, self._polling.interval)

    def use(self, polling: PollingConfig) -> None:
        """From now on; a shorter interval begins with a look."""
        if polling.interval < self._polling.interval:
            self.ask(Wish(all_live=True))
        self._polling = polling

    def ask(self, wish: Wish) -> None:
        """For the next look, beside what was asked for before."""
        self.wish |= wish

    def take_wish(self) -> Wish:
        """What is asked for, and what was in a look that has failed."""
        wish, self.wish, self._owed = self.wish | self._owed, Wish(), Wish()
        return wish

    def owe(self, wish: Wish) -> None:
        """The look that was to fulfil it has failed."""
        self._owed = wish

    def notice(self, noticed: Noticed, rig: Rig) -> None:
        """Takes what was made of the latest report, which was of this rig."""
        before, self.noticed = self.noticed, noticed
        if noticed.is_edited:
            self.watch_everything()
        evidence = noticed.evidence
        if noticed.last_exposure != before.last_exposure or evidence is None:
            self._saved_from = _saved_from(noticed, before, self._saved_from)
        self._notice_announced(noticed, before, rig)
        if evidence is not None and is_unexpected(evidence, before.evidence, rig, self.attention):
            self.watch_everything(patience(evidence.exposure_s))

    def _notice_announced(self, noticed: Noticed, before: Noticed, rig: Rig) -> None:
        """What was announced until now may show an exposure that was under way, or whose word was missed."""
        now, last = self._clock.monotonic(), noticed.last_exposure
        if last != before.last_exposure and last is not None and not self._was_announced(last, before.announced, rig):
            self._unheard_until = now + _NOT_HEARD.total_seconds()
        if noticed.announced == before.announced:
            return
        until = now + longest_pause(rig).total_seconds()
        if before.announced is None:
            # Whatever was read may show one: nobody was heard.
            known = left = self._projects_read()
        else:
            known = before.announced.project_ids
            left = known - (noticed.announced.project_ids if noticed.announced else frozenset())
        self._announced_before |= dict.fromkeys(left, until)
        self._pressing |= {TargetsOf(project_id) for project_id in known} & self._read.keys()

    def _was_announced(self, last: LastExposure, announced: Announced | None, rig: Rig) -> bool:
        """Another N.I.N.A. that shares the database announces nothing here."""
        place = find_target(rig, last.target_id)
        return (
            announced is None
            or place is None
            or place.project.id in announced.project_ids
            or place.project.id in self._announced_before
        )

    def _projects_read(self) -> frozenset[str]:
        return frozenset(one.project_id for one in self._read if isinstance(one, TargetsOf))

    def watch_everything(self, length: timedelta = _SOMEBODY_EDITS) -> None:
        """Watches all that is live for so long: somebody edits, or the rig does what nobody has expected."""
        self._unclear_until = max(self._unclear_until, self._clock.monotonic() + length.total_seconds())

    def decide(self, rig: Rig, plan: NightPlan | None, watched_since: datetime | None, zone: tzinfo | None) -> None:
        """Watches the rig as the policy says from now on."""
        now, moment = self._clock.now(), self._clock.monotonic()
        self._announced_before = {one: until for one, until in self._announced_before.items() if until > moment}
        if self._outdated is None or not self._outdated.holds_for(plan, rig):
            self._outdated = _Outdated(plan, rig, is_outdated=is_outdated(plan, rig) is not False)
        if self._used_up.plan is not plan and plan is not None and is_fully_read(rig):
            self._used_up = _UsedUp(plan, used_up(plan, rig))
        self.attention = attention(
            Knowledge(
                rig=rig,
                plan=None if self._outdated.is_outdated else plan,
                evidence=self.noticed.evidence,
                last_exposure=self.noticed.last_exposure,
                saved_from=self._saved_from,
                watched_since=watched_since or now,
                is_unclear=moment < self._unclear_until,
                announced=self.noticed.announced if moment >= self._unheard_until else None,
                announced_before=frozenset(self._announced_before),
                used_up=self._used_up.target_ids,
                now=now,
                zone=zone,
                site=self._site,
            )
        )

    def are_profiles_due(self, moment: float) -> bool:
        return self._profiles_read is None or self._profiles_read + self._polling.interval <= moment + self.gap_s / 2

    def resting(self, moment: float) -> frozenset[LiveList]:
        """The live lists that are not due at this moment, nor so soon that they had better be read with it."""
        return frozenset(one for one in self._read if self._due(one) > moment + self.gap_s / 2)

    def next_due(self, live: AbstractSet[LiveList]) -> float:
        """When the first of these lists, or the list of profiles, is due."""
        profiles = 0.0 if self._profiles_read is None else self._profiles_read + self._polling.interval
        return min([profiles, *(self._due(one) for one in live if one in self._read)])

    def note_profiles(self, moment: float) -> None:
        """They have just been read."""
        self._profiles_read = moment

    def note_read(self, one: LiveList, moment: float) -> None:
        """It was asked for at this moment, and what it says is believed."""
        self._read[one] = moment
        self._pressing.discard(one)

    def note_failure(self, one: LiveList, moment: float) -> None:
        """It was asked for at this moment, and has to be again after the interval."""
        self._read[one] = moment
        self._pressing.add(one)

    def forget_all_but(self, lists: AbstractSet[LiveList]) -> None:
        self._read = {one: moment for one, moment in self._read.items() if one in lists}
        self._pressing &= lists

    def _due(self, one: LiveList) -> float:
        polling, watch, read = self._polling, self.attention, self._read[one]
        if watch.everything or one in self._pressing:
            return read + polling.interval
        for_edits = read + polling.edit_interval
        if not isinstance(one, TargetsOf):
            return for_edits
        return min([for_edits, *self._due_for_exposures(one.project_id, read)])

    def _due_for_exposures(self, project_id: str, read: float) -> Iterator[float]:
        watch, interval, moment = self.attention, self._polling.interval, self._moment
        if project_id in watch.closely:
            yield read + interval
        for possible in watch.possible:
            if possible.project_id == project_id:
                yield last_moment(read, moment(possible.earliest), interval)
        expected = watch.next_exposure
        if expected is not None and expected.project_id == project_id:
            windows = [(moment(window.begin), moment(window.end)) for window in expected.windows]
            yield next_try(read, moment(expected.earliest), windows, interval)

    def _moment(self, time: datetime) -> float:
        return self._clock.monotonic() + self._clock.seconds_until(time)


def _saved_from(noticed: Noticed, before: Noticed, saved_before: datetime | None) -> datetime | None:
    """When the latest exposure was saved at the earliest; a rig takes one exposure of a target after the other."""
    evidence, last = noticed.evidence, noticed.last_exposure
    if evidence is None or last is None:
        return None
    # It was saved between two reads of its list: `last.time` is the middle, and `evidence.time` the second read.
    earliest = last.time - (evidence.time - last.time)
    if saved_before is not None and before.last_exposure and before.last_exposure.target_id == last.target_id:
        earliest = max(earliest, saved_before + timedelta(seconds=last.exposure_s or 0.0))
    return min(earliest, evidence.time)
