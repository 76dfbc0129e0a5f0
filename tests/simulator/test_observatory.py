"""The simulated database: what tests do to it, and what it answers then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

import pytest

from ts2mqtt.errors import NotFoundError
from ts2mqtt.simulator.observatory import SimulatedObservatory
from ts2mqtt.simulator.planner import remaining_exposures

if TYPE_CHECKING:
    from ts2mqtt.simulator.rows import JsonValue, SimulatedTarget
    from ts2mqtt.simulator.wire import JsonObject


def rows(answer: JsonValue) -> list[JsonObject]:
    return cast("list[JsonObject]", answer)


def plan_row(observatory: SimulatedObservatory, index: int = 0) -> JsonObject:
    (target,) = rows(observatory.targets_answer(only_project_id(observatory)))
    return rows(target["ExposurePlan"])[index]


def only_project_id(observatory: SimulatedObservatory) -> str:
    return next(observatory.projects()).id


def only_target(observatory: SimulatedObservatory) -> SimulatedTarget:
    return next(observatory.targets())


def counts(observatory: SimulatedObservatory) -> tuple[JsonValue, JsonValue, JsonValue]:
    row = plan_row(observatory)
    return row["Acquired"], row["Accepted"], row["Ungraded"]


def test_ids_depend_on_the_seed_alone() -> None:
    first, second, other = (SimulatedObservatory(seed=seed) for seed in (1, 1, 2))

    assert [first.new_id(), first.new_id()] == [second.new_id(), second.new_id()]
    assert other.new_id() != SimulatedObservatory(seed=1).new_id()


def test_the_first_profile_is_active_until_another_is_activated() -> None:
    observatory = SimulatedObservatory()
    first, second = observatory.add_profile("A"), observatory.add_profile("B")
    assert observatory.active_profile is first

    observatory.activate_profile(second)

    assert [row["Active"] for row in rows(observatory.profiles_answer())] == [False, True]
    observatory.remove_profile(second)
    with pytest.raises(NotFoundError, match="no active profile"):
        _ = observatory.active_profile


def test_a_rename_keeps_the_id_and_a_move_does_not(observatory: SimulatedObservatory) -> None:
    target = only_target(observatory)
    before = target.id
    observatory.rename(target, "Andromeda")
    assert (target.name, target.id) == ("Andromeda", before)

    winter = observatory.add_project(observatory.active_profile, "Winter")
    observatory.move_target(target, winter)

    assert target.id != before
    assert observatory.project_of(target) is winter
    with pytest.raises(NotFoundError):
        observatory.target(before)


def test_moving_a_project_renews_its_id_and_those_of_its_targets(observatory: SimulatedObservatory) -> None:
    project, target = next(observatory.projects()), only_target(observatory)
    before = {project.id, target.id}
    other = observatory.add_profile("Remote")

    observatory.move_project(project, other)

    assert not before & {project.id, target.id}
    assert observatory.profile_of(project) is other


def test_what_is_removed_is_gone(observatory: SimulatedObservatory) -> None:
    project, target = next(observatory.projects()), only_target(observatory)
    observatory.remove_exposure_plan(target, 0)
    assert plan_row(observatory)["TemplateName"] == "Red"

    observatory.remove_target(target)
    assert observatory.targets_answer(project.id) == []
    observatory.remove_project(project)
    assert observatory.projects_answer(observatory.active_profile.id) == []

    with pytest.raises(NotFoundError, match="no project"):
        observatory.targets_answer(project.id)
    with pytest.raises(NotFoundError, match="belongs to no project"):
        observatory.project_of(target)
    with pytest.raises(NotFoundError, match="belongs to no profile"):
        observatory.profile_of(project)


def test_accepted_stands_still_until_grading_starts_and_then_jumps(observatory: SimulatedObservatory) -> None:
    target = only_target(observatory)
    for good in (True, False, True, True, True, True, True):
        observatory.acquire(target, good=good)
    assert counts(observatory) == (7, 0, 7)

    observatory.acquire(target)

    assert counts(observatory) == (8, 7, 0)
    observatory.acquire(target, good=False)
    assert counts(observatory) == (9, 7, 0)


def test_without_a_grader_every_saved_image_is_accepted_at_once(observatory: SimulatedObservatory) -> None:
    next(observatory.projects()).enable_grader = False

    observatory.acquire(only_target(observatory), good=False)

    assert counts(observatory) == (1, 1, 0)


def test_without_a_grader_the_planner_goes_on_to_the_exposure_throttle(observatory: SimulatedObservatory) -> None:
    project = next(observatory.projects())
    profile, plan = observatory.profile_of(project), only_target(observatory).exposure_plans[0]
    assert remaining_exposures(profile, project, plan) == plan.desired

    project.enable_grader = False
    observatory.acquire(only_target(observatory))

    assert remaining_exposures(profile, project, plan) == int(1.25 * plan.desired) - 1


def test_a_test_may_decide_the_grading_itself(observatory: SimulatedObservatory) -> None:
    observatory.acquire(only_target(observatory), accepted=True)
    observatory.acquire(only_target(observatory), accepted=False)

    # Still below the delay, the plugin counts by subtraction.
    assert counts(observatory) == (2, 1, 1)


def test_statistics_come_in_plan_order_over_all_images_of_a_filter(observatory: SimulatedObservatory) -> None:
    observatory.active_profile.auto_accept_hfr = 2.0
    target = only_target(observatory)
    observatory.add_exposure_plan(target, "Lum short", filter_name="Lum", exposure_s=10)
    for plan_index, hfr in ((0, 1.0), (0, 2.0), (2, 3.0)):
        observatory.acquire(target, plan_index, hfr=hfr, fwhm=2.5, eccentricity=0.4)

    lum, red, short = rows(observatory.statistics_answer(target.id))

    assert lum == short | {"Exposure": 60}
    assert lum["HFRMean"] == pytest.approx(2.0)
    assert lum["HFRStdDev"] == pytest.approx((2 / 3) ** 0.5)
    assert lum["HFRBelowAutoAcceptLevel"] == 2
    assert lum["FWHMMean"] == pytest.approx(2.5)
    assert lum["FWHMBelowAutoAcceptLevel"] == -1
    assert (red["FilterName"], red["HFRMean"], red["HFRBelowAutoAcceptLevel"]) == ("Red", 0, -1)
    assert observatory.counters.statistics_requests[target.id] == 1


@pytest.mark.parametrize("measured", [(None, None), (2.5, None), (None, 0.4)])
def test_statistics_fail_where_images_lack_fwhm_or_eccentricity(
    observatory: SimulatedObservatory, measured: tuple[float | None, float | None]
) -> None:
    target = only_target(observatory)
    observatory.acquire(target, fwhm=measured[0], eccentricity=measured[1])
    assert observatory.statistics_answer(target.id) is None

    observatory.acquire(target, fwhm=2.5, eccentricity=0.4)

    assert len(rows(observatory.statistics_answer(target.id))) == 2


def test_raw_fields_are_added_overridden_and_left_out(observatory: SimulatedObservatory) -> None:
    profile, project, target = observatory.active_profile, next(observatory.projects()), only_target(observatory)
    profile.raw["Color"] = "red"
    project.raw["Priority"] = "urgent"
    target.left_out.add("Epoch")
    target.exposure_plans[0].raw["Gain"] = 100

    assert rows(observatory.profiles_answer())[0]["Color"] == "red"
    row = rows(observatory.projects_answer(profile.id))[0]
    assert (row["Priority"], list(row)[4]) == ("urgent", "Priority")
    assert "Epoch" not in rows(observatory.targets_answer(project.id))[0]
    assert plan_row(observatory)["Gain"] == 100


def test_dates_are_local_with_offset_and_never_is_the_epoch() -> None:
    berlin = SimulatedObservatory(timezone=ZoneInfo("Europe/Berlin"))
    profile = berlin.add_profile("P")
    berlin.add_project(
        profile,
        "Summer",
        create_date=datetime(2026, 7, 1, 10, 0, 0, 123456, tzinfo=UTC),
        active_date=datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=5))),
    )

    (row,) = rows(berlin.projects_answer(profile.id))

    assert row["CreateDate"] == "2026-07-01T12:00:00+02:00"
    assert row["ActiveDate"] == "2025-12-31T20:00:00+01:00"
    assert row["InactiveDate"] == "1970-01-01T01:00:00+01:00"


def test_time_never_goes_back(observatory: SimulatedObservatory) -> None:
    now = observatory.now
    observatory.advance(now + timedelta(hours=1))
    observatory.advance(now)

    assert observatory.now == now + timedelta(hours=1)


def test_a_profile_without_children_is_known_by_id_alone(observatory: SimulatedObservatory) -> None:
    assert observatory.profile(observatory.active_profile.id) is observatory.active_profile
    with pytest.raises(NotFoundError, match="no profile 'Backyard'"):
        observatory.profile("Backyard")
    assert observatory.projects_answer("Backyard") == []
