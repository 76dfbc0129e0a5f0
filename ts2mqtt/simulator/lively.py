"""A lively observatory, for `simulate` and `demo`: two profiles, projects in every state, nights that pass.

observatory = lively(seed=1, start=datetime.now(UTC), site=Site(...), timezone=ZoneInfo("Europe/Berlin"))
api = SimulatedApi(observatory, port=8188, clock=SpeedClock(observatory.now, speed=60))
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from ts2mqtt.simulator.catalogue import in_season
from ts2mqtt.simulator.chance import chance
from ts2mqtt.simulator.grading import delay_percent, remaining
from ts2mqtt.simulator.life import ObservatoryLife
from ts2mqtt.simulator.observatory import SimulatedObservatory
from ts2mqtt.simulator.programme import add_programme
from ts2mqtt.simulator.rig import Rig
from ts2mqtt.simulator.sky import Night, Site, Sky
from ts2mqtt.simulator.user import ScriptedUser

if TYPE_CHECKING:
    from datetime import datetime, tzinfo
    from random import Random
    from typing import Unpack

    from ts2mqtt.simulator.catalogue import CatalogueTarget
    from ts2mqtt.simulator.entities import ProjectFields, SimulatedProfile, SimulatedProject

_FINISHED = 1.0
_REJECTED_SHARE = 0.06


def lively(
    *, seed: int = 1, start: datetime, site: Site | None = None, timezone: tzinfo | None = None
) -> SimulatedObservatory:
    """An observatory at `start`, with some history, whose targets stand high in that season.

    The same arguments give the same observatory with the same future.
    """
    observatory = SimulatedObservatory(seed=seed, site=site, timezone=timezone, now=start)
    start = start.astimezone(UTC)
    sky = Sky(observatory.site)
    # Where summer nights never get dark, what stands high at any hour has to do.
    night = sky.night_from(start) or Night(start, start + timedelta(days=1))
    _furnish(observatory, start, sky, night)
    observatory.life = ObservatoryLife(Rig(observatory, start), ScriptedUser(observatory, start))
    return observatory


def _furnish(observatory: SimulatedObservatory, start: datetime, sky: Sky, night: Night) -> None:
    galaxies = in_season("broadband", sky, night)
    nebulae = in_season("narrowband", sky, night)
    mosaics = in_season("mosaic", sky, night)
    refractor = observatory.add_profile(
        "Refractor 530 mm", auto_accept_hfr=1.8, auto_accept_fwhm=2.5, auto_accept_eccentricity=0.4
    )
    reflector = observatory.add_profile("Reflector 1600 mm")
    numbers = chance(observatory.seed, "history")
    begun = start - timedelta(days=20)

    def add(profile: SimulatedProfile, entry: CatalogueTarget, **fields: Unpack[ProjectFields]) -> SimulatedProject:
        fields.setdefault("create_date", begun)
        return add_programme(observatory, profile, entry, **fields)

    _image(observatory, add(refractor, galaxies[0]), 0.85, numbers)
    _image(observatory, add(refractor, nebulae[0], priority=2), 0.4, numbers)
    _image(observatory, add(refractor, mosaics[0], enable_grader=False), 0.2, numbers)
    add(refractor, galaxies[1], minimum_altitude=35)
    _image(observatory, add(refractor, galaxies[2]), _FINISHED, numbers)
    _image(observatory, add(refractor, nebulae[1], flats_handling=7), 0.75, numbers)
    add(refractor, nebulae[2], state="Draft", description="When the moon is gone")
    add(refractor, galaxies[3], state="Draft", priority=0)
    _image(observatory, add(refractor, nebulae[3], state="Inactive"), 0.3, numbers)
    _image(observatory, add(refractor, galaxies[4], state="Closed"), _FINISHED, numbers)
    # Without Hocus Focus no image has FWHM or eccentricity: this profile's statistics cannot be had.
    _image(observatory, add(reflector, galaxies[5]), 0.5, numbers, hocus_focus=False)
    _image(observatory, add(reflector, nebulae[4], state="Inactive"), 0.1, numbers, hocus_focus=False)


def _image(
    observatory: SimulatedObservatory,
    project: SimulatedProject,
    share: float,
    numbers: Random,
    *,
    hocus_focus: bool = True,
) -> None:
    """Give a project the images of earlier nights: a share of each exposure plan, or all that it wants."""
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
