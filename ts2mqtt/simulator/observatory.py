"""A simulated observatory: tests change its database by hand, and it answers as the plugin's API does.

    observatory = SimulatedObservatory()
    profile = observatory.add_profile("Backyard")            # the first profile is the active one
    project = observatory.add_project(profile, "Autumn", priority=2)
    target = observatory.add_target(project, "M 31", ra_hours=0.712, dec_deg=41.27)
    observatory.add_exposure_plan(target, "Lum", exposure_s=60, desired=20)
    observatory.acquire(target, 0, hfr=2.1)                  # the rule of delayed grading decides
    observatory.acquire(target, 0, accepted=True)            # graded at once
    observatory.set_project_state(project, "Closed")
    project.raw["NewField"] = 1                              # see rows.py
    observatory.counters.statistics_requests[target.id]      # the bridge's requests

Without an `automation` the observatory changes by hand only. With one (see automation.py) it images by itself when
`advance` passes time; `busy_observatory()` makes such an observatory.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Literal, Protocol

from ts2mqtt.simulator.database import SimulatedDatabase
from ts2mqtt.simulator.planner import Planner, PreviewBlock, preview_night, remaining_exposures
from ts2mqtt.simulator.random_numbers import random_numbers
from ts2mqtt.simulator.sky import Site, Sky
from ts2mqtt.simulator.wire import preview_rows, profile_row, project_row, statistics_rows, target_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ts2mqtt.simulator.rig_steps import RigStep
    from ts2mqtt.simulator.rows import JsonValue, SimulatedProfile

RequestKind = Literal["version", "profiles", "projects", "targets", "statistics", "preview"]

_FIVE_HOURS_WEST = timezone(timedelta(hours=-5))
_PREVIEW_HOUR = 13
"""The plugin's preview starts at 13:00 local time."""


class Automation(Protocol):
    """Makes an observatory change by itself."""

    @property
    def is_imaging(self) -> bool: ...

    @property
    def acts_at(self) -> datetime:
        """When something is due next."""
        ...

    def advance(self, to: datetime) -> None:
        """Do everything that is due up to this time."""


@dataclass(eq=False)
class Counters:
    """The requests to the observatory; tests check with them that the bridge asks for little.

    `filter_cadence_writes` counts the writes to the live database that previews caused.
    """

    requests: Counter[RequestKind] = field(default_factory=Counter)
    projects_requests: Counter[str] = field(default_factory=Counter)
    targets_requests: Counter[str] = field(default_factory=Counter)
    statistics_requests: Counter[str] = field(default_factory=Counter)
    preview_requests: Counter[str] = field(default_factory=Counter)
    previews_taken: int = 0
    previews_while_imaging: int = 0
    filter_cadence_writes: int = 0


class SimulatedObservatory(SimulatedDatabase):
    """One rig: its database, its clock, and the API's answers."""

    def __init__(
        self,
        *,
        seed: int = 1,
        site: Site | None = None,
        timezone: tzinfo | None = None,
        now: datetime | None = None,
    ) -> None:
        super().__init__(seed=seed, now=now or datetime(2026, 2, 27, 17, tzinfo=UTC))
        self.site = site or Site(latitude_deg=40.0, longitude_deg=-75.0)
        self.timezone = timezone or _FIVE_HOURS_WEST
        self.version = "5.9.3.0"
        self.counters = Counters()
        self.automation: Automation | None = None
        self.imaging_by_hand = False
        self.notes_steps = False
        """Whether somebody reads the steps of the rig: see rig_steps.py."""
        self._steps: list[RigStep] = []
        self._previews: dict[str, tuple[PreviewBlock, ...]] = {}

    @property
    def now(self) -> datetime:
        """The observatory's time, in its time zone."""
        return self.now_utc.astimezone(self.timezone)

    @property
    def is_imaging(self) -> bool:
        """Whether a sequence works on a target: it exposes, or is between two exposures.

        Without an automation a test sets `imaging_by_hand`.
        """
        return self.imaging_by_hand or (self.automation is not None and self.automation.is_imaging)

    def advance(self, to: datetime) -> None:
        """Let time pass up to `to`, in one step or in many with the same result; an earlier time changes nothing."""
        to = to.astimezone(UTC)
        if to <= self.now_utc:
            return
        if self.automation is not None:
            self.automation.advance(to)
        self.now_utc = to

    def note_step(self, step: RigStep) -> None:
        """Called by the rig when a step of its night begins."""
        if self.notes_steps:
            self._steps.append(step)

    def take_steps(self) -> list[RigStep]:
        """What the rig has begun since they were last taken."""
        steps, self._steps = self._steps, []
        return steps

    def set_preview(self, profile: SimulatedProfile, blocks: Sequence[PreviewBlock] | None) -> None:
        """Answer previews with these blocks; None returns to planning."""
        if blocks is None:
            self._previews.pop(profile.id, None)
        else:
            self._previews[profile.id] = tuple(blocks)

    def version_answer(self) -> JsonValue:
        self.counters.requests["version"] += 1
        return self.version

    def profiles_answer(self) -> JsonValue:
        self.counters.requests["profiles"] += 1
        return [profile_row(profile) for profile in self.profiles]

    def projects_answer(self, profile_id: str) -> JsonValue:
        """The projects of a profile; an empty list for an unknown profile."""
        self.counters.requests["projects"] += 1
        self.counters.projects_requests[profile_id] += 1
        return [
            project_row(project, profile, self.timezone)
            for profile in self.profiles
            if profile.id == profile_id
            for project in profile.projects
        ]

    def targets_answer(self, project_id: str) -> JsonValue:
        """The targets of a project; raises NotFoundError for an unknown project."""
        self.counters.requests["targets"] += 1
        self.counters.targets_requests[project_id] += 1
        project = self.project(project_id)
        profile = self.profile_of(project)
        return [target_row(target, project, profile) for target in project.targets]

    def statistics_answer(self, target_id: str) -> JsonValue:
        """A target's statistics; None where the plugin fails to write them; raises NotFoundError."""
        self.counters.requests["statistics"] += 1
        self.counters.statistics_requests[target_id] += 1
        target = self.target(target_id)
        return statistics_rows(target, self.profile_of(self.project_of(target)))

    def preview_answer(self, profile_id: str, start: datetime | None = None) -> JsonValue:
        """A profile's night from `start`, or from today 13:00; raises NotFoundError for an unknown profile.

        A start without offset is local time; then the first time of the answer has no offset either.
        """
        self.counters.requests["preview"] += 1
        self.counters.preview_requests[profile_id] += 1
        blocks = self.preview(profile_id, start)
        return preview_rows(blocks, self.timezone, naive_start=start is not None and start.tzinfo is None)

    def preview(self, profile_id: str, start: datetime | None = None) -> tuple[PreviewBlock, ...]:
        """The blocks of a preview; the counters record what the preview costs a real rig."""
        profile = self.profile(profile_id)
        self.counters.previews_taken += 1
        self.counters.previews_while_imaging += self.is_imaging
        if profile.id in self._previews:
            return self._previews[profile.id]
        if start is None:
            start = self.now.replace(hour=_PREVIEW_HOUR, minute=0, second=0, microsecond=0)
        elif start.tzinfo is None:
            start = start.replace(tzinfo=self.timezone)
        start = start.astimezone(UTC)
        # The plugin plans with the active profile's site, also for another profile.
        sky = Sky(self.active_profile.site or self.site)
        tick = random_numbers(self.seed, "tick", start).randrange(1, 10)
        if profile.active or any(True for _ in Planner(sky, remaining_exposures).unfinished(profile)):
            preview = preview_night(profile, sky, start, tick)
            blocks = preview.blocks
        else:
            preview = preview_night(self.active_profile, sky, start, tick)
            blocks = tuple(block for block in preview.blocks if block.target_id is not None)[:1]
        self.counters.filter_cadence_writes += preview.cadence_writes
        return blocks
