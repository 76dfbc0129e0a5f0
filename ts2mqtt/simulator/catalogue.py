"""Deep-sky targets for every season and both hemispheres, with J2000 coordinates.

targets_in_season("narrowband", sky, night)    # the best of that night first
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ts2mqtt.simulator.sky import Night, Sky

Kind = Literal["broadband", "narrowband", "mosaic"]

_HIGH_DEG = 30.0
_STEP = timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class CatalogueTarget:
    """A target with the coordinates of its centre: right ascension in hours, declination in degrees."""

    name: str
    ra_hours: float
    dec_deg: float
    kind: Kind


CATALOGUE = (
    CatalogueTarget("NGC 55", 0.248, -39.20, "broadband"),
    CatalogueTarget("47 Tucanae", 0.402, -72.08, "broadband"),
    CatalogueTarget("NGC 253 Sculptor Galaxy", 0.793, -25.29, "broadband"),
    CatalogueTarget("M 33 Triangulum Galaxy", 1.564, 30.66, "broadband"),
    CatalogueTarget("NGC 891", 2.376, 42.35, "broadband"),
    CatalogueTarget("M 45 Pleiades", 3.787, 24.12, "broadband"),
    CatalogueTarget("M 78", 5.779, 0.08, "broadband"),
    CatalogueTarget("NGC 2403", 7.614, 65.60, "broadband"),
    CatalogueTarget("NGC 2841", 9.367, 50.98, "broadband"),
    CatalogueTarget("M 81 & M 82", 9.926, 69.30, "broadband"),
    CatalogueTarget("Leo Triplet", 11.322, 13.09, "broadband"),
    CatalogueTarget("M 106", 12.316, 47.30, "broadband"),
    CatalogueTarget("NGC 4565 Needle Galaxy", 12.606, 25.99, "broadband"),
    CatalogueTarget("M 104 Sombrero Galaxy", 12.667, -11.62, "broadband"),
    CatalogueTarget("NGC 5128 Centaurus A", 13.425, -43.02, "broadband"),
    CatalogueTarget("M 51 Whirlpool Galaxy", 13.498, 47.20, "broadband"),
    CatalogueTarget("M 101 Pinwheel Galaxy", 14.053, 54.35, "broadband"),
    CatalogueTarget("M 5", 15.310, 2.08, "broadband"),
    CatalogueTarget("M 13 Hercules Cluster", 16.695, 36.46, "broadband"),
    CatalogueTarget("M 92", 17.285, 43.14, "broadband"),
    CatalogueTarget("NGC 6744", 19.163, -63.86, "broadband"),
    CatalogueTarget("NGC 6946 Fireworks Galaxy", 20.581, 60.15, "broadband"),
    CatalogueTarget("NGC 7023 Iris Nebula", 21.027, 68.17, "broadband"),
    CatalogueTarget("M 15", 21.500, 12.17, "broadband"),
    CatalogueTarget("NGC 7331 & Stephan's Quintet", 22.618, 34.42, "broadband"),
    CatalogueTarget("NGC 281 Pacman Nebula", 0.881, 56.62, "narrowband"),
    CatalogueTarget("IC 1848 Soul Nebula", 2.853, 60.43, "narrowband"),
    CatalogueTarget("IC 405 Flaming Star Nebula", 5.271, 34.36, "narrowband"),
    CatalogueTarget("NGC 2070 Tarantula Nebula", 5.645, -69.10, "narrowband"),
    CatalogueTarget("IC 434 Horsehead Nebula", 5.683, -2.46, "narrowband"),
    CatalogueTarget("IC 443 Jellyfish Nebula", 6.285, 22.60, "narrowband"),
    CatalogueTarget("NGC 2237 Rosette Nebula", 6.533, 4.95, "narrowband"),
    CatalogueTarget("NGC 2359 Thor's Helmet", 7.307, -13.23, "narrowband"),
    CatalogueTarget("Abell 31", 8.904, 8.89, "narrowband"),
    CatalogueTarget("NGC 3372 Carina Nebula", 10.752, -59.87, "narrowband"),
    CatalogueTarget("M 97 Owl Nebula", 11.247, 55.02, "narrowband"),
    CatalogueTarget("NGC 6188", 16.672, -48.78, "narrowband"),
    CatalogueTarget("NGC 6543 Cat's Eye Nebula", 17.976, 66.63, "narrowband"),
    CatalogueTarget("M 8 Lagoon Nebula", 18.060, -24.38, "narrowband"),
    CatalogueTarget("M 16 Eagle Nebula", 18.313, -13.79, "narrowband"),
    CatalogueTarget("M 27 Dumbbell Nebula", 19.993, 22.72, "narrowband"),
    CatalogueTarget("NGC 6888 Crescent Nebula", 20.200, 38.35, "narrowband"),
    CatalogueTarget("IC 5070 Pelican Nebula", 20.847, 44.35, "narrowband"),
    CatalogueTarget("IC 1396 Elephant's Trunk", 21.652, 57.50, "narrowband"),
    CatalogueTarget("Sh2-155 Cave Nebula", 22.945, 62.62, "narrowband"),
    CatalogueTarget("NGC 7635 Bubble Nebula", 23.347, 61.20, "narrowband"),
    CatalogueTarget("M 31 Andromeda Galaxy", 0.712, 41.27, "mosaic"),
    CatalogueTarget("IC 1805 Heart Nebula", 2.548, 61.47, "mosaic"),
    CatalogueTarget("Simeis 147", 5.650, 28.00, "mosaic"),
    CatalogueTarget("Vela Supernova Remnant", 8.600, -45.00, "mosaic"),
    CatalogueTarget("Markarian's Chain", 12.447, 13.10, "mosaic"),
    CatalogueTarget("Rho Ophiuchi", 16.430, -24.00, "mosaic"),
    CatalogueTarget("Cygnus Loop", 20.850, 31.00, "mosaic"),
)


def targets_in_season(kind: Kind, sky: Sky, night: Night) -> list[CatalogueTarget]:
    """All targets of a kind, sorted by how long each stands high that night, the longest first."""
    steps = int((night.dawn - night.dusk) / _STEP) + 1
    times = [night.dusk + step * _STEP for step in range(steps)]

    def rank(entry: CatalogueTarget) -> tuple[int, float]:
        altitudes = [sky.altitude(entry.ra_hours, entry.dec_deg, time) for time in times]
        return sum(altitude > _HIGH_DEG for altitude in altitudes), max(altitudes)

    return sorted((entry for entry in CATALOGUE if entry.kind == kind), key=rank, reverse=True)
