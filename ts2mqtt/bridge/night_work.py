"""What is worked out a few times in a night: of what, and what comes of it; night_results.py does the work."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ts2mqtt.observatory.night import night_of, noon_of
from ts2mqtt.observatory.night_report import imaged_stretches
from ts2mqtt.observatory.site import is_position
from ts2mqtt.observatory.tree import distinct_targets

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime, timedelta, tzinfo

    from ts2mqtt.observatory.changes import Watch
    from ts2mqtt.observatory.look import Look
    from ts2mqtt.observatory.model import NightPlan, PlanBlock, Rig
    from ts2mqtt.observatory.night_report import ImagedStretch, NightReport
    from ts2mqtt.observatory.site import Site
    from ts2mqtt.observatory.sky import NightSky


@dataclass(frozen=True, slots=True, kw_only=True)
class NightInputs:
    """Everything that the work depends on: equal inputs need not be worked on again.

    `offset` stands for the zone, `planned` and `blocks` for the plan. `imaged` is what has come true of the plan, as
    far as it is over: it changes when the imaging of a target ends, and not with each exposure. `last_night` is over.
    """

    rig_name: str
    night: date
    offset: timedelta | None
    site: Site | None
    positions: Mapping[str, tuple[float, float, str | None]]
    planned: date | None
    blocks: tuple[PlanBlock, ...]
    imaged: tuple[ImagedStretch, ...]
    last_night: NightReport | None
    zone: tzinfo | None = field(compare=False)
    plan: NightPlan | None = field(compare=False)

    @property
    def is_work(self) -> bool:
        """Whether there is anything to draw or to compute."""
        return self.plan is not None or self.site is not None or self.last_night is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """PNGs of the night plan and of the last night, None without one; skies by target id, empty without a site.

    `dawn` is when the sun rises, None without a site and where it does not.
    """

    inputs: NightInputs | None = None
    picture: bytes | None = None
    last_picture: bytes | None = None
    skies: Mapping[str, NightSky] = field(default_factory=dict)
    dawn: datetime | None = None


def night_inputs(look: Look, site: Site | None, watch: Watch, before: NightInputs | None = None) -> NightInputs:
    """What there is to work on at this look; `before` is what was worked on last."""
    rig, plan, zone, night = look.rig, look.plan, look.zone, night_of(look.now, look.zone)
    return NightInputs(
        rig_name=rig.name,
        night=night,
        offset=noon_of(night, zone).utcoffset() if zone else None,
        site=site,
        positions=_positions(rig) if site else {},
        planned=plan.night if plan else None,
        blocks=plan.blocks if plan else (),
        imaged=_imaged(plan, watch, before.imaged if before else ()),
        last_night=watch.nights.last,
        zone=zone,
        plan=plan,
    )


def _imaged(plan: NightPlan | None, watch: Watch, shown: tuple[ImagedStretch, ...]) -> tuple[ImagedStretch, ...]:
    """What has come true of the plan; nothing of another night's."""
    tonight = watch.nights.tonight
    if plan is None or tonight is None or tonight.night != plan.night:
        return ()
    at_work = watch.present.observed_target if watch.present else None
    return imaged_stretches(tonight, at_work.target_id if at_work else None, shown)


def _positions(rig: Rig) -> Mapping[str, tuple[float, float, str | None]]:
    return {
        target.id: (target.ra_hours, target.dec_deg, target.epoch)
        for target in (place.target for place in distinct_targets(rig))
        if target.ra_hours is not None and target.dec_deg is not None and is_position(target.ra_hours, target.dec_deg)
    }
