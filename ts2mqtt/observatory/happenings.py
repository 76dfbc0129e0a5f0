"""What has happened at a rig between two looks, event by event."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ts2mqtt.observatory import events
from ts2mqtt.observatory.completion import all_complete, completion_rule
from ts2mqtt.observatory.events import Event
from ts2mqtt.observatory.evidence import LIVE
from ts2mqtt.observatory.totals import project_totals, target_totals
from ts2mqtt.observatory.tree import all_projects, all_targets, distinct_projects, distinct_targets, places_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from ts2mqtt.observatory.exposures import Gain
    from ts2mqtt.observatory.look import Look
    from ts2mqtt.observatory.model import NightPlan, Profile, Project, Rig
    from ts2mqtt.observatory.present import Appointment, Present
    from ts2mqtt.observatory.tree import Places, TargetPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class Happenings:
    """One look and what was known before it; `announced` is when N.I.N.A. announced the target at work."""

    rig_before: Rig | None
    plan_before: NightPlan | None
    present_before: Present | None
    first_seen: Mapping[str, datetime]
    look: Look
    gains: tuple[Gain, ...]
    announced: datetime | None = None

    def events(self, present: Present | None) -> tuple[Event, ...]:
        """All that has happened until `present`, as it is now; in the order in which it is told."""
        before, after = self.rig_before, self.look.rig
        of_the_database = self._of_the_database(before) if before and after.profiles is not None else ()
        return (*self._of_the_rig(), *of_the_database, *self._of_targets_at_work(present))

    def _of_the_rig(self) -> Iterator[Event]:
        before, after, plan = self.rig_before, self.look.rig, self.look.plan
        if before is None:
            return
        if after.online is not None and before.online is not after.online:
            yield self._event(events.RIG_ONLINE if after.online else events.RIG_OFFLINE)
        if plan is not None and not _same_plan(self.plan_before, plan):
            yield replace(self._event(events.PLAN_CHANGED), profile_id=plan.profile_id, night=plan.night)

    def _of_the_database(self, before: Rig) -> Iterator[Event]:
        old, new = before.active_profile, self.look.rig.active_profile
        if old and new and old.id != new.id:
            yield replace(self._event(events.PROFILE_CHANGED), profile_id=new.id, profile_name=new.name)
        if before is self.look.rig:
            return
        places = places_of(before)
        yield from self._of_projects(before, places)
        yield from self._of_exposures()
        yield from self._of_completed_targets(places)
        yield from self._of_completed_projects(places)

    def _of_projects(self, before: Rig, old_places: Places) -> Iterator[Event]:
        """Each project once, in the place that counts, compared with what was known of it in that very place."""
        old_profiles = {profile.id: profile for profile in before.known_profiles}
        here = {place.project.id for place in all_projects(self.look.rig)}
        for place in distinct_projects(self.look.rig):
            profile, project = place.profile, place.project
            old, known = old_profiles.get(profile.id), old_places.project(place)
            if known is None:
                if old is not None and old.projects is not None:
                    yield self._of_project(events.PROJECT_ADDED, profile, project)
                continue
            earlier = known.project
            if project.state != earlier.state and None not in {project.state, earlier.state}:
                changed = self._of_project(events.PROJECT_STATE_CHANGED, profile, project)
                yield replace(changed, previous_state=earlier.state)
            yield from self._of_targets(profile, earlier, project, before)
        profiles = {profile.id: profile for profile in self.look.rig.known_profiles}
        for place in distinct_projects(before):
            now = profiles.get(place.profile.id)
            if place.project.id not in here and now and now.projects and now.projects.complete:
                yield self._of_project(events.PROJECT_REMOVED, now, place.project)

    def _of_targets(self, profile: Profile, before: Project, after: Project, earlier: Rig) -> Iterator[Event]:
        """Those that came or went: what only moved to another project, or stands in a second one, did neither."""
        if before.targets is None or after.targets is None or before.targets is after.targets:
            return
        old = {target.id for target in before.targets.items}
        new = {target.id for target in after.targets.items}
        if old == new:
            return
        known = {place.target.id for place in all_targets(earlier)}
        now = {place.target.id for place in all_targets(self.look.rig)}
        added = [target for target in after.targets.items if target.id not in old | known]
        gone = [target for target in before.targets.items if target.id not in new | now]
        for target in (*added, *(gone if after.targets.complete else ())):
            yield replace(
                self._of_project(events.TARGET_REMOVED if target.id in old else events.TARGET_ADDED, profile, after),
                state=None,
                target_id=target.id,
                target_name=target.name,
            )

    def _of_exposures(self) -> Iterator[Event]:
        for gain in self.gains:
            for event_type, count in (
                (events.EXPOSURE_ACQUIRED, gain.acquired),
                (events.EXPOSURE_ACCEPTED, gain.accepted),
            ):
                if count:
                    yield replace(
                        self._of_target(event_type, gain.step.place),
                        time=gain.time,
                        filter=gain.step.after.filter,
                        exposure_s=gain.step.after.exposure_s,
                        count=count,
                    )

    def _of_completed_targets(self, places: Places) -> Iterator[Event]:
        """Whatever makes it complete in the plugin is told, an edit or the grader's switch as well as an image.

        Both looks are judged by the rig's exposure throttle of now: a correction of our configuration is no event.
        """
        throttle = self.look.rig.exposure_throttle_percent
        for place in distinct_targets(self.look.rig):
            old = places.target(place)
            if old is None:
                continue
            rule, old_rule = (completion_rule(project, throttle) for project in (place.project, old.project))
            if old.target is place.target and old_rule == rule:
                continue
            if all_complete(place.target.exposure_plans, rule) and not all_complete(
                old.target.exposure_plans, old_rule
            ):
                time = self._time_of_gain({place.target.id})
                yield replace(
                    self._of_target(events.TARGET_COMPLETED, place),
                    time=time,
                    took_s=self._took_s(place.target.id, time),
                    accepted_s=target_totals(place.target, rule).accepted_s,
                )

    def _of_completed_projects(self, places: Places) -> Iterator[Event]:
        throttle = self.look.rig.exposure_throttle_percent
        for owned in distinct_projects(self.look.rig):
            profile, project = owned.profile, owned.project
            known = places.project(owned)
            earlier = known.project if known else None
            if earlier is None or _are_as_complete(earlier, project):
                continue
            if (
                earlier.targets is not None
                and _is_complete(project, throttle)
                and not _is_complete(earlier, throttle)
            ):
                totals = project_totals(project, throttle)
                time = self._time_of_gain(_target_ids(project))
                yield replace(
                    self._of_project(events.PROJECT_COMPLETED, profile, project),
                    time=time,
                    took_s=self._took_s(project.id, time),
                    accepted_s=totals.accepted_s if totals else None,
                )

    def _of_targets_at_work(self, present: Present | None) -> Iterator[Event]:
        before = self.present_before.observed_target if self.present_before else None
        after = present.observed_target if present else None
        if (before.target_id if before else None) == (after.target_id if after else None):
            return
        if before is not None:
            yield replace(self._of_appointment(events.TARGET_FINISHED, before), time=self._finished(before))
        if after is not None:
            yield replace(self._of_appointment(events.TARGET_STARTED, after), time=self._started(after))

    def _finished(self, target: Appointment) -> datetime:
        """When its last exposure ended."""
        last = self.present_before.last_exposure if self.present_before else None
        times = [gain.time for gain in self.gains if gain.acquired and gain.step.place.target.id == target.target_id]
        if last is not None and last.target_id == target.target_id:
            times.append(last.time)
        return min(max(times, default=self.look.now), self.look.now)

    def _started(self, target: Appointment) -> datetime:
        """When its first exposure began, or N.I.N.A. announced it."""
        if target.source == LIVE and self.announced is not None:
            return min(self.announced, self.look.now)
        times = [gain.began for gain in self.gains if gain.acquired and gain.step.place.target.id == target.target_id]
        return min(times, default=self.look.now)

    def _time_of_gain(self, target_ids: Collection[str]) -> datetime:
        """When these targets gained the latest exposure or acceptance; now, if something else has changed."""
        times = [gain.time for gain in self.gains if gain.step.place.target.id in target_ids]
        return max(times, default=self.look.now)

    def _took_s(self, thing_id: str, until: datetime) -> float | None:
        since = self.first_seen.get(thing_id)
        return max(0.0, (until - since).total_seconds()) if since else None

    def _event(self, event_type: str) -> Event:
        return Event(event_type=event_type, time=self.look.now, noticed=self.look.now)

    def _of_project(self, event_type: str, profile: Profile, project: Project) -> Event:
        return replace(
            self._event(event_type),
            profile_id=profile.id,
            profile_name=profile.name,
            project_id=project.id,
            project_name=project.name,
            state=project.state,
        )

    def _of_target(self, event_type: str, place: TargetPlace) -> Event:
        return replace(
            self._of_project(event_type, place.profile, place.project),
            state=None,
            target_id=place.target.id,
            target_name=place.target.name,
        )

    def _of_appointment(self, event_type: str, target: Appointment) -> Event:
        return replace(
            self._event(event_type),
            project_id=target.project_id,
            project_name=target.project_name,
            target_id=target.target_id,
            target_name=target.name,
        )


def _target_ids(project: Project) -> frozenset[str]:
    return frozenset(target.id for target in project.targets.items) if project.targets else frozenset()


def _are_as_complete(earlier: Project, project: Project) -> bool:
    """Whether what decides about it is the very same: most projects, at most looks."""
    return earlier.targets is project.targets and earlier.enable_grader is project.enable_grader


def _is_complete(project: Project, throttle_percent: int) -> bool:
    if project.targets and project.targets.without_id:
        # Of a target without an id nobody knows how far it is.
        return False
    targets = project.targets.items if project.targets else ()
    plans = (plan for target in targets for plan in target.exposure_plans)
    return all_complete(plans, completion_rule(project, throttle_percent))


def _same_plan(before: NightPlan | None, after: NightPlan) -> bool:
    return before is not None and _as_planned(before) == _as_planned(after)


def _as_planned(plan: NightPlan) -> tuple[object, ...]:
    """What a plan says, whatever became of it."""
    return plan.profile_id, plan.night, tuple(replace(block, dropped=False) for block in plan.blocks)
