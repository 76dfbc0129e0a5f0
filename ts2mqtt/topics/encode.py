"""Makes the complete set of a rig's retained messages from what is known of it, and the payloads of its events.

Where a dataclass of the observatory has the very keys of a payload, all are told; a test keeps the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import fsum
from typing import TYPE_CHECKING, Any, NamedTuple

from ts2mqtt.observatory.completion import completion_rule
from ts2mqtt.observatory.coordinates import dec_text, ra_degrees, ra_text
from ts2mqtt.observatory.model import PROJECT_STATES
from ts2mqtt.observatory.oddities import things_without_id
from ts2mqtt.observatory.outlook import outlook, together
from ts2mqtt.observatory.plan_in_hand import is_outdated
from ts2mqtt.observatory.totals import (
    profile_totals,
    project_to_image_s,
    project_totals,
    target_to_image_s,
    target_totals,
)
from ts2mqtt.observatory.tree import distinct_projects, distinct_targets
from ts2mqtt.topics import payloads
from ts2mqtt.topics.message import Message
from ts2mqtt.topics.names import PROFILE, PROJECT, TARGET, TopicNames

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date, datetime

    from _typeshed import DataclassInstance

    from ts2mqtt.observatory.changes import Watch
    from ts2mqtt.observatory.completion import CompletionRule
    from ts2mqtt.observatory.events import Event
    from ts2mqtt.observatory.evidence import LastExposure
    from ts2mqtt.observatory.live import LightFrame, LiveFacts
    from ts2mqtt.observatory.model import (
        ExposurePlan,
        NightPlan,
        PlanBlock,
        Profile,
        Project,
        Rig,
        Statistics,
        Target,
    )
    from ts2mqtt.observatory.night_report import NightReport, TargetReport
    from ts2mqtt.observatory.outlook import NightGained
    from ts2mqtt.observatory.present import Appointment, Present
    from ts2mqtt.observatory.sharpness import Sharpness
    from ts2mqtt.observatory.sky import NightSky
    from ts2mqtt.observatory.tally import Tally, TargetTally
    from ts2mqtt.observatory.totals import Totals
    from ts2mqtt.observatory.tree import ProjectPlace, TargetPlace

ONLINE, OFFLINE = b"online", b"offline"


@dataclass(frozen=True, slots=True)
class RigView:
    """All that is known of a rig at one moment.

    `picture` is the night plan as a PNG, `last_picture` the last night, None while there is none; `skies` is by
    target id. `has_unknown_skies` until they were worked out once: what an earlier run has published of a target is
    better than that. `live` is None where nobody listens to N.I.N.A. itself.
    """

    rig: Rig
    plan: NightPlan | None
    present: Present
    watch: Watch
    picture: bytes | None = None
    skies: Mapping[str, NightSky] = field(default_factory=dict)
    has_unknown_skies: bool = False
    live: LiveFacts | None = None
    last_picture: bytes | None = None


def rig_messages(names: TopicNames, view: RigView) -> dict[str, Message]:
    """By topic, what should stand there.

    There is no message for a thing that was never read, so that what the broker holds of it stays.
    """
    return RigStates(names).messages(view)


class RigStates:
    """The states of one rig as it changes: of what is as it was, nothing is written anew."""

    def __init__(self, names: TopicNames) -> None:
        self._names = names
        self._written: dict[str, _Written] = {}

    def messages(self, view: RigView) -> dict[str, Message]:
        """As rig_messages()."""
        rig, names, before = view.rig, self._names, self._written
        self._written = {topic: _written(content, before.get(topic)) for topic, content in _contents(names, view)}
        return {
            names.rig_status(rig.id): Message(ONLINE if rig.online else OFFLINE, provisional=rig.online is None),
            names.rig_state(rig.id): Message(_state(view).to_bytes(), provisional=rig.profiles is None),
            **{topic: written.message for topic, written in self._written.items()},
        }


def event_payload(rig: Rig, event: Event) -> bytes:
    """What is published, not retained, on the rig's event topic."""
    return payloads.Event(rig_id=rig.id, rig_name=rig.name, **_fields_of(event)).to_bytes()


class _PlanContent(NamedTuple):
    rig_id: str
    rig_name: str
    plan: NightPlan | None
    profile_name: str | None
    outdated: bool | None

    def message(self) -> Message:
        return Message(_plan(self).to_bytes(), provisional=self.plan is None)


class _NightContent(NamedTuple):
    rig_id: str
    rig_name: str
    report: NightReport

    def message(self) -> Message:
        return Message(_night(self).to_bytes())


class _PictureContent(NamedTuple):
    png: bytes

    def message(self) -> Message:
        return Message(self.png)


class _ProfileContent(NamedTuple):
    rig_id: str
    rig_name: str
    throttle_percent: int
    profile: Profile

    def message(self) -> Message:
        return _message(_profile(self))


class _ProjectContent(NamedTuple):
    """`histories` are those of its targets, in their order."""

    rig_id: str
    rig_name: str
    throttle_percent: int
    profile_id: str
    profile_name: str
    project: Project
    first_seen: datetime | None
    histories: tuple[tuple[NightGained, ...], ...]
    tonight: date | None

    def message(self) -> Message:
        return _message(_project(self))


class _TargetContent(NamedTuple):
    """`peaks` are those of its exposure plans, in their order; `scheduled` is from when to when."""

    rig_id: str
    rig_name: str
    profile_id: str
    profile_name: str
    project_id: str
    project_name: str
    rule: CompletionRule
    target: Target
    first_seen: datetime | None
    sky: NightSky | None
    scheduled: tuple[datetime, datetime] | None
    peaks: tuple[int | None, ...]
    nights: tuple[NightGained, ...]
    tonight: date | None
    is_provisional: bool

    def message(self) -> Message:
        return Message(_target(self).to_bytes(), provisional=self.is_provisional)


_Content = _PlanContent | _NightContent | _PictureContent | _ProfileContent | _ProjectContent | _TargetContent
"""All that a message depends on, and nothing else: while it is equal, so is the message."""


class _Written(NamedTuple):
    content: _Content
    message: Message


def _written(content: _Content, before: _Written | None) -> _Written:
    return before if before and before.content == content else _Written(content, content.message())


def _contents(names: TopicNames, view: RigView) -> Iterator[tuple[str, _Content]]:
    """By topic, of all but the rig's status and state."""
    rig = view.rig
    yield names.rig_plan(rig.id), _plan_content(view)
    if view.picture:
        yield names.rig_plan_image(rig.id), _PictureContent(view.picture)
    if view.last_picture:
        yield names.rig_night_image(rig.id), _PictureContent(view.last_picture)
    if view.watch.nights.last:
        yield names.rig_night(rig.id), _NightContent(rig.id, rig.name, view.watch.nights.last)
    for profile in rig.known_profiles:
        content = _ProfileContent(rig.id, rig.name, rig.exposure_throttle_percent, profile)
        yield names.thing(rig.id, PROFILE, profile.id), content
    for owned in distinct_projects(rig):
        yield names.thing(rig.id, PROJECT, owned.project.id), _project_content(view, owned)
    for place in distinct_targets(rig):
        yield names.thing(rig.id, TARGET, place.target.id), _target_content(view, place)


def _plan_content(view: RigView) -> _PlanContent:
    rig, plan = view.rig, view.plan
    profile = next((p for p in rig.known_profiles if plan and p.id == plan.profile_id), None)
    return _PlanContent(rig.id, rig.name, plan, profile.name if profile else None, is_outdated(plan, rig))


def _project_content(view: RigView, place: ProjectPlace) -> _ProjectContent:
    rig, profile, project = view.rig, place.profile, place.project
    targets = project.targets.items if project.targets else ()
    return _ProjectContent(
        rig.id,
        rig.name,
        rig.exposure_throttle_percent,
        profile.id,
        profile.name,
        project,
        view.watch.first_seen.get(project.id),
        tuple(view.watch.history.get(target.id, ()) for target in targets),
        _tonight_of(view),
    )


def _target_content(view: RigView, place: TargetPlace) -> _TargetContent:
    rig, profile, project, target = view.rig, place.profile, place.project, place.target
    peaks = view.watch.peaks
    return _TargetContent(
        rig.id,
        rig.name,
        profile.id,
        profile.name,
        project.id,
        project.name,
        completion_rule(project, rig.exposure_throttle_percent),
        target,
        view.watch.first_seen.get(target.id),
        view.skies.get(target.id),
        _scheduled(view.plan, place),
        tuple(peaks.get((target.id, plan.key)) for plan in target.exposure_plans),
        view.watch.history.get(target.id, ()),
        _tonight_of(view),
        view.has_unknown_skies,
    )


def _tonight_of(view: RigView) -> date | None:
    return view.watch.tally.night if view.watch.tally else None


def _message(payload: payloads.Profile | payloads.Project) -> Message:
    # Without its targets a project's totals are unknown; that must not replace what was known before a restart.
    return Message(payload.to_bytes(), provisional=payload.progress is None)


def _state(view: RigView) -> payloads.State:
    rig, present, live = view.rig, view.present, view.live
    active = rig.active_profile
    return payloads.State(
        id=rig.id,
        name=rig.name,
        plugin_version=rig.plugin_version,
        api_version=rig.api_version,
        profiles=[_named(profile) for profile in rig.known_profiles] if rig.profiles else None,
        active_profile=_named(active) if active else None,
        without_id=_without_id(rig),
        activity=present.activity,
        activity_since=present.activity_since,
        imaging=present.imaging if rig.online else None,
        evidence=present.evidence,
        current_target=_appointment(present.current_target),
        next_target=_appointment(present.next_target),
        last_exposure=_last_exposure(present.last_exposure),
        tonight=_tonight(view.watch.tally, view.watch.nights.tonight),
        waiting_until=present.waiting_until,
        sequence_running=live.sequence_running if live else None,
        safe=live.safe if live else None,
        last_image=_last_image(live.last_image) if live else None,
        live=payloads.Live(connected=live.connected, version=live.version) if live else None,
    )


def _without_id(rig: Rig) -> payloads.WithoutId | None:
    if rig.profiles is None:
        return None
    things = things_without_id(rig)
    return payloads.WithoutId(projects=list(things.projects), targets=things.targets)


def _tonight(tally: Tally | None, report: NightReport | None) -> payloads.Tonight:
    return payloads.Tonight(
        date=tally.night if tally else None,
        exposures_acquired=tally.exposures_acquired if tally else None,
        exposures_accepted=tally.exposures_accepted if tally else None,
        integration_s=tally.integration_s if tally else None,
        targets=[_target_tonight(target) for target in tally.targets] if tally else [],
        report=payloads.NightReport(**_night_report(report)) if report else None,
    )


def _target_tonight(target: TargetTally) -> payloads.TargetTonight:
    return payloads.TargetTonight(
        id=target.id,
        name=target.name,
        filters=[payloads.FilterTonight(**_fields_of(row)) for row in target.filters],
    )


def _night(content: _NightContent) -> payloads.Night:
    return payloads.Night(rig_id=content.rig_id, rig_name=content.rig_name, **_night_report(content.report))


def _night_report(report: NightReport) -> dict[str, Any]:
    return {
        **_counts(report),
        "night": report.night,
        "start": report.start,
        "end": report.end,
        "planned_s": report.planned_s,
        "imaged_s": report.imaged_s,
        "reason": report.reason,
        "targets": [_target_of_night(report, target) for target in report.targets],
        "planned": [payloads.PlannedOfNight(**_fields_of(one)) for one in report.planned],
        "plan_fetched": report.plan_fetched,
        "seen_from": report.seen_from,
        "complete": report.complete,
        "answered": report.answered,
        "unplaced": report.unplaced,
        "last_image": _last_image(report.last_image),
        "hfr_counts": [_hfr_counts(one) for one in report.sharpness],
    }


def _target_of_night(report: NightReport, target: TargetReport) -> payloads.TargetOfNight:
    return payloads.TargetOfNight(
        id=target.id,
        name=target.name,
        project_id=target.project_id,
        project_name=target.project_name,
        hfr_median=report.hfr_median(target.id),
        completed=target.completed,
        filters=[
            payloads.FilterOfNight(
                integration_s=plan.integration_s,
                hfr_median=report.hfr_median(target.id, plan.key),
                **_fields_of(plan),
            )
            for plan in target.plans
        ],
        imaged=[payloads.Stretch(**_fields_of(stretch)) for stretch in target.stretches],
        **_counts(target),
    )


def _hfr_counts(sharpness: Sharpness) -> payloads.HfrCounts:
    return payloads.HfrCounts(
        target_id=sharpness.target_id,
        key=sharpness.key,
        counts=[(one.hfr, one.count) for one in sharpness.counts],
    )


def _counts(report: NightReport | TargetReport) -> dict[str, Any]:
    return {name: getattr(report, name) for name in payloads.NightCounts.model_fields}


def _last_exposure(last: LastExposure | None) -> payloads.LastExposure | None:
    if last is None:
        return None
    return payloads.LastExposure(**_fields_of(last))


def _last_image(last: LightFrame | None) -> payloads.LastImage | None:
    return payloads.LastImage(**_fields_of(last)) if last else None


def _appointment(appointment: Appointment | None) -> payloads.Appointment | None:
    if appointment is None:
        return None
    return payloads.Appointment(
        id=appointment.target_id,
        name=appointment.name,
        project_id=appointment.project_id,
        project_name=appointment.project_name,
        start=appointment.start,
        end=appointment.end,
        source=appointment.source,
    )


def _profile(content: _ProfileContent) -> payloads.Profile:
    profile = content.profile
    projects = profile.projects.items if profile.projects else ()
    counts = {state: sum(project.state == state for project in projects) for state in PROJECT_STATES}
    return payloads.Profile(
        id=profile.id,
        name=profile.name,
        rig_id=content.rig_id,
        rig_name=content.rig_name,
        active=profile.active,
        projects=[_named(project) for project in projects] if profile.projects else None,
        project_counts=payloads.ProjectCounts(**counts) if profile.projects else None,
        extra=dict(profile.extra),
        **_totals(profile_totals(profile, content.throttle_percent)),
    )


def _project(content: _ProjectContent) -> payloads.Project:
    project, throttle = content.project, content.throttle_percent
    totals = project_totals(project, throttle)
    return payloads.Project(
        id=project.id,
        name=project.name,
        rig_id=content.rig_id,
        rig_name=content.rig_name,
        profile_id=content.profile_id,
        profile_name=content.profile_name,
        targets=[_named(target) for target in project.targets.items] if project.targets else None,
        first_seen=content.first_seen,
        state=project.state,
        priority=project.priority,
        description=project.description,
        created=project.created,
        activated=project.activated,
        deactivated=project.deactivated,
        minimum_time_min=project.minimum_time_min,
        use_custom_horizon=project.use_custom_horizon,
        horizon_offset_deg=project.horizon_offset_deg,
        meridian_window_min=project.meridian_window_min,
        filter_switch_frequency=project.filter_switch_frequency,
        dither_every=project.dither_every,
        enable_grader=project.enable_grader,
        exposure_throttle=completion_rule(project, throttle).decisive_throttle_percent,
        mosaic=project.mosaic,
        flats_handling=project.flats_handling,
        flats_period_days=project.flats_period_days,
        minimum_altitude_deg=project.minimum_altitude_deg,
        maximum_altitude_deg=project.maximum_altitude_deg,
        smart_exposure_order=project.smart_exposure_order,
        extra=dict(project.extra),
        **_totals(totals),
        **_ahead(together(content.histories), totals, project_to_image_s(project, throttle), content.tonight),
    )


def _target(content: _TargetContent) -> payloads.Target:
    target, rule, sky = content.target, content.rule, content.sky
    scheduled, totals = content.scheduled, target_totals(target, rule)
    return payloads.Target(
        id=target.id,
        name=target.name,
        rig_id=content.rig_id,
        rig_name=content.rig_name,
        profile_id=content.profile_id,
        profile_name=content.profile_name,
        project_id=content.project_id,
        project_name=content.project_name,
        first_seen=content.first_seen,
        active=target.active,
        ra_hours=target.ra_hours,
        ra_deg=None if target.ra_hours is None else ra_degrees(target.ra_hours),
        dec_deg=target.dec_deg,
        ra=None if target.ra_hours is None else ra_text(target.ra_hours),
        dec=None if target.dec_deg is None else dec_text(target.dec_deg),
        rotation_deg=target.rotation_deg,
        epoch=target.epoch,
        roi_percent=target.roi_percent,
        altitude_max_deg=round(sky.altitude_max_deg, 1) if sky else None,
        transit=sky.transit if sky else None,
        moon_separation_deg=round(sky.moon_separation_deg, 1) if sky else None,
        scheduled=payloads.Scheduled(start=scheduled[0], end=scheduled[1]) if scheduled else None,
        exposure_throttle=rule.decisive_throttle_percent,
        exposure_plans=[
            _exposure_plan(plan, rule, peak) for plan, peak in zip(target.exposure_plans, content.peaks, strict=True)
        ],
        extra=dict(target.extra),
        nights=[payloads.NightGained(**_fields_of(night)) for night in content.nights],
        **_totals(totals),
        **_ahead(content.nights, totals, target_to_image_s(target, rule), content.tonight),
    )


def _exposure_plan(plan: ExposurePlan, rule: CompletionRule, peak: int | None) -> payloads.ExposurePlan:
    return payloads.ExposurePlan(
        key=plan.key,
        template=plan.template,
        filter=plan.filter,
        exposure_s=plan.exposure_s,
        desired=plan.desired,
        acquired=plan.acquired,
        accepted=plan.accepted,
        ungraded=plan.ungraded,
        accepted_peak=peak,
        pending=rule.pending(plan),
        rejected=rule.rejected(plan),
        acceptance=rule.acceptance(plan),
        progress=rule.progress(plan),
        remaining_s=rule.remaining_s(plan),
        statistics=_statistics(plan.statistics),
        extra=dict(plan.extra),
    )


def _statistics(statistics: Statistics | None) -> payloads.Statistics | None:
    return payloads.Statistics(**_fields_of(statistics)) if statistics else None


def _scheduled(plan: NightPlan | None, place: TargetPlace) -> tuple[datetime, datetime] | None:
    if plan is None or plan.profile_id != place.profile.id:
        return None
    blocks = [block for block in plan.blocks if block.target_id == place.target.id and not block.dropped]
    if not blocks:
        return None
    return blocks[0].start, blocks[-1].end


def _plan(content: _PlanContent) -> payloads.Plan:
    plan = content.plan
    targets = [block for block in plan.blocks if not block.is_wait and not block.dropped] if plan else []
    first, last = (targets[0].start, targets[-1].end) if targets else (None, None)
    waits = [block for block in plan.blocks if block.is_wait] if plan else []
    waits = [block for block in waits if first and last and first < block.end <= last]
    return payloads.Plan(
        rig_id=content.rig_id,
        rig_name=content.rig_name,
        profile_id=plan.profile_id if plan else None,
        profile_name=content.profile_name,
        night=plan.night if plan else None,
        fetched=plan.fetched.replace(microsecond=0) if plan else None,
        start=first,
        end=last,
        imaging_s=_length_s(targets) if plan else None,
        waiting_s=_length_s(waits) if plan else None,
        blocks=[_block(block) for block in plan.blocks] if plan else [],
        outdated=content.outdated,
        inputs=plan.inputs if plan else None,
    )


def _block(block: PlanBlock) -> payloads.PlanBlock:
    return payloads.PlanBlock(
        kind="wait" if block.is_wait else "target",
        id=block.target_id,
        name=block.name,
        start=block.start,
        end=block.end,
        dropped=block.dropped,
        exposures=[payloads.PlannedExposures(**_fields_of(run)) for run in block.exposures],
        extra=dict(block.extra),
    )


def _length_s(blocks: list[PlanBlock]) -> float:
    return fsum((block.end - block.start).total_seconds() for block in blocks)


def _named(thing: Profile | Project | Target) -> payloads.Named:
    return payloads.Named(id=thing.id, name=thing.name)


def _totals(totals: Totals | None) -> dict[str, Any]:
    return _fields_of(totals) if totals else {}


def _ahead(
    nights: tuple[NightGained, ...], totals: Totals | None, to_image_s: float, tonight: date | None
) -> dict[str, Any]:
    ahead = outlook(nights, to_image_s, tonight) if totals and tonight and totals.desired else None
    if ahead is None:
        return {}
    completes = payloads.Completes(earliest=ahead.earliest, latest=ahead.latest) if ahead.earliest else None
    return {"nights_left": ahead.nights_left, "completes": completes}


def _fields_of(known: DataclassInstance) -> dict[str, Any]:
    """By name. As `asdict()`, but without its copy of what is in them, which costs more than all the rest."""
    return {name: getattr(known, name) for name in known.__dataclass_fields__}
