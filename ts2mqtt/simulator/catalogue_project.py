"""Adds a project for a target of the catalogue, with targets and exposure plans as a user would set them up."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Unpack

    from ts2mqtt.simulator.catalogue import CatalogueTarget
    from ts2mqtt.simulator.observatory import SimulatedObservatory
    from ts2mqtt.simulator.rows import ProjectFields, SimulatedProfile, SimulatedProject

_PANEL_OFFSET_DEG = 0.6
_ExposurePlan = tuple[str, str, float, int]
"""Template, filter, exposure in seconds, and the number of desired exposures."""

_LRGB: tuple[_ExposurePlan, ...] = (
    ("Lum 120s", "L", 120.0, 100),
    ("Red 120s", "R", 120.0, 50),
    ("Green 120s", "G", 120.0, 50),
    ("Blue 120s", "B", 120.0, 50),
)
_SHO: tuple[_ExposurePlan, ...] = (
    ("Ha 300s", "Ha", 300.0, 60),
    ("OIII 300s", "OIII", 300.0, 60),
    ("SII 300s", "SII", 300.0, 60),
)
_PANEL_LRGB: tuple[_ExposurePlan, ...] = (
    ("Lum 60s", "L", 60.0, 60),
    ("Red 60s", "R", 60.0, 30),
    ("Green 60s", "G", 60.0, 30),
    ("Blue 60s", "B", 60.0, 30),
)


def add_catalogue_project(
    observatory: SimulatedObservatory,
    profile: SimulatedProfile,
    entry: CatalogueTarget,
    **fields: Unpack[ProjectFields],
) -> SimulatedProject:
    """A project for a catalogue target: in LRGB, in narrowband SHO, or as a mosaic of four panels in LRGB."""
    if entry.kind == "mosaic":
        fields.setdefault("mosaic", True)
        panels = [(f"{entry.name} Panel {number}", *_panel_centre(entry, number)) for number in (1, 2, 3, 4)]
        plans = _PANEL_LRGB
    else:
        panels = [(entry.name, entry.ra_hours, entry.dec_deg)]
        plans = _SHO if entry.kind == "narrowband" else _LRGB
    fields.setdefault("filter_switch_frequency", 0 if entry.kind == "narrowband" else 5)
    fields.setdefault("dither_every", 3)
    project = observatory.add_project(profile, entry.name, **fields)
    for name, ra_hours, dec_deg in panels:
        target = observatory.add_target(project, name, ra_hours=ra_hours, dec_deg=dec_deg)
        for template_name, filter_name, exposure_s, desired in plans:
            observatory.add_exposure_plan(
                target, template_name, filter_name=filter_name, exposure_s=exposure_s, desired=desired
            )
    return project


def _panel_centre(entry: CatalogueTarget, number: int) -> tuple[float, float]:
    """Right ascension in hours and declination in degrees of a panel of the mosaic, 1 to 4."""
    east = 1 if number in (1, 3) else -1
    north = 1 if number in (1, 2) else -1
    dec_deg = entry.dec_deg + north * _PANEL_OFFSET_DEG
    ra_offset_hours = _PANEL_OFFSET_DEG / 15 / math.cos(math.radians(dec_deg))
    return round((entry.ra_hours + east * ra_offset_hours) % 24, 6), round(dec_deg, 6)
