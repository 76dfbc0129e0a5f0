"""The releases of Home Assistant that the tests meet: the oldest that ts2mqtt supports, and the newest."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Release:
    """A release, a Python that runs it, and the Debian that has this Python."""

    version: str
    python: str
    debian: str

    @property
    def year_and_month(self) -> tuple[int, int]:
        year, month, _ = self.version.split(".")
        return int(year), int(month)


OLDEST = Release("2024.12.0", "3.13", "trixie")
NEWEST = Release("2026.11.0", "3.14", "forky")
RELEASES = (OLDEST, NEWEST)
