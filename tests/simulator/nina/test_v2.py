"""Messages and history entries, against the examples of the reference."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from ts2mqtt.simulator.nina.announcement import Announcement
from ts2mqtt.simulator.nina.json_text import NAN
from ts2mqtt.simulator.nina.v2 import history_entry, live_message

if TYPE_CHECKING:
    from ts2mqtt.simulator.wire import JsonObject

FIVE_HOURS_WEST = timezone(timedelta(hours=-5))
MOMENT = datetime(2026, 9, 15, 20, 33, 37, 483248, tzinfo=FIVE_HOURS_WEST)
COORDINATES: JsonObject = {
    "RA": 22.79,
    "RADegrees": 341.85,
    "Dec": 58.13,
    "RAString": "22:47:24",
    "DecString": "58° 07' 48\"",
    "Epoch": 2,
}
TARGET_START: JsonObject = {
    "TargetName": "Wizard Nebula",
    "ProjectName": "Narrowband",
    "Rotation": 90.0,
    "TargetEndTime": "2026-09-05T06:22:01.6458097",
    "Coordinates": COORDINATES,
}


def announcement(event: str, **fields: object) -> Announcement:
    given: JsonObject = json.loads(json.dumps(fields))
    return Announcement(time=MOMENT, event=event, fields=given, tick=2)


def test_an_event_without_fields_is_its_name_in_the_envelope() -> None:
    assert live_message(announcement("GUIDER-START"), 1) == (
        '{"Response":{"Event":"GUIDER-START"},"Error":"","StatusCode":200,"Success":true,"Type":"Socket"}'
    )


def test_doubles_keep_their_point_and_nothing_tells_the_time() -> None:
    text = live_message(announcement("TS-TARGETSTART", **TARGET_START), 1)

    assert '"Rotation":90.0' in text
    assert '"DecString":"58° 07\' 48\\""' in text
    assert json.loads(text)["Response"] == {"Event": "TS-TARGETSTART", **TARGET_START}
    assert "2026-09-15" not in text


def test_the_keys_of_an_event_come_in_random_order() -> None:
    messages = [live_message(announcement("TS-TARGETSTART", **TARGET_START), seed) for seed in range(20)]

    orders = {tuple(json.loads(message)["Response"]) for message in messages}
    assert len(orders) > 5
    assert {frozenset(order) for order in orders} == {frozenset(("Event", *TARGET_START))}
    assert {tuple(json.loads(message)) for message in messages} == {
        ("Response", "Error", "StatusCode", "Success", "Type")
    }


def test_the_users_own_text_is_a_bare_string() -> None:
    said = Announcement(time=MOMENT, event="", bare_text='Roof "open"')

    assert json.loads(live_message(said, 1))["Response"] == 'Roof "open"'
    assert not said.is_in_history


@pytest.mark.parametrize(
    ("event", "time"),
    [
        ("TS-WAITSTART", "2026-09-16T01:33:37.4832482"),
        ("TS-TARGETSTART", "2026-09-16T01:33:37.4832482"),
        ("ERROR-PLATESOLVE", "2026-09-15T20:33:37.4832482"),
        ("ERROR-AF", "2026-09-15T20:33:37.4832482"),
        ("IMAGE-SAVE", "2026-09-15T20:33:37.4832482-05:00"),
        ("SEQUENCE-STARTING", "2026-09-15T20:33:37.4832482-05:00"),
    ],
)
def test_the_history_has_three_formats_of_time(event: str, time: str) -> None:
    assert history_entry(announcement(event), FIVE_HOURS_WEST)["Time"] == time


def test_a_time_loses_its_last_zeros() -> None:
    round_time = Announcement(time=MOMENT.replace(microsecond=400_000), event="GUIDER-STOP")
    whole = Announcement(time=MOMENT.replace(microsecond=0), event="TS-WAITSTART")

    assert history_entry(round_time, FIVE_HOURS_WEST)["Time"] == "2026-09-15T20:33:37.4-05:00"
    assert history_entry(whole, FIVE_HOURS_WEST)["Time"] == "2026-09-16T01:33:37"


def test_the_history_has_lost_the_values_of_objects() -> None:
    entry = history_entry(announcement("TS-TARGETSTART", **TARGET_START), FIVE_HOURS_WEST)
    turned = history_entry(
        announcement("FILTERWHEEL-CHANGED", Previous={"Name": "L", "Id": 0}, New={"Name": "R", "Id": 1}),
        FIVE_HOURS_WEST,
    )

    assert entry["TargetName"] == "Wizard Nebula"
    assert entry["TargetEndTime"] == "2026-09-05T06:22:01.6458097"
    assert entry["Coordinates"] == {name: [] for name in COORDINATES}
    assert (turned["Previous"], turned["New"]) == ({"Name": [], "Id": []}, {"Name": [], "Id": []})


def test_an_image_in_the_history_has_its_time_alone_so_that_a_flat_looks_like_a_light() -> None:
    entry = history_entry(announcement("IMAGE-SAVE", ImageStatistics={"ImageType": "FLAT"}), FIVE_HOURS_WEST)

    assert list(entry) == ["Event", "Time"]


def test_frames_that_are_only_prepared_are_not_in_the_history() -> None:
    assert not announcement("IMAGE-PREPARED").is_in_history
    assert announcement("IMAGE-SAVE").is_in_history


def test_nan_is_a_string() -> None:
    saved = Announcement(time=MOMENT, event="IMAGE-SAVE", fields={"ImageStatistics": {"HFRStDev": NAN}})

    assert '"HFRStDev":"NaN"' in live_message(saved, 1)
