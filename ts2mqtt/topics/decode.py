"""Reads back what the bridge itself once published: the broker is its memory, there is no state file."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from pydantic import TypeAdapter, ValidationError

from ts2mqtt.observatory.absence import Parents
from ts2mqtt.observatory.changes import Watch, recalled_watch
from ts2mqtt.observatory.evidence import LastExposure
from ts2mqtt.observatory.live import LightFrame
from ts2mqtt.observatory.model import (
    ExposurePlan,
    Listing,
    NightPlan,
    PlanBlock,
    PlannedExposures,
    Profile,
    Project,
    Rig,
    Statistics,
    Target,
)
from ts2mqtt.observatory.night_report import NightReport, PlannedStretch, PlanReport, Stretch, TargetReport
from ts2mqtt.observatory.night_reports import NightReports
from ts2mqtt.observatory.outlook import NightGained
from ts2mqtt.observatory.present import Appointment, Present
from ts2mqtt.observatory.sharpness import HfrCount, Sharpness
from ts2mqtt.observatory.tally import FilterTally, Tally, TargetTally
from ts2mqtt.observatory.tree import all_projects, all_targets
from ts2mqtt.topics import payloads
from ts2mqtt.topics.encode import ONLINE
from ts2mqtt.topics.names import PROFILE, PROJECT, TARGET, Subject, TopicNames
from ts2mqtt.topics.reading import read, read_whole

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

Model = TypeVar("Model", bound=payloads.Payload)
Thing = TypeVar("Thing")

_PARENTS = TypeAdapter(Parents)


@dataclass(frozen=True, slots=True)
class Recalled:
    """What an earlier run left behind about one rig.

    `watch` has the rig only as far as comparing with it needs: ids, names, states, dates and counts. `last_image` is
    the latest light frame that N.I.N.A. told.
    """

    watch: Watch
    last_image: LightFrame | None = None

    @property
    def dates(self) -> tuple[dt.datetime, ...]:
        """Dates of projects: until they are read again, they tell the rig's time zone, and so its night."""
        projects = (place.project for place in all_projects(self.watch.rig)) if self.watch.rig else ()
        dated = chain.from_iterable((own.created, own.activated, own.deactivated) for own in projects)
        return tuple(date for date in dated if date)

    @property
    def statistics(self) -> Mapping[str, tuple[tuple[tuple[str, int, int], ...], Mapping[str, Statistics]]]:
        """By target id: counts (exposure plan key, acquired, accepted) and the statistics read at those counts."""
        recalled = {}
        for target in (place.target for place in all_targets(self.watch.rig)) if self.watch.rig else ():
            found = {plan.key: plan.statistics for plan in target.exposure_plans if plan.statistics}
            if found:
                counts = tuple((plan.key, plan.acquired, plan.accepted) for plan in target.exposure_plans)
                recalled[target.id] = (counts, found)
        return recalled


def recall(names: TopicNames, retained: Mapping[str, bytes]) -> dict[str, Recalled]:
    """By rig id, what the retained messages tell; whatever cannot be read is as if it had not been there."""
    things: defaultdict[str, defaultdict[str, list[bytes]]] = defaultdict(lambda: defaultdict(list))
    for topic, payload in retained.items():
        subject = names.subject(topic)
        if subject:
            things[subject.rig_id][subject.kind or ""].append(payload)
    return {
        rig_id: Recalled(
            _watch(names, rig_id, of_rig, retained), _last_image(retained.get(names.rig_state(rig_id), b""))
        )
        for rig_id, of_rig in things.items()
    }


def parents(payload: bytes) -> Parents:
    """Where a published project or target belonged; nowhere if the payload cannot be read."""
    try:
        return _PARENTS.validate_json(payload)
    except ValidationError:
        return Parents()


def children(payload: bytes) -> tuple[tuple[str, str], ...]:
    """(kind, id) of the things that a published rig state, profile or project names as its own."""
    named = read_whole(payloads.Children, payload)
    if named is None:
        return ()
    return tuple(
        (kind, thing.id)
        for kind, things in ((PROFILE, named.profiles), (PROJECT, named.projects), (TARGET, named.targets))
        for thing in things or ()
    )


def rigs_named_in(payload: bytes) -> frozenset[str]:
    """The ids of the rigs that a bridge names as its own; none if the payload cannot be read."""
    named = read_whole(payloads.Children, payload)
    return frozenset(rig.id for rig in named.rigs or ()) if named else frozenset()


def rigs_told_in(payload: bytes) -> tuple[payloads.BridgeRig, ...]:
    """The rigs that a bridge names as its own, with their addresses; none if the payload cannot be read."""
    told = read_whole(payloads.BridgeRigs, payload)
    return tuple(told.rigs) if told else ()


def is_about(payload: bytes, subject: Subject) -> bool:
    """Whether the payload itself names the rig that its topic is about."""
    identity = read_whole(payloads.Identity, payload)
    return identity is not None and subject.rig_id in {identity.id, identity.rig_id}


def instance_in(payload: bytes) -> str | None:
    """Which running bridge has written this about itself; None if that cannot be read."""
    identity = read_whole(payloads.Identity, payload)
    return identity.instance if identity else None


def heartbeat_in(payload: bytes) -> payloads.Heartbeat | None:
    """None for what is no heartbeat."""
    return read_whole(payloads.Heartbeat, payload)


def is_question(payload: bytes) -> bool:
    """Whether somebody asks a bridge at work for a heartbeat."""
    question = read_whole(payloads.Question, payload)
    return question is not None and question.ask


def night_report(report: payloads.NightReport) -> NightReport:
    """The report of a night, as it was published."""
    return NightReport(
        night=report.night,
        seen_from=report.seen_from,
        plan_fetched=report.plan_fetched,
        planned=tuple(PlannedStretch(**vars(one)) for one in report.planned),
        answered=report.answered,
        unplaced=report.unplaced,
        complete=report.complete,
        targets=tuple(_target_report(target) for target in report.targets),
        last_image=LightFrame(**vars(report.last_image)) if report.last_image else None,
        sharpness=tuple(
            Sharpness(
                target_id=one.target_id,
                key=one.key,
                counts=tuple(HfrCount(hfr, count) for hfr, count in one.counts),
            )
            for one in report.hfr_counts
        ),
    )


def _watch(names: TopicNames, rig_id: str, things: Mapping[str, list[bytes]], retained: Mapping[str, bytes]) -> Watch:
    profiles = _readable(payloads.Profile, things[PROFILE])
    projects = _readable(payloads.Project, things[PROJECT])
    targets = _readable(payloads.Target, things[TARGET])
    state = read(payloads.State, retained.get(names.rig_state(rig_id), b""))
    plan = read_whole(payloads.Plan, retained.get(names.rig_plan(rig_id), b""))
    night = read(payloads.Night, retained.get(names.rig_night(rig_id), b""))
    tonight = state.tonight.report if state else None
    rig = None
    if profiles:
        rig = Rig(
            id=rig_id,
            name="",
            api_version="",
            url="",
            online=retained.get(names.rig_status(rig_id)) == ONLINE,
            profiles=Listing(_profiles(profiles, projects, targets)),
        )
    dated: tuple[payloads.Project | payloads.Target, ...] = (*projects, *targets)
    return recalled_watch(
        rig=rig,
        plan=_night_plan(plan) if plan else None,
        present=_present(state) if state and state.activity else None,
        tally=_tally(state.tonight) if state else None,
        nights=NightReports(
            tonight=night_report(tonight) if tonight else None, last=night_report(night) if night else None
        ),
        history={
            target.id: tuple(NightGained(**vars(night)) for night in target.nights)
            for target in targets
            if target.nights
        },
        first_seen={thing.id: thing.first_seen for thing in dated if thing.first_seen},
        peaks={
            (target.id, plan.key): plan.accepted_peak
            for target in targets
            for plan in target.exposure_plans
            if plan.accepted_peak is not None
        },
    )


def _readable(model: type[Model], retained: Iterable[bytes]) -> list[Model]:
    found = (read(model, payload) for payload in retained)
    return [thing for thing in found if thing is not None]


def _profiles(
    profiles: Iterable[payloads.Profile], projects: Iterable[payloads.Project], targets: Iterable[payloads.Target]
) -> tuple[Profile, ...]:
    """What stands in two places was published in the one that counts; its state in the other is not known."""
    known_targets = {target.id: _target(target) for target in targets}
    of_profile: defaultdict[str, dict[str, Project]] = defaultdict(dict)
    elsewhere: dict[str, Project] = {}
    for project in projects:
        known = _project(project, known_targets)
        of_profile[project.profile_id][project.id] = known
        elsewhere[project.id] = replace(known, state=None)
    return tuple(_profile(profile, elsewhere | of_profile[profile.id]) for profile in profiles)


def _profile(profile: payloads.Profile, known: Mapping[str, Project]) -> Profile:
    return Profile(
        id=profile.id, name=profile.name, active=profile.active, projects=_listing(profile.projects, known)
    )


def _project(project: payloads.Project, known: Mapping[str, Target]) -> Project:
    return Project(
        id=project.id,
        name=project.name,
        state=project.state,
        created=project.created,
        activated=project.activated,
        deactivated=project.deactivated,
        filter_switch_frequency=project.filter_switch_frequency,
        enable_grader=project.enable_grader,
        smart_exposure_order=project.smart_exposure_order,
        targets=_listing(project.targets, known),
    )


def _listing(named: list[payloads.Named] | None, known: Mapping[str, Thing]) -> Listing[Thing] | None:
    """The children that their parent names; None unless all are known, for what seems to be new is told as added."""
    if named is None or any(thing.id not in known for thing in named):
        return None
    return Listing(tuple(known[thing.id] for thing in named))


def _target(target: payloads.Target) -> Target:
    return Target(
        id=target.id, name=target.name, exposure_plans=tuple(_exposure_plan(plan) for plan in target.exposure_plans)
    )


def _exposure_plan(plan: payloads.ExposurePlan) -> ExposurePlan:
    return ExposurePlan(
        key=plan.key,
        template=plan.template,
        filter=plan.filter,
        exposure_s=plan.exposure_s,
        desired=plan.desired,
        acquired=plan.acquired,
        accepted=plan.accepted,
        ungraded=plan.ungraded,
        statistics=_statistics(plan.statistics) if plan.statistics else None,
    )


def _statistics(statistics: payloads.Statistics) -> Statistics | None:
    """None if nothing of them could be read: as if they were read, the rig would not be asked for them again."""
    return Statistics(**vars(statistics)) if statistics.model_fields_set else None


def _tally(tonight: payloads.Tonight) -> Tally | None:
    if tonight.date is None:
        return None
    return Tally(
        night=tonight.date,
        targets=tuple(
            TargetTally(
                id=target.id, name=target.name, filters=tuple(FilterTally(**vars(row)) for row in target.filters)
            )
            for target in tonight.targets
        ),
    )


def _target_report(target: payloads.TargetOfNight) -> TargetReport:
    return TargetReport(
        id=target.id,
        name=target.name,
        project_id=target.project_id,
        project_name=target.project_name,
        completed=target.completed,
        plans=tuple(
            PlanReport(
                key=row.key,
                filter=row.filter,
                exposure_s=row.exposure_s,
                acquired=row.acquired,
                accepted=row.accepted,
                accepted_at_least=row.accepted_at_least,
                rejected=row.rejected,
                pending=row.pending,
                acquired_before=row.acquired_before,
                accepted_before=row.accepted_before,
                pending_before=row.pending_before,
            )
            for row in target.filters
        ),
        stretches=tuple(Stretch(**vars(one)) for one in target.imaged),
    )


def _present(state: payloads.State) -> Present:
    """What was said last, without what was to come next."""
    current, last = state.current_target, state.last_exposure
    return Present(
        activity=state.activity,
        activity_since=state.activity_since,
        current_target=_appointment(current) if current else None,
        last_exposure=LastExposure(**vars(last)) if last else None,
    )


def _last_image(state: bytes) -> LightFrame | None:
    known = read(payloads.State, state)
    return LightFrame(**vars(known.last_image)) if known and known.last_image else None


def _appointment(target: payloads.Appointment) -> Appointment:
    return Appointment(
        target_id=target.id,
        name=target.name,
        project_id=target.project_id,
        project_name=target.project_name,
        start=target.start,
        end=target.end,
        source=target.source,
    )


def _night_plan(plan: payloads.Plan) -> NightPlan | None:
    """None before there was a plan."""
    if plan.profile_id is None or plan.night is None or plan.fetched is None:
        return None
    return NightPlan(
        profile_id=plan.profile_id,
        night=plan.night,
        fetched=plan.fetched,
        blocks=tuple(_block(block) for block in plan.blocks),
        inputs=plan.inputs,
    )


def _block(block: payloads.PlanBlock) -> PlanBlock:
    return PlanBlock(
        target_id=block.id,
        name=block.name,
        start=block.start,
        end=block.end,
        dropped=block.dropped,
        exposures=tuple(PlannedExposures(**vars(run)) for run in block.exposures),
        extra=block.extra,
    )
