"""What is worked out once for a night: of which facts the picture and each target's way over the sky are made."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.sample_rig import BACKYARD, DUSK, M31, TONIGHT, ZONE, rig_of_targets
from ts2mqtt.bridge.night_work import night_inputs, work_out
from ts2mqtt.observatory.sky import Site
from ts2mqtt.picture import night_picture

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
