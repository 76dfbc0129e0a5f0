"""Which target of a rig N.I.N.A. means, as it names targets and has no ids for them."""

from __future__ import annotations

from math import cos, hypot, radians
from typing import TYPE_CHECKING

from ts2mqtt.observatory.coordinates import ra_degrees
from ts2mqtt.observatory.plan_in_hand import may_be_imaged
from ts2mqtt.observatory.tree import all_targets

if TYPE_CHECKING:
    from ts2mqtt.observatory.live_events import TargetAnnounced
    from ts2mqtt.observatory.model import Rig
    from ts2mqtt.observatory.tree import TargetPlace

_SAME_PLACE_DEG = 1.0
"""Places of another epoch differ by a third of a degree."""


def announced_place(announced: TargetAnnounced, rig: Rig, at_work: str | None = None) -> TargetPlace | None:
    """By the names of project and target within the active profile, of several the nearest in the sky.

    Where no place in the sky was told, as in N.I.N.A.'s history, it is of several the one that was `at_work`, by its
    id. None for one that the rig does not have, or that stands elsewhere in the sky.
    """
    places = [place for place in _places(announced, rig) if place.profile.active]
    able = [place for place in places if may_be_imaged(place)] or places
    distances = {id(place): _distance_deg(place, announced) for place in able}
    near = [place for place in able if (distances[id(place)] or 0.0) <= _SAME_PLACE_DEG]
    if len(near) > 1 and any(distances[id(place)] is None for place in near):
        return next((place for place in near if place.target.id == at_work), None)
    return min(near, key=lambda place: distances[id(place)] or 0.0, default=None)


def is_in_several_profiles(announced: TargetAnnounced, rig: Rig) -> bool:
    """Whether more than one profile has a target of this name, in a project of this name."""
    return len({place.profile.id for place in _places(announced, rig)}) > 1


def _places(announced: TargetAnnounced, rig: Rig) -> list[TargetPlace]:
    return [
        place
        for place in all_targets(rig)
        if _same(place.target.name, announced.target_name)
        and (announced.project_name is None or _same(place.project.name, announced.project_name))
    ]


def _same(name: str, told: str) -> bool:
    return name.strip() == told.strip()


def _distance_deg(place: TargetPlace, announced: TargetAnnounced) -> float | None:
    """Between the target and the place that was announced; None where one of them has none."""
    target = place.target
    if target.ra_hours is None or target.dec_deg is None or announced.ra_hours is None or announced.dec_deg is None:
        return None
    across = (ra_degrees(target.ra_hours - announced.ra_hours) + 180.0) % 360.0 - 180.0
    middle = radians((target.dec_deg + announced.dec_deg) / 2)
    return hypot(across * cos(middle), target.dec_deg - announced.dec_deg)
