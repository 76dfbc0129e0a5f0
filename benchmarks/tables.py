"""Tables as docs/performance.md has them; a figure stands there with its spread."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of what was measured, and where it is more than one figure, the least and the most."""

    values: Sequence[float]

    @classmethod
    def ratio(cls, of: Sequence[float], to: Sequence[float]) -> Spread:
        """Pair by pair, as they were measured one after the other."""
        return cls([one / other for one, other in zip(of, to, strict=True)])

    @classmethod
    def beside(cls, floors: Sequence[float], bridges: Sequence[float], unit: float) -> tuple[Spread, Spread, Spread]:
        """Floor and bridge in this fraction of what was measured (1e3: seconds as ms), and how much the second is."""
        return (
            cls([unit * value for value in floors]),
            cls([unit * value for value in bridges]),
            cls.ratio(bridges, floors),
        )

    def __str__(self) -> str:
        median = _figure(statistics.median(self.values))
        if len(self.values) == 1:
            return median
        return f"{median} ({_figure(min(self.values))}–{_figure(max(self.values))})"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def _figure(value: float) -> str:
    """Three digits."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004
