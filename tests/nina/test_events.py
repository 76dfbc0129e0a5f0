"""Every message that tells something, and the odd ones that must tell nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tests.support.bridge_zone import bridge_in
from tests.support.nina_messages import FLAT, envelope, image_save, message, target_start
from ts2mqtt.nina.events import Event, event_in, is_of_version_3, latest_announcement, live_event
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
    from collections.abc import Iterator, Mapping

NOW = datetime(2026, 9, 5, 6, 42, tzinfo=UTC)
CENTRAL = timezone(timedelta(hours=-5))


def told(raw: bytes) -> LiveEvent | None:
    event = event_in(raw)
    return live_event(event, NOW) if event else None


@pytest.mark.parametrize("name", ["TS-NEWTARGETSTART", "TS-TARGETSTART"])
def test_a_target_is_announced(name: str) -> None:
    assert told(target_start(name)) == TargetAnnounced(
        time=NOW,
        target_name="M 31",
        project_name="Galaxies",
        ra_hours=0.7123,
        dec_deg=41.269,
        until=datetime(2026, 9, 5, 6, 22, 1, 645809),  # noqa: DTZ001 - so N.I.N.A. writes it
    )


def test_a_target_needs_a_name_and_nothing_else() -> None:
    odd = target_start(ProjectName=7, Coordinates=[], TargetEndTime="soon", Rotation="NaN")

    assert told(odd) == TargetAnnounced(time=NOW, target_name="M 31")
    nan = target_start(ProjectName="", Coordinates={"RA": "NaN", "Dec": 91.0}, TargetEndTime="0001-01-01T00:00:00")
    assert told(nan) == TargetAnnounced(time=NOW, target_name="M 31")
    assert told(target_start(TargetName="")) is told(target_start(TargetName=None)) is None
    assert told(target_start(TargetName="x" * 501)) is None


def test_a_wait_has_an_end_if_it_says_so() -> None:
    until = datetime(2026, 9, 15, 21, 5, 40, 808306, CENTRAL)

    assert told(message("TS-WAITSTART", WaitEndTime="2026-09-15T21:05:40.8083069-05:00")) == WaitAnnounced(
        time=NOW, until=until
    )
    for odd in ("2026-09-15T21:05:40", "", None, 12, "9999-12-31T23:59:59Z"):
        assert told(message("TS-WAITSTART", WaitEndTime=odd)) == WaitAnnounced(time=NOW)


def test_a_light_is_told_with_its_numbers() -> None:
    taken = datetime(2026, 9, 5, 1, 41, 27, 652839, CENTRAL)

    assert told(image_save()) == ImageSaved(
        time=taken,
        target_name="M 31",
        filter="H",
        exposure_s=600.0,
        hfr=1.44,
        stars=4026,
        guide_rms_arcsec=0.38,
    )


def test_what_a_light_does_not_know_is_none() -> None:
    odd = image_save(HFR=0.0, Stars=0, RmsText='Tot: 0.00 (0.00")', Date="never", Filter="", ExposureTime="NaN")
    blind = image_save(HFR="NaN", Stars=-1, RmsText="", Date="2026-09-05T06:41:00", Filter=None, ExposureTime=True)

    assert told(odd) == ImageSaved(time=NOW, target_name="M 31", stars=0)
    assert told(blind) == ImageSaved(time=NOW, target_name="M 31")


def test_a_light_that_seems_to_lie_ahead_was_saved_now() -> None:
    image = told(image_save(Date="2026-09-05T03:00:00-05:00"))

    assert image is not None
    assert image.time == NOW


@pytest.mark.parametrize("kind", ["FLAT", "DARK", "BIAS", "DARKFLAT", "SNAPSHOT", None, 3])
def test_only_lights_are_told(kind: object) -> None:
    assert told(message("IMAGE-SAVE", ImageStatistics=FLAT | {"ImageType": kind})) is None
    assert told(message("IMAGE-SAVE")) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SEQUENCE-STARTING", SequenceStarted(time=NOW)),
        ("SEQUENCE-FINISHED", SequenceFinished(time=NOW)),
        ("PROFILE-CHANGED", ProfileChanged(time=NOW)),
        ("MOUNT-BEFORE-FLIP", FlipStarted(time=NOW)),
        ("MOUNT-AFTER-FLIP", FlipFinished(time=NOW)),
        ("SAFETY-DISCONNECTED", SafetyChanged(time=NOW, is_safe=None)),
        ("SAFETY-CHANGED", None),
        ("SAFETY-CONNECTED", None),
        ("IMAGE-PREPARED", None),
        ("GUIDER-DITHER", None),
        ("MOUNT-HOMED", None),
        ("SOMETHING-NEW", None),
        ("", None),
    ],
)
def test_events_without_fields(name: str, expected: LiveEvent | None) -> None:
    assert told(message(name)) == expected


@pytest.mark.parametrize("safe", [True, False])
def test_safety(safe: bool) -> None:
    assert told(message("SAFETY-CHANGED", IsSafe=safe)) == SafetyChanged(time=NOW, is_safe=safe)
    assert told(message("SAFETY-CHANGED", IsSafe="yes")) is None


@pytest.mark.parametrize(
    "raw",
    [
        envelope("Roof open"),
        envelope(""),
        envelope(None),
        envelope(["TS-TARGETSTART"]),
        envelope({"Event": 7}),
        envelope({"Event": "x" * 600}),
        b'{"Event": "TS-TARGETSTART", "TargetName": "M 31"}',
        b'"TS-TARGETSTART"',
        b"NaN",
        b"",
        b"\xff\xfe",
        b"[" * 5_000,
        b"<html>",
    ],
)
def test_everything_else_says_nothing(raw: bytes) -> None:
    assert event_in(raw) is None or told(raw) is None
    assert not is_of_version_3(raw)


def test_version_3_is_recognized() -> None:
    assert is_of_version_3(b'{"Event": "ts-target-started", "Data": {"TargetName": "M 31"}}')
    assert is_of_version_3(b'{"Event": "sequence-started", "Data": null}')
    assert not is_of_version_3(message("SEQUENCE-STARTING"))


def history(*events: tuple[str, str | None, Mapping[str, object]]) -> list[Event]:
    """As the history has them: with a time, and lists in place of what is nested."""
    return [Event.model_validate({"Event": name, "Time": time, **fields}) for name, time, fields in events]


@pytest.fixture
def _bridge_in_chicago() -> Iterator[None]:
    with bridge_in("America/Chicago"):
        yield


@pytest.mark.usefixtures("_bridge_in_chicago")
def test_the_latest_announcement_of_a_history_counts() -> None:
    target = {"TargetName": "M 31", "ProjectName": "Galaxies", "Coordinates": []}
    wait = {"WaitEndTime": "2026-09-05T02:00:00-05:00"}
    nothing: dict[str, object] = {}
    began = ("SEQUENCE-STARTING", "2026-09-04T20:00:00-05:00", nothing)
    waits = ("TS-WAITSTART", "2026-09-05T06:00:00.5", wait)
    starts = ("TS-TARGETSTART", "2026-09-05T06:30:00.1234567", target)
    saved = ("IMAGE-SAVE", "2026-09-05T01:40:00-05:00", nothing)
    ended = ("SEQUENCE-FINISHED", "2026-09-05T01:41:00-05:00", nothing)

    assert latest_announcement(history(began, waits, starts, saved), NOW) == TargetAnnounced(
        time=datetime(2026, 9, 5, 6, 30, 0, 123456, UTC), target_name="M 31", project_name="Galaxies"
    )
    assert latest_announcement(history(began, starts, waits), NOW) == WaitAnnounced(
        time=datetime(2026, 9, 5, 6, 0, 0, 500000, UTC), until=datetime(2026, 9, 5, 2, tzinfo=CENTRAL)
    )
    assert latest_announcement(history(began, starts, ended), NOW) is None
    assert latest_announcement(history(began), NOW) is latest_announcement((), NOW) is None


def test_a_history_of_another_clock_is_not_believed() -> None:
    def starts(at: str | None) -> list[Event]:
        return history(("TS-TARGETSTART", at, {"TargetName": "M 31"}))

    assert latest_announcement(starts("2026-09-05T06:46:00"), NOW) == TargetAnnounced(time=NOW, target_name="M 31")
    assert latest_announcement(starts("2026-09-05T06:48:00"), NOW) is None
    assert latest_announcement(starts(None), NOW) is None


def test_escapes_and_plain_letters_are_the_same() -> None:
    escaped = json.dumps({"Response": {"Event": "TS-TARGETSTART", "TargetName": "Große Galaxie α"}}).encode()
    plain = json.dumps(
        {"Response": {"Event": "TS-TARGETSTART", "TargetName": "Große Galaxie α"}}, ensure_ascii=False
    ).encode()

    assert told(escaped) == told(plain) == TargetAnnounced(time=NOW, target_name="Große Galaxie α")
