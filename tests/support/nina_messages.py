"""Messages as N.I.N.A.'s Advanced API writes them."""

from __future__ import annotations

import json
from typing import Any

TARGET = {
    "TargetName": "M 31",
    "ProjectName": "Galaxies",
    "Coordinates": {
        "RA": 0.7123,
        "RADegrees": 10.6845,
        "Dec": 41.269,
        "RAString": "00:42:44",
        "DecString": "41° 16' 08\"",
        "Epoch": 2,
    },
    "Rotation": 90.0,
    "TargetEndTime": "2026-09-05T06:22:01.6458097",
}
LIGHT = {
    "ExposureTime": 600.0,
    "ImageType": "LIGHT",
    "Filter": "H",
    "RmsText": 'Tot: 0.23 (0.38")',
    "Temperature": -10.0,
    "CameraName": "Camera",
    "TargetName": "M 31",
    "Gain": 100,
    "Offset": 50,
    "Date": "2026-09-05T01:41:27.6528392-05:00",
    "TelescopeName": "Refractor",
    "FocalLength": 530.0,
    "StDev": 92.1,
    "Mean": 512.4,
    "Median": 498.0,
    "Min": 12,
    "Max": 65535,
    "Stars": 4026,
    "HFR": 1.44,
    "HFRStDev": 0.16,
    "IsBayered": False,
    "Filename": "C:\\Images\\M 31.fits",
}
FLAT = LIGHT | {
    "ImageType": "FLAT",
    "ExposureTime": 1.2,
    "Stars": -1,
    "HFR": 0.0,
    "HFRStDev": "NaN",
    "RmsText": 'Tot: 0.00 (0.00")',
}


def message(event: str, **fields: Any) -> bytes:
    """An event in its envelope; the order of keys inside is any, so `Event` comes last."""
    return envelope({**fields, "Event": event})


def envelope(response: object, *, success: bool = True, kind: str = "Socket") -> bytes:
    """What every message and every answer is wrapped in."""
    status = 200 if success else 409
    wrapped = {"Response": response, "Error": "", "StatusCode": status, "Success": success, "Type": kind}
    return json.dumps(wrapped, ensure_ascii=False).encode()


def target_start(event: str = "TS-TARGETSTART", **fields: Any) -> bytes:
    """The Target Scheduler is about to image; M 31 of the project Galaxies, where nothing else is said."""
    return message(event, **TARGET | fields)


def image_save(**fields: Any) -> bytes:
    """A light of M 31 was saved, where nothing else is said."""
    return message("IMAGE-SAVE", ImageStatistics=LIGHT | fields)
