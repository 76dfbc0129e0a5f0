"""A small rig for tests: they take its parts and replace what they are about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

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
LUM = ExposurePlan(
    key="lum_60",
    template="Lum",
    filter="L",
    exposure_s=60.0,
    desired=20,
    acquired=12,
    accepted=10,
    ungraded=0,
    statistics=SHARP,
)
HYDROGEN = ExposurePlan(
    key="ha_300",
    template="Ha",
    filter="Ha",
    exposure_s=300.0,
    desired=10,
    acquired=4,
    accepted=0,
    ungraded=4,
)
M31 = Target(
    id="134973bf-f949-462d-9c4b-8baad53d75a8",
    name="M 31",
    active=True,
    ra_hours=0.7123138886666667,
    dec_deg=41.26875,
    rotation_deg=12.5,
    epoch="J2000",
    roi_percent=100.0,
    exposure_plans=(LUM, HYDROGEN),
)
AUTUMN = Project(
    id="d900ba4a-5f70-4eb1-bd30-cd4c9b45d1c4",
    name="Autumn",
    state="active",
    priority="high",
    description="Galaxies",
    created=datetime(2026, 2, 26, 6, 17, 59, tzinfo=ZONE),
    activated=None,
    deactivated=None,
    minimum_time_min=30,
    use_custom_horizon=False,
    horizon_offset_deg=0.0,
    meridian_window_min=60,
    filter_switch_frequency=0,
    dither_every=5,
    enable_grader=True,
    mosaic=False,
    flats_handling="periodically",
    flats_period_days=7,
    minimum_altitude_deg=25.5,
    maximum_altitude_deg=0.0,
    smart_exposure_order=True,
    targets=Listing((M31,)),
)
REFRACTOR = Profile(
    id="c0e1645f-4d4c-4cff-b6f8-c66a58be9cd4", name="Refractor 530 mm", active=True, projects=Listing((AUTUMN,))
)
BACKYARD = Rig(
    id="backyard",
    name="Backyard",
    api_version="v0",
    url="http://192.168.1.50:8188",
    online=True,
    plugin_version="5.9.3.0",
    profiles=Listing((REFRACTOR,)),
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
    active=None,
    ra_hours=None,
    dec_deg=None,
    rotation_deg=None,
    epoch=None,
    roi_percent=None,
    exposure_plans=(
        ExposurePlan(
            key="plan_e4a6_unknown",
            template=None,
            filter=None,
            exposure_s=None,
            desired=0,
            acquired=0,
            accepted=0,
            ungraded=0,
        ),
    ),
)
EMPTY_PROJECT = Project(
    id="00000000-0000-0000-0000-000000000002",
    name="",
    state="active",
    priority=None,
    description=None,
    created=None,
    activated=None,
    deactivated=None,
    minimum_time_min=None,
    use_custom_horizon=None,
    horizon_offset_deg=None,
    meridian_window_min=None,
    filter_switch_frequency=None,
    dither_every=None,
    enable_grader=None,
    mosaic=None,
    flats_handling=None,
    flats_period_days=None,
    minimum_altitude_deg=None,
    maximum_altitude_deg=None,
    smart_exposure_order=None,
    targets=Listing((EMPTY_TARGET,)),
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


def view_of(
    rig: Rig, plan: NightPlan | None = None, present: Present | None = None, tally: Tally | None = None
) -> RigView:
    return RigView(rig, plan, present or Present(activity=IDLE), Watch(tally=tally))
