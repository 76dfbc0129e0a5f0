"""The report of a night in lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ts2mqtt.logs.wording import counted, printable
from ts2mqtt.observatory.night_report import API_AWAY, NOT_DONE, NOTHING_PLANNED, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ts2mqtt.topics.payloads import Night, NightCounts

_REASONS: Mapping[str, str] = {
    API_AWAY: "nothing was imaged: N.I.N.A. did not answer",
    NOTHING_PLANNED: "nothing was imaged: nothing was planned",
    NOT_DONE: "nothing was imaged, although it was planned",
    UNKNOWN: "nothing is known of it: the bridge did not see this night",
}


def night_lines(night: Night) -> Iterator[str]:
    """A heading with the rig and the night, the totals, and each target with its filters."""
    yield f"{printable(night.rig_name)}, night of {night.night}"
    if night.reason is not None:
        yield f"  {_REASONS.get(night.reason, night.reason)}"
    planned = "" if night.planned_s is None else f" of {_hours(night.planned_s)} planned"
    imaged = "an unknown time" if night.imaged_s is None else _hours(night.imaged_s)
    between = f", {night.start:%H:%M} to {night.end:%H:%M}" if night.start and night.end else ""
    yield f"  imaged {imaged}{planned}{between}"
    if night.acquired:
        yield f"  {_counts(night)}"
    for target in night.targets:
        completed = ", completed" if target.completed else ""
        sums = f"{_counts(target)}{_hfr(target.hfr_median)}"
        yield f"  {printable(target.name)} ({printable(target.project_name)}){completed}: {sums}"
        for row in target.filters:
            exposure = "" if row.exposure_s is None else f" {row.exposure_s:g} s"
            yield f"    {printable(row.filter or '?')}{exposure}: {_counts(row)}{_hfr(row.hfr_median)}"
    if night.last_image is not None:
        image = night.last_image
        of = f", {printable(image.filter)}" if image.filter else ""
        yield f"  last image at {image.time:%H:%M}{of}{_hfr(image.hfr)}"


def _counts(counts: NightCounts) -> str:
    accepted = counts.accepted if counts.accepted is not None else f"at least {counts.accepted_at_least}"
    parts = [counted(counts.acquired, "exposure"), _hours(counts.integration_s), f"{accepted} accepted"]
    parts += [f"{counts.rejected} rejected"] if counts.rejected else []
    parts += [f"{counts.pending} not graded yet"] if counts.pending else []
    return ", ".join(parts)


def _hfr(pixels: float | None) -> str:
    return "" if pixels is None else f", HFR {pixels:.2f}"


def _hours(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min"
