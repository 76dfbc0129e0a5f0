"""What counts tell about the exposures that were taken between two looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.support.build import exposure_plan, profile, project, rig, target
from ts2mqtt.observatory.exposures import (
    LastExposure,
    Progress,
    last_exposure,
    patience,
    progress,
)
from ts2mqtt.observatory.model import ACTIVE, CLOSED, ExposurePlan, Listing, Profile, Project, Rig, Target
from ts2mqtt.observatory.tree import TargetPlace, all_targets, distinct_targets

NOW = datetime(2026, 1, 10, 23, tzinfo=UTC)
MINUTES_5 = timedelta(minutes=5)


def of_targets(*targets: Target) -> Rig:
    return rig(Listing((profile(projects=Listing((project(targets=Listing(targets)),))),)))


def of_projects(*projects: Project) -> Rig:
    return rig(Listing((profile(projects=Listing(projects)),)))


def of_profiles(*profiles: Profile) -> Rig:
    return rig(Listing(profiles))


def gains(before: Rig, after: Rig) -> list[tuple[str, str, int, int]]:
    return [(step.place.target.id, step.after.key, step.acquired, step.accepted) for step in progress(before, after)]


def test_counts_that_rise_are_exposures() -> None:
    before = of_targets(target(exposure_plan(10, 3, 2), exposure_plan(10, 0, 0, key="red_60")))
    after = of_targets(target(exposure_plan(10, 5, 3), exposure_plan(10, 0, 0, key="red_60")))

    assert gains(before, after) == [("target", "lum_60", 2, 1)]
    assert gains(before, before) == gains(after, of_targets(*(place.target for place in all_targets(after)))) == []


def test_counts_that_fall_are_no_exposures() -> None:
    before, after = of_targets(target(exposure_plan(10, 5, 3))), of_targets(target(exposure_plan(10, 0, 0)))

    assert gains(before, after) == [("target", "lum_60", 0, 0)]


def test_what_is_new_has_taken_nothing() -> None:
    before = of_targets(target(exposure_plan(10, 5, 3)))
    after = of_targets(
        target(exposure_plan(10, 5, 3), exposure_plan(10, 7, 7, key="red_60")),
        target(exposure_plan(10, 9, 9), identity="new"),
    )

    assert gains(before, after) == []
    assert gains(rig(), after) == []


def test_an_exposure_plan_is_found_again_by_its_key_wherever_it_stands() -> None:
    lum, red = exposure_plan(10, 5, 5), exposure_plan(10, 7, 7, key="red_60")

    assert gains(of_targets(target(lum, red)), of_targets(target(replace(red, acquired=8), lum))) == [
        ("target", "red_60", 1, 0)
    ]


def test_a_target_that_is_named_twice_counts_once() -> None:
    def named_twice(acquired: int) -> Rig:
        one = target(exposure_plan(10, acquired, 0))
        return of_projects(project("closed", Listing((one,)), state=CLOSED), project("open", Listing((one,))))

    (step,) = progress(named_twice(3), named_twice(4))

    assert (step.acquired, step.place.project.id) == (1, "open")
    assert [place.project.id for place in all_targets(named_twice(3))] == ["closed", "open"]
    assert [place.project.id for place in distinct_targets(named_twice(3))] == ["open"]


def test_two_rows_with_the_same_id_and_other_counts_do_not_make_up_exposures() -> None:
    old_copy = project("old", Listing((target(exposure_plan(10, 9, 9)),)), state=CLOSED)

    def with_copy(acquired: int) -> list[Project]:
        return [project("new", Listing((target(exposure_plan(10, acquired, 0)),))), old_copy]

    for order in (slice(None), slice(None, None, -1)):
        before, after = of_projects(*with_copy(3)[order]), of_projects(*with_copy(4)[order])
        assert gains(before, before) == []
        assert gains(before, after) == [("target", "lum_60", 1, 0)]


def test_a_target_that_a_restored_database_shows_under_another_project_is_still_the_same() -> None:
    before = of_projects(project("old", Listing((target(exposure_plan(10, 3, 0)),))), project("new", Listing(())))
    after = of_projects(project("old", Listing(())), project("new", Listing((target(exposure_plan(10, 4, 0)),))))

    assert gains(before, after) == [("target", "lum_60", 1, 0)]


def test_of_a_target_named_under_two_profiles_that_of_the_active_one_counts() -> None:
    listing = Listing((project(targets=Listing((target(),))),))
    both = of_profiles(profile("off", listing, active=False), profile("on", listing))

    assert [place.profile.id for place in distinct_targets(both)] == ["on"]


def last(before: Target, after: Target) -> LastExposure | None:
    return last_exposure(of_targets(before), of_targets(after), NOW)


def test_the_last_exposure_is_the_one_that_was_taken_since() -> None:
    found = last(target(exposure_plan(10, 3, 3)), target(exposure_plan(10, 4, 3)))

    assert found == LastExposure("target", NOW, 60.0)
    assert found.imaging_until() == NOW + timedelta(minutes=2) + MINUTES_5


def test_without_an_exposure_there_is_no_last_one() -> None:
    for acquired, accepted in ((3, 3), (3, 4), (0, 0)):
        assert last(target(exposure_plan(10, 3, 3)), target(exposure_plan(10, acquired, accepted))) is None


def test_a_longer_exposure_of_the_same_target_may_follow() -> None:
    def both(acquired: int, *, long_done: int) -> Target:
        long = exposure_plan(5, long_done, long_done, exposure_s=900.0, key="sii_900")
        return target(exposure_plan(10, acquired, 0), long)

    waiting = last(both(3, long_done=0), both(4, long_done=0))
    done = last(both(3, long_done=5), both(4, long_done=5))

    assert waiting is not None
    assert done is not None
    assert (waiting.exposure_s, done.exposure_s) == (900.0, 60.0)


def test_an_unknown_exposure_is_taken_for_five_minutes() -> None:
    found = last(target(exposure_plan(10, 3, 3, exposure_s=None)), target(exposure_plan(10, 4, 3, exposure_s=None)))

    assert found == LastExposure("target", NOW, 300.0)


def test_of_several_targets_the_one_with_the_longest_exposure_is_at_work() -> None:
    def two(short: int, long: int) -> Rig:
        return of_targets(
            target(exposure_plan(10, short, 0), identity="short"),
            target(exposure_plan(10, long, 0, exposure_s=600.0), identity="long"),
        )

    assert last_exposure(two(1, 1), two(2, 2), NOW) == LastExposure("long", NOW, 600.0)


def test_with_grading_off_a_longer_exposure_may_follow_until_the_exposure_throttle_says_no() -> None:
    def both(acquired: int, *, long_done: int) -> Rig:
        long = exposure_plan(10, long_done, long_done, exposure_s=900.0, key="sii_900")
        own = target(exposure_plan(100, acquired, acquired), long)
        return of_projects(project(targets=Listing((own,)), enable_grader=False))

    for long_done, exposure_s in ((10, 900.0), (11, 900.0), (12, 60.0)):
        found = last_exposure(both(3, long_done=long_done), both(4, long_done=long_done), NOW)
        assert found == LastExposure("target", NOW, exposure_s)


def test_exposures_of_another_profile_are_another_rig_s() -> None:
    def shared(acquired: int) -> Rig:
        other = project(targets=Listing((target(exposure_plan(10, acquired, 0)),)))
        return of_profiles(profile("mine", Listing(())), profile("other", Listing((other,)), active=False))

    assert last_exposure(shared(1), shared(2), NOW) is None


def test_patience_grows_with_the_exposure() -> None:
    assert patience(0.0) == MINUTES_5
    assert patience(600.0) == timedelta(minutes=25)


def test_a_step_says_what_was_gained_and_never_less_than_nothing() -> None:
    place = TargetPlace(profile(), project(), target())

    def step(before: ExposurePlan, after: ExposurePlan) -> tuple[int, int]:
        made = Progress(place, before, after)
        return made.acquired, made.accepted

    assert step(exposure_plan(10, 3, 1), exposure_plan(10, 5, 4)) == (2, 3)
    assert step(exposure_plan(10, 3, 3), exposure_plan(10, 1, 4)) == (0, 1)
    assert step(exposure_plan(10, 3, 3), exposure_plan(10, 4, 1)) == (1, 0)


def test_a_row_that_takes_over_from_another_with_the_same_id_is_compared_with_itself() -> None:
    def rows(acquired: int, old_state: str, new_state: str) -> Rig:
        return of_projects(
            project("old", Listing((target(exposure_plan(10, 1, 1)),)), state=old_state),
            project("new", Listing((target(exposure_plan(10, acquired, 0)),)), state=new_state),
        )

    assert gains(rows(7, ACTIVE, CLOSED), rows(8, CLOSED, ACTIVE)) == [("target", "lum_60", 1, 0)]
