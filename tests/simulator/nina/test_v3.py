"""Version 3: no envelope, other names, no time."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from ts2mqtt.simulator.nina.announcement import Announcement
from ts2mqtt.simulator.nina.v3 import event_rows, live_message, scheduler_stopped

MOMENT = datetime(2026, 9, 16, 1, 33, 37, 483248, UTC)


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ("TS-WAITSTART", "ts-wait-started"),
        ("TS-NEWTARGETSTART", "ts-newtarget-started"),
        ("TS-TARGETSTART", "ts-target-started"),
        ("IMAGE-SAVE", "image-saved"),
        ("SAFETY-CHANGED", "safetymonitor-safety-changed"),
        ("MOUNT-BEFORE-FLIP", "mount-flip-started"),
        ("MOUNT-AFTER-FLIP", "mount-flip-finished"),
    ],
)
def test_events_have_other_names_and_no_envelope(event: str, name: str) -> None:
    text = live_message(Announcement(time=MOMENT, event=event, fields={"IsSafe": True, "TargetEndTime": "x"}))

    assert text is not None
    assert json.loads(text) == {"Event": name, "Data": {"IsSafe": True}}


def test_sequence_events_never_come_and_the_end_of_the_scheduler_does() -> None:
    assert live_message(Announcement(time=MOMENT, event="SEQUENCE-FINISHED")) is None
    assert json.loads(scheduler_stopped()) == {"Event": "ts-container-stopped", "Data": {}}


def test_the_history_is_in_utc_and_without_images() -> None:
    events = [Announcement(time=MOMENT, event=event, tick=2) for event in ("TS-TARGETSTART", "IMAGE-SAVE")]

    assert event_rows(events) == [{"Event": "ts-target-started", "Timestamp": "2026-09-16T01:33:37.4832482Z"}]
