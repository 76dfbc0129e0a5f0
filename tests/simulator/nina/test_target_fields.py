"""Coordinates as N.I.N.A. shows them, and the end of a target's visibility."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from ts2mqtt.simulator.nina.target_fields import coordinates, target_fields, visible_until
from ts2mqtt.simulator.observatory import SimulatedObservatory
from ts2mqtt.simulator.planner import NextExposure
from ts2mqtt.simulator.rows import SimulatedTarget
from ts2mqtt.simulator.sky import Sky

EVENING = datetime(2026, 2, 27, 23, tzinfo=UTC)
DAWN = EVENING + timedelta(hours=11)


def exposure_of(dec_deg: float) -> NextExposure:
    observatory = SimulatedObservatory()
    profile = observatory.add_profile("P")
    project = observatory.add_project(profile, "Narrowband")
    target = observatory.add_target(project, "M 81", ra_hours=9.926, dec_deg=dec_deg, rotation_deg=90)
    return NextExposure(profile, project, target, 0)


def test_coordinates_in_hours_degrees_and_words() -> None:
    target = SimulatedTarget(id="1", name="M 31", ra_hours=0.712, dec_deg=-41.27)

    assert coordinates(target) == {
        "RA": 0.712,
        "RADegrees": 10.68,
        "Dec": -41.27,
        "RAString": "00:42:43",
        "DecString": "-41° 16' 12\"",
        "Epoch": 2,
    }


def test_the_end_of_a_target_is_naive_local_time() -> None:
    fields = target_fields(exposure_of(69.07), datetime(2026, 7, 5, 4, 22, 1, 645809, UTC), ZoneInfo("Europe/Berlin"))

    assert fields["TargetEndTime"] == "2026-07-05T06:22:01.6458099"
    assert (fields["TargetName"], fields["ProjectName"], fields["Rotation"]) == ("M 81", "Narrowband", 90.0)


def test_a_target_is_visible_until_it_sinks_or_until_dawn() -> None:
    sky = Sky(SimulatedObservatory().site)

    assert visible_until(exposure_of(69.07), sky, EVENING, DAWN) == DAWN
    sets = visible_until(exposure_of(-10.0), sky, EVENING + timedelta(hours=3), DAWN)
    assert EVENING < sets < DAWN
    # It is below the horizon in the evening, and rises later.
    assert visible_until(exposure_of(-10.0), sky, EVENING, DAWN) == sets
