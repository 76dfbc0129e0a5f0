"""What is told of an image, against the example of the reference."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import pytest

from ts2mqtt.simulator.nina import images
from ts2mqtt.simulator.nina.json_text import newtonsoft
from ts2mqtt.simulator.random_numbers import random_numbers

NUMBERS = random_numbers(1, "images")
KEYS = {
    *("ExposureTime", "ImageType", "Filter", "RmsText", "Temperature", "CameraName", "TargetName", "Gain", "Offset"),
    *("Date", "TelescopeName", "FocalLength", "StDev", "Mean", "Median", "Min", "Max", "Stars", "HFR", "HFRStDev"),
    *("IsBayered", "Filename"),
}


@pytest.mark.parametrize(
    ("name", "ascii_name"),
    [("Sh2-155", "Sh2-155"), ("α Ori", "alp Ori"), ("Ω Cen", "ome Cen"), ("Nébuleuse", "Nebuleuse"), ("星", "")],
)
def test_files_have_ascii_names(name: str, ascii_name: str) -> None:
    assert images.name_as_ascii(name) == ascii_name


def test_a_light_frame() -> None:
    light = images.light("Nébuleuse", "H", 600, {"hfr": 1.44}, NUMBERS)

    assert light.keys() == KEYS
    assert (light["ImageType"], light["TargetName"], light["Filter"]) == ("LIGHT", "Nebuleuse", "H")
    assert newtonsoft(light).startswith('{"ExposureTime":600.0,"ImageType":"LIGHT","Filter":"H","RmsText":"Tot: 0.')
    assert re.fullmatch(r'Tot: \d\.\d\d \(\d\.\d\d"\)', str(light["RmsText"]))
    assert light["HFR"] == 1.44


def test_a_light_frame_without_stars() -> None:
    light = images.light("M 31", "L", 60, {"hfr": None}, NUMBERS)

    assert (light["HFR"], light["Stars"]) == (0.0, 0)


def test_a_flat_carries_the_name_of_its_target_and_no_star() -> None:
    text = newtonsoft(images.flat("M 31", "L", NUMBERS))

    assert '"ImageType":"FLAT"' in text
    assert '"TargetName":"M 31"' in text
    assert '"RmsText":"Tot: 0.00 (0.00\\")"' in text
    assert '"Stars":-1,"HFR":0.0,"HFRStDev":"NaN"' in text


def test_the_date_is_when_the_image_was_saved_local_with_offset() -> None:
    saved_at = datetime(2026, 9, 5, 1, 41, 27, 652839, tzinfo=timezone(timedelta(hours=-5)))

    image = images.dated(images.snapshot(NUMBERS), saved_at, 2, timezone(timedelta(hours=-5)))

    assert image["Date"] == "2026-09-05T01:41:27.6528392-05:00"
    assert image["TargetName"] == "Snapshot"
