"""What counts tell about the exposures that were taken between two looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.build import exposure_plan, profile, project, rig, target
from ts2mqtt.observatory.exposures import Before, Counted, Progress, count, progress
from ts2mqtt.observatory.look import Look
from ts2mqtt.observatory.model import ACTIVE, CLOSED, ExposurePlan, Listing, Profile, Project, Rig, Target
from ts2mqtt.observatory.tree import TargetPlace, all_targets, distinct_targets

NOW = datetime(2026, 1, 10, 23, tzinfo=UTC)


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


def test_a_step_says_what_was_gained_and_never_less_than_nothing() -> None:
    place = TargetPlace(profile(), project(), target())

    def step(before: ExposurePlan, after: ExposurePlan) -> tuple[int, int]:
        made = Progress(place, place, before, after)
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


def equals(*acquired: int) -> Rig:
    """A target with so many equal exposure plans, keyed by their order as the API's are."""
    keys = ("lum_60", "lum_60_2", "lum_60_3")
    plans = (exposure_plan(60, number, number, key=key) for number, key in zip(acquired, keys, strict=False))
    return of_targets(target(*plans, exposure_plan(10, 3, 3, exposure_s=300.0, key="red_300")))


def test_of_equal_exposure_plans_one_that_is_deleted_or_added_is_no_exposure() -> None:
    assert gains(equals(2, 45), equals(45)) == []
    assert gains(equals(45), equals(2, 45)) == []
    assert gains(equals(2, 45), equals(3, 45)) == [("target", "lum_60", 1, 1)]
    # Those that are alone in their kind go on counting.
    after = equals(45)
    red = exposure_plan(10, 4, 4, exposure_s=300.0, key="red_300")
    (place,) = all_targets(after)
    counted = of_targets(replace(place.target, exposure_plans=(place.target.exposure_plans[0], red)))
    assert gains(equals(2, 45), counted) == [("target", "red_300", 1, 1)]


def of(acquired: int, accepted: int = 0, *, exposure_s: float | None = 300.0, state: str = ACTIVE) -> Rig:
    plan = exposure_plan(60, acquired, accepted, exposure_s=exposure_s)
    return of_projects(project("project", Listing((target(plan),)), state=state))


def counted(
    before: Rig, after: Rig, *, seconds: float | None = 30, peaks: dict[tuple[str, str], int] | None = None
) -> Counted:
    """What is counted if the list was read so many seconds before; None: nobody knows when."""
    since = {} if seconds is None else {"project": NOW - timedelta(seconds=seconds)}
    look = Look(rig=after, plan=None, now=NOW)
    return count(Before(rig=before, since=since, peaks=peaks or {}), look)


@pytest.mark.parametrize(
    ("taken", "seconds", "exposure_s", "is_possible"),
    [
        # One may have been all but over when the list was read before.
        (1, 2, 300.0, True),
        (2, 30, 300.0, False),
        # An image is stored up to a minute and a half late.
        (2, 209, 300.0, False),
        (2, 210, 300.0, True),
        (30, 30, 300.0, False),
        (12, 30, 10.0, True),
        (14, 30, 10.0, False),
        # What was taken while no list could be read has come together.
        (30, 3 * 3600, 300.0, True),
        (30, None, 300.0, True),
        (30, 30, None, True),
        # The clock was set back meanwhile: nobody knows how long it was.
        (30, -3600, 300.0, True),
    ],
)
def test_a_gain_that_cannot_have_been_taken_since_was_edited(
    taken: int, seconds: float | None, exposure_s: float | None, is_possible: bool
) -> None:
    found = counted(of(3, exposure_s=exposure_s), of(3 + taken, exposure_s=exposure_s), seconds=seconds)

    assert [gain.acquired for gain in found.gains] == ([taken] if is_possible else [])
    assert [step.acquired for step in found.edited] == ([] if is_possible else [taken])


def test_what_is_accepted_beyond_what_was_taken_was_edited() -> None:
    jump = counted(of(30, 0), of(31, 31))
    assert [(gain.acquired, gain.accepted) for gain in jump.gains] == [(1, 31)]
    edited = counted(of(30, 28), of(30, 40))
    assert (edited.gains, [step.accepted for step in edited.edited]) == ((), [12])
    both = counted(of(30, 28), of(31, 40))
    assert [(gain.acquired, gain.accepted) for gain in both.gains] == [(1, 0)]
    assert len(both.edited) == 1


def test_nothing_is_taken_for_a_project_that_has_long_not_been_active() -> None:
    def taken(*, left: float | None, is_watched: bool = True) -> int:
        closed = {} if left is None else {"project": NOW - timedelta(seconds=left)}
        since = {"project": NOW - timedelta(seconds=600)}
        before = Before(rig=of(3, state=CLOSED), since=since, left=closed, is_watched=is_watched)
        return len(count(before, Look(rig=of(4, state=CLOSED), plan=None, now=NOW)).gains)

    assert taken(left=None) == 0
    assert taken(left=600 + 389) == 1
    assert taken(left=600 + 390) == 0
    # Who has just begun to look does not know how long it has been so.
    assert taken(left=None, is_watched=False) == 1


def test_nothing_is_taken_for_a_project_that_is_not_active() -> None:
    assert counted(of(3, state=CLOSED), of(4, state=CLOSED)).gains == ()
    # The last exposure ended after its project was closed, or the first one before anybody saw it Active.
    assert len(counted(of(3), of(4, state=CLOSED)).gains) == 1
    assert len(counted(of(3, state=CLOSED), of(4)).gains) == 1


def test_an_exposure_ended_in_the_middle_of_the_time_in_which_it_can_have_ended() -> None:
    (one,) = counted(of(3), of(4), seconds=40).gains
    assert (one.earliest, one.latest, one.time) == (NOW - timedelta(seconds=40), NOW, NOW - timedelta(seconds=20))
    assert one.began == NOW - timedelta(seconds=320)
    (two,) = counted(of(3), of(5), seconds=400).gains
    assert (two.earliest, two.time) == (NOW - timedelta(seconds=100), NOW - timedelta(seconds=50))
    (close,) = counted(of(3), of(5), seconds=250).gains
    assert (close.time, close.uncertainty) == (NOW, timedelta(0))
    (unknown,) = counted(of(3), of(5), seconds=None).gains
    assert unknown.time == NOW


def test_what_came_while_the_bridge_was_away_came_one_after_the_other() -> None:
    def uncertainty(*, is_watched: bool) -> timedelta:
        ended = NOW - timedelta(minutes=23)
        before = Before(rig=of(3), since={"project": ended}, is_watched=is_watched, last_ended=ended)
        (gain,) = count(before, Look(rig=of(7), plan=None, now=NOW)).gains
        return gain.uncertainty

    # The first of the four began when the last one that was seen had ended.
    assert uncertainty(is_watched=False) == timedelta(minutes=3)
    assert uncertainty(is_watched=True) == timedelta(minutes=8)


def shared(mine: int, others: int, *, active: str = "mine") -> Rig:
    """A rig with two profiles, of which one is active."""
    return of_profiles(
        *(
            profile(
                name,
                Listing((project(f"of {name}", Listing((target(exposure_plan(10, acquired, 0), identity=name),))),)),
                active=name == active,
            )
            for name, acquired in (("mine", mine), ("other", others))
        )
    )


def test_exposures_of_another_profile_are_another_rig_s() -> None:
    found = count(Before(rig=shared(1, 1)), Look(rig=shared(2, 3), plan=None, now=NOW))

    assert [(gain.step.place.target.id, gain.acquired) for gain in found.gains] == [("mine", 1)]


def test_exposures_of_a_profile_that_was_left_count_until_its_list_was_read_once_more() -> None:
    def taken(*, read: float, left: float | None) -> int:
        since = {"of mine": NOW - timedelta(seconds=read)}
        ended = {} if left is None else {"mine": NOW - timedelta(seconds=left)}
        look = Look(rig=shared(2, 1, active="other"), plan=None, now=NOW)
        return len(count(Before(rig=shared(1, 1), since=since, left=ended), look).gains)

    assert taken(read=30, left=None) == 0
    assert taken(read=30, left=0) == 1
    assert taken(read=600, left=580) == 1
    # One was under way, and its image is stored late.
    assert taken(read=600, left=749) == 1
    assert taken(read=600, left=750) == 0


def test_accepted_that_falls_and_rises_again_is_no_gain() -> None:
    fallen = counted(of(8, 6), of(8, 3))
    assert (fallen.gains, fallen.peaks) == ((), {("target", "lum_60"): 6})
    risen = counted(of(8, 3), of(8, 6), peaks=dict(fallen.peaks))
    assert (risen.gains, risen.peaks) == ((), {})
    (more,) = counted(of(8, 3), of(8, 7), peaks=dict(fallen.peaks)).gains
    assert more.accepted == 1
    reset = counted(of(8, 3), of(0, 0), peaks=dict(fallen.peaks))
    assert (reset.gains, reset.peaks) == ((), {})
