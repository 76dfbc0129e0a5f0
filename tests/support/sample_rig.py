"""A small rig for tests: they take its parts and replace what they are about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from tests.support.build import exposure_plan, profile, project, rig, target
from ts2mqtt.observatory.changes import Watch
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
from ts2mqtt.observatory.night_report import NightReport, PlanReport, Stretch, TargetReport
from ts2mqtt.observatory.night_reports import NightReports
from ts2mqtt.observatory.present import IDLE, Present
from ts2mqtt.topics.encode import RigView

if TYPE_CHECKING:
    from ts2mqtt.observatory.tally import Tally

ZONE = timezone(timedelta(hours=-5))
DUSK = datetime(2026, 2, 27, 19, 38, 15, 443681, tzinfo=ZONE)

HOSTILE_TEXTS = (
    "{{ 1 + 1 }}",
    "{% raw %}",
    "a/b#+",
    "one\ntwo\r\nthree\0",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "x" * 10_000,
    "",
    "   ",
    "馬頭星雲",
    """both "double" and 'single' quotes""",
    "\u202egnp.exe",
    "') | map(attribute='__class__') | first }}",
)
"""Names are free text, and the API's text is nobody's friend."""

SHARP = Statistics(
    hfr_mean=2.125,
    hfr_std_dev=0.2,
    hfr_below_auto_accept=1.8,
    fwhm_mean=3.5,
    fwhm_std_dev=0.4,
    fwhm_below_auto_accept=None,
    eccentricity_mean=0.45,
    eccentricity_std_dev=0.05,
    eccentricity_below_auto_accept=None,
)
LUM = exposure_plan(20, 12, 10, filter="L", statistics=SHARP)
HYDROGEN = exposure_plan(10, 4, ungraded=4, key="ha_300", template="Ha", filter="Ha", exposure_s=300.0)
M31 = target(
    LUM,
    HYDROGEN,
    identity="134973bf-f949-462d-9c4b-8baad53d75a8",
    name="M 31",
    ra_hours=0.7123138886666667,
    dec_deg=41.26875,
    rotation_deg=12.5,
)
AUTUMN = project(
    "d900ba4a-5f70-4eb1-bd30-cd4c9b45d1c4",
    Listing((M31,)),
    name="Autumn",
    priority="high",
    description="Galaxies",
    created=datetime(2026, 2, 26, 6, 17, 59, tzinfo=ZONE),
    meridian_window_min=60,
    dither_every=5,
    flats_handling="periodically",
    flats_period_days=7,
    minimum_altitude_deg=25.5,
    smart_exposure_order=True,
)
REFRACTOR = profile("c0e1645f-4d4c-4cff-b6f8-c66a58be9cd4", Listing((AUTUMN,)), name="Refractor 530 mm")
BACKYARD = rig(
    Listing((REFRACTOR,)), id="backyard", name="Backyard", url="http://192.168.1.50:8188", plugin_version="5.9.3.0"
)
SILENT = replace(BACKYARD, online=False, plugin_version=None, profiles=None)
"""A rig that has not answered since the start."""

TONIGHT = NightPlan(
    profile_id=REFRACTOR.id,
    night=date(2026, 2, 27),
    fetched=datetime(2026, 2, 27, 18, 30, 5, 987654, tzinfo=UTC),
    blocks=(
        PlanBlock(target_id=None, name=None, start=DUSK - timedelta(hours=6), end=DUSK),
        PlanBlock(
            target_id=M31.id,
            name="M 31",
            start=DUSK,
            end=DUSK + timedelta(minutes=30),
            exposures=(PlannedExposures("L", 60.0, 10), PlannedExposures("Ha", 300.0, 4)),
        ),
        PlanBlock(target_id=None, name=None, start=DUSK + timedelta(minutes=30), end=DUSK + timedelta(minutes=50)),
        PlanBlock(
            target_id=M31.id, name="M 31", start=DUSK + timedelta(minutes=50), end=DUSK + timedelta(minutes=60)
        ),
    ),
)

EMPTY_TARGET = Target(
    id="00000000-0000-0000-0000-000000000003",
    name="",
    exposure_plans=(exposure_plan(key="plan_e4a6_unknown", template=None, filter=None, exposure_s=None),),
)
EMPTY_PROJECT = Project(
    id="00000000-0000-0000-0000-000000000002", name="", state="active", targets=Listing((EMPTY_TARGET,))
)
"""Nothing but an id and a state, as from an API that answers null to everything else."""


def rig_of(*projects: Project, rig: Rig = BACKYARD) -> Rig:
    """The rig, with one profile of these projects."""
    return replace(rig, profiles=Listing((replace(REFRACTOR, projects=Listing(projects)),)))


def rig_of_targets(*targets: Target, rig: Rig = BACKYARD) -> Rig:
    """The rig, with one project of these targets."""
    return rig_of(replace(AUTUMN, targets=Listing(targets)), rig=rig)


def named(rig: Rig, name: str) -> Rig:
    """The rig with all that the API names called this: its profiles, projects, targets, templates and filters."""

    def plan_named(plan: ExposurePlan) -> ExposurePlan:
        return replace(plan, template=name, filter=name)

    def target_named(target: Target) -> Target:
        return replace(target, name=name, exposure_plans=tuple(plan_named(plan) for plan in target.exposure_plans))

    def project_named(project: Project) -> Project:
        targets = project.targets.items if project.targets else ()
        items = tuple(target_named(target) for target in targets)
        return replace(project, name=name, description=name, targets=Listing(items))

    def profile_named(profile: Profile) -> Profile:
        projects = profile.projects.items if profile.projects else ()
        return replace(profile, name=name, projects=Listing(tuple(project_named(project) for project in projects)))

    return replace(rig, profiles=Listing(tuple(profile_named(profile) for profile in rig.known_profiles)))


LAST_NIGHT = NightReport(
    night=date(2026, 2, 26),
    seen_from=DUSK - timedelta(days=1, hours=6),
    answered=True,
    targets=(
        TargetReport(
            id=M31.id,
            name=M31.name,
            project_id=AUTUMN.id,
            project_name=AUTUMN.name,
            plans=(
                PlanReport(
                    key=LUM.key,
                    filter="L",
                    exposure_s=60.0,
                    acquired=30,
                    accepted=28,
                    accepted_at_least=28,
                    rejected=2,
                    pending=0,
                    acquired_before=0,
                    accepted_before=0,
                    pending_before=0,
                ),
            ),
            stretches=(Stretch(DUSK - timedelta(days=1), DUSK - timedelta(days=1) + timedelta(minutes=33)),),
        ),
    ),
)


def view_of(
    rig: Rig, plan: NightPlan | None = None, present: Present | None = None, tally: Tally | None = None
) -> RigView:
    nights = NightReports(last=LAST_NIGHT)
    return RigView(rig, plan, present or Present(activity=IDLE), Watch(tally=tally, nights=nights))
