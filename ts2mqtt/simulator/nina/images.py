"""What IMAGE-SAVE tells of a saved image, and the names under which N.I.N.A. files it."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from ts2mqtt.simulator.nina.json_text import NAN
from ts2mqtt.simulator.wire import JsonObject, net_time

if TYPE_CHECKING:
    from datetime import datetime, tzinfo
    from random import Random

    from ts2mqtt.simulator.rows import ImageFields

_GREEK_LETTERS = "αβγδεζηθικλμνξοπρστυφχψω"
_GREEK_SHORT = "alp,bet,gam,del,eps,zet,eta,the,iot,kap,lam,mu,nu,xi,omi,pi,rho,sig,tau,ups,phi,chi,psi,ome"
_GREEK = dict(zip(_GREEK_LETTERS, _GREEK_SHORT.split(","), strict=True))
_PIXEL_SCALE_ARCSEC = 1.65
_NO_GUIDING = 'Tot: 0.00 (0.00")'
_LONGEST_FLAT_S = 4.0


def name_as_ascii(name: str) -> str:
    """N.I.N.A.'s NameAsAscii: Greek letters abbreviated, accents off, all else that is not ASCII left out."""
    latin = "".join(_GREEK.get(character.lower(), character) for character in name)
    return unicodedata.normalize("NFKD", latin).encode("ascii", "ignore").decode()


def light(
    target_name: str, filter_name: str, exposure_s: float, measured: ImageFields, numbers: Random
) -> JsonObject:
    """The statistics of a light frame, without its time; HFR 0 where no star was measured."""
    hfr = measured.get("hfr") or 0.0
    guiding_px = round(numbers.uniform(0.15, 0.5), 2)
    guiding = f'Tot: {guiding_px:.2f} ({guiding_px * _PIXEL_SCALE_ARCSEC:.2f}")'
    return _statistics(
        numbers,
        ImageType="LIGHT",
        TargetName=name_as_ascii(target_name),
        Filter=filter_name,
        ExposureTime=float(exposure_s),
        RmsText=guiding,
        Stars=numbers.randrange(900, 4500) if hfr else 0,
        HFR=hfr,
        HFRStDev=round(numbers.uniform(0.08, 0.3), 15),
    )


def flat(target_name: str, filter_name: str, numbers: Random) -> JsonObject:
    """A flat at dawn: it carries the name of the target whose light frames it is for."""
    return _statistics(
        numbers,
        ImageType="FLAT",
        TargetName=name_as_ascii(target_name),
        Filter=filter_name,
        ExposureTime=round(numbers.uniform(0.5, _LONGEST_FLAT_S), 2),
        RmsText=_NO_GUIDING,
        Stars=-1,
        HFR=0.0,
        HFRStDev=NAN,
    )


def snapshot(numbers: Random) -> JsonObject:
    """An image that the user takes by hand."""
    return _statistics(
        numbers,
        ImageType="SNAPSHOT",
        TargetName="Snapshot",
        Filter="",
        ExposureTime=1.0,
        RmsText=_NO_GUIDING,
        Stars=1,
        HFR=0.0,
        HFRStDev=0.0,
    )


def dated(statistics: JsonObject, time: datetime, tick: int, timezone: tzinfo) -> JsonObject:
    """The statistics with the time at which the image was saved, and the file's name."""
    local = time.astimezone(timezone)
    name = f"{statistics['ImageType']}_{statistics['TargetName']}_{local:%Y-%m-%d_%H-%M-%S}.fits"
    date = net_time(time, tick, timezone)
    return statistics | {"Date": date, "Filename": f"D:\\Astro\\{local:%Y-%m-%d}\\{name}"}


def _statistics(numbers: Random, **fields: str | float) -> JsonObject:
    mean = numbers.uniform(450, 1200)
    return {
        "ExposureTime": fields["ExposureTime"],
        "ImageType": fields["ImageType"],
        "Filter": fields["Filter"],
        "RmsText": fields["RmsText"],
        "Temperature": -10.0,
        "CameraName": "ZWO ASI2600MM Pro",
        "TargetName": fields["TargetName"],
        "Gain": 100,
        "Offset": 50,
        "Date": "",
        "TelescopeName": "Refractor",
        "FocalLength": 530.0,
        "StDev": numbers.uniform(20, 60),
        "Mean": mean,
        "Median": float(round(mean)),
        "Min": float(numbers.randrange(200, 400)),
        "Max": 65535.0,
        "Stars": fields["Stars"],
        "HFR": fields["HFR"],
        "HFRStDev": fields["HFRStDev"],
        "IsBayered": False,
        "Filename": "",
    }
