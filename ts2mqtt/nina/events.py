"""From the messages of N.I.N.A.'s Advanced API to domain events; whatever is not known says nothing.

The names and shapes are those of the plugin's version 2 (WebService/V2/WebSocketV2.cs and its watchers).
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidatorFunctionWrapHandler
from pydantic.functional_validators import WrapValidator

from ts2mqtt.observatory.live_events import (
    FlipFinished,
    FlipStarted,
    ImageSaved,
    LiveEvent,
    ProfileChanged,
    SafetyChanged,
    SequenceFinished,
    SequenceStarted,
    TargetAnnounced,
    WaitAnnounced,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

SAFETY_CONNECTED = "SAFETY-CONNECTED"
"""Tells that there is a safety monitor now, and not what it says."""

TARGET_EVENTS = frozenset({"TS-NEWTARGETSTART", "TS-TARGETSTART"})
WAIT_EVENT = "TS-WAITSTART"

_LONGEST_TEXT = 500
# The clocks of two computers differ.
_CLOCK_SLACK = timedelta(minutes=5)
# "Tot: 0.23 (0.38\")": in pixels, then in seconds of arc (N.I.N.A.'s RMS text).
_RMS = re.compile(r"\(\s*([0-9]+(?:[.,][0-9]+)?)\s*\"")
# .NET writes up to seven digits of a second, and leaves zeros at the end away.
_FRACTION = re.compile(r"(\.[0-9]{6})[0-9]+")


def _none_if_odd(value: object, handler: ValidatorFunctionWrapHandler) -> object:
    """A field with an impossible value is as one that is missing."""
    try:
        return handler(value)
    except ValidationError:
        return None


def _finite(value: object) -> object:
    """Newtonsoft writes NaN as a text."""
    if isinstance(value, str | bool) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError("no number")
    return value


def _moment(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError("no time")  # noqa: TRY004 - pydantic reads a TypeError as a fault of this program
    moment = datetime.fromisoformat(_FRACTION.sub(r"\1", value.strip()))
    if not 1971 <= moment.year < 9999:  # noqa: PLR2004 - .NET's "never" is year 1, and another zone's lies outside
        raise ValueError("the year is beyond reason")
    return moment


_OddIsNone = WrapValidator(_none_if_odd)
Text = Annotated[str, Field(max_length=_LONGEST_TEXT)]
Number = Annotated[float, BeforeValidator(_finite)]
Seconds = Annotated[Number, Field(ge=0, le=1_000_000)]
Moment = Annotated[datetime, BeforeValidator(_moment)]


class Answer(BaseModel):
    """The envelope of every message and every answer, or a part of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Coordinates(Answer):
    ra_hours: Annotated[Annotated[Number, Field(ge=0, le=24)] | None, _OddIsNone] = Field(None, alias="RA")
    dec_deg: Annotated[Annotated[Number, Field(ge=-90, le=90)] | None, _OddIsNone] = Field(None, alias="Dec")


class _Statistics(Answer):
    image_type: Annotated[Text | None, _OddIsNone] = Field(None, alias="ImageType")
    target_name: Annotated[Text | None, _OddIsNone] = Field(None, alias="TargetName")
    filter: Annotated[Text | None, _OddIsNone] = Field(None, alias="Filter")
    exposure_s: Annotated[Seconds | None, _OddIsNone] = Field(None, alias="ExposureTime")
    hfr: Annotated[Annotated[Number, Field(gt=0, le=1_000)] | None, _OddIsNone] = Field(None, alias="HFR")
    stars: Annotated[Annotated[int, Field(strict=True, ge=0)] | None, _OddIsNone] = Field(None, alias="Stars")
    rms: Annotated[Text | None, _OddIsNone] = Field(None, alias="RmsText")
    date: Annotated[Moment | None, _OddIsNone] = Field(None, alias="Date")


class Event(Answer):
    """An event as the socket and the history have it; the history alone has `Time`."""

    name: Annotated[Text, Field(alias="Event")]
    time: Annotated[Moment | None, _OddIsNone] = Field(None, alias="Time")
    target_name: Annotated[Text | None, _OddIsNone] = Field(None, alias="TargetName")
    project_name: Annotated[Text | None, _OddIsNone] = Field(None, alias="ProjectName")
    target_end: Annotated[Moment | None, _OddIsNone] = Field(None, alias="TargetEndTime")
    coordinates: Annotated[_Coordinates | None, _OddIsNone] = Field(None, alias="Coordinates")
    wait_end: Annotated[Moment | None, _OddIsNone] = Field(None, alias="WaitEndTime")
    is_safe: Annotated[Annotated[bool, Field(strict=True)] | None, _OddIsNone] = Field(None, alias="IsSafe")
    image: Annotated[_Statistics | None, _OddIsNone] = Field(None, alias="ImageStatistics")


class _Message(Answer):
    response: Event = Field(alias="Response")


class _NewMessage(Answer):
    """How version 3 writes: without an envelope, with names in lower case."""

    name: Annotated[str, Field(alias="Event", pattern=r"^[a-z][a-z-]*$", max_length=_LONGEST_TEXT)]
    content: dict[str, object] | None = Field(alias="Data")


_PLAIN: dict[
    str,
    type[SequenceStarted | SequenceFinished | ProfileChanged | FlipStarted | FlipFinished],
] = {
    "SEQUENCE-STARTING": SequenceStarted,
    "SEQUENCE-FINISHED": SequenceFinished,
    "PROFILE-CHANGED": ProfileChanged,
    "MOUNT-BEFORE-FLIP": FlipStarted,
    "MOUNT-AFTER-FLIP": FlipFinished,
}


def event_in(message: bytes) -> Event | None:
    """The event in a message of the socket; None for everything else, such as a user's own text."""
    try:
        return _Message.model_validate_json(message).response
    except ValidationError:
        return None


def is_of_version_3(message: bytes) -> bool:
    """Whether a later version of the plugin has written this, which speaks another language."""
    try:
        _NewMessage.model_validate_json(message)
    except ValidationError:
        return False
    return True


def live_event(event: Event, received: datetime) -> LiveEvent | None:
    """What the event tells; None where that is nothing to us. `received` is aware."""
    plain = _PLAIN.get(event.name)
    if plain is not None:
        return plain(time=received)
    match event.name:
        case "SAFETY-CHANGED":
            return SafetyChanged(time=received, is_safe=event.is_safe) if event.is_safe is not None else None
        case "SAFETY-DISCONNECTED":
            return SafetyChanged(time=received, is_safe=None)
        case "IMAGE-SAVE":
            return _image(event.image, received) if event.image else None
        case _:
            return announcement(event, received)


def announcement(event: Event, told: datetime) -> TargetAnnounced | WaitAnnounced | None:
    """What the Target Scheduler says that it will do; None for every other event."""
    if event.name == WAIT_EVENT:
        until = event.wait_end
        return WaitAnnounced(time=told, until=until if until and until.tzinfo else None)
    if event.name not in TARGET_EVENTS or not event.target_name:
        return None
    place, end = event.coordinates, event.target_end
    return TargetAnnounced(
        time=told,
        target_name=event.target_name,
        project_name=event.project_name or None,
        ra_hours=place.ra_hours if place else None,
        dec_deg=place.dec_deg if place else None,
        until=end.replace(tzinfo=None) if end else None,
    )


def latest_announcement(history: Iterable[Event], now: datetime) -> TargetAnnounced | WaitAnnounced | None:
    """The last one of a history, which is ordered from old to new; None if the sequence has ended since."""
    latest: Event | None = None
    for event in history:
        if event.name == WAIT_EVENT or event.name in TARGET_EVENTS:
            latest = event
        elif event.name == "SEQUENCE-FINISHED":
            latest = None
    if latest is None or latest.time is None:
        return None
    # Of these events alone the history has the time in UTC, and without an offset.
    told = latest.time.replace(tzinfo=UTC) if latest.time.tzinfo is None else latest.time
    return announcement(latest, min(told, now)) if told <= now + _CLOCK_SLACK else None


def _image(image: _Statistics, received: datetime) -> ImageSaved | None:
    """Flats and darks carry the name of a target, too."""
    if image.image_type != "LIGHT":
        return None
    rms = _RMS.search(image.rms or "")
    taken = image.date if image.date and image.date.tzinfo else received
    return ImageSaved(
        time=min(taken, received),
        target_name=image.target_name or None,
        filter=image.filter or None,
        exposure_s=image.exposure_s,
        hfr=image.hfr,
        stars=image.stars,
        guide_rms_arcsec=(float(rms[1].replace(",", ".")) or None) if rms else None,
    )
