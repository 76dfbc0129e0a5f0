"""Each fault of an event, as a client sees it; the truth stays as it is."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import pytest

from ts2mqtt.simulator.nina.faults import LiveFault

if TYPE_CHECKING:
    from ts2mqtt.simulator.nina.nina import SimulatedNina
    from ts2mqtt.simulator.wire import JsonObject


def response(text: str | None) -> JsonObject:
    assert text is not None
    return cast("JsonObject", json.loads(text)["Response"])


def sent(nina: SimulatedNina) -> list[str]:
    """The names of the events that were sent since the last time."""
    return [str(response(delivery.text)["Event"]) for delivery in nina.take_deliveries()]


def pass_seconds(nina: SimulatedNina, seconds: float) -> None:
    nina.advance(nina.observatory.now + timedelta(seconds=seconds))


def test_an_event_is_dropped(nina: SimulatedNina) -> None:
    rule = nina.faults.add("GUIDER-*", LiveFault.drop())
    nina.announce("GUIDER-START")
    nina.announce("MOUNT-HOMED")

    assert sent(nina) == ["MOUNT-HOMED"]
    assert [event.event for event in nina.announced] == ["GUIDER-START", "MOUNT-HOMED"]
    assert rule.hits == 1


def test_an_event_comes_twice(nina: SimulatedNina) -> None:
    nina.faults.add("*", LiveFault.duplicate())
    nina.announce("MOUNT-HOMED")

    assert sent(nina) == ["MOUNT-HOMED", "MOUNT-HOMED"]
    assert len(nina.announced) == 1


def test_an_event_comes_later_and_is_overtaken(nina: SimulatedNina) -> None:
    nina.faults.add("TS-*", LiveFault.delay(30))
    start = nina.announce("TS-TARGETSTART")
    nina.announce("MOUNT-HOMED")
    assert nina.next_at == start.time + timedelta(seconds=30)

    assert sent(nina) == ["MOUNT-HOMED"]
    pass_seconds(nina, 29)
    assert sent(nina) == []
    pass_seconds(nina, 1)
    (late,) = nina.take_deliveries()
    assert late.time == start.time + timedelta(seconds=30)


def test_two_events_change_places(nina: SimulatedNina) -> None:
    nina.faults.add("TS-NEWTARGETSTART", LiveFault.reorder())
    for event in ("TS-NEWTARGETSTART", "TS-TARGETSTART", "MOUNT-HOMED"):
        nina.announce(event)

    assert sent(nina) == ["TS-TARGETSTART", "TS-NEWTARGETSTART", "MOUNT-HOMED"]


def test_names_are_wrong_or_missing(nina: SimulatedNina) -> None:
    nina.faults.add("TS-*", LiveFault.fields(TargetName="M 33", ProjectName=None))
    nina.announce("TS-TARGETSTART", TargetName="M 31", ProjectName="Autumn")

    (delivery,) = nina.take_deliveries()
    assert response(delivery.text) == {"Event": "TS-TARGETSTART", "TargetName": "M 33"}
    assert nina.announced[0].fields["TargetName"] == "M 31"


def test_an_image_without_stars(nina: SimulatedNina) -> None:
    nina.faults.add("IMAGE-SAVE", LiveFault.statistics(HFR=0.0, Stars=0))
    nina.announce("IMAGE-SAVE", ImageStatistics={"HFR": 1.4, "Stars": 4000, "Filter": "L"})

    (delivery,) = nina.take_deliveries()
    assert response(delivery.text)["ImageStatistics"] == {"HFR": 0.0, "Stars": 0, "Filter": "L"}


def test_doubles_are_nan(nina: SimulatedNina) -> None:
    nina.faults.add("*", LiveFault.nan())
    nina.announce("TS-TARGETSTART", Rotation=90.0, TargetName="M 31", Coordinates={"RA": 0.7, "Epoch": 2})

    (delivery,) = nina.take_deliveries()
    assert response(delivery.text) == {
        "Event": "TS-TARGETSTART",
        "Rotation": "NaN",
        "TargetName": "M 31",
        "Coordinates": {"RA": "NaN", "Epoch": 2},
    }


def test_a_message_is_huge(nina: SimulatedNina) -> None:
    nina.faults.add("*", LiveFault.huge(megabytes=3))
    nina.announce("MOUNT-HOMED")

    (delivery,) = nina.take_deliveries()
    assert len(delivery.text or "") > 3 * 1024 * 1024


@pytest.mark.parametrize("text", ["", "{not json", "null", '{"Response":', "[]"])
def test_a_text_is_not_what_it_should_be(nina: SimulatedNina, text: str) -> None:
    nina.faults.add("*", LiveFault.raw(text))
    nina.announce("MOUNT-HOMED")

    assert [delivery.text for delivery in nina.take_deliveries()] == [text]


def test_a_bare_string_comes_instead(nina: SimulatedNina) -> None:
    nina.faults.add("*", LiveFault.bare_string("Roof open"))
    nina.announce("MOUNT-HOMED")

    (delivery,) = nina.take_deliveries()
    assert json.loads(delivery.text or "")["Response"] == "Roof open"


def test_the_connection_ends_instead(nina: SimulatedNina) -> None:
    nina.faults.add("A", LiveFault.close(1011))
    nina.faults.add("B", LiveFault.reset())
    nina.announce("A")
    nina.announce("B")

    closed, reset = nina.take_deliveries()
    assert (closed.ending, closed.close_code, closed.text) == ("close", 1011, None)
    assert (reset.ending, reset.text) == ("reset", None)


def test_a_fault_lasts_as_often_as_told_and_the_latest_wins(nina: SimulatedNina) -> None:
    nina.faults.add("*", LiveFault.drop())
    nina.faults.add("B", LiveFault.duplicate(3), times=1)
    for event in "ABB":
        nina.announce(event)
    assert sent(nina) == ["B", "B", "B"]

    nina.faults.clear()
    nina.announce("A")

    assert sent(nina) == ["A"]


def test_what_was_held_back_is_lost_in_a_restart(nina: SimulatedNina) -> None:
    nina.faults.add("A", LiveFault.delay(10))
    nina.faults.add("B", LiveFault.reorder())
    nina.announce("A")
    nina.announce("B")
    nina.restart()
    nina.take_deliveries()
    pass_seconds(nina, 20)
    nina.announce("C")

    assert sent(nina) == ["C"]
