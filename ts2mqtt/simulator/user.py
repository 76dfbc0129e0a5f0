"""The scripted user of the lively observatory, who looks in every afternoon and now and then changes something."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from ts2mqtt.simulator.catalogue import Kind, in_season
from ts2mqtt.simulator.chance import chance
from ts2mqtt.simulator.planner import wanted_now
from ts2mqtt.simulator.programme import add_programme
from ts2mqtt.simulator.sky import Sky

if TYPE_CHECKING:
    from ts2mqtt.simulator.entities import SimulatedProfile, SimulatedProject
    from ts2mqtt.simulator.observatory import SimulatedObservatory

_LOOKS_IN_AT = 15
_ENOUGH_TO_IMAGE = 3
_CLOSES_A_FINISHED_ONE = 0.3
# Upper bounds of one draw: in 60 % of the visits nothing happens.
_PAUSES_ONE, _TAKES_ONE_UP, _THINKS_OF_ONE = 0.15, 0.3, 0.4
_KINDS: tuple[Kind, ...] = ("broadband", "narrowband")


class ScriptedUser:
    """Closes what is finished, keeps the rig busy, pauses, takes up again and thinks of new projects."""

    def __init__(self, observatory: SimulatedObservatory, start: datetime) -> None:
        self._observatory = observatory
        self._numbers = chance(observatory.seed, "user")
        self.wakes = self._next_visit(start)

    def act(self) -> None:
        """One visit."""
        profile = self._observatory.active_profile
        busy: list[SimulatedProject] = []
        for project in _in_state(profile, "Active"):
            if _unfinished(profile, project):
                busy.append(project)
            elif self._numbers.random() < _CLOSES_A_FINISHED_ONE:
                self._observatory.set_project_state(project, "Closed")
        mood = self._numbers.random()
        if len(busy) < _ENOUGH_TO_IMAGE:
            self._take_up(profile, ("Draft", "Inactive", "Closed"))
        elif mood < _PAUSES_ONE:
            self._observatory.set_project_state(self._numbers.choice(busy), "Inactive")
        elif mood < _TAKES_ONE_UP:
            self._take_up(profile, ("Inactive", "Closed"))
        elif mood < _THINKS_OF_ONE:
            self._think_of(profile, "Draft")
        self.wakes = self._next_visit(self.wakes)

    def _take_up(self, profile: SimulatedProfile, states: tuple[str, ...]) -> None:
        """Make an unfinished project active again, or else begin a new one."""
        for state in states:
            for project in _in_state(profile, state):
                if _unfinished(profile, project):
                    self._observatory.set_project_state(project, "Active")
                    return
        self._think_of(profile, "Active")

    def _think_of(self, profile: SimulatedProfile, state: str) -> None:
        """A new project for what stands high tonight and is not in the list yet."""
        sky = Sky(profile.site or self._observatory.site)
        night = sky.night_from(self.wakes)
        if night is None:
            return
        known = {project.name for project in self._observatory.projects()}
        entries = in_season(self._numbers.choice(_KINDS), sky, night)
        entry = next((entry for entry in entries if entry.name not in known), entries[0])
        add_programme(self._observatory, profile, entry, state=state, create_date=self.wakes)

    def _next_visit(self, after: datetime) -> datetime:
        """The afternoon after `after`, a little later on some days than on others."""
        today = after.astimezone(self._observatory.timezone).date()
        afternoon = time(_LOOKS_IN_AT, self._numbers.randrange(60), tzinfo=self._observatory.timezone)
        visit = datetime.combine(today, afternoon)
        if visit <= after:
            visit = datetime.combine(today + timedelta(days=1), afternoon)
        return visit.astimezone(UTC)


def _in_state(profile: SimulatedProfile, state: str) -> list[SimulatedProject]:
    return [project for project in profile.projects if project.state == state]


def _unfinished(profile: SimulatedProfile, project: SimulatedProject) -> bool:
    return any(wanted_now(profile, project, plan) > 0 for target in project.targets for plan in target.exposure_plans)
