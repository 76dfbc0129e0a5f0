"""Tells what a user has edited in a list from what the plugin counts by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ts2mqtt.observatory.model import ExposurePlan, Listing, Project, Target


def are_projects_edited(before: Listing[Project], after: Listing[Project]) -> bool:
    """Whether anything about these projects differs but what stands below them."""
    return [replace(one, targets=None) for one in before.items] != [replace(one, targets=None) for one in after.items]


def are_targets_edited(before: Listing[Target], after: Listing[Target]) -> bool:
    """Whether anything about these targets differs but what an exposure changes: counts and statistics."""
    return len(before.items) != len(after.items) or any(
        one != other and _is_edited(one, other) for one, other in zip(before.items, after.items, strict=True)
    )


def _is_edited(before: Target, after: Target) -> bool:
    """Copies only what differs: an exposure changes one plan of one target."""
    plans = before.exposure_plans
    return (
        len(plans) != len(after.exposure_plans)
        or before != replace(after, exposure_plans=plans)
        or any(
            one != other and _without_counts(one) != _without_counts(other)
            for one, other in zip(plans, after.exposure_plans, strict=True)
        )
    )


def _without_counts(plan: ExposurePlan) -> ExposurePlan:
    return replace(plan, acquired=0, accepted=0, ungraded=0, statistics=None)
