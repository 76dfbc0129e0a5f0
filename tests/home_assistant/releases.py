"""The releases of Home Assistant that the tests meet: the oldest that ts2mqtt supports, and the newest."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Release:
    """A release, the Python that it takes, and the Debian that has one.

    `packages` of that Debian are what it takes to build the requirements that have no wheels for this Python;
    `constraints` hold back what has become too new for it since.
    """

    version: str
    python: tuple[int, int, int]
    debian: str
    packages: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()

    @property
    def python_name(self) -> str:
        major, minor, _ = self.python
        return f"python{major}.{minor}"

    @property
    def year_and_month(self) -> tuple[int, int]:
        year, month, _ = self.version.split(".")
        return int(year), int(month)

    @property
    def removes_what_is_disabled(self) -> bool:
        """Earlier ones keep a disabled entity, and so its device, for ever (home-assistant/core#168382)."""
        return self.year_and_month >= (2026, 11)


OLDEST = Release(
    "2025.10.0",
    (3, 13, 2),
    "trixie",
    packages=("gcc", "libc6-dev", "python3.13-dev"),
    constraints=("pycares<5",),
)
"""The first that gives entities the ids that a bridge proposes; before 2025.4.3 none removes its devices either."""

NEWEST = Release("2026.11.0", (3, 14, 2), "forky")
RELEASES = (OLDEST, NEWEST)
