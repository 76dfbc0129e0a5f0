"""The section of the exposures that were acquired tonight, by target and filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from ts2mqtt.demo.section import Section
from ts2mqtt.demo.sections.lines import NO_FILTER, cropped, items_that_fit, more_items
from ts2mqtt.demo.short_text import column, shorten_list

if TYPE_CHECKING:
    from ts2mqtt.demo.screen import Screen
    from ts2mqtt.topics.payloads import TargetTonight


def tonight_section(screen: Screen) -> TonightSection | None:
    """None while nothing has been acquired."""
    targets = tuple(target for rig in screen.rigs.values() for target in rig.state.tonight.targets)
    if not targets:
        return None
    return TonightSection(
        title="Acquired tonight",
        optional=True,
        minimum=1,
        preferred=len(targets),
        maximum=len(targets),
        targets=targets,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TonightSection(Section):
    targets: tuple[TargetTonight, ...]

    def draw(self, width: int, height: int) -> list[Text]:
        shown, more = items_that_fit(self.targets, height)
        name_width = min(max(cell_len(target.name) for target in shown), width // 2)
        lines = [_target_line(target, name_width, width) for target in shown]
        return lines + more_items(more, "target", width)


def _target_line(target: TargetTonight, name_width: int, width: int) -> Text:
    counts = [f"{row.acquired} {row.filter or NO_FILTER}" for row in target.filters]
    exposures = shorten_list(counts, width - name_width - 4, separator=", ")
    return cropped(Text(f"  {column(target.name, name_width)}  {exposures}"), width)
