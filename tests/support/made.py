"""Rigs, profiles, projects, targets and exposure plans with nothing but what a test is about."""

from __future__ import annotations

from ts2mqtt.observatory.model import ACTIVE, ExposurePlan, Listing, Profile, Project, Rig, Target


def exposure_plan(  # noqa: PLR0913 - as many as the counts that make progress
    desired: int = 0,
    acquired: int = 0,
    accepted: int = 0,
    *,
    ungraded: int = 0,
    exposure_s: float | None = 60.0,
    key: str = "lum_60",
) -> ExposurePlan:
    return ExposurePlan(
        key=key,
        template="Lum",
        filter="Lum",
        exposure_s=exposure_s,
        desired=desired,
        acquired=acquired,
        accepted=accepted,
        ungraded=ungraded,
    )


def target(*plans: ExposurePlan, identity: str = "target") -> Target:
    return Target(
        id=identity,
        name=identity,
        active=True,
        ra_hours=0.7,
        dec_deg=41.3,
        rotation_deg=0.0,
        epoch="J2000",
        roi_percent=100.0,
        exposure_plans=plans,
    )


def project(
    identity: str = "project",
    targets: Listing[Target] | None = None,
    state: str = ACTIVE,
    *,
    enable_grader: bool | None = True,
) -> Project:
    return Project(
        id=identity,
        name=identity,
        state=state,
        priority="normal",
        description=None,
        created=None,
        activated=None,
        deactivated=None,
        minimum_time_min=30,
        use_custom_horizon=False,
        horizon_offset_deg=0.0,
        meridian_window_min=0,
        filter_switch_frequency=0,
        dither_every=0,
        enable_grader=enable_grader,
        mosaic=False,
        flats_handling="off",
        flats_period_days=None,
        minimum_altitude_deg=0.0,
        maximum_altitude_deg=0.0,
        smart_exposure_order=False,
        targets=targets,
    )


def profile(
    identity: str = "profile",
    projects: Listing[Project] | None = None,
    *,
    active: bool = True,
) -> Profile:
    return Profile(id=identity, name=identity, active=active, projects=projects)


def rig(profiles: Listing[Profile] | None = None) -> Rig:
    return Rig(id="rig", name="Rig", api_version="v0", url="http://rig:8188", online=True, profiles=profiles)
