"""Follows the nights of a rig: the report of the running one, that of the last one, and when a night is over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ts2mqtt.observatory.night import is_midday, night_of
from ts2mqtt.observatory.night_report import (
    NightReport,
    add,
    graded,
    is_over,
    is_worth_telling,
    watched,
    with_completed,
    with_frames,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from ts2mqtt.observatory.exposures import Gain
    from ts2mqtt.observatory.live import LightFrame
    from ts2mqtt.observatory.look import Look
    from ts2mqtt.observatory.model import Rig

_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NightReports:
    """`tonight`: the night that runs, or is not told yet; `last`: the latest night that is over and was told."""

    tonight: NightReport | None = None
    last: NightReport | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NightLook:
    """One look at a rig, and what was found out from it.

    `night`: that of the look. `rig_before`: as remembered from the look before. `read_night`, `has_read`: as in
    `changes.Watch`, before this look. `images`: whether the rig images, or may as far as is known. `completed`: ids
    of targets that have just been completed. `frames`: light frames that N.I.N.A. has told of since the look before.
    """

    look: Look
    night: date
    rig_before: Rig | None
    read_night: date | None
    has_read: bool
    gains: Sequence[Gain]
    images: bool
    completed: frozenset[str]
    frames: Sequence[LightFrame] = ()

    @property
    def is_tried(self) -> bool:
        """Whether the rig was asked in this run of the bridge: before, its zone and its counts are old."""
        return self.look.rig.profiles is not None or self.look.rig.online is False

    @property
    def night_of_gains(self) -> date | None:
        """The night in which the gains were taken; None if nobody can tell.

        What is first read after a noon was taken before it, if nobody can have imaged since: the rig was off or it is
        midday.
        """
        if self.read_night in (None, self.night):
            return self.night
        is_of_last_night = self.read_night == self.night - _A_DAY and (
            self.has_read or is_midday(self.look.now, self.look.zone)
        )
        return self.read_night if is_of_last_night else None


def follow(reports: NightReports, at: NightLook) -> tuple[NightReports, NightReport | None]:
    """The reports after a look, and the night that is over since, to be told once."""
    if reports.tonight is not None and reports.tonight.night != at.night and not at.is_tried:
        return reports, None
    tonight = _of_now(reports.tonight or _begun(at), at)
    last = reports.last
    told: NightReport | None = None
    if last is not None:
        last = tonight if last.night == tonight.night else _of_now(last, at)
    if tonight.night != at.night:
        if (last is None or last.night != tonight.night) and is_worth_telling(tonight, at.look.zone):
            was_watched = at.has_read or at.night_of_gains == tonight.night
            told = last = tonight if was_watched else replace(tonight, complete=False)
        tonight = _of_now(_begun(at), at)
    elif (
        (last is None or last.night != tonight.night)
        and at.is_tried
        and is_over(tonight, at.look, images=at.images)
        and is_worth_telling(tonight, at.look.zone)
    ):
        told = last = tonight
    return NightReports(tonight=tonight, last=last), told


def _begun(at: NightLook) -> NightReport:
    return NightReport(night=at.night, seen_from=at.look.now.replace(microsecond=0))


def _of_now(report: NightReport, at: NightLook) -> NightReport:
    if report.night == at.night:
        report = watched(report, at.look)
    if report.night == at.night_of_gains:
        report = add(report, at.gains, at.look.rig)
    frames = [one for one in at.frames if night_of(one.time, at.look.zone) == report.night]
    if frames:
        report = with_frames(report, frames, at.look.rig)
    if at.look.rig.profiles is not None and (
        at.rig_before is None or at.rig_before.profiles is not at.look.rig.profiles
    ):
        report = graded(report, at.look.rig)
    return with_completed(report, at.completed) if at.completed else report
