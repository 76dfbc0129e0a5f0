"""How late a bridge reports what a simulated observatory did, and what it asked for that; the simulator knows.

saved = images_saved(observatory, until)                    # of a second observatory, made in the same way
watched = play(observatory, script)
delays(saved, watched)                                      # seconds from each saved exposure to the report
requests_by_kind(watched)                                   # what was asked
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ts2mqtt.observatory.tree import distinct_targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.support.simulated_night import WatchedRig
    from ts2mqtt.simulator.observatory import SimulatedObservatory

_STEP = timedelta(seconds=1)

WITHOUT_DATABASE = frozenset({"version", "profiles"})
"""Kinds of requests that open no database context at the rig."""


@dataclass(frozen=True, slots=True)
class Saved:
    """An image that was saved within the second before `time`: so many the target has since then."""

    time: datetime
    target_id: str
    number: int


def images_saved(observatory: SimulatedObservatory, until: datetime) -> list[Saved]:
    """Lets the time pass up to `until`, second by second, and notes every image."""
    saved: list[Saved] = []
    before = _numbers(observatory)
    while observatory.now < until:
        observatory.advance(observatory.now + _STEP)
        now = _numbers(observatory)
        for target_id, number in now.items():
            saved += [Saved(observatory.now, target_id, one + 1) for one in range(before.get(target_id, 0), number)]
        before = now
    return saved


def delays(saved: Iterable[Saved], watched: WatchedRig) -> list[float]:
    """Seconds from each of these exposures to the report that first counts it."""
    return [seconds for _, seconds in delays_by_image(saved, watched)]


def delays_by_image(saved: Iterable[Saved], watched: WatchedRig) -> list[tuple[Saved, float]]:
    """As `delays`, with the images."""
    awaited: defaultdict[str, list[Saved]] = defaultdict(list)
    for image in saved:
        awaited[image.target_id].append(image)
    found: list[tuple[Saved, float]] = []
    rig = None
    for look, view in zip(watched.looks, watched.views, strict=True):
        if view.rig is rig:
            continue
        rig = view.rig
        for place in distinct_targets(rig):
            images = awaited.get(place.target.id)
            number = sum(plan.acquired for plan in place.target.exposure_plans)
            while images and images[0].number <= number:
                image = images.pop(0)
                found.append((image, (look.time - image.time).total_seconds()))
    left = sum(len(images) for images in awaited.values())
    assert not left, f"{left} exposures were never reported"
    return found


def kind_of(path: str) -> str:
    """What a request asked for: version, profiles, projects, targets, statistics or preview."""
    return path.rsplit("/", 1)[-1]


def requests_by_kind(watched: WatchedRig) -> Counter[str]:
    return Counter(kind_of(request.path) for request in watched.api.requests)


def database_requests(watched: WatchedRig) -> int:
    """Those that open a database context at the rig."""
    return len(database_times(watched))


def database_times(watched: WatchedRig) -> list[datetime]:
    """When each request was sent that opens a database context at the rig."""
    return [request.time for request in watched.api.requests if kind_of(request.path) not in WITHOUT_DATABASE]


def share(values: Sequence[float], percent: float) -> float:
    """The value below which so many percent of the values are."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def _numbers(observatory: SimulatedObservatory) -> dict[str, int]:
    return {
        target.id: sum(plan.acquired for plan in target.exposure_plans)
        for project in observatory.active_profile.projects
        for target in project.targets
    }
