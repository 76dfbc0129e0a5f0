"""The section of the night plan: its blocks, and the exposures of each block by filter."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from ts2mqtt.demo.section import Section
from ts2mqtt.demo.sections.lines import (
    CURRENT_MARK,
    MINIMUM_NAME_WIDTH,
    NO_FILTER,
    NO_MARK,
    cropped,
    items_that_fit,
    more_items,
)
from ts2mqtt.demo.short_text import column, duration, shorten, shorten_list, time_range

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ts2mqtt.demo.screen import Screen
    from ts2mqtt.topics.payloads import PlanBlock, PlannedExposures

_PAST_MARK = "✓ "


def plan_section(screen: Screen) -> PlanSection:
    """The target blocks of all rigs; a block's label names its rig where several rigs have a plan."""
    planned = [rig for rig in screen.rigs.values() if rig.plan.blocks]
    blocks = tuple(
        (f"{rig.name}: {block.name}" if len(planned) > 1 else block.name or "", block)
        for rig in planned
        for block in rig.plan.blocks
        if block.kind == "target"
    )
    lengths = [duration(rig.plan.imaging_s) for rig in screen.rigs.values() if rig.plan.imaging_s]
    number = max(len(blocks), 1)
    return PlanSection(
        title="Tonight's plan",
        notes=(f"{lengths[0]} of imaging",) if len(lengths) == 1 else (),
        minimum=min(number, 2),
        preferred=min(number, 6),
        maximum=number,
        blocks=blocks,
        now=screen.now,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSection(Section):
    """`blocks` are pairs of a label and a block."""

    blocks: tuple[tuple[str, PlanBlock], ...]
    now: datetime

    def draw(self, width: int, height: int) -> list[Text]:
        if not self.blocks:
            return [Text(shorten("none yet: it is made once for every night", width))]
        not_over = tuple(item for item in self.blocks if item[1].end > self.now)
        everything_fits = len(self.blocks) <= height
        shown, more = items_that_fit(self.blocks if everything_fits else not_over or self.blocks, height)
        longest = max((cell_len(label) for label, _ in shown), default=0)
        label_width = min(longest, max(width // 3, MINIMUM_NAME_WIDTH))
        lines = [_block_line(label, block, self.now, label_width, width) for label, block in shown]
        return lines + more_items(more, "block", width)


def _block_line(label: str, block: PlanBlock, now: datetime, label_width: int, width: int) -> Text:
    is_current = block.start <= now < block.end
    text = Text(CURRENT_MARK if is_current else _PAST_MARK if block.end <= now else NO_MARK)
    text.append(f"{time_range(block.start, block.end, now)}  ")
    text.append(column(label, min(label_width, width - text.cell_len)), "bold" if is_current else "")
    exposures = shorten_list(_counts_by_filter(block.exposures), width - text.cell_len - 2, separator=", ")
    text.append(f"  {exposures}" if width - text.cell_len > MINIMUM_NAME_WIDTH else "")
    return cropped(text, width)


def _counts_by_filter(exposures: Iterable[PlannedExposures]) -> list[str]:
    counts: Counter[str] = Counter()
    for planned in exposures:
        counts[planned.filter or NO_FILTER] += planned.count
    return [f"{count} {name}" for name, count in counts.items()]
