"""Decides what to ask a rig for and when: its lists as often as they can change, and no list more often.

Three things are known of a rig without a question: what was seen to image, what the night plan has ahead, and that a
user who has edited something edits more. `attention()` makes of them how closely each list is watched, and
`due_at()` when a list is read again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

from ts2mqtt.observatory.completion import completion_rule
from ts2mqtt.observatory.evidence import (
    LIVE,
    OBSERVED,
    PLANNED,
    following_lengths_s,
    length_s,
    one_exposure,
    patience,
    plans_to_come,
)
from ts2mqtt.observatory.model import ACTIVE, Profile, Project
from ts2mqtt.observatory.night import is_midday, night_of
from ts2mqtt.observatory.plan_in_hand import is_complete, may_be_imaged, standing_blocks
from ts2mqtt.observatory.tree import all_targets, find_target

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence, Set as AbstractSet
    from datetime import datetime, tzinfo

    from ts2mqtt.observatory.evidence import Evidence, LastExposure
    from ts2mqtt.observatory.model import ExposurePlan, NightPlan, PlanBlock, Rig
    from ts2mqtt.observatory.site import Site
    from ts2mqtt.observatory.tree import TargetPlace

Parent = TypeVar("Parent", Profile, Project)


@dataclass(frozen=True, slots=True)
class PluginVersion:
    """The version of the plugin."""


@dataclass(frozen=True, slots=True)
class ProjectsOf:
    """The list of a profile's projects."""

    profile_id: str


@dataclass(frozen=True, slots=True)
class TargetsOf:
    """The list of a project's targets."""

    project_id: str


LiveList = ProjectsOf | TargetsOf
SlowThing = PluginVersion | LiveList

_WINDOW = timedelta(seconds=30)
"""So long after an exposure can be complete it usually is there: downloaded, and often the next one dithered."""

_DOWNLOAD = timedelta(seconds=7)
"""What lies between an exposure that was counted and the next one, at the least, as a rule."""

_UNCERTAIN = timedelta(seconds=10)
"""Where it is not known when the last exposure was saved, the next one is not awaited from the first moment on."""

_SLEW = timedelta(seconds=30)
"""No rig goes to another target in less time."""

_LATE_START = timedelta(minutes=15)
"""A real night runs behind its plan, which knows of no slew, no focusing and no meridian flip."""

_GOES_ON = timedelta(hours=1)
"""So long after an exposure a rig may go on, also past the end of its plan."""

_UNHEARD = timedelta(seconds=20)
"""A connection to N.I.N.A. that has broken in silence is noticed within 45 s, and a slew takes 30 s of these."""

_TRIES_IN_AN_INTERVAL = 3


@dataclass(frozen=True, slots=True)
class ListToRead(Generic[Parent]):
    """The list below a profile or a project; one that `is_slow` rests afterwards for the slow interval."""

    parent: Parent
    is_slow: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Resting:
    """The lists that are not due yet: of those that are live, and of the slow things, None for all of these.

    What is `asked_for` is read all the same.
    """

    live: AbstractSet[LiveList] = frozenset()
    slow: AbstractSet[SlowThing] | None = frozenset()
    asked_for: AbstractSet[LiveList] = frozenset()

    def allows(self, thing: LiveList, *, is_live: bool) -> bool:
        """Whether this list is to be read."""
        if thing in self.asked_for:
            return True
        resting = self.live if is_live else self.slow
        return resting is not None and thing not in resting


def project_lists(
    profiles: Iterable[Profile], resting: Resting, *, just_left: str | None = None
) -> list[ListToRead[Profile]]:
    """The lists of projects to read now; that of the active profile is live, and once more that of one just left."""
    return [
        ListToRead(profile, is_slow=not is_live)
        for profile in profiles
        for is_live in [profile.active or profile.id == just_left]
        if resting.allows(ProjectsOf(profile.id), is_live=is_live)
    ]


def target_lists(
    projects: Iterable[tuple[Profile, Project]], resting: Resting, *, just_left: str | None = None
) -> list[ListToRead[Project]]:
    """The lists of targets to read now; those of the Active projects of such profiles are live."""
    return [
        ListToRead(project, is_slow=not is_live)
        for profile, project in projects
        for is_live in [project.state == ACTIVE and (profile.active or profile.id == just_left)]
        if resting.allows(TargetsOf(project.id), is_live=is_live)
    ]


def live_lists(profiles: Iterable[Profile], projects: Iterable[tuple[Profile, Project]]) -> set[LiveList]:
    """Those of the active profile: of its projects, and of the targets of the Active ones."""
    lists: set[LiveList] = {ProjectsOf(profile.id) for profile in profiles if profile.active}
    return lists | {
        TargetsOf(project.id) for profile, project in projects if profile.active and project.state == ACTIVE
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """The projects that N.I.N.A. has announced at `time`, none where it said that nothing is imaged.

    The Target Scheduler announces a target before each of its exposures. As long as all its words are heard, no other
    project can show an exposure.
    """

    project_ids: frozenset[str]
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """All that is known of a rig without asking it; times are aware.

    `plan`: the night plan, None where it is outdated. `evidence`, `last_exposure`: what images, and what it has taken
    last; that was saved at `saved_from` at the earliest, and at the evidence's time at the latest. `watched_since`:
    since when the rig has been looked at with its active profile and without a break. `is_unclear`: somebody edits,
    or exposures came that nobody has expected. `used_up`: the ids of the targets of which the plan leaves nothing to
    take through some filter. `announced`: None where nobody hears N.I.N.A., `announced_before`: the projects that may
    still show an exposure of which nobody has heard. `zone`: the rig's, None for the bridge's own. `site`: where the
    rig stands, None where that is not known.
    """

    rig: Rig
    plan: NightPlan | None
    evidence: Evidence | None
    last_exposure: LastExposure | None
    saved_from: datetime | None
    watched_since: datetime
    is_unclear: bool
    used_up: frozenset[str] = frozenset()
    announced: Announced | None = None
    announced_before: frozenset[str] = frozenset()
    now: datetime
    zone: tzinfo | None
    site: Site | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which an exposure should be saved."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PossibleExposure:
    """An exposure of a project that may have been begun unseen: it cannot be saved before `earliest`."""

    project_id: str
    earliest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NextExposure:
    """The next exposure of the project that images: expected in `windows`, impossible before `earliest`."""

    project_id: str
    earliest: datetime
    windows: tuple[Window, ...]

    @property
    def is_due_until(self) -> datetime:
        """From then on another project may have taken its place."""
        return max(window.end for window in self.windows) + _SLEW


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """How closely a rig is watched: all that is live at the interval, or some projects, or what an exposure tells.

    `closely`: the projects that may show an exposure at any moment; `possible`: those that may from a moment on.
    """

    everything: bool = False
    closely: frozenset[str] = field(default_factory=frozenset)
    possible: tuple[PossibleExposure, ...] = ()
    next_exposure: NextExposure | None = None

    def allows_for(self, project_id: str, time: datetime) -> bool:
        """Whether this project was watched for an exposure that it shows at this time."""
        return project_id in self.closely or any(
            one.project_id == project_id and one.earliest <= time for one in self.possible
        )


EVERYTHING = Attention(everything=True)
EDITS_ALONE = Attention()


def attention(knowledge: Knowledge) -> Attention:
    """Where nothing can be told of the next exposure, every project is watched that may show one."""
    if knowledge.is_unclear or knowledge.rig.active_profile is None:
        return EVERYTHING
    if knowledge.announced is not None:
        return _as_announced(knowledge, knowledge.announced)
    if knowledge.evidence is not None:
        return _while_imaging(knowledge, knowledge.evidence)
    blocks = _blocks_of_tonight(knowledge)
    if blocks is not None:
        return _while_waiting(knowledge, blocks)
    return EDITS_ALONE if _is_day(knowledge) else _whatever_comes(knowledge.rig)


def is_fully_read(rig: Rig) -> bool:
    """Whether all lists that are live were read."""
    projects = rig.active_profile.projects if rig.active_profile else None
    return projects is not None and all(one.targets is not None for one in projects.items if one.state == ACTIVE)


def used_up(plan: NightPlan, rig: Rig) -> frozenset[str]:
    """The ids of the targets of which this plan, which was just read, leaves nothing to take through some filter.

    All others are left because the sky does not allow them any more: the plugin's preview ends, or waits, when no
    target can be imaged. What is used up may still be there to take, in a night that goes worse than planned.
    """
    planned: Counter[tuple[str | None, str | None, float | None]] = Counter()
    for block in plan.blocks:
        for run in block.exposures:
            planned[block.target_id, run.filter, run.exposure_s] += run.count
    return frozenset(
        place.target.id
        for place in all_targets(rig)
        for one in plans_to_come(place, rig)
        if planned[place.target.id, one.filter, one.exposure_s] >= _least_to_take(one, place, rig)
    )


def is_unexpected(seen: Evidence, before: Evidence | None, rig: Rig, attention: Attention) -> bool:
    """Whether a project shows an exposure while one of another is under way: two N.I.N.A. may share a database."""
    if before is None or before.kind != OBSERVED or seen.kind != OBSERVED or seen.time == before.time:
        return False
    if seen.time > before.time + timedelta(seconds=before.exposure_s):
        return False
    place, place_before = find_target(rig, seen.target_id), find_target(rig, before.target_id)
    if place is None or place_before is None or place.project.id == place_before.project.id:
        return False
    return not attention.allows_for(place.project.id, seen.time)


def next_try(read: float, earliest: float, windows: Iterable[tuple[float, float]], interval_s: float) -> float:
    """When a list that was last read at `read` is read again for an exposure; all in seconds of one clock.

    Several times an interval in a window; else as `last_moment` says.
    """
    step = interval_s / _TRIES_IN_AN_INTERVAL
    tries = [begin if read < begin else read + step for begin, end in windows if read < end]
    return min([last_moment(read, earliest, interval_s), *tries])


def last_moment(read: float, earliest: float, interval_s: float) -> float:
    """When a list that was last read at `read` has to be read again, in seconds of one clock.

    Any exposure that is saved at `earliest` or later is then seen within the interval, as with a full look.
    """
    return max(read, earliest) + interval_s


def _as_announced(knowledge: Knowledge, announced: Announced) -> Attention:
    """A word that is lost with the connection is missed for a while: what is shorter than that is watched anyway.

    The exposure that was announced may have to wait, for a flip or a focus. After the last one of a night nothing is
    announced: so it is awaited for as long as a rig may go on.
    """
    shortest = _shortest_lengths(knowledge.rig)
    brief = {project_id for project_id, length in shortest.items() if length < _UNHEARD}
    is_awaited = knowledge.now < announced.time + longest_pause(knowledge.rig) + _GOES_ON
    return Attention(
        closely=knowledge.announced_before | brief,
        possible=tuple(
            PossibleExposure(project_id=one, earliest=announced.time + shortest.get(one, timedelta()))
            for one in sorted(announced.project_ids)
            if is_awaited
        ),
    )


def _shortest_lengths(rig: Rig) -> dict[str, timedelta]:
    """By project id, of the exposures that are still to be taken."""
    lengths: dict[str, timedelta] = {}
    for place in all_targets(rig):
        if _may_be_next(place, rig):
            for plan in plans_to_come(place, rig):
                length = timedelta(seconds=length_s(plan))
                lengths[place.project.id] = min(length, lengths.get(place.project.id, length))
    return lengths


def _while_imaging(knowledge: Knowledge, evidence: Evidence) -> Attention:
    rig, now = knowledge.rig, knowledge.now
    place = find_target(rig, evidence.target_id)
    if place is None or not place.profile.active:
        return EVERYTHING
    this_one = frozenset({place.project.id})
    if evidence.kind != OBSERVED:
        # No exposure of it was seen yet.
        if now > evidence.time + one_exposure(evidence):
            return _whatever_comes(rig, this_one)
        announced = this_one if evidence.kind == LIVE else frozenset[str]()
        return Attention(closely=announced, possible=_that_may_follow(knowledge, evidence))
    expected = _next_exposure(knowledge, evidence, place)
    if expected is None or now > expected.is_due_until:
        return _whatever_comes(rig, this_one)
    return Attention(next_exposure=expected, possible=_that_may_follow(knowledge, evidence))


def _whatever_comes(
    rig: Rig, this_one: frozenset[str] = frozenset(), among: AbstractSet[str] | None = None
) -> Attention:
    """`among` these targets, None for all."""
    able = [place for place in all_targets(rig) if among is None or place.target.id in among]
    return Attention(closely=this_one | {place.project.id for place in able if _may_be_next(place, rig)})


def _next_exposure(knowledge: Knowledge, evidence: Evidence, place: TargetPlace) -> NextExposure | None:
    """None if the latest exposure is another target's: then nothing is known of this one's rhythm."""
    last = knowledge.last_exposure
    if last is None or last.target_id != evidence.target_id:
        return None
    saved_from = knowledge.saved_from or evidence.time
    counted_from = saved_from + min((evidence.time - saved_from) / 2, _UNCERTAIN) + _DOWNLOAD
    lengths = [timedelta(seconds=one) for one in following_lengths_s(place, last, knowledge.plan, knowledge.rig)]
    possible = [timedelta(seconds=length_s(one)) for one in plans_to_come(place, knowledge.rig)]
    return NextExposure(
        project_id=place.project.id,
        earliest=saved_from + min([*lengths, *possible]),
        windows=tuple(Window(counted_from + length, evidence.time + length + _WINDOW) for length in lengths),
    )


def _that_may_follow(knowledge: Knowledge, evidence: Evidence) -> tuple[PossibleExposure, ...]:
    """What other targets may have taken since the last exposure, whatever the plan says.

    A planned target has yet to be slewed to, too.
    """
    rig, last = knowledge.rig, knowledge.last_exposure
    begin = _free_from(knowledge, evidence)
    earliest: dict[str, datetime] = {}
    for place in all_targets(rig):
        lengths = [timedelta(seconds=length_s(plan)) for plan in plans_to_come(place, rig)]
        is_at_work = evidence.kind != PLANNED and place.target.id == evidence.target_id
        if is_at_work or not lengths or not _may_be_next(place, rig):
            continue
        goes_on = last is not None and place.target.id == last.target_id
        first = begin + min(lengths) + (timedelta() if goes_on else _SLEW)
        earliest[place.project.id] = min(first, earliest.get(place.project.id, first))
    return tuple(PossibleExposure(project_id=project_id, earliest=time) for project_id, time in earliest.items())


def _free_from(knowledge: Knowledge, evidence: Evidence) -> datetime:
    """When the exposure under way may have been broken off at the earliest, and another target's begun.

    N.I.N.A. takes one exposure after the other: until the last one was saved there was no other.
    """
    if evidence.kind == LIVE or knowledge.saved_from is None:
        return evidence.time
    return min(knowledge.saved_from, evidence.time)


def _while_waiting(knowledge: Knowledge, blocks: Sequence[PlanBlock]) -> Attention:
    """Every project is watched in the plan's hours, and where something else tells that the rig may be at work.

    A rig that was interrupted goes on with any of its targets, and past the end of its plan. One that has just come,
    or has another profile, may be in the middle of an exposure. After clouds the rig may take what the plan had
    before its end, until it is day.
    """
    now, rig, last = knowledge.now, knowledge.rig, knowledge.last_exposure
    if now < knowledge.watched_since + longest_pause(rig) and not _is_day(knowledge):
        return _whatever_comes(rig)
    just_imaged = frozenset({last.target_id}) if last is not None and now < last.time + _GOES_ON else frozenset[str]()
    if not blocks or now < blocks[0].start:
        return _whatever_comes(rig) if just_imaged else EDITS_ALONE
    if now < blocks[-1].end + _LATE_START:
        return _whatever_comes(rig)
    left = frozenset[str]() if _is_day(knowledge) else knowledge.used_up
    return _whatever_comes(rig, among=left | just_imaged)


def _is_day(knowledge: Knowledge) -> bool:
    """Whether no exposure can be saved: the plugin begins none while the sun is up.

    One that was begun before sunrise may be saved after it.
    """
    site, now = knowledge.site, knowledge.now
    if site is None:
        return is_midday(now, knowledge.zone)
    from ts2mqtt.observatory.sky import is_sun_up  # noqa: PLC0415 - loads 3 MB that only a rig with a site needs

    return is_sun_up(site, now) and is_sun_up(site, now - longest_pause(knowledge.rig))


def _blocks_of_tonight(knowledge: Knowledge) -> tuple[PlanBlock, ...] | None:
    """The targets of the plan that may still be imaged, None where no plan tells what comes tonight."""
    plan = knowledge.plan
    if plan is None or plan.night < night_of(knowledge.now, knowledge.zone):
        return None
    return tuple(block for block in standing_blocks(plan, knowledge.rig) if not block.is_wait)


def _least_to_take(plan: ExposurePlan, place: TargetPlace, rig: Rig) -> int:
    """While images wait for the grader, the plugin takes only what was not acquired yet."""
    remaining = completion_rule(place.project, rig.exposure_throttle_percent).remaining(plan)
    return max(1, min(remaining, plan.desired - plan.acquired))


def _may_be_next(place: TargetPlace, rig: Rig) -> bool:
    return may_be_imaged(place) and not is_complete(place, rig)


def longest_pause(rig: Rig) -> timedelta:
    """The longest time that may pass between two exposures of this rig while it images."""
    lengths = (
        length_s(plan) for place in all_targets(rig) if may_be_imaged(place) for plan in plans_to_come(place, rig)
    )
    return patience(max(lengths, default=0.0))
