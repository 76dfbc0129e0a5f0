"""Decides what to ask a rig for in a look: what is live every time, everything else at the slow interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from ts2mqtt.observatory.model import ACTIVE, Profile, Project

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Set as AbstractSet

    from ts2mqtt.timing import Clock

Parent = TypeVar("Parent", Profile, Project)


@dataclass(frozen=True, slots=True)
class PluginVersion:
    """The version of the plugin."""


@dataclass(frozen=True, slots=True)
class ProjectsOf:
    """The list of a profile's projects."""

    profile_id: str


@dataclass(frozen=True, slots=True)
class TargetsOf:
    """The list of a project's targets."""

    project_id: str


SlowThing = PluginVersion | ProjectsOf | TargetsOf


@dataclass(frozen=True, slots=True)
class ListToRead(Generic[Parent]):
    """The list below a profile or a project; one that `is_slow` rests afterwards, a live one does not."""

    parent: Parent
    is_slow: bool


def project_lists(
    profiles: Iterable[Profile],
    resting: AbstractSet[SlowThing],
    *,
    everything: bool,
    just_left: str | None = None,
) -> list[ListToRead[Profile]]:
    """The lists of projects to read now; that of the active profile is live, and once more that of one just left."""
    return [
        ListToRead(profile, is_slow=not (everything or is_live))
        for profile in profiles
        for is_live in [profile.active or profile.id == just_left]
        if everything or is_live or ProjectsOf(profile.id) not in resting
    ]


def target_lists(
    projects: Iterable[tuple[Profile, Project]],
    resting: AbstractSet[SlowThing],
    *,
    everything: bool,
    just_left: str | None = None,
) -> list[ListToRead[Project]]:
    """The lists of targets to read now; those of the Active projects of such profiles are live."""
    return [
        ListToRead(project, is_slow=not (everything or is_live))
        for profile, project in projects
        for is_live in [project.state == ACTIVE and (profile.active or profile.id == just_left)]
        if everything or is_live or TargetsOf(project.id) not in resting
    ]


class SlowThings:
    """When each thing that is asked for at the slow interval is due; the first time it is due at once."""

    def __init__(self, slow_interval: float, clock: Clock, rng: random.Random) -> None:
        self._slow_interval = slow_interval
        self._clock = clock
        self._rng = rng
        self._due: dict[SlowThing, float] = {}

    def resting(self) -> frozenset[SlowThing]:
        """Those that are not due yet."""
        now = self._clock.monotonic()
        return frozenset(thing for thing, due in self._due.items() if now < due)

    def is_due(self, thing: SlowThing) -> bool:
        now = self._clock.monotonic()
        return now >= self._due.get(thing, now)

    def put_off(self, thing: SlowThing) -> None:
        """Until the slow interval is over, or up to a fifth of it sooner, so that they spread over time."""
        self._due[thing] = self._clock.monotonic() + self._slow_interval * self._rng.uniform(0.8, 1.0)

    def make_due(self, thing: SlowThing) -> None:
        """To be read in the next look."""
        self._due.pop(thing, None)

    def use(self, slow_interval: float) -> None:
        """From now on; nothing rests for longer than this interval."""
        self._slow_interval = slow_interval
        latest = self._clock.monotonic() + slow_interval
        self._due = {thing: min(due, latest) for thing, due in self._due.items()}

    def spread_again(self) -> None:
        """After an outage: what has become due meanwhile is not asked for all at once."""
        now = self._clock.monotonic()
        self._due = {
            thing: due if due > now else now + self._slow_interval * self._rng.random()
            for thing, due in self._due.items()
        }

    def forget_all_but(self, things: AbstractSet[SlowThing]) -> None:
        self._due = {thing: due for thing, due in self._due.items() if thing in things}
