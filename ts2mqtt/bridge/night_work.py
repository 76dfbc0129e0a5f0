"""What is worked out once for a night, beside the event loop: the plan's picture, each target's way over the sky."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from ts2mqtt.observatory.night import night_of, noon_of
from ts2mqtt.observatory.sky import NightSky, Site, is_position, night_sky, sunset_to_sunrise
from ts2mqtt.observatory.tree import all_targets
from ts2mqtt.picture import night_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime, tzinfo

    from ts2mqtt.observatory.model import NightPlan, PlanBlock, Rig


@dataclass(frozen=True, slots=True)
class Nightly:
    """A PNG of the night plan, None while there is no plan; skies by target id, empty without a site."""

    picture: bytes | None = None
    skies: Mapping[str, NightSky] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Work:
    """Everything that the result depends on: equal work need not be done again."""

    rig_name: str
    night: date
    offset: timedelta | None
    site: Site | None
    positions: Mapping[str, tuple[float, float, str | None]]
    planned: date | None
    blocks: tuple[PlanBlock, ...]


class NightWork:
    """Does the work of all rigs in a thread, each again only when what it depends on has changed."""

    def __init__(self, on_done: Callable[[str], None]) -> None:
        self._on_done = on_done
        self._done: dict[str, tuple[_Work, Nightly]] = {}
        self._under_way: dict[str, asyncio.Task[None]] = {}

    def result(
        self, rig: Rig, plan: NightPlan | None, now: datetime, zone: tzinfo | None, site: Site | None
    ) -> Nightly:
        """What is there so far; `on_done` is called with the rig's id when there is something newer."""
        work = _Work(
            rig_name=rig.name,
            night=night_of(now, zone),
            offset=zone.utcoffset(None) if zone else None,
            site=site,
            positions=_positions(rig) if site else {},
            planned=plan.night if plan else None,
            blocks=plan.blocks if plan else (),
        )
        done, nightly = self._done.get(rig.id, (None, Nightly()))
        if done != work and rig.id not in self._under_way and (plan or site):
            task = asyncio.create_task(self._do(rig.id, work, plan, zone))
            self._under_way[rig.id] = task
        return nightly

    async def stop(self) -> None:
        for task in self._under_way.values():
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _do(self, rig_id: str, work: _Work, plan: NightPlan | None, zone: tzinfo | None) -> None:
        try:
            self._done[rig_id] = (work, await asyncio.to_thread(_work_out, work, plan, zone))
        finally:
            del self._under_way[rig_id]
        self._on_done(rig_id)


def _work_out(work: _Work, plan: NightPlan | None, zone: tzinfo | None) -> Nightly:
    picture = None
    if plan is not None:
        picture = night_picture(
            plan,
            zone=zone,
            site=work.site,
            coordinates={target_id: (ra, dec) for target_id, (ra, dec, _) in work.positions.items()},
            rig_name=work.rig_name,
        )
    return Nightly(picture, _skies(work, work.site, zone) if work.site else {})


def _skies(work: _Work, site: Site, zone: tzinfo | None) -> Mapping[str, NightSky]:
    noon = noon_of(work.night, zone)
    start, end = sunset_to_sunrise(site, noon) or (noon, noon_of(work.night + timedelta(days=1), zone))
    return {
        target_id: night_sky(site, ra, dec, epoch=epoch, start=start, end=end, zone=zone)
        for target_id, (ra, dec, epoch) in work.positions.items()
    }


def _positions(rig: Rig) -> Mapping[str, tuple[float, float, str | None]]:
    return {
        target.id: (target.ra_hours, target.dec_deg, target.epoch)
        for target in (place.target for place in all_targets(rig))
        if target.ra_hours is not None and target.dec_deg is not None and is_position(target.ra_hours, target.dec_deg)
    }
