"""What a user writes down for a target of the catalogue: projects with their targets and exposure plans."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Unpack

    from ts2mqtt.simulator.catalogue import CatalogueTarget
    from ts2mqtt.simulator.entities import ProjectFields, SimulatedProfile, SimulatedProject
    from ts2mqtt.simulator.observatory import SimulatedObservatory

_PANEL_OFFSET_DEG = 0.6
_Plan = tuple[str, str, float, int]

_LRGB: tuple[_Plan, ...] = (
    ("Lum 120s", "L", 120.0, 100),
    ("Red 120s", "R", 120.0, 50),
    ("Green 120s", "G", 120.0, 50),
    ("Blue 120s", "B", 120.0, 50),
)
_SHO: tuple[_Plan, ...] = (
    ("Ha 300s", "Ha", 300.0, 60),
    ("OIII 300s", "OIII", 300.0, 60),
    ("SII 300s", "SII", 300.0, 60),
)
_PANEL: tuple[_Plan, ...] = (
    ("Lum 60s", "L", 60.0, 60),
    ("Red 60s", "R", 60.0, 30),
    ("Green 60s", "G", 60.0, 30),
    ("Blue 60s", "B", 60.0, 30),
)


def add_programme(
    observatory: SimulatedObservatory,
    profile: SimulatedProfile,
    entry: CatalogueTarget,
    **fields: Unpack[ProjectFields],
) -> SimulatedProject:
    """A project for a catalogue target: LRGB, narrowband SHO, or a mosaic of four panels."""
    if entry.kind == "mosaic":
        fields.setdefault("mosaic", True)
        panels = [(f"{entry.name} Panel {number}", *_panel(entry, number)) for number in (1, 2, 3, 4)]
        plans = _PANEL
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


def _panel(entry: CatalogueTarget, number: int) -> tuple[float, float]:
    east = 1 if number in (1, 3) else -1
    north = 1 if number in (1, 2) else -1
    dec_deg = entry.dec_deg + north * _PANEL_OFFSET_DEG
    ra_offset_hours = _PANEL_OFFSET_DEG / 15 / math.cos(math.radians(dec_deg))
    return round((entry.ra_hours + east * ra_offset_hours) % 24, 6), round(dec_deg, 6)
