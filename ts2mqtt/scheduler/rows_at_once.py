"""Reads the lists of a rig once, for what `check` says of their rows."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ts2mqtt.errors import RigError
from ts2mqtt.observatory.model import ACTIVE
from ts2mqtt.observatory.oddities import WithoutId
from ts2mqtt.scheduler.translate import is_real

if TYPE_CHECKING:
    from ts2mqtt.scheduler.client import TargetSchedulerClient


@dataclass(frozen=True, slots=True)
class Rows:
    """What is odd in the lists of projects and targets."""

    without_id: WithoutId
    has_dates_without_offset: bool


async def read_rows(client: TargetSchedulerClient) -> Rows:
    """All projects, and the targets of the active profile's Active ones, up to the first list that cannot be read."""
    projects: list[str] = []
    targets = 0
    is_naive = False
    with suppress(RigError):
        for profile in (await client.profiles()).items.items:
            listed = (await client.projects(profile.id)).items
            projects += listed.without_id
            for project in listed.items:
                dates = (project.create_date, project.active_date, project.inactive_date)
                is_naive = is_naive or any(date and date.tzinfo is None and is_real(date) for date in dates)
                if profile.active and (project.state or "").lower() == ACTIVE:
                    targets += len((await client.targets(project.id)).items.without_id)
    return Rows(WithoutId(tuple(projects), targets), is_naive)
