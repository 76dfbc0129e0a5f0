"""The section of the targets that are imaged now: their exposure plans with progress and HFR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ts2mqtt.demo.section import Section
from ts2mqtt.demo.sections.lines import items_that_fit, more_items
from ts2mqtt.demo.sections.progress_rows import COLUMN_NOTES, ProgressRow, progress_lines

if TYPE_CHECKING:
    from rich.text import Text

    from ts2mqtt.demo.screen import Screen
    from ts2mqtt.topics.payloads import ExposurePlan, Statistics


def current_targets_section(screen: Screen) -> CurrentTargetsSection | None:
    """None while no target with exposure plans is imaged."""
    targets = [
        target
        for rig in screen.rigs.values()
        if (current := rig.target_at_work) and (target := screen.targets.get((rig.id, current.id or "")))
    ]
    rows = tuple(_row(plan) for target in targets for plan in target.exposure_plans)
    if not rows:
        return None
    return CurrentTargetsSection(
        title=f"At work: {', '.join(target.name for target in targets)}",
        notes=(f"{COLUMN_NOTES[0]}, mean HFR", COLUMN_NOTES[1]),
        optional=True,
        minimum=min(len(rows), 2),
        preferred=len(rows),
        maximum=len(rows),
        rows=rows,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentTargetsSection(Section):
    rows: tuple[ProgressRow, ...]

    def draw(self, width: int, height: int) -> list[Text]:
        shown, more = items_that_fit(self.rows, height)
        return progress_lines(shown, width) + more_items(more, "exposure plan", width)


def _row(plan: ExposurePlan) -> ProgressRow:
    return ProgressRow(
        name=plan.template or plan.filter or "",
        progress=plan.progress,
        desired=plan.desired,
        accepted=plan.accepted,
        pending=plan.pending,
        last_column=_hfr(plan.statistics),
    )


def _hfr(statistics: Statistics | None) -> str:
    return "" if statistics is None or statistics.hfr_mean is None else f"HFR {statistics.hfr_mean:.2f}"
