"""The REST calls without a socket, against the examples of the reference."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from ts2mqtt.simulator.http1 import Request
from ts2mqtt.simulator.nina.process import ProcessState
from ts2mqtt.simulator.nina.rest import answer_to, failed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ts2mqtt.simulator.nina.nina import SimulatedNina

STARTED = datetime(2026, 2, 27, 14, 27, 55, 723468, UTC)


def body(nina: SimulatedNina, path: str, **query: str) -> Any:
    answer = answer_to(nina, Request("GET", f"/v2/api{path}", query))
    assert answer.status == 200
    return json.loads(answer.body)


def response(nina: SimulatedNina, path: str, **query: str) -> Any:
    whole = body(nina, path, **query)
    assert list(whole) == ["Response", "Error", "StatusCode", "Success", "Type"]
    assert (whole["Error"], whole["StatusCode"], whole["Success"], whole["Type"]) == ("", 200, True, "API")
    return whole["Response"]


def statuses(container: Any) -> Iterator[tuple[str, str]]:
    """Name and status of everything in the sequence."""
    if "Name" in container:
        yield container["Name"], container["Status"]
    for item in container.get("Items", ()):
        yield from statuses(item)


def in_state(nina: SimulatedNina, **changes: object) -> None:
    nina.set_state(replace(ProcessState(started_at=STARTED), **changes))  # type: ignore[arg-type]


def test_version_and_start_of_the_process_have_the_known_length(nina: SimulatedNina) -> None:
    in_state(nina)
    version = answer_to(nina, Request("GET", "/v2/api/version"))
    start = answer_to(nina, Request("GET", "/v2/api/application-start"))

    assert (len(version.body), response(nina, "/version")) == (79, "2.2.15.2")
    assert (len(start.body), response(nina, "/application-start")) == (104, "2026-02-27T08:27:55.7234688-06:00")


def test_the_history_is_every_event_with_its_time(nina: SimulatedNina) -> None:
    assert response(nina, "/event-history") == []
    nina.announce("TS-TARGETSTART", TargetName="Größe", Rotation=90.0, Coordinates={"RA": 1.0})
    nina.announce("IMAGE-PREPARED")
    nina.announce("IMAGE-SAVE", ImageStatistics={"HFR": 1.4})

    text = answer_to(nina, Request("GET", "/v2/api/event-history")).body.decode()

    start, saved = json.loads(text)["Response"]
    assert '"TargetName":"Gr\\u00F6\\u00DFe","Rotation":90,"Coordinates":{"RA":[]}' in text
    assert start["Time"] == "2026-02-27T17:00:00"
    assert saved == {"Event": "IMAGE-SAVE", "Time": "2026-02-27T11:00:00-06:00"}


def test_a_camera_that_exposes_and_one_that_is_not_connected(nina: SimulatedNina) -> None:
    in_state(nina, devices_connected=True, exposes_until=nina.observatory.now_utc + timedelta(seconds=30))
    exposing = response(nina, "/equipment/camera/info")
    in_state(nina, devices_connected=False)
    off = response(nina, "/equipment/camera/info")

    assert (exposing["IsExposing"], exposing["CameraState"]) == (True, "Exposing")
    assert exposing["ExposureEndTime"] == "2026-02-27T11:00:30-06:00"
    assert (off["Connected"], off["Temperature"], off["ExposureEndTime"]) == (False, "NaN", "0001-01-01T00:00:00")
    assert "Name" not in off


def test_a_monitor_that_is_not_connected_is_never_safe(nina: SimulatedNina) -> None:
    answers = []
    for connected, safe in ((True, True), (True, False), (False, True)):
        in_state(nina, monitor_connected=connected, is_safe=safe)
        monitor = response(nina, "/equipment/safetymonitor/info")
        answers.append((monitor["Connected"], monitor["IsSafe"]))

    assert answers == [(True, True), (True, False), (False, False)]


def test_the_guider_tells_its_state_and_its_error(nina: SimulatedNina) -> None:
    in_state(nina, devices_connected=True, is_guiding=True)
    guider = response(nina, "/equipment/guider/info")

    assert guider["State"] == "Guiding"
    assert 0 < guider["RMSError"]["Total"]["Arcseconds"] < 2


@pytest.mark.parametrize(
    ("sequence", "scheduler", "shown"),
    [
        ("CREATED", "CREATED", ("CREATED", "CREATED", "CREATED", "CREATED")),
        ("RUNNING", "RUNNING", ("FINISHED", "RUNNING", "CREATED", "RUNNING")),
        ("RUNNING", "CREATED", ("FINISHED", "RUNNING", "CREATED", "CREATED")),
        ("RUNNING", "FINISHED", ("FINISHED", "FINISHED", "RUNNING", "FINISHED")),
        ("FINISHED", "FINISHED", ("FINISHED", "FINISHED", "FINISHED", "FINISHED")),
    ],
)
def test_the_sequence_says_whether_the_scheduler_is_in_charge(
    nina: SimulatedNina, sequence: str, scheduler: str, shown: tuple[str, ...]
) -> None:
    in_state(nina, sequence=sequence, scheduler=scheduler)
    roots = response(nina, "/sequence/json")

    assert "GlobalTriggers" in roots[0]
    found = [dict(statuses(root)) for root in roots[1:]]
    assert [next(iter(root)) for root in found] == ["Start_Container", "Targets_Container", "End_Container"]
    targets = found[1]
    assert (*(next(iter(root.values())) for root in found), targets["Target Scheduler Container_Container"]) == shown
    assert "Wizard" not in json.dumps(roots)


def test_the_sequence_is_not_there_for_seconds_after_the_start(nina: SimulatedNina) -> None:
    nina.restart()
    nina.advance(nina.observatory.now + timedelta(seconds=7.4))

    assert body(nina, "/sequence/json") == {
        "Response": "",
        "Error": "Sequence is not initialized",
        "StatusCode": 409,
        "Success": False,
        "Type": "API",
    }
    assert answer_to(nina, Request("GET", "/v2/api/sequence/state")).body == b""
    nina.advance(nina.observatory.now + timedelta(seconds=0.1))
    assert body(nina, "/sequence/json")["Success"]


def test_the_whole_state_is_long_and_grows_with_each_image(nina: SimulatedNina) -> None:
    in_state(nina)
    before = len(answer_to(nina, Request("GET", "/v2/api/sequence/state")).body)
    nina.announce("IMAGE-SAVE", ImageStatistics={})

    assert 48_000 < before < len(answer_to(nina, Request("GET", "/v2/api/sequence/state")).body)


def test_the_images_are_counted_and_listed_and_a_bare_call_fails_without_any(nina: SimulatedNina) -> None:
    failure = body(nina, "/image-history")
    assert (failure["Success"], failure["StatusCode"], failure["Error"]) == (False, 400, "Index out of range")
    assert response(nina, "/image-history", count="true") == 0

    nina.announce("IMAGE-SAVE", ImageStatistics={"HFR": 1.44, "ExposureTime": 600.0})

    assert response(nina, "/image-history", count="true") == 1
    assert response(nina, "/image-history", all="true") == [{"HFR": 1.44, "ExposureTime": 600}]


def test_the_profiles_are_listed_and_the_active_ones_settings_hold_secrets(nina: SimulatedNina) -> None:
    profile = nina.observatory.active_profile
    nina.observatory.add_profile("Remote")
    first, second = response(nina, "/profile/show")

    assert (first["Id"], first["Name"], first["IsActive"]) == (profile.id, "Backyard", True)
    assert (second["Name"], second["IsActive"]) == ("Remote", False)
    assert len(json.dumps(response(nina, "/profile/show", active="true"))) > 14_000


@pytest.mark.parametrize("path", ["/v2/api/nothing", "/v2", "/", "/v2/api/Version", "/v3/api/events"])
def test_an_unknown_route_is_a_page(nina: SimulatedNina, path: str) -> None:
    answer = answer_to(nina, Request("GET", path))

    assert (answer.status, answer.content_type[:9]) == (404, "text/html")


def test_only_get_is_answered(nina: SimulatedNina) -> None:
    assert answer_to(nina, Request("POST", "/v2/api/version")).status == 405


def test_a_failure_is_told_with_200() -> None:
    failure = failed("Unknown error")

    assert failure.status == 200
    assert json.loads(failure.body) == {
        "Response": "",
        "Error": "Unknown error",
        "StatusCode": 500,
        "Success": False,
        "Type": "API",
    }
