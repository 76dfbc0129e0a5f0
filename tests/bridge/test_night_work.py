"""What is worked out once for a night: of which facts the picture and each target's way over the sky are made."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.sample_rig import BACKYARD, DUSK, LAST_NIGHT, M31, TONIGHT, ZONE, rig_of_targets
from ts2mqtt.bridge.night_results import work_out
from ts2mqtt.bridge.night_work import NightInputs, night_inputs
from ts2mqtt.observatory.changes import Watch
from ts2mqtt.observatory.evidence import OBSERVED
from ts2mqtt.observatory.look import Look
from ts2mqtt.observatory.night_report import ImagedStretch, Stretch
from ts2mqtt.observatory.night_reports import NightReports
from ts2mqtt.observatory.present import IMAGING, OFFLINE, WAITING, Appointment, Present
from ts2mqtt.observatory.site import Site
from ts2mqtt.picture import last_night_picture, night_picture

if TYPE_CHECKING:
    from datetime import date

    from ts2mqtt.observatory.model import NightPlan, Rig

IN_NEW_YORK = Site(40.7, -74.0)


def look_at(rig: Rig = BACKYARD, plan: NightPlan | None = None) -> Look:
    return Look(rig=rig, plan=plan, now=DUSK + timedelta(minutes=1), zone=ZONE)


@pytest.mark.parametrize("epoch", ["J2000", "JNOW", "B1950"])
def test_picture_and_sky_are_of_the_target_s_epoch(epoch: str) -> None:
    rig = rig_of_targets(replace(M31, epoch=epoch), rig=BACKYARD)

    night = work_out(night_inputs(look_at(rig, TONIGHT), IN_NEW_YORK, Watch()))

    assert M31.ra_hours is not None
    assert M31.dec_deg is not None
    assert night.picture == night_picture(
        TONIGHT,
        zone=ZONE,
        site=IN_NEW_YORK,
        coordinates={M31.id: (M31.ra_hours, M31.dec_deg, epoch)},
        rig_name=BACKYARD.name,
    )
    assert night.skies.keys() == {M31.id}


def test_the_last_night_is_drawn_beside_the_plan_and_without_one() -> None:
    inputs = night_inputs(look_at(), None, Watch(nights=NightReports(last=LAST_NIGHT)))

    assert inputs.is_work
    assert inputs != night_inputs(look_at(), None, Watch())
    night = work_out(inputs)
    assert night.picture is None
    assert night.last_picture == last_night_picture(LAST_NIGHT, zone=ZONE, site=None, rig_name=BACKYARD.name)


def test_what_has_come_true_is_drawn_when_the_imaging_of_a_target_has_ended() -> None:
    stretches = (
        Stretch(DUSK, DUSK + timedelta(minutes=20)),
        Stretch(DUSK + timedelta(minutes=50), DUSK + timedelta(minutes=55)),
    )
    grown = (stretches[0], replace(stretches[1], end=DUSK + timedelta(minutes=58)))
    at_work = Appointment(
        target_id=M31.id, name="M 31", project_id=None, project_name=None, start=None, end=None, source=OBSERVED
    )
    imaging, waiting, away = (
        Present(activity=IMAGING, current_target=at_work),
        Present(activity=WAITING),
        Present(activity=OFFLINE),
    )

    def after(
        before: NightInputs | None, present: Present, so_far: tuple[Stretch, ...], night: date = TONIGHT.night
    ) -> NightInputs:
        report = replace(LAST_NIGHT, night=night, targets=(replace(LAST_NIGHT.targets[0], stretches=so_far),))
        watch = Watch(nights=NightReports(tonight=report), present=present)
        return night_inputs(look_at(plan=TONIGHT), None, watch, before)

    first, second = (ImagedStretch(id=M31.id, start=one.start, end=one.end) for one in stretches)
    # While it images, an exposure more changes nothing.
    begun = after(None, imaging, stretches)
    assert begun.imaged == (first,)
    assert after(begun, imaging, grown) == begun
    # When the API goes away nobody knows whether it goes on; when it is back, what was drawn stays.
    offline = after(begun, away, stretches)
    assert offline.imaged == (first, second)
    back = after(offline, imaging, grown)
    assert back == offline
    assert after(back, waiting, grown).imaged == (first, replace(second, end=grown[1].end))
    assert after(back, waiting, grown, LAST_NIGHT.night).imaged == ()
