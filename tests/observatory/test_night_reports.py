"""Which night a light frame belongs to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.support.build import exposure_plan, profile, project, rig, target
from ts2mqtt.observatory.live import LightFrame
from ts2mqtt.observatory.look import Look
from ts2mqtt.observatory.model import Listing
from ts2mqtt.observatory.night import night_of
from ts2mqtt.observatory.night_report import NightReport
from ts2mqtt.observatory.night_reports import NightLook, NightReports, follow

NOW = datetime(2026, 1, 10, 23, tzinfo=UTC)
A_DAY = timedelta(days=1)
RIG = rig(Listing((profile(projects=Listing((project(targets=Listing((target(exposure_plan(9)),))),))),)))


def report_of(moment: datetime) -> NightReport:
    return NightReport(night=night_of(moment, UTC), seen_from=moment)


def test_a_light_frame_belongs_to_the_night_in_which_it_was_taken() -> None:
    frames = [
        LightFrame(
            time=time, target_id="target", filter="Lum", exposure_s=60.0, hfr=hfr, stars=9, guide_rms_arcsec=None
        )
        # Of the third nobody keeps a report.
        for time, hfr in ((NOW - A_DAY, 1.0), (NOW, 2.0), (NOW - 2 * A_DAY, 3.0))
    ]
    at = NightLook(
        look=Look(rig=RIG, plan=None, now=NOW, zone=UTC),
        night=night_of(NOW, UTC),
        rig_before=RIG,
        read_night=night_of(NOW, UTC),
        has_read=True,
        gains=(),
        images=True,
        completed=frozenset(),
        frames=frames,
    )

    reports, _ = follow(NightReports(tonight=report_of(NOW), last=report_of(NOW - A_DAY)), at)

    assert reports.tonight is not None
    assert reports.last is not None
    assert (reports.last.hfr_median("target"), reports.last.last_image) == (1.0, frames[0])
    assert (reports.tonight.hfr_median("target"), reports.tonight.last_image) == (2.0, frames[1])
