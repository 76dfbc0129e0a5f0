"""The simulated preview: blocks of a night as the planner would image it, and the harm that it does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import pytest

from ts2mqtt.errors import NotFoundError
from ts2mqtt.simulator.sky import Site, Sky

if TYPE_CHECKING:
    from ts2mqtt.simulator.observatory import SimulatedObservatory
    from ts2mqtt.simulator.planner import PreviewBlock
    from ts2mqtt.simulator.wire import JsonObject


def preview(observatory: SimulatedObservatory, start: datetime | None = None) -> tuple[PreviewBlock, ...]:
    return observatory.preview(observatory.active_profile.id, start)


def runs(block: PreviewBlock) -> list[tuple[str, int]]:
    return [(run.filter_name, run.count) for run in block.exposures]


def test_begins_with_a_wait_from_one_o_clock_local_time_until_it_is_dark(observatory: SimulatedObservatory) -> None:
    wait, block = preview(observatory)

    assert (wait.target_id, wait.name, wait.exposures) == (None, None, ())
    assert wait.start == datetime(2026, 2, 27, 18, tzinfo=UTC)
    assert Sky(observatory.site).sun_altitude(wait.end) == pytest.approx(-12, abs=0.01)
    assert (block.start, block.name, runs(block)) == (wait.end, "M 31", [("Lum", 10), ("Red", 5)])
    assert block.end - block.start == timedelta(seconds=10 * 60 + 5 * 120.5)


def test_asked_after_midnight_it_describes_the_coming_night(observatory: SimulatedObservatory) -> None:
    observatory.advance(datetime(2026, 2, 28, 6, tzinfo=UTC))

    assert preview(observatory)[0].start == datetime(2026, 2, 28, 18, tzinfo=UTC)


def test_honours_the_filter_switch_frequency_and_counts_what_it_writes(observatory: SimulatedObservatory) -> None:
    next(observatory.projects()).filter_switch_frequency = 3

    _, block = preview(observatory)

    assert runs(block) == [("Lum", 3), ("Red", 3), ("Lum", 3), ("Red", 2), ("Lum", 4)]
    assert observatory.counters.filter_cadence_writes == 15


def test_plans_only_what_is_active_and_unfinished(observatory: SimulatedObservatory) -> None:
    target = next(observatory.targets())
    target.exposure_plans[0].acquired = target.exposure_plans[0].accepted = 10
    assert runs(preview(observatory)[-1]) == [("Red", 5)]

    target.active = False
    assert preview(observatory) == ()
    target.active = True
    observatory.set_project_state(next(observatory.projects()), "Inactive")
    assert preview(observatory) == ()


def test_waits_for_a_target_to_rise_and_stops_when_it_sets(observatory: SimulatedObservatory) -> None:
    project = observatory.add_project(observatory.active_profile, "Spring", minimum_altitude=40)
    late = observatory.add_target(project, "M 13", ra_hours=16.695, dec_deg=36.46)
    observatory.add_exposure_plan(late, "Lum", exposure_s=300, desired=1000)

    blocks = preview(observatory)

    assert [block.name for block in blocks] == [None, "M 31", None, "M 13"]
    assert all(first.end == second.start for first, second in pairwise(blocks))
    sky = Sky(observatory.site)
    assert sky.altitude(16.695, 36.46, blocks[3].start) == pytest.approx(40, abs=1)
    assert sky.sun_altitude(blocks[3].end) < -12


def test_respects_the_maximum_altitude(observatory: SimulatedObservatory) -> None:
    next(observatory.projects()).maximum_altitude = 30

    block = preview(observatory)[-1]

    assert Sky(observatory.site).altitude(0.712, 41.27, block.start) <= 30


def test_the_highest_goes_first_unless_priority_says_otherwise(observatory: SimulatedObservatory) -> None:
    project = observatory.add_project(observatory.active_profile, "High up", minimum_time=60)
    overhead = observatory.add_target(project, "NGC 2403", ra_hours=7.614, dec_deg=65.6)
    observatory.add_exposure_plan(overhead, "Lum", exposure_s=600, desired=100)
    assert preview(observatory)[1].name == "NGC 2403"

    next(observatory.projects()).priority = 2
    project.priority = 0

    assert preview(observatory)[1].name == "M 31"


def test_a_target_keeps_the_telescope_for_the_minimum_time(observatory: SimulatedObservatory) -> None:
    start = datetime(2026, 2, 28, 1, tzinfo=UTC)
    project = observatory.add_project(observatory.active_profile, "Two", minimum_time=45)
    for ra_hours in (8.0, 8.2, 8.4, 8.6):
        target = observatory.add_target(project, str(ra_hours), ra_hours=ra_hours, dec_deg=40)
        observatory.add_exposure_plan(target, "Lum", exposure_s=600, desired=100)

    blocks = preview(observatory, start)

    assert len(blocks) > 2
    assert all(block.end - block.start >= timedelta(minutes=45) for block in blocks[:-1] if block.name != "M 31")


def test_a_start_in_the_night_describes_the_night_in_progress(observatory: SimulatedObservatory) -> None:
    start = datetime(2026, 2, 28, 0, 30, tzinfo=UTC)

    (block,) = preview(observatory, start)

    assert (block.start, block.name) == (start, "M 31")


def test_is_empty_where_it_never_gets_dark(observatory: SimulatedObservatory) -> None:
    observatory.site = Site(latitude_deg=69.0, longitude_deg=20.0)

    assert preview(observatory, datetime(2026, 6, 20, 11, tzinfo=UTC)) == ()


def test_the_polar_night_has_a_day_of_darkness(observatory: SimulatedObservatory) -> None:
    observatory.site = Site(latitude_deg=85.0, longitude_deg=20.0)
    start = datetime(2026, 12, 20, 11, tzinfo=UTC)

    assert preview(observatory, start)[0].start == start


def test_another_profile_is_planned_with_the_active_ones_site(observatory: SimulatedObservatory) -> None:
    remote = observatory.add_profile("Remote", site=Site(latitude_deg=-30.0, longitude_deg=150.0))
    project = observatory.add_project(remote, "South")
    target = observatory.add_target(project, "Omega Centauri", ra_hours=13.446, dec_deg=-47.48)
    observatory.add_exposure_plan(target, "Lum")
    assert observatory.preview(remote.id) == ()

    observatory.activate_profile(remote)

    assert observatory.preview(remote.id)[-1].name == "Omega Centauri"


def test_a_profile_with_nothing_to_do_answers_a_block_of_the_active_one(observatory: SimulatedObservatory) -> None:
    idle = observatory.add_profile("Idle")
    spring = observatory.add_target(next(observatory.projects()), "M 13", ra_hours=16.695, dec_deg=36.46)
    observatory.add_exposure_plan(spring, "Lum")
    assert [block.name for block in preview(observatory)] == [None, "M 31", None, "M 13"]

    (block,) = observatory.preview(idle.id)

    assert block.target_id == next(observatory.targets()).id
    for target in observatory.targets():
        target.active = False
    assert observatory.preview(idle.id) == ()


def test_times_have_seven_decimals_at_most_and_offsets(observatory: SimulatedObservatory) -> None:
    answer = cast("list[JsonObject]", observatory.preview_answer(observatory.active_profile.id))

    assert answer[0]["StartTime"] == "2026-02-27T13:00:00-05:00"
    end = str(answer[0]["EndTime"])
    assert len(end) == len("2026-02-27T18:48:20.6346915-05:00")
    assert answer[1]["StartTime"] == end
    assert [list(row) for row in answer] == [["Id", "Name", "WaitPeriod", "StartTime", "EndTime", "ExposurePlan"]] * 2


def test_a_start_without_offset_is_local_and_comes_back_mixed(observatory: SimulatedObservatory) -> None:
    naive = datetime(2026, 2, 27, 15)  # noqa: DTZ001 - a start without offset is what is tested

    wait, block = cast("list[JsonObject]", observatory.preview_answer(observatory.active_profile.id, naive))

    assert wait["StartTime"] == "2026-02-27T15:00:00"
    assert str(block["StartTime"]).endswith("-05:00")


def test_counts_its_harm(observatory: SimulatedObservatory) -> None:
    identity = observatory.active_profile.id
    observatory.preview_answer(identity)
    observatory.imaging_by_hand = True
    observatory.preview_answer(identity)
    with pytest.raises(NotFoundError):
        observatory.preview_answer("nobody")

    counters = observatory.counters
    assert (counters.previews_taken, counters.previews_while_imaging) == (2, 1)
    assert counters.preview_requests == {identity: 2, "nobody": 1}
    assert counters.requests == {"preview": 3}


def test_a_set_preview_is_answered_until_it_is_taken_back(observatory: SimulatedObservatory) -> None:
    blocks = preview(observatory)
    observatory.set_preview(observatory.active_profile, blocks[1:])
    assert preview(observatory) == blocks[1:]

    observatory.set_preview(observatory.active_profile, None)

    assert preview(observatory) == blocks
