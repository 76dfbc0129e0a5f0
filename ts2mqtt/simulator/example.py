"""An observatory with the data of the examples in the Target Scheduler API's documentation."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from ts2mqtt.simulator.observatory import SimulatedObservatory
from ts2mqtt.simulator.planner import PreviewBlock, PreviewExposures

_ZONE = timezone(timedelta(hours=-5))
_DUSK = datetime(2026, 2, 27, 19, 38, 15, 443681, tzinfo=_ZONE)
_FILTERS = ("Lum", "Red", "Green", "Blue")


def documentation_example() -> SimulatedObservatory:
    """Three profiles, the projects P1 and P2, M 31 with four exposure plans, and a preview of two blocks."""
    observatory = SimulatedObservatory(timezone=_ZONE, now=datetime(2026, 2, 27, 12, tzinfo=_ZONE))
    profile = observatory.add_profile("Profile 1", id="c0e1645f-4d4c-4cff-b6f8-c66a58be9cd4")
    observatory.add_profile("Profile 2", id="c86232f4-4952-41c6-b83f-69aa749e401f")
    observatory.add_profile("Profile 3", id="53d28ce2-f175-40d9-b765-3ab410efb1de")
    project = observatory.add_project(
        profile,
        "P1",
        id="d900ba4a-5f70-4eb1-bd30-cd4c9b45d1c4",
        create_date=datetime(2026, 2, 26, 6, 17, 59, tzinfo=_ZONE),
    )
    observatory.add_project(
        profile,
        "P2",
        id="da436a23-a700-402b-aea5-db438f7ce565",
        state="Draft",
        create_date=datetime(2026, 2, 26, 13, 57, 47, tzinfo=_ZONE),
    )
    target = observatory.add_target(
        project,
        "M 31",
        id="134973bf-f949-462d-9c4b-8baad53d75a8",
        ra_hours=0.7123138886666667,
        dec_deg=41.26875,
    )
    for name in _FILTERS:
        observatory.add_exposure_plan(target, name, exposure_s=60, desired=1)
    observatory.set_preview(
        profile,
        (
            PreviewBlock(start=datetime(2026, 2, 27, 13, tzinfo=_ZONE), end=_DUSK),
            PreviewBlock(
                target_id=target.id,
                name=target.name,
                start=_DUSK,
                end=_DUSK + timedelta(minutes=4),
                exposures=tuple(PreviewExposures(name, 60, 1) for name in _FILTERS),
            ),
        ),
    )
    return observatory
