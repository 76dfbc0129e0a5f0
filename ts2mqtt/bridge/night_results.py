"""Works out a night, beside the event loop: pictures, and each target's way over the sky.

To load what draws and what knows the sky takes 3 MB and a tenth of a second: nobody does before there is work.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ts2mqtt.bridge.night_work import Night
from ts2mqtt.observatory.night import noon_of
from ts2mqtt.observatory.sky import night_sky, sunset_to_sunrise
from ts2mqtt.picture import last_night_picture, night_picture

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ts2mqtt.bridge.night_work import NightInputs
    from ts2mqtt.observatory.site import Site
    from ts2mqtt.observatory.sky import NightSky


def work_out(inputs: NightInputs) -> Night:
    """Takes a tenth of a second or more: call it in a thread."""
    dark = sunset_to_sunrise(inputs.site, noon_of(inputs.night, inputs.zone)) if inputs.site else None
    picture = None
    if inputs.plan is not None:
        picture = night_picture(
            inputs.plan,
            zone=inputs.zone,
            site=inputs.site,
            coordinates=inputs.positions,
            rig_name=inputs.rig_name,
            imaged=inputs.imaged,
        )
    last_picture = None
    if inputs.last_night is not None:
        last_picture = last_night_picture(
            inputs.last_night, zone=inputs.zone, site=inputs.site, rig_name=inputs.rig_name
        )
    return Night(
        inputs=inputs,
        picture=picture,
        last_picture=last_picture,
        skies=_skies(inputs, inputs.site, dark) if inputs.site else {},
        dawn=dark[1] if dark else None,
    )


def _skies(inputs: NightInputs, site: Site, dark: tuple[datetime, datetime] | None) -> Mapping[str, NightSky]:
    zone = inputs.zone
    start, end = dark or (noon_of(inputs.night, zone), noon_of(inputs.night + timedelta(days=1), zone))
    return {
        target_id: night_sky(site, ra, dec, epoch=epoch, start=start, end=end, zone=zone)
        for target_id, (ra, dec, epoch) in inputs.positions.items()
    }
