"""Reads back what the bridge itself once published: the broker is its memory, there is no state file."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from pydantic import AwareDatetime, BaseModel, Field, JsonValue, ValidationError

from ts2mqtt.observatory.absence import Parents
from ts2mqtt.observatory.changes import Watch, recalled_watch
from ts2mqtt.observatory.evidence import LastExposure
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
from ts2mqtt.observatory.present import Appointment, Present
from ts2mqtt.observatory.tally import FilterTally, Tally, TargetTally
from ts2mqtt.topics.encode import ONLINE
from ts2mqtt.topics.names import PROFILE, PROJECT, TARGET, TopicNames

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Model = TypeVar("Model", bound=BaseModel)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Memory:
    """What an earlier run left behind about one rig.

    `watch` has the rig only as far as comparing with it needs: ids, names, states, dates and counts.
    """

    watch: Watch

    @property
    def dates(self) -> tuple[dt.datetime, ...]:
        """Dates of projects: until they are read again, they tell the rig's time zone, and so its night."""
        dated = chain.from_iterable((own.created, own.activated, own.deactivated) for own in self._projects())
        return tuple(date for date in dated if date)

    @property
    def statistics(self) -> Mapping[str, tuple[tuple[tuple[str, int, int], ...], Mapping[str, Statistics]]]:
        """By target id: counts (exposure plan key, acquired, accepted) and the statistics read at those counts."""
        remembered = {}
        for target in self._targets():
            found = {plan.key: plan.statistics for plan in target.exposure_plans if plan.statistics}
            if found:
                counts = tuple((plan.key, plan.acquired, plan.accepted) for plan in target.exposure_plans)
                remembered[target.id] = (counts, found)
        return remembered

    def _projects(self) -> Iterator[Project]:
        rig = self.watch.rig
        for profile in rig.known_profiles if rig else ():
            yield from profile.projects.items if profile.projects else ()

    def _targets(self) -> Iterator[Target]:
        for project in self._projects():
            yield from project.targets.items if project.targets else ()


def recall(names: TopicNames, retained: Mapping[str, bytes]) -> dict[str, Memory]:
    """By rig id, what the retained messages tell; whatever cannot be read is as if it had not been there."""
    told: defaultdict[str, list[tuple[str, bytes]]] = defaultdict(list)
    for topic, payload in retained.items():
        subject = names.subject(topic)
        if subject:
            told[subject.rig_id].append((subject.kind or "", payload))
    return {rig_id: _memory(names, rig_id, things, retained) for rig_id, things in told.items()}


def _memory(names: TopicNames, rig_id: str, things: list[tuple[str, bytes]], retained: Mapping[str, bytes]) -> Memory:
    profiles = _readable(_Profile, things, PROFILE)
    projects = _readable(_Project, things, PROJECT)
    targets = _readable(_Target, things, TARGET)
    state = _read(_State, retained.get(names.rig_state(rig_id), b""))
    plan = _read(_Plan, retained.get(names.rig_plan(rig_id), b""))
    rig = None
    if profiles:
        rig = Rig(
            id=rig_id,
            name="",
            api_version="",
            url="",
            online=retained.get(names.rig_status(rig_id)) == ONLINE,
            profiles=Listing(tuple(_profile(profile, projects, targets) for profile in profiles)),
        )
    tally = state.tonight.known() if state else None
    return Memory(
        recalled_watch(
            rig=rig,
            plan=plan.known() if plan else None,
            present=state.present() if state else None,
            tally=tally,
            first_seen=_first_seen(projects) | _first_seen(targets),
            peaks=_peaks(targets),
        )
    )


def _peaks(targets: Iterable[_Target]) -> dict[tuple[str, str], int]:
    return {
        (target.id, plan.key): plan.accepted_peak
        for target in targets
        for plan in target.exposure_plans
        if plan.accepted_peak is not None
    }


def _first_seen(things: Iterable[_Dated]) -> dict[str, dt.datetime]:
    return {thing.id: thing.first_seen for thing in things if thing.first_seen}


def _readable(model: type[Model], things: list[tuple[str, bytes]], kind: str) -> list[Model]:
    found = (_read(model, payload) for told_kind, payload in things if told_kind == kind)
    return [item for item in found if item is not None]


def parents(payload: bytes) -> Parents:
    """Where a published project or target belonged; nowhere if the payload cannot be read."""
    known = _read(_Parents, payload)
    return Parents(known.profile_id, known.project_id) if known else Parents()


def children(payload: bytes) -> tuple[tuple[str, str], ...]:
    """(kind, id) of the things that a published rig state, profile or project names as its own."""
    named = _read(_Children, payload)
    if named is None:
        return ()
    return tuple(
        (kind, thing.id)
        for kind, things in ((PROFILE, named.profiles), (PROJECT, named.projects), (TARGET, named.targets))
        for thing in things or ()
    )


def _read(model: type[Model], payload: bytes) -> Model | None:
    try:
        return model.model_validate_json(payload)
    except ValidationError:
        return None


class _Thing(BaseModel):
    id: str
    name: str = ""


class _Parents(BaseModel):
    profile_id: str | None = None
    project_id: str | None = None


class _Children(BaseModel):
    profiles: list[_Thing] | None = None
    projects: list[_Thing] | None = None
    targets: list[_Thing] | None = None


class _FilterTonight(BaseModel):
    filter: str | None
    acquired: int
    accepted: int
    integration_s: float


class _TargetTonight(_Thing):
    filters: list[_FilterTonight]


class _Tonight(BaseModel):
    date: dt.date | None = None
    targets: list[_TargetTonight] = Field(default_factory=list)

    def known(self) -> Tally | None:
        if self.date is None:
            return None
        return Tally(
            night=self.date,
            targets=tuple(
                TargetTally(
                    id=target.id,
                    name=target.name,
                    filters=tuple(FilterTally(**row.model_dump()) for row in target.filters),
                )
                for target in self.targets
            ),
        )


class _Appointment(_Thing):
    project_id: str | None = None
    project_name: str | None = None
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    source: str

    def known(self) -> Appointment:
        return Appointment(
            target_id=self.id,
            name=self.name,
            project_id=self.project_id,
            project_name=self.project_name,
            start=self.start,
            end=self.end,
            source=self.source,
        )


class _LastExposure(BaseModel):
    time: AwareDatetime
    target_id: str
    target_name: str = ""
    filter: str | None = None
    exposure_s: float | None = None

    def known(self) -> LastExposure:
        return LastExposure(**self.model_dump())


class _State(BaseModel):
    activity: str
    activity_since: AwareDatetime | None = None
    current_target: _Appointment | None = None
    last_exposure: _LastExposure | None = None
    tonight: _Tonight

    def present(self) -> Present:
        return Present(
            activity=self.activity,
            activity_since=self.activity_since,
            current_target=self.current_target.known() if self.current_target else None,
            last_exposure=self.last_exposure.known() if self.last_exposure else None,
        )


class _Profile(_Thing):
    active: bool = False
    projects: list[_Thing] | None = None


class _Dated(_Thing):
    first_seen: AwareDatetime | None = None


class _Project(_Dated):
    profile_id: str
    state: str | None = None
    created: AwareDatetime | None = None
    activated: AwareDatetime | None = None
    deactivated: AwareDatetime | None = None
    filter_switch_frequency: int | None = None
    enable_grader: bool | None = None
    smart_exposure_order: bool | None = None
    targets: list[_Thing] | None = None


class _Statistics(BaseModel):
    hfr_mean: float | None = None
    hfr_std_dev: float | None = None
    hfr_below_auto_accept: float | None = None
    fwhm_mean: float | None = None
    fwhm_std_dev: float | None = None
    fwhm_below_auto_accept: float | None = None
    eccentricity_mean: float | None = None
    eccentricity_std_dev: float | None = None
    eccentricity_below_auto_accept: float | None = None
    extra: dict[str, JsonValue] = Field(default_factory=dict)


class _ExposurePlan(BaseModel):
    key: str
    template: str | None = None
    filter: str | None = None
    exposure_s: float | None = None
    desired: int = 0
    acquired: int
    accepted: int
    ungraded: int = 0
    accepted_peak: int | None = None
    statistics: _Statistics | None = None

    def known(self) -> ExposurePlan:
        return ExposurePlan(
            key=self.key,
            template=self.template,
            filter=self.filter,
            exposure_s=self.exposure_s,
            desired=self.desired,
            acquired=self.acquired,
            accepted=self.accepted,
            ungraded=self.ungraded,
            statistics=Statistics(**self.statistics.model_dump()) if self.statistics else None,
        )


class _Target(_Dated):
    project_id: str
    exposure_plans: list[_ExposurePlan] = Field(default_factory=list)

    def known(self) -> Target:
        return Target(
            id=self.id,
            name=self.name,
            exposure_plans=tuple(plan.known() for plan in self.exposure_plans),
        )


class _PlannedExposures(BaseModel):
    filter: str | None
    exposure_s: float | None
    count: int


class _PlanBlock(BaseModel):
    id: str | None
    name: str | None
    start: AwareDatetime
    end: AwareDatetime
    dropped: bool = False
    exposures: list[_PlannedExposures]
    extra: dict[str, JsonValue] = Field(default_factory=dict)

    def known(self) -> PlanBlock:
        return PlanBlock(
            target_id=self.id,
            name=self.name,
            start=self.start,
            end=self.end,
            dropped=self.dropped,
            exposures=tuple(PlannedExposures(run.filter, run.exposure_s, run.count) for run in self.exposures),
            extra=self.extra,
        )


class _Plan(BaseModel):
    profile_id: str
    night: dt.date
    fetched: AwareDatetime
    blocks: list[_PlanBlock]
    inputs: str | None = None

    def known(self) -> NightPlan:
        return NightPlan(
            profile_id=self.profile_id,
            night=self.night,
            fetched=self.fetched,
            blocks=tuple(block.known() for block in self.blocks),
            inputs=self.inputs,
        )


def _profile(profile: _Profile, projects: list[_Project], targets: list[_Target]) -> Profile:
    own = {project.id: _project(project, targets) for project in projects if project.profile_id == profile.id}
    return Profile(id=profile.id, name=profile.name, active=profile.active, projects=_named(profile.projects, own))


def _named(names: list[_Thing] | None, known: Mapping[str, T]) -> Listing[T] | None:
    """The children that their parent names; None unless all are known, for what seems to be new is told as added."""
    if names is None or any(thing.id not in known for thing in names):
        return None
    return Listing(tuple(known[thing.id] for thing in names))


def _project(project: _Project, targets: list[_Target]) -> Project:
    own = {target.id: target.known() for target in targets if target.project_id == project.id}
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
        targets=_named(project.targets, own),
    )
