"""Compares one look at a rig with the one before: what has happened, and what the night has brought so far."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ts2mqtt.observatory import events
from ts2mqtt.observatory.completion import all_complete, completion_rule
from ts2mqtt.observatory.events import Event
from ts2mqtt.observatory.exposures import patience, progress
from ts2mqtt.observatory.last_known import remembered
from ts2mqtt.observatory.night import night_of
from ts2mqtt.observatory.present import OBSERVED
from ts2mqtt.observatory.tally import Gain, Tally, add
from ts2mqtt.observatory.totals import project_totals, target_totals
from ts2mqtt.observatory.tree import (
    Places,
    all_projects,
    all_targets,
    distinct_projects,
    distinct_targets,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date, datetime, tzinfo

    from ts2mqtt.observatory.model import NightPlan, Profile, Project, Rig
    from ts2mqtt.observatory.present import Appointment, Live
    from ts2mqtt.observatory.tree import TargetPlace

PlanId = tuple[str, str]
"""Target id and exposure plan key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What is remembered from one look to the next.

    `first_seen` holds projects and targets by id. `peaks` holds the most that was ever accepted of exposure
    plans whose accepted count has fallen since, as when images are graded anew: to rise again is no gain.
    `read_night` is the night in which the rig was last read; `online_since` tells since when this run of the
    bridge has seen it answer without a break.
    """

    rig: Rig | None = None
    plan: NightPlan | None = None
    current_target: Appointment | None = None
    tally: Tally | None = None
    read_night: date | None = None
    online_since: datetime | None = None
    first_seen: Mapping[str, datetime] = field(default_factory=dict)
    peaks: Mapping[PlanId, int] = field(default_factory=dict)


def observe(  # noqa: PLR0913, PLR0917 - all that can be known of one moment
    watch: Watch, rig: Rig, plan: NightPlan | None, live: Live, now: datetime, zone: tzinfo | None
) -> tuple[Watch, tuple[Event, ...]]:
    """The watch after this look, and what happened since the last; nothing has happened at the very first look.

    `now` is aware; `zone` is the rig's, None for the bridge's own.
    """
    happened = _Happenings(watch, rig, now)
    found = list(happened.of_the_rig(plan))
    night = night_of(now, zone)
    tally, peaks = _tally(watch, rig, night), watch.peaks
    if watch.rig is not None and rig.profiles is not None:
        gains, peaks = _gains(watch.rig, rig, watch.peaks)
        if watch.read_night in (None, night):
            # What came in a night of which nobody saw the end is not this one's.
            tally = add(tally, gains)
        found += happened.of_the_database(gains)
    online_since = (watch.online_since or now) if rig.online else None
    current = _observed_target(watch, rig, live, now, online_since)
    found += _changes_of_target(watch.current_target, current, now)
    known = remembered(watch.rig, rig)
    return (
        Watch(
            rig=known,
            plan=plan or watch.plan,
            current_target=current,
            tally=tally,
            read_night=night if rig.online and rig.profiles is not None else watch.read_night,
            online_since=online_since,
            first_seen=_first_seen(watch, known, now),
            peaks=peaks,
        ),
        tuple(found),
    )


@dataclass(frozen=True, slots=True)
class _Happenings:
    watch: Watch
    rig: Rig
    now: datetime

    def of_the_rig(self, plan: NightPlan | None) -> Iterator[Event]:
        before, after = self.watch.rig, self.rig
        if before is not None and after.online is not None and before.online is not after.online:
            yield Event(event_type=events.RIG_ONLINE if after.online else events.RIG_OFFLINE, time=self.now)
        if before is not None and plan is not None and not _same_plan(self.watch.plan, plan):
            yield Event(event_type=events.PLAN_CHANGED, time=self.now, profile_id=plan.profile_id, night=plan.night)

    def of_the_database(self, gains: tuple[Gain, ...]) -> Iterator[Event]:
        before, after = self.watch.rig, self.rig
        if before is None:
            return
        old, new = before.active_profile, after.active_profile
        if old and new and old.id != new.id:
            yield Event(event_type=events.PROFILE_CHANGED, time=self.now, profile_id=new.id, profile_name=new.name)
        if before is after:
            return
        places = Places.of(before)
        yield from self._of_projects(before, places)
        yield from self._of_exposures(gains)
        yield from self._of_completions(places)

    def _of_projects(self, before: Rig, old_places: Places) -> Iterator[Event]:
        """Each project once, in the place that counts, compared with what was known of it in that very place."""
        old_profiles = {profile.id: profile for profile in before.known_profiles}
        here = {place.project.id for place in all_projects(self.rig)}
        for place in distinct_projects(self.rig):
            profile, project = place.profile, place.project
            old, known = old_profiles.get(profile.id), old_places.project(place)
            if known is None:
                if old is not None and old.projects is not None:
                    yield self._project(events.PROJECT_ADDED, profile, project)
                continue
            earlier = known.project
            if project.state != earlier.state and None not in {project.state, earlier.state}:
                changed = self._project(events.PROJECT_STATE_CHANGED, profile, project)
                yield replace(changed, previous_state=earlier.state)
            yield from self._of_targets(profile, earlier, project, before)
        profiles = {profile.id: profile for profile in self.rig.known_profiles}
        for place in distinct_projects(before):
            now = profiles.get(place.profile.id)
            if place.project.id not in here and now and now.projects and now.projects.complete:
                yield self._project(events.PROJECT_REMOVED, now, place.project)

    def _of_targets(self, profile: Profile, before: Project, after: Project, earlier: Rig) -> Iterator[Event]:
        """Those that came or went: what only moved to another project, or stands in a second one, did neither."""
        if before.targets is None or after.targets is None or before.targets is after.targets:
            return
        old = {target.id for target in before.targets.items}
        new = {target.id for target in after.targets.items}
        if old == new:
            return
        known = {place.target.id for place in all_targets(earlier)}
        now = {place.target.id for place in all_targets(self.rig)}
        added = [target for target in after.targets.items if target.id not in old | known]
        gone = [target for target in before.targets.items if target.id not in new | now]
        for target in (*added, *(gone if after.targets.complete else ())):
            yield replace(
                self._project(events.TARGET_REMOVED if target.id in old else events.TARGET_ADDED, profile, after),
                state=None,
                target_id=target.id,
                target_name=target.name,
            )

    def _of_exposures(self, gains: tuple[Gain, ...]) -> Iterator[Event]:
        for gain in gains:
            for event_type, count in (
                (events.EXPOSURE_ACQUIRED, gain.acquired),
                (events.EXPOSURE_ACCEPTED, gain.accepted),
            ):
                if count:
                    yield replace(
                        self._target(event_type, gain.step.place),
                        filter=gain.step.after.filter,
                        exposure_s=gain.step.after.exposure_s,
                        count=count,
                    )

    def _of_completions(self, places: Places) -> Iterator[Event]:
        """Whatever makes it complete in the plugin is told, an edit or the grader's switch as well as an image.

        Both looks are judged by the rig's exposure throttle of now: a correction of our configuration is no event.
        """
        throttle = self.rig.exposure_throttle_percent
        for place in distinct_targets(self.rig):
            old = places.target(place)
            if old is None:
                continue
            rule, old_rule = (completion_rule(project, throttle) for project in (place.project, old.project))
            if old.target is place.target and old_rule == rule:
                continue
            if all_complete(place.target.exposure_plans, rule) and not all_complete(
                old.target.exposure_plans, old_rule
            ):
                yield replace(
                    self._target(events.TARGET_COMPLETED, place),
                    took_s=self._took_s(place.target.id),
                    accepted_s=target_totals(place.target, rule).accepted_s,
                )
        for owned in distinct_projects(self.rig):
            profile, project = owned.profile, owned.project
            known = places.project(owned)
            earlier = known.project if known else None
            if (
                earlier is not None
                and earlier.targets is not None
                and _is_complete(project, throttle)
                and not _is_complete(earlier, throttle)
            ):
                totals = project_totals(project, throttle)
                yield replace(
                    self._project(events.PROJECT_COMPLETED, profile, project),
                    took_s=self._took_s(project.id),
                    accepted_s=totals.accepted_s if totals else None,
                )

    def _took_s(self, thing_id: str) -> float | None:
        since = self.watch.first_seen.get(thing_id)
        return (self.now - since).total_seconds() if since else None

    def _project(self, event_type: str, profile: Profile, project: Project) -> Event:
        return Event(
            event_type=event_type,
            time=self.now,
            profile_id=profile.id,
            profile_name=profile.name,
            project_id=project.id,
            project_name=project.name,
            state=project.state,
        )

    def _target(self, event_type: str, place: TargetPlace) -> Event:
        return replace(
            self._project(event_type, place.profile, place.project),
            state=None,
            target_id=place.target.id,
            target_name=place.target.name,
        )


def _gains(before: Rig, after: Rig, peaks: Mapping[PlanId, int]) -> tuple[tuple[Gain, ...], Mapping[PlanId, int]]:
    gains: list[Gain] = []
    peaks = dict(peaks)
    for step in progress(before, after):
        if not step.place.profile.active:
            # Several N.I.N.A. can share one database: another profile's exposures are another rig's.
            continue
        plan_id = (step.place.target.id, step.after.key)
        if step.after.acquired < step.before.acquired:
            # Reset by hand: what is taken and accepted from here on is new.
            peaks.pop(plan_id, None)
            continue
        peak = max(peaks.pop(plan_id, 0), step.before.accepted)
        if step.after.accepted < peak:
            peaks[plan_id] = peak
        gains.append(Gain(step, step.acquired, max(0, step.after.accepted - peak)))
    return tuple(gains), peaks


def _tally(watch: Watch, rig: Rig, night: date) -> Tally:
    if watch.tally is not None and (watch.tally.night == night or rig.profiles is None):
        # Before the rig was read its time zone, and with it the night, is a guess.
        return watch.tally
    return Tally(night=night)


def _observed_target(
    watch: Watch, rig: Rig, live: Live, now: datetime, online_since: datetime | None
) -> Appointment | None:
    """The target at work; soon after a start of the bridge that of the earlier run, until its next image is due."""
    current = live.current_target
    if current is not None and current.source == OBSERVED:
        return current
    earlier = watch.current_target
    if earlier is None or rig.online is None:
        return earlier
    due = online_since and online_since + patience(_longest_exposure_s(rig, earlier.target_id))
    return earlier if due and now < due else None


def _longest_exposure_s(rig: Rig, target_id: str) -> float:
    plans = (
        plan for place in all_targets(rig) if place.target.id == target_id for plan in place.target.exposure_plans
    )
    return max((plan.exposure_s or 0.0 for plan in plans), default=0.0)


def _changes_of_target(before: Appointment | None, after: Appointment | None, now: datetime) -> Iterator[Event]:
    if (before.target_id if before else None) == (after.target_id if after else None):
        return
    for event_type, target in ((events.TARGET_FINISHED, before), (events.TARGET_STARTED, after)):
        if target is not None:
            yield Event(
                event_type=event_type,
                time=now,
                project_id=target.project_id,
                project_name=target.project_name,
                target_id=target.target_id,
                target_name=target.name,
            )


def _first_seen(watch: Watch, rig: Rig | None, now: datetime) -> Mapping[str, datetime]:
    if rig is None:
        return watch.first_seen
    ids = {place.project.id for place in all_projects(rig)} | {place.target.id for place in all_targets(rig)}
    if len(ids) == len(watch.first_seen) and all(thing_id in watch.first_seen for thing_id in ids):
        return watch.first_seen
    return {thing_id: watch.first_seen.get(thing_id, now.replace(microsecond=0)) for thing_id in ids}


def _is_complete(project: Project, throttle_percent: int) -> bool:
    targets = project.targets.items if project.targets else ()
    if project.targets and project.targets.without_id:
        # Of a target without an id nobody knows how far it is.
        return False
    plans = (plan for target in targets for plan in target.exposure_plans)
    return all_complete(plans, completion_rule(project, throttle_percent))


def _same_plan(before: NightPlan | None, after: NightPlan) -> bool:
    return before is not None and (before.profile_id, before.night, before.blocks) == (
        after.profile_id,
        after.night,
        after.blocks,
    )
