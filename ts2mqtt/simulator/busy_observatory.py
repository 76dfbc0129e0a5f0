"""The observatory of `ts2mqtt simulate` and `ts2mqtt demo`: two profiles, projects in every state, nights of imaging.

observatory = busy_observatory(seed=1, start=datetime.now(UTC), site=Site(...), timezone=ZoneInfo("Europe/Berlin"))
api = SimulatedApi(observatory, port=8188, clock=PacedClock(observatory.now, pace=60).now)
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from ts2mqtt.simulator.automation import ObservatoryAutomation
from ts2mqtt.simulator.catalogue import targets_in_season
from ts2mqtt.simulator.catalogue_project import add_catalogue_project
from ts2mqtt.simulator.grading import delay_percent, remaining
from ts2mqtt.simulator.observatory import SimulatedObservatory
from ts2mqtt.simulator.random_numbers import random_numbers
from ts2mqtt.simulator.rig import EVENING, Rig
from ts2mqtt.simulator.scripted_user import ScriptedUser
from ts2mqtt.simulator.sky import Night, Site, Sky

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, tzinfo
    from random import Random
    from typing import Unpack

    from ts2mqtt.simulator.catalogue import CatalogueTarget
    from ts2mqtt.simulator.rows import ProjectFields, SimulatedProfile, SimulatedProject
    from ts2mqtt.simulator.weather import Clouds

_COMPLETE = 1.0
_REJECTED_SHARE = 0.06


def busy_observatory(  # noqa: PLR0913 - each has a default, and most callers name two
    *,
    seed: int = 1,
    start: datetime,
    site: Site | None = None,
    timezone: tzinfo | None = None,
    first_nights: Iterable[Clouds] = (),
    evening: timedelta = EVENING,
) -> SimulatedObservatory:
    """An observatory at `start` with images of earlier nights and targets that stand high in that season.

    `first_nights` are the clouds of the first nights; `evening`: so long before dusk the user starts the sequence.
    The same arguments give the same observatory with the same future.
    """
    observatory = SimulatedObservatory(seed=seed, site=site, timezone=timezone, now=start)
    start = start.astimezone(UTC)
    sky = Sky(observatory.site)
    # Where summer nights never get dark, targets are chosen by their altitude over a whole day.
    night = sky.night_from(start) or Night(start, start + timedelta(days=1))
    _add_projects(observatory, start, sky, night)
    rig = Rig(observatory, start, first_nights=first_nights, evening=evening)
    observatory.automation = ObservatoryAutomation(rig, ScriptedUser(observatory, start))
    return observatory


def _add_projects(observatory: SimulatedObservatory, start: datetime, sky: Sky, night: Night) -> None:
    galaxies = targets_in_season("broadband", sky, night)
    nebulae = targets_in_season("narrowband", sky, night)
    mosaics = targets_in_season("mosaic", sky, night)
    refractor = observatory.add_profile(
        "Refractor 530 mm", auto_accept_hfr=1.8, auto_accept_fwhm=2.5, auto_accept_eccentricity=0.4
    )
    reflector = observatory.add_profile("Reflector 1600 mm")
    numbers = random_numbers(observatory.seed, "history")
    created = start - timedelta(days=20)

    def add(profile: SimulatedProfile, entry: CatalogueTarget, **fields: Unpack[ProjectFields]) -> SimulatedProject:
        fields.setdefault("create_date", created)
        return add_catalogue_project(observatory, profile, entry, **fields)

    _add_images(observatory, add(refractor, galaxies[0]), 0.85, numbers)
    _add_images(observatory, add(refractor, nebulae[0], priority=2), 0.4, numbers)
    _add_images(observatory, add(refractor, mosaics[0], enable_grader=False), 0.2, numbers)
    add(refractor, galaxies[1], minimum_altitude=35)
    _add_images(observatory, add(refractor, galaxies[2]), _COMPLETE, numbers)
    _add_images(observatory, add(refractor, nebulae[1], flats_handling=7), 0.75, numbers)
    add(refractor, nebulae[2], state="Draft", description="When the moon is gone")
    add(refractor, galaxies[3], state="Draft", priority=0)
    _add_images(observatory, add(refractor, nebulae[3], state="Inactive"), 0.3, numbers)
    _add_images(observatory, add(refractor, galaxies[4], state="Closed"), _COMPLETE, numbers)
    # Without Hocus Focus images have no FWHM and no eccentricity, and the API fails to give statistics.
    _add_images(observatory, add(reflector, galaxies[5]), 0.5, numbers, hocus_focus=False)
    _add_images(observatory, add(reflector, nebulae[4], state="Inactive"), 0.1, numbers, hocus_focus=False)


def _add_images(
    observatory: SimulatedObservatory,
    project: SimulatedProject,
    share: float,
    numbers: Random,
    *,
    hocus_focus: bool = True,
) -> None:
    """Add the images of earlier nights to a project, until this share of each exposure plan is imaged."""
    delay = delay_percent(observatory.profile_of(project), project)
    for target in project.targets:
        for index, plan in enumerate(target.exposure_plans):
            while remaining(plan, delay) > plan.desired * (1 - share):
                fwhm = max(numbers.gauss(2.5, 0.3), 1.2)
                observatory.acquire(
                    target,
                    index,
                    good=numbers.random() > _REJECTED_SHARE,
                    hfr=round(fwhm / 1.4, 3),
                    fwhm=round(fwhm, 3) if hocus_focus else None,
                    eccentricity=round(numbers.uniform(0.3, 0.5), 3) if hocus_focus else None,
                )
