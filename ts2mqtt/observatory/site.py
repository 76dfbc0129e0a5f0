"""Where a rig stands, and which numbers are a place on the sky; sky.py computes with both."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite


@dataclass(frozen=True, slots=True)
class Site:
    """A place on Earth; north and east are positive."""

    latitude_deg: float
    longitude_deg: float


def is_position(ra_hours: float | None, dec_deg: float | None) -> bool:
    """Whether this is a place on the celestial sphere; what is none must not be given to the functions of sky.py."""
    return ra_hours is not None and dec_deg is not None and isfinite(ra_hours) and abs(dec_deg) <= 90.0  # noqa: PLR2004
