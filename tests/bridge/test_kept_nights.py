"""The last night, read from the broker, and in lines of text."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.build import bridge_config
from tests.support.sample_rig import BACKYARD, LAST_NIGHT, M31, view_of
from ts2mqtt.bridge.kept_nights import kept_nights
from ts2mqtt.errors import BrokerError
from ts2mqtt.observatory.live import LightFrame
from ts2mqtt.observatory.night_reports import NightReports
from ts2mqtt.observatory.sharpness import HfrCount, Sharpness
from ts2mqtt.topics import payloads
from ts2mqtt.topics.encode import rig_messages
from ts2mqtt.topics.names import TopicNames
from ts2mqtt.topics.night_text import night_lines

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer
    from ts2mqtt.observatory.night_report import NightReport

NAMES = TopicNames("ts2mqtt")
NIGHT, IMAGE = NAMES.rig_night("backyard"), NAMES.rig_night_image("backyard")


def payload(report: NightReport = LAST_NIGHT) -> bytes:
    view = view_of(BACKYARD)
    view = replace(view, watch=replace(view.watch, nights=NightReports(last=report)))
    return rig_messages(NAMES, view)[NIGHT].payload


def lines(report: NightReport) -> list[str]:
    return list(night_lines(payloads.Night.model_validate_json(payload(report))))


async def test_what_the_broker_holds(mosquitto: Mosquitto, observer: Observer) -> None:
    config = bridge_config(mosquitto.port, "http://127.0.0.1:9")
    with pytest.raises(BrokerError, match="holds no report of a night"):
        await kept_nights(config)
    await observer.publish(NIGHT, payload(), retain=True)
    await observer.publish(IMAGE, b"PNG", retain=True)

    (kept,) = await kept_nights(config)
    assert (kept.rig_id, kept.picture, kept.night.to_bytes()) == ("backyard", b"PNG", payload())
    assert await kept_nights(config, LAST_NIGHT.night) == [kept]
    with pytest.raises(BrokerError, match=r"the night of 2026-02-25; it holds the last one \(.*: 2026-02-26\)"):
        await kept_nights(config, LAST_NIGHT.night - timedelta(days=1))


def test_in_lines() -> None:
    assert lines(LAST_NIGHT) == [
        "Backyard, night of 2026-02-26",
        "  imaged 0 h 33 min, 19:38 to 20:11",
        "  30 exposures, 0 h 30 min, 28 accepted, 2 rejected",
        "  M 31 (Autumn): 30 exposures, 0 h 30 min, 28 accepted, 2 rejected",
        "    L 60 s: 30 exposures, 0 h 30 min, 28 accepted, 2 rejected",
    ]


def test_what_n_i_n_a_has_told_of_the_images() -> None:
    last = LightFrame(
        time=LAST_NIGHT.seen_from,
        target_id=M31.id,
        filter="L",
        exposure_s=60.0,
        hfr=2.31,
        stars=900,
        guide_rms_arcsec=None,
    )
    sharpness = Sharpness(target_id=M31.id, key="lum_60", counts=(HfrCount(2.14, 30),))

    told = lines(replace(LAST_NIGHT, last_image=last, sharpness=(sharpness,)))

    assert [line.rpartition(", ")[2] for line in told[3:]] == ["HFR 2.14", "HFR 2.14", "HFR 2.31"]
    assert told[-1] == f"  last image at {last.time:%H:%M}, L, HFR 2.31"


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (replace(LAST_NIGHT, targets=(), answered=False), "N.I.N.A. did not answer"),
        (replace(LAST_NIGHT, targets=(), plan_fetched=LAST_NIGHT.seen_from), "nothing was planned"),
        (replace(LAST_NIGHT, targets=(), complete=False), "nothing is known of it"),
        (replace(LAST_NIGHT, unplaced=1), "imaged an unknown time"),
    ],
)
def test_why_nothing_was_imaged_and_what_is_not_known(report: NightReport, said: str) -> None:
    assert said in "\n".join(lines(report))
