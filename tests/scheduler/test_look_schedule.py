"""When a rig is looked at again, after what was noticed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta, timezone

import pytest

from tests.support.build import exposure_plan, profile, project, rig, target
from tests.support.clocks import HandClock
from ts2mqtt.config import PollingConfig
from ts2mqtt.observatory.evidence import OBSERVED, Evidence, LastExposure
from ts2mqtt.observatory.model import Listing, NightPlan, PlanBlock, PlannedExposures
from ts2mqtt.observatory.night import night_of, planning_inputs
from ts2mqtt.scheduler.look_policy import Announced, LiveList, ProjectsOf, TargetsOf
from ts2mqtt.scheduler.look_schedule import LookSchedule, Noticed, Wish

INTERVAL_S, EDIT_S = 30.0, 120.0
PROJECTS = ProjectsOf("wide")
A, B = TargetsOf("a"), TargetsOf("b")
LIVE: frozenset[LiveList] = frozenset({PROJECTS, A, B})
RIG = rig(
    Listing(
        (
            profile(
                "wide",
                Listing(
                    tuple(
                        project(name, Listing((target(exposure_plan(10, 1, 1), identity=f"{name} target"),)))
                        for name in "ab"
                    )
                ),
            ),
        )
    ),
    online=True,
)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def schedule(clock: HandClock) -> LookSchedule:
    """All lists were just read; it is noon, and nothing images."""
    schedule = LookSchedule(PollingConfig(), clock, 2.0)
    schedule.note_profiles(clock.monotonic())
    for one in LIVE:
        schedule.note_read(one, clock.monotonic())
    decide(schedule)
    return schedule


def decide(schedule: LookSchedule) -> None:
    schedule.decide(RIG, None, None, None)


def due_after(schedule: LookSchedule, clock: HandClock, seconds: float) -> set[LiveList]:
    """The live lists to read so many seconds from now."""
    return set(LIVE - schedule.resting(clock.monotonic() + seconds))


def noticed(clock: HandClock, name: str = "a", *, uncertain_s: float = 4.0) -> Noticed:
    """An exposure of 60 s that was seen just now."""
    now = clock.now()
    last = LastExposure(
        time=now - timedelta(seconds=uncertain_s / 2),
        target_id=f"{name} target",
        target_name=name,
        filter="Lum",
        exposure_s=60.0,
    )
    evidence = Evidence(kind=OBSERVED, target_id=f"{name} target", time=now, exposure_s=60.0)
    return Noticed(evidence=evidence, last_exposure=last)


def test_profiles_are_due_at_the_interval_and_lists_at_the_edit_interval(
    schedule: LookSchedule, clock: HandClock
) -> None:
    assert schedule.next_due(LIVE) == clock.monotonic() + INTERVAL_S
    assert schedule.are_profiles_due(clock.monotonic() + INTERVAL_S)
    assert not schedule.are_profiles_due(clock.monotonic() + INTERVAL_S - 2.0)
    assert due_after(schedule, clock, EDIT_S - 2.0) == set()
    assert due_after(schedule, clock, EDIT_S) == LIVE


def test_counts_that_were_edited_make_everything_due_at_the_interval_for_ten_minutes(
    schedule: LookSchedule, clock: HandClock
) -> None:
    schedule.notice(Noticed(is_edited=True), RIG)
    decide(schedule)
    assert due_after(schedule, clock, INTERVAL_S) == LIVE
    clock.advance(600.0)
    for one in LIVE:
        schedule.note_read(one, clock.monotonic())
    decide(schedule)
    assert due_after(schedule, clock, INTERVAL_S) == set()


def test_a_list_that_failed_is_due_at_the_interval(schedule: LookSchedule, clock: HandClock) -> None:
    schedule.note_failure(B, clock.monotonic())
    assert due_after(schedule, clock, INTERVAL_S) == {B}
    schedule.note_read(B, clock.monotonic())
    assert due_after(schedule, clock, INTERVAL_S) == set()


def test_what_images_is_due_when_its_next_exposure_can_be_there(schedule: LookSchedule, clock: HandClock) -> None:
    schedule.notice(noticed(clock), RIG)
    decide(schedule)
    # Saved between 4 s ago and now; one exposure and its download later.
    expected = clock.monotonic() - 2.0 + 60.0 + 7.0
    assert schedule.next_due(LIVE - {A}) == clock.monotonic() + INTERVAL_S
    assert schedule.next_due(frozenset({A})) == clock.monotonic() + INTERVAL_S
    schedule.note_profiles(clock.monotonic() + 2 * INTERVAL_S)
    assert schedule.next_due(LIVE) == expected
    assert due_after(schedule, clock, 64.0) == {A}


def test_another_project_is_due_so_that_its_first_exposure_is_seen_within_the_interval(
    schedule: LookSchedule, clock: HandClock
) -> None:
    schedule.notice(noticed(clock), RIG)
    decide(schedule)
    # Since the last exposure of A, 4 s ago at the earliest: a slew, an exposure of B, and the interval.
    first = -4.0 + 30.0 + 60.0 + INTERVAL_S
    assert B not in due_after(schedule, clock, first - 2.0)
    assert B in due_after(schedule, clock, first)
    clock.advance(first)
    schedule.note_read(B, clock.monotonic())
    assert B in due_after(schedule, clock, INTERVAL_S)


def test_what_the_plan_uses_up_is_watched_after_its_end_by_the_counts_it_was_made_with(
    schedule: LookSchedule, clock: HandClock
) -> None:
    now = clock.now()
    block = PlanBlock(
        target_id="a target",
        name="a",
        start=now - timedelta(hours=2),
        end=now - timedelta(hours=1),
        exposures=(PlannedExposures("Lum", 60.0, 9),),
    )
    plan = NightPlan(
        profile_id="wide",
        night=night_of(now, UTC),
        fetched=now,
        blocks=(block,),
        inputs=planning_inputs(RIG.active_profile) if RIG.active_profile else None,
    )
    early = timezone(timedelta(hours=-12))
    schedule.decide(rig(Listing((profile("wide"),)), online=True), plan, now - timedelta(hours=5), early)
    schedule.decide(RIG, plan, now - timedelta(hours=5), early)
    assert schedule.attention.closely == {"a"}


def announced(clock: HandClock, *names: str) -> Announced:
    return Announced(project_ids=frozenset(names), time=clock.now())


def hears(schedule: LookSchedule, clock: HandClock, *names: str) -> None:
    """N.I.N.A. announces these, after everything was read and it was heard for long."""
    schedule.notice(Noticed(announced=announced(clock)), RIG)
    clock.advance(3_600.0)
    for one in LIVE:
        schedule.note_read(one, clock.monotonic())
    schedule.notice(Noticed(announced=announced(clock, *names)), RIG)
    for one in LIVE:
        schedule.note_read(one, clock.monotonic())
    decide(schedule)


def test_who_hears_what_is_announced_reads_that_alone_for_exposures(schedule: LookSchedule, clock: HandClock) -> None:
    hears(schedule, clock, "a")
    assert due_after(schedule, clock, 60.0 + INTERVAL_S - 2.0) == set()
    assert due_after(schedule, clock, 60.0 + INTERVAL_S) == {A}


def test_at_each_word_what_was_announced_before_is_read_once_more(schedule: LookSchedule, clock: HandClock) -> None:
    hears(schedule, clock, "a")
    clock.advance(10.0)
    schedule.notice(Noticed(announced=announced(clock, "a")), RIG)
    decide(schedule)
    assert due_after(schedule, clock, INTERVAL_S - 10.0) == {A}


def test_what_is_no_longer_announced_may_show_the_exposure_that_was_under_way(
    schedule: LookSchedule, clock: HandClock
) -> None:
    hears(schedule, clock, "a")
    schedule.notice(Noticed(announced=announced(clock)), RIG)
    decide(schedule)
    assert schedule.attention.closely == {"a"}
    # Two exposures and some minutes.
    clock.advance(420.0)
    decide(schedule)
    assert schedule.attention.closely == frozenset()


def test_who_begins_to_hear_n_i_n_a_may_have_missed_a_word(schedule: LookSchedule, clock: HandClock) -> None:
    schedule.notice(Noticed(announced=announced(clock, "a")), RIG)
    decide(schedule)
    assert schedule.attention.closely == {"a", "b"}
    assert due_after(schedule, clock, INTERVAL_S) == {A, B}


def test_who_no_longer_hears_n_i_n_a_looks_as_without(schedule: LookSchedule, clock: HandClock) -> None:
    hears(schedule, clock, "a")
    schedule.notice(Noticed(evidence=noticed(clock).evidence), RIG)
    decide(schedule)
    assert schedule.attention.closely == {"a", "b"}


def awaits_by_itself(schedule: LookSchedule) -> bool:
    """Whether the last exposure tells when the next one comes, and not N.I.N.A."""
    decide(schedule)
    return schedule.attention.next_exposure is not None


def test_after_an_exposure_that_was_not_announced_n_i_n_a_is_not_relied_on_for_a_night(
    schedule: LookSchedule, clock: HandClock
) -> None:
    hears(schedule, clock, "a")
    word = schedule.noticed.announced
    schedule.notice(replace(noticed(clock, "a"), announced=word), RIG)
    assert not awaits_by_itself(schedule)
    clock.advance(120.0)
    schedule.notice(replace(noticed(clock, "b"), announced=word), RIG)
    assert awaits_by_itself(schedule)
    clock.advance(12 * 3600.0)
    assert not awaits_by_itself(schedule)


def test_a_rig_takes_one_exposure_after_the_other_so_that_the_next_is_known_better(
    schedule: LookSchedule, clock: HandClock
) -> None:
    schedule.notice(noticed(clock), RIG)
    clock.advance(65.0)
    # Its list was read a minute before: but the exposure before it had ended 69 s ago at the earliest.
    schedule.notice(noticed(clock, uncertain_s=60.0), RIG)
    decide(schedule)
    schedule.note_read(A, clock.monotonic())
    schedule.note_profiles(clock.monotonic() + 2 * INTERVAL_S)
    assert schedule.next_due(frozenset({A})) == clock.monotonic() - 9.0 + 4.5 + 60.0 + 7.0


def test_an_exposure_elsewhere_while_one_is_under_way_makes_everything_due(
    schedule: LookSchedule, clock: HandClock
) -> None:
    schedule.notice(noticed(clock), RIG)
    decide(schedule)
    clock.advance(20.0)
    schedule.notice(noticed(clock, "b"), RIG)
    decide(schedule)
    assert due_after(schedule, clock, INTERVAL_S) == LIVE


def test_a_wish_adds_to_another_and_one_that_failed_is_owed_without_haste(schedule: LookSchedule) -> None:
    schedule.ask(Wish(projects=frozenset({"a"})))
    schedule.ask(Wish(projects=frozenset({"b"}), all_live=True))
    wish = schedule.take_wish()
    assert wish == Wish(projects=frozenset({"a", "b"}), all_live=True)
    schedule.owe(wish)
    assert not schedule.wish
    assert schedule.take_wish() == wish
    assert not schedule.take_wish()


def test_a_shorter_interval_begins_with_a_look_and_a_longer_one_does_not(schedule: LookSchedule) -> None:
    schedule.use(PollingConfig(interval=60.0))
    assert not schedule.wish
    schedule.use(PollingConfig(interval=20.0))
    assert schedule.wish


def test_what_is_gone_is_forgotten(schedule: LookSchedule, clock: HandClock) -> None:
    schedule.forget_all_but({PROJECTS, A})
    assert due_after(schedule, clock, 0.0) == {B}
