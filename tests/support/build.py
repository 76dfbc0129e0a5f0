"""Builds what tests are about, with usual values for all that they do not name: rigs, their parts, configurations."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ts2mqtt.config import Config, HomeAssistantConfig, LogConfig, MqttConfig, PollingConfig, RigConfig
from ts2mqtt.observatory.model import ACTIVE, ExposurePlan, Listing, Profile, Project, Rig, Target

if TYPE_CHECKING:
    from ts2mqtt.simulator.api import SimulatedApi

RIG_NAMES = ("Backyard", "Remote", "Third")


def exposure_plan(
    desired: int = 0, acquired: int = 0, accepted: int = 0, *, ungraded: int = 0, key: str = "lum_60", **fields: Any
) -> ExposurePlan:
    """Of a minute of luminance."""
    usual = ExposurePlan(
        key=key,
        template="Lum",
        filter="Lum",
        exposure_s=60.0,
        desired=desired,
        acquired=acquired,
        accepted=accepted,
        ungraded=ungraded,
    )
    return replace(usual, **fields)


def target(*plans: ExposurePlan, identity: str = "target", **fields: Any) -> Target:
    """Of the Andromeda galaxy's place in the sky, called as its id."""
    usual = Target(
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
    return replace(usual, **fields)


def project(
    identity: str = "project", targets: Listing[Target] | None = None, state: str = ACTIVE, **fields: Any
) -> Project:
    """With the plugin's settings for a new one, called as its id; without `targets` they were never read."""
    usual = Project(
        id=identity,
        name=identity,
        state=state,
        priority="normal",
        minimum_time_min=30,
        use_custom_horizon=False,
        horizon_offset_deg=0.0,
        meridian_window_min=0,
        filter_switch_frequency=0,
        dither_every=0,
        enable_grader=True,
        mosaic=False,
        flats_handling="off",
        minimum_altitude_deg=0.0,
        maximum_altitude_deg=0.0,
        smart_exposure_order=False,
        targets=targets,
    )
    return replace(usual, **fields)


def profile(
    identity: str = "profile", projects: Listing[Project] | None = None, *, active: bool = True, **fields: Any
) -> Profile:
    """Called as its id; without `projects` they were never read."""
    return replace(Profile(id=identity, name=identity, active=active, projects=projects), **fields)


def rig(profiles: Listing[Profile] | None = None, **fields: Any) -> Rig:
    """Online; without `profiles` they were never read."""
    usual = Rig(id="rig", name="Rig", api_version="v0", url="http://rig:8188", online=True, profiles=profiles)
    return replace(usual, **fields)


def mqtt_config(port: int, **keys: Any) -> MqttConfig:
    """Of a broker on this machine."""
    return MqttConfig(host="127.0.0.1", port=port, **keys)


def rig_config(*rigs: SimulatedApi | str, name: str = RIG_NAMES[0], **keys: Any) -> RigConfig:
    """Of a rig with these addresses."""
    return RigConfig(name=name, url=tuple(one if isinstance(one, str) else one.url for one in rigs), **keys)


def polling(**keys: Any) -> PollingConfig:
    """Looks at everything twenty times a second; the night plan on request only."""
    impatient = {"interval": 0.05, "slow_interval": 0.05, "statistics_interval": 3_600.0, "plan": "manual"}
    edit_interval = keys.get("interval", impatient["interval"])
    return PollingConfig().model_copy(update=impatient | {"edit_interval": edit_interval} | keys)


def bridge_config(
    mqtt: MqttConfig | int,
    *rigs: SimulatedApi | str | RigConfig,
    home_assistant: HomeAssistantConfig | None = None,
    looks: PollingConfig | None = None,
) -> Config:
    """For a broker, or one on this port, and rigs: as configured, or at an address and called as in RIG_NAMES."""
    named = zip(RIG_NAMES, rigs, strict=False)
    return Config(
        mqtt=mqtt_config(mqtt) if isinstance(mqtt, int) else mqtt,
        home_assistant=home_assistant or HomeAssistantConfig(),
        rigs=tuple(one if isinstance(one, RigConfig) else rig_config(one, name=name) for name, one in named),
        polling=looks or polling(),
        log=LogConfig(),
    )
