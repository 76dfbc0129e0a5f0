"""The simulated user: looks at the projects every afternoon and sometimes changes them."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from ts2mqtt.simulator.catalogue import Kind, targets_in_season
from ts2mqtt.simulator.catalogue_project import add_catalogue_project
from ts2mqtt.simulator.planner import remaining_exposures
from ts2mqtt.simulator.random_numbers import random_numbers
from ts2mqtt.simulator.sky import Sky

if TYPE_CHECKING:
    from ts2mqtt.simulator.observatory import SimulatedObservatory
    from ts2mqtt.simulator.rows import SimulatedProfile, SimulatedProject

_VISIT_HOUR = 15
_ENOUGH_UNFINISHED_PROJECTS = 3
_CLOSE_FINISHED_PROBABILITY = 0.3
# Upper bounds of one random number: in 60 % of the visits nothing happens.
_PAUSE_BELOW, _RESUME_BELOW, _ADD_BELOW = 0.15, 0.3, 0.4
_KINDS: tuple[Kind, ...] = ("broadband", "narrowband")


class ScriptedUser:
    """Closes finished projects, pauses and resumes others, and adds new ones, so that the rig always has work."""

    def __init__(self, observatory: SimulatedObservatory, start: datetime) -> None:
        self._observatory = observatory
        self._numbers = random_numbers(observatory.seed, "user")
        self.acts_at = self._next_visit(start)

    def act(self) -> None:
        """Visit once, and set the time of the next visit."""
        profile = self._observatory.active_profile
        unfinished: list[SimulatedProject] = []
        for project in _in_state(profile, "Active"):
            if _is_unfinished(profile, project):
                unfinished.append(project)
            elif self._numbers.random() < _CLOSE_FINISHED_PROBABILITY:
                self._observatory.set_project_state(project, "Closed")
        number = self._numbers.random()
        if len(unfinished) < _ENOUGH_UNFINISHED_PROJECTS:
            self._resume(profile, ("Draft", "Inactive", "Closed"))
        elif number < _PAUSE_BELOW:
            self._observatory.set_project_state(self._numbers.choice(unfinished), "Inactive")
        elif number < _RESUME_BELOW:
            self._resume(profile, ("Inactive", "Closed"))
        elif number < _ADD_BELOW:
            self._add_project(profile, "Draft")
        self.acts_at = self._next_visit(self.acts_at)

    def _resume(self, profile: SimulatedProfile, states: tuple[str, ...]) -> None:
        """Make an unfinished project in one of these states active, or else add a new project."""
        for state in states:
            for project in _in_state(profile, state):
                if _is_unfinished(profile, project):
                    self._observatory.set_project_state(project, "Active")
                    return
        self._add_project(profile, "Active")

    def _add_project(self, profile: SimulatedProfile, state: str) -> None:
        """Add a project for a target that stands high tonight and has no project yet."""
        sky = Sky(profile.site or self._observatory.site)
        night = sky.night_from(self.acts_at)
        if night is None:
            return
        known = {project.name for project in self._observatory.projects()}
        entries = targets_in_season(self._numbers.choice(_KINDS), sky, night)
        entry = next((entry for entry in entries if entry.name not in known), entries[0])
        add_catalogue_project(self._observatory, profile, entry, state=state, create_date=self.acts_at)

    def _next_visit(self, after: datetime) -> datetime:
        """The next visit after this time: a random minute between 15:00 and 16:00, local time."""
        today = after.astimezone(self._observatory.timezone).date()
        afternoon = time(_VISIT_HOUR, self._numbers.randrange(60), tzinfo=self._observatory.timezone)
        visit = datetime.combine(today, afternoon)
        if visit <= after:
            visit = datetime.combine(today + timedelta(days=1), afternoon)
        return visit.astimezone(UTC)


def _in_state(profile: SimulatedProfile, state: str) -> list[SimulatedProject]:
    return [project for project in profile.projects if project.state == state]


def _is_unfinished(profile: SimulatedProfile, project: SimulatedProject) -> bool:
    plans = (plan for target in project.targets for plan in target.exposure_plans)
    return any(remaining_exposures(profile, project, plan) > 0 for plan in plans)
