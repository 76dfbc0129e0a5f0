"""What is worked out once for a night: of which facts the picture and each target's way over the sky are made."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.sample_rig import BACKYARD, DUSK, LAST_NIGHT, M31, TONIGHT, ZONE, rig_of_targets
from ts2mqtt.bridge.night_work import night_inputs, work_out
from ts2mqtt.observatory.sky import Site
from ts2mqtt.picture import last_night_picture, night_picture

IN_NEW_YORK = Site(40.7, -74.0)


@pytest.mark.parametrize("epoch", ["J2000", "JNOW", "B1950"])
def test_picture_and_sky_are_of_the_target_s_epoch(epoch: str) -> None:
    rig = rig_of_targets(replace(M31, epoch=epoch), rig=BACKYARD)

    night = work_out(night_inputs(rig, TONIGHT, IN_NEW_YORK, DUSK + timedelta(minutes=1), ZONE))

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
    inputs = night_inputs(BACKYARD, None, None, DUSK, ZONE, LAST_NIGHT)

    assert inputs.is_work
    assert inputs != night_inputs(BACKYARD, None, None, DUSK, ZONE)
    night = work_out(inputs)
    assert night.picture is None
    assert night.last_picture == last_night_picture(LAST_NIGHT, zone=ZONE, site=None, rig_name=BACKYARD.name)
