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
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from ts2mqtt.demo.screen import Rig, Screen
    from ts2mqtt.topics.payloads import Plan, PlanBlock, PlannedExposures

_DONE_MARK, _MISSED_MARK = "✓ ", "✗ "


@dataclass(frozen=True, slots=True)
class MarkedBlock:
    """A target block of the plan, and what has become of it: imaged now, imaged, not imaged, or still to come."""

    label: str
    block: PlanBlock
    mark: str

    @property
    def is_current(self) -> bool:
        return self.mark == CURRENT_MARK


def plan_section(screen: Screen) -> PlanSection:
    """The target blocks of all rigs; a block's label names its rig where several rigs have a plan."""
    planned = [rig for rig in screen.rigs.values() if rig.plan.blocks]
    blocks = tuple(
        MarkedBlock(f"{rig.name}: {block.name}" if len(planned) > 1 else block.name or "", block, mark)
        for rig in planned
        for block, mark in _marked_blocks(rig, screen.now)
    )
    lengths = [duration(rig.plan.imaging_s) for rig in screen.rigs.values() if rig.plan.imaging_s]
    number = max(len(blocks), 1)
    return PlanSection(
        title=_title([rig.plan for rig in planned]),
        notes=(f"{lengths[0]} of imaging planned",) if len(lengths) == 1 else (),
        minimum=min(number, 2),
        preferred=min(number, 6),
        maximum=number,
        blocks=blocks,
        now=screen.now,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSection(Section):
    blocks: tuple[MarkedBlock, ...]
    now: datetime

    def draw(self, width: int, height: int) -> list[Text]:
        if not self.blocks:
            return [Text(shorten("none yet: it is made once for every night", width))]
        not_over = tuple(marked for marked in self.blocks if marked.is_current or marked.block.end > self.now)
        everything_fits = len(self.blocks) <= height
        shown, more = items_that_fit(self.blocks if everything_fits else not_over or self.blocks, height)
        longest = max((cell_len(marked.label) for marked in shown), default=0)
        label_width = min(longest, max(width // 3, MINIMUM_NAME_WIDTH))
        lines = [_block_line(marked, self.now, label_width, width) for marked in shown]
        return lines + more_items(more, "block", width)


def _title(plans: Sequence[Plan]) -> str:
    """With the date of the evening: in the morning, a plan is no longer tonight's."""
    nights = {plan.night for plan in plans if plan.night}
    return f"Night plan, {nights.pop():%a %d %b}" if len(nights) == 1 else "Night plan"


def _marked_blocks(rig: Rig, now: datetime) -> Iterator[tuple[PlanBlock, str]]:
    """The plan knows no clouds and no delays: what the rig does and did decides about the marks, not the time."""
    blocks = [block for block in rig.plan.blocks if block.kind == "target"]
    current = _current_block(rig, blocks, now)
    for number, block in enumerate(blocks):
        if block is current:
            yield block, CURRENT_MARK
        elif block.end > now:
            yield block, NO_MARK
        else:
            again = next((later.start for later in blocks[number + 1 :] if later.id == block.id), None)
            yield block, _DONE_MARK if _is_imaged(rig, block, again) else _MISSED_MARK


def _current_block(rig: Rig, blocks: Sequence[PlanBlock], now: datetime) -> PlanBlock | None:
    """The block of the target at work: its latest that has begun, or its first where the rig is ahead of the plan."""
    target = rig.target_at_work
    if target is None:
        return None
    own = [block for block in blocks if block.id == target.id]
    begun = [block for block in own if block.start <= now]
    return begun[-1] if begun else own[0] if own else None


def _is_imaged(rig: Rig, block: PlanBlock, again: datetime | None) -> bool:
    """Whether the target was imaged from the block's start on, before its next block: rigs are later than plans."""
    return any(
        exposure.target_id == block.id and block.start < exposure.time and (again is None or exposure.time <= again)
        for exposure in rig.exposures
    )


def _block_line(marked: MarkedBlock, now: datetime, label_width: int, width: int) -> Text:
    block = marked.block
    text = Text(marked.mark)
    text.append(f"{time_range(block.start, block.end, now)}  ")
    text.append(column(marked.label, min(label_width, width - text.cell_len)), "bold" if marked.is_current else "")
    exposures = shorten_list(_counts_by_filter(block.exposures), width - text.cell_len - 2, separator=", ")
    text.append(f"  {exposures}" if width - text.cell_len > MINIMUM_NAME_WIDTH else "")
    return cropped(text, width)


def _counts_by_filter(exposures: Iterable[PlannedExposures]) -> list[str]:
    counts: Counter[str] = Counter()
    for planned in exposures:
        counts[planned.filter or NO_FILTER] += planned.count
    return [f"{count} {name}" for name, count in counts.items()]
