"""Every kind of event once for what it tells, none for what was already so, and a tally that is not fooled."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tests.support.build import exposure_plan, profile, project, rig, target
from ts2mqtt.observatory import events
from ts2mqtt.observatory.changes import Observation, Watch, observe
from ts2mqtt.observatory.last_known import remembered
from ts2mqtt.observatory.look import Look
from ts2mqtt.observatory.model import CLOSED, Listing, NightPlan, PlanBlock, Profile, Project, Rig, Target
from ts2mqtt.observatory.present import IDLE, OFFLINE, WAITING
from ts2mqtt.observatory.tree import all_projects

if TYPE_CHECKING:
    from ts2mqtt.observatory.events import Event
    from ts2mqtt.observatory.model import ExposurePlan
    from ts2mqtt.observatory.tally import Tally

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
EVENING = NOON + timedelta(hours=8)
TONIGHT = date(2026, 1, 10)
A_LOOK = timedelta(seconds=30)
AT_WORK = (events.TARGET_STARTED, events.TARGET_FINISHED)
LUM = exposure_plan(10, 4, 4)
UNREAD = rig()


def m31(*plans: ExposurePlan) -> Target:
    return target(*plans, identity="M 31")


def autumn(*targets: Target, complete: bool = True) -> Project:
    return project("autumn", Listing(targets, complete))


def mine(*projects: Project, complete: bool = True) -> Profile:
    return profile("mine", Listing(projects, complete))


def has(*profiles: Profile, complete: bool = True) -> Rig:
    return rig(Listing(profiles, complete))


def with_plans(*plans: ExposurePlan) -> Rig:
    return has(mine(autumn(m31(*plans))))


FIRST = with_plans(LUM)


@dataclass
class Watcher:
    """Looks at a rig again and again; every list is read at every look."""

    watch: Watch = field(default_factory=Watch)
    now: datetime = EVENING
    zone: timezone = UTC
    last_look: datetime | None = None

    def observes(self, at: Rig, *, after: timedelta = A_LOOK, plan: NightPlan | None = None) -> Observation:
        self.now += after
        projects = [place.project.id for place in all_projects(at)]
        look = Look(
            rig=at,
            plan=plan,
            now=self.now,
            zone=self.zone,
            read_before=dict.fromkeys(projects, self.last_look) if self.last_look else {},
        )
        if at.online:
            self.last_look = self.now
        observation = observe(self.watch, look)
        self.watch = observation.watch
        assert all(event.noticed == self.now for event in observation.events)
        assert all(event.time <= self.now for event in observation.events)
        return observation

    def looks(self, at: Rig, *, after: timedelta = A_LOOK, plan: NightPlan | None = None) -> tuple[Event, ...]:
        """Without the targets at work, which most tests are not about."""
        told = self.observes(at, after=after, plan=plan).events
        return tuple(event for event in told if event.event_type not in AT_WORK)

    def types(self, at: Rig, *, after: timedelta = A_LOOK, plan: NightPlan | None = None) -> list[str]:
        return [event.event_type for event in self.looks(at, after=after, plan=plan)]

    def work(
        self, at: Rig, *, after: timedelta = A_LOOK, plan: NightPlan | None = None
    ) -> list[tuple[str, str | None]]:
        """The targets at work alone."""
        told = self.observes(at, after=after, plan=plan).events
        return [(event.event_type, event.target_id) for event in told if event.event_type in AT_WORK]

    @property
    def tally(self) -> Tally:
        assert self.watch.tally is not None
        return self.watch.tally

    @property
    def counted(self) -> tuple[int, int]:
        return self.tally.exposures_acquired, self.tally.exposures_accepted


@pytest.fixture
def watcher() -> Watcher:
    """One that has looked at FIRST."""
    watcher = Watcher()
    assert watcher.looks(replace(UNREAD, online=None)) == watcher.looks(FIRST) == ()
    return watcher


def only(happened: tuple[Event, ...]) -> Event:
    (event,) = happened
    return event


def test_the_first_look_at_a_rig_is_no_news() -> None:
    watcher = Watcher()

    assert watcher.looks(UNREAD) == ()
    assert watcher.looks(FIRST) == ()
    assert watcher.looks(FIRST) == ()
    assert watcher.watch.rig == FIRST
    assert watcher.counted == (0, 0)


def test_coming_and_going_of_the_api(watcher: Watcher) -> None:
    off = replace(FIRST, online=False)

    assert [watcher.types(look) for look in (off, off, FIRST, FIRST)] == [
        [events.RIG_OFFLINE],
        [],
        [events.RIG_ONLINE],
        [],
    ]


def test_a_change_of_profile(watcher: Watcher) -> None:
    both = has(mine(autumn(m31(LUM))), profile("other", Listing(()), active=False))
    watcher.looks(both)

    switched = has(replace(both.known_profiles[0], active=False), replace(both.known_profiles[1], active=True))
    event = only(watcher.looks(switched))

    assert (event.event_type, event.profile_id, event.profile_name) == (events.PROFILE_CHANGED, "other", "other")
    assert watcher.looks(switched) == ()


def test_a_new_state_of_a_project(watcher: Watcher) -> None:
    closed = has(mine(replace(autumn(m31(LUM)), state=CLOSED)))

    event = only(watcher.looks(closed))

    assert (event.event_type, event.state, event.previous_state) == (events.PROJECT_STATE_CHANGED, CLOSED, "active")
    assert (event.project_id, event.project_name, event.profile_name) == ("autumn", "autumn", "mine")
    assert watcher.looks(closed) == ()


def test_projects_and_targets_that_are_added_and_removed(watcher: Watcher) -> None:
    more_targets = has(mine(autumn(m31(LUM), target(identity="M 33"))))
    more_projects = has(mine(autumn(m31(LUM)), project("winter", Listing((target(identity="M 42"),)))))

    added, removed = only(watcher.looks(more_targets)), only(watcher.looks(FIRST))
    assert [
        (event.event_type, event.target_id, event.target_name, event.project_name) for event in (added, removed)
    ] == [
        (events.TARGET_ADDED, "M 33", "M 33", "autumn"),
        (events.TARGET_REMOVED, "M 33", "M 33", "autumn"),
    ]
    assert (added.state, removed.state) == (None, None)
    added, removed = only(watcher.looks(more_projects)), only(watcher.looks(FIRST))
    assert [(event.event_type, event.project_id, event.profile_id) for event in (added, removed)] == [
        (events.PROJECT_ADDED, "winter", "mine"),
        (events.PROJECT_REMOVED, "winter", "mine"),
    ]


def test_several_at_once_are_told_in_the_order_of_the_listing(watcher: Watcher) -> None:
    names = [f"target {number}" for number in range(20)]
    many = has(mine(autumn(m31(LUM), *(target(identity=name) for name in names))))

    assert [event.target_id for event in watcher.looks(many)] == names
    assert [event.target_id for event in watcher.looks(FIRST)] == names


def test_what_an_incomplete_listing_lacks_was_not_removed_and_is_not_added_again(watcher: Watcher) -> None:
    both = has(mine(autumn(m31(LUM), target(identity="M 33")), project("winter", Listing(()))))
    watcher.looks(both)
    since = dict(watcher.watch.first_seen)

    for incomplete in (
        has(complete=False),
        has(mine(complete=False)),
        has(mine(autumn(complete=False), project("winter", Listing(())))),
        has(mine(replace(autumn(), targets=None), project("winter", Listing(())))),
        has(replace(mine(), projects=None)),
    ):
        assert watcher.looks(incomplete) == ()
        assert watcher.looks(both) == ()
    assert watcher.watch.first_seen == since
    assert watcher.types(FIRST) == [events.TARGET_REMOVED, events.PROJECT_REMOVED]


def test_what_was_gained_while_a_listing_was_incomplete_is_gained(watcher: Watcher) -> None:
    watcher.looks(has(mine(autumn(complete=False))))

    event = only(watcher.looks(with_plans(replace(LUM, acquired=6))))

    assert (event.event_type, event.count, watcher.counted) == (events.EXPOSURE_ACQUIRED, 2, (2, 0))


def test_a_profile_that_an_incomplete_listing_lacks_is_not_active_beside_another(watcher: Watcher) -> None:
    other = profile("other", Listing(()))

    assert watcher.types(has(other, complete=False)) == [events.PROFILE_CHANGED]
    assert watcher.watch.rig is not None
    assert [profile.id for profile in watcher.watch.rig.known_profiles if profile.active] == ["other"]
    assert watcher.types(has(other, replace(mine(autumn(m31(LUM))), active=False))) == []


def test_a_new_profile_s_projects_and_what_is_read_for_the_first_time_are_not_added(watcher: Watcher) -> None:
    unread = has(mine(autumn(m31(LUM))), profile("other", active=False))
    read = has(mine(autumn(m31(LUM))), profile("other", Listing((project("p"),)), active=False))
    whole = has(
        mine(autumn(m31(LUM))), profile("other", Listing((project("p", Listing((target(),))),)), active=False)
    )

    assert [watcher.looks(look) for look in (unread, read, whole)] == [(), (), ()]


def test_exposures_are_told_by_exposure_plan(watcher: Watcher) -> None:
    both = with_plans(replace(LUM, acquired=6, accepted=5), replace(exposure_plan(5, key="red_60"), template="Red"))

    acquired, accepted = watcher.looks(both)

    assert (acquired.event_type, acquired.count, acquired.filter, acquired.exposure_s) == (
        events.EXPOSURE_ACQUIRED,
        2,
        "Lum",
        60.0,
    )
    assert (accepted.event_type, accepted.count) == (events.EXPOSURE_ACCEPTED, 1)
    assert (acquired.target_id, acquired.project_id, acquired.profile_id) == ("M 31", "autumn", "mine")
    assert watcher.looks(both) == ()
    assert watcher.counted == (2, 1)
    assert watcher.tally.integration_s == 120.0


def test_accepted_that_falls_and_rises_again_is_no_gain(watcher: Watcher) -> None:
    def accepted(number: int) -> list[str]:
        return watcher.types(with_plans(replace(LUM, acquired=9, accepted=number)), after=timedelta(minutes=4))

    assert accepted(8) == [events.EXPOSURE_ACQUIRED, events.EXPOSURE_ACCEPTED]
    assert [accepted(number) for number in (5, 7, 6, 8)] == [[], [], [], []]
    assert accepted(9) == [events.EXPOSURE_ACCEPTED]
    assert watcher.counted == (5, 5)


def test_a_reset_of_the_counts_begins_anew(watcher: Watcher) -> None:
    assert watcher.looks(with_plans(replace(LUM, accepted=2))) == ()
    assert watcher.looks(with_plans(exposure_plan(10, 0, 0))) == ()
    assert watcher.types(with_plans(exposure_plan(10, 1, 1))) == [events.EXPOSURE_ACQUIRED, events.EXPOSURE_ACCEPTED]
    assert watcher.counted == (1, 1)


def test_exposures_of_another_profile_are_not_this_rig_s() -> None:
    def shared(acquired: int) -> Rig:
        other = project(targets=Listing((target(exposure_plan(10, acquired, acquired)),)))
        return has(mine(), profile("other", Listing((other,)), active=False))

    watcher = Watcher()

    assert [watcher.looks(shared(acquired)) for acquired in (1, 2, 3)] == [(), (), ()]
    assert watcher.counted == (0, 0)


def test_a_completed_target_and_project_say_how_long_it_took_and_what_they_hold() -> None:
    def both(first: int, second: int) -> Rig:
        return has(mine(autumn(m31(exposure_plan(10, 10, first)), target(exposure_plan(5, 5, second, key="k")))))

    watcher = Watcher()
    watcher.looks(both(9, 4))
    seen = watcher.now

    *_, one = watcher.looks(both(10, 4), after=timedelta(hours=3))
    *_, other, whole = watcher.looks(both(10, 5), after=timedelta(hours=1))

    assert (one.event_type, one.target_id, one.took_s, one.accepted_s) == (
        events.TARGET_COMPLETED,
        "M 31",
        # It was accepted at some time in these three hours.
        1.5 * 3600.0,
        600.0,
    )
    assert (other.event_type, other.target_id, other.accepted_s) == (events.TARGET_COMPLETED, "target", 300.0)
    assert (whole.event_type, whole.project_id, whole.took_s, whole.accepted_s, whole.target_id) == (
        events.PROJECT_COMPLETED,
        "autumn",
        (watcher.now - seen).total_seconds() - 0.5 * 3600.0,
        900.0,
        None,
    )
    assert watcher.looks(both(10, 5)) == ()


def test_what_was_complete_before_anybody_looked_is_not_completed() -> None:
    done = with_plans(exposure_plan(10, 10, 10))
    watcher = Watcher()

    assert watcher.looks(done) == ()
    assert watcher.looks(replace(done, plugin_version="6")) == ()
    assert watcher.types(with_plans(exposure_plan(10, 11, 11))) == [
        events.EXPOSURE_ACQUIRED,
        events.EXPOSURE_ACCEPTED,
    ]


@pytest.mark.parametrize("desires_nothing", [(), (exposure_plan(0, 0, 0),)])
def test_who_desires_nothing_is_never_complete(watcher: Watcher, desires_nothing: tuple[ExposurePlan, ...]) -> None:
    assert watcher.types(with_plans(*desires_nothing)) == []


def counted(acquired: int, accepted: int, *, desired: int = 10, ungraded: int = 0, grader: bool | None = True) -> Rig:
    """A rig whose only exposure plan has these counts."""
    plan = exposure_plan(desired, acquired, accepted, ungraded=ungraded)
    return has(mine(project("autumn", Listing((m31(plan),)), enable_grader=grader)))


def completed(before: Rig, after: Rig) -> bool:
    """Whether target and project are told as completed between two looks; they go together here."""
    watcher = Watcher()
    assert watcher.looks(before) == ()
    told = watcher.types(after)
    assert (events.TARGET_COMPLETED in told) is (events.PROJECT_COMPLETED in told)
    return events.TARGET_COMPLETED in told


@pytest.mark.parametrize(
    ("acquired", "is_told"), [((8, 9), False), ((9, 10), False), ((11, 12), True), ((12, 13), False), ((0, 14), True)]
)
def test_with_grading_off_a_target_is_complete_when_the_exposure_throttle_says_so(
    acquired: tuple[int, int], is_told: bool
) -> None:
    before, after = (counted(number, number, grader=False) for number in acquired)

    assert completed(before, after) is is_told


def test_the_exposure_throttle_is_the_rig_s() -> None:
    before, after = (
        replace(counted(number, number, grader=False), exposure_throttle_percent=100) for number in (9, 10)
    )

    assert completed(before, after)


def test_a_throttle_that_is_corrected_in_the_configuration_completes_nothing() -> None:
    rig_now = replace(counted(10, 10, grader=False), exposure_throttle_percent=100)

    assert not completed(counted(10, 10, grader=False), rig_now)


@pytest.mark.parametrize(
    ("before", "after", "is_told"),
    [
        # The user makes it complete, or not, with other numbers: the plugin takes no more exposures of it.
        (counted(10, 9), counted(10, 9, desired=9), True),
        (counted(10, 9), counted(10, 10), True),
        (counted(0, 4, ungraded=-4), counted(0, 10, ungraded=-10), False),
        (counted(10, 0, ungraded=10), counted(10, 10), False),
        (counted(10, 10), counted(10, 10, desired=11), False),
        (counted(10, 10, desired=11), counted(10, 10), True),
        (counted(3, 3), counted(3, 3, desired=0), False),
        (counted(3, 3, grader=False), counted(3, 3, desired=0, grader=False), True),
        # The grader is switched over.
        (counted(10, 10, grader=False), counted(10, 10), True),
        (counted(10, 10), counted(10, 10, grader=False), False),
        (counted(12, 9), counted(12, 9, grader=False), True),
        (counted(12, 9, grader=False), counted(12, 9), False),
        (counted(12, 12, grader=None), counted(12, 12, grader=False), False),
    ],
)
def test_what_an_edit_makes_complete_in_the_plugin_is_told(before: Rig, after: Rig, is_told: bool) -> None:
    assert completed(before, after) is is_told


def test_a_grader_that_is_switched_off_completes_a_target_that_was_not_read_anew() -> None:
    before, unchanged = counted(12, 9), Listing((m31(exposure_plan(10, 12, 9)),))
    watcher = Watcher()
    for grader in (True, False):
        last = watcher.types(has(mine(project("autumn", unchanged, enable_grader=grader))))

    assert before == has(mine(project("autumn", unchanged)))
    assert last == [events.TARGET_COMPLETED, events.PROJECT_COMPLETED]


def test_a_target_with_a_plan_that_desires_nothing_is_not_completed(watcher: Watcher) -> None:
    nothing = replace(exposure_plan(0, 0, 0), key="nothing", template="Nothing")
    watcher.looks(with_plans(LUM, nothing))

    assert watcher.types(with_plans(exposure_plan(10, 10, 10), nothing), after=timedelta(minutes=6)) == [
        events.EXPOSURE_ACQUIRED,
        events.EXPOSURE_ACCEPTED,
    ]


def test_a_target_named_twice_is_completed_once() -> None:
    def twice(accepted: int) -> Rig:
        one = m31(exposure_plan(5, 5, accepted))
        return has(mine(autumn(one), project("restored", Listing((one, target(exposure_plan(1)))))))

    watcher = Watcher()
    watcher.looks(twice(4))

    assert watcher.types(twice(5)) == [
        events.EXPOSURE_ACCEPTED,
        events.TARGET_COMPLETED,
        events.PROJECT_COMPLETED,
    ]


def a_plan(night: date = TONIGHT, *, end: datetime = EVENING) -> NightPlan:
    block = PlanBlock(target_id="M 31", name="M 31", start=NOON, end=end)
    return NightPlan(profile_id="mine", night=night, fetched=NOON, blocks=(block,), inputs="1")


def test_a_plan_that_says_something_else(watcher: Watcher) -> None:
    event = only(watcher.looks(FIRST, plan=a_plan()))

    assert (event.event_type, event.night, event.profile_id) == (events.PLAN_CHANGED, EVENING.date(), "mine")
    # Asked for again, the same answer is none; nor is it while there is no plan in hand.
    assert watcher.looks(FIRST, plan=replace(a_plan(), fetched=EVENING, inputs="2")) == ()
    assert watcher.looks(FIRST, plan=None) == ()
    assert watcher.looks(FIRST, plan=a_plan()) == ()
    for changed in (
        a_plan(end=EVENING + timedelta(hours=1)),
        a_plan(date(2026, 1, 11)),
        replace(a_plan(), profile_id="other"),
    ):
        assert watcher.types(FIRST, plan=changed) == [events.PLAN_CHANGED]


def both(first: int, second: int, **states: str) -> Rig:
    """Two targets of a project each, with so many exposures of five minutes."""
    return has(
        mine(
            *(
                project(
                    name,
                    Listing((target(exposure_plan(20, number, number, exposure_s=300.0), identity=f"M {name}"),)),
                    state=states.get(name, "active"),
                )
                for name, number in (("31", first), ("33", second))
            )
        )
    )


def test_a_target_starts_and_finishes_as_it_is_observed() -> None:
    watcher = Watcher()
    watcher.looks(both(3, 3))

    started = watcher.observes(both(4, 3)).events[-1]
    assert (started.event_type, started.target_id, started.target_name, started.project_name) == (
        events.TARGET_STARTED,
        "M 31",
        "M 31",
        "31",
    )
    # Its exposure ended between the two looks, and had begun five minutes before.
    assert started.time == watcher.now - timedelta(seconds=315)
    assert watcher.work(both(4, 3)) == []
    assert watcher.work(both(5, 3), after=timedelta(minutes=5)) == []
    last = watcher.now - timedelta(seconds=150)
    finished, other = (
        event
        for event in watcher.observes(both(5, 4), after=timedelta(minutes=6)).events
        if event.event_type in AT_WORK
    )
    assert [(event.event_type, event.target_id) for event in (finished, other)] == [
        (events.TARGET_FINISHED, "M 31"),
        (events.TARGET_STARTED, "M 33"),
    ]
    assert (finished.time, finished.noticed) == (last, watcher.now)
    assert watcher.work(both(5, 4), after=timedelta(minutes=14.9)) == []
    assert watcher.work(both(5, 4), after=timedelta(minutes=0.1)) == [(events.TARGET_FINISHED, "M 33")]


def test_a_target_that_is_complete_is_not_at_work_any_more() -> None:
    watcher = Watcher()
    watcher.looks(both(18, 3))
    assert watcher.work(both(19, 3)) == [(events.TARGET_STARTED, "M 31")]

    observation = watcher.observes(both(20, 3))

    types = [(event.event_type, event.target_id) for event in observation.events]
    assert types == [
        (events.EXPOSURE_ACQUIRED, "M 31"),
        (events.EXPOSURE_ACCEPTED, "M 31"),
        (events.TARGET_COMPLETED, "M 31"),
        (events.PROJECT_COMPLETED, None),
        (events.TARGET_FINISHED, "M 31"),
    ]
    # Both of its looks lie in the same half minute: that is how near it can be known.
    assert {event.time for event in observation.events} == {watcher.now - timedelta(seconds=15)}
    assert observation.present.current_target is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (replace(both(4, 3), online=False), OFFLINE),
        (both(4, 3, **{"31": "inactive"}), IDLE),
        (has(replace(both(4, 3).known_profiles[0], active=False), profile("other", Listing(()))), IDLE),
        (has(mine(*(both(4, 3).known_profiles[0].projects or Listing(())).items[1:])), IDLE),
    ],
    ids=["the API goes away", "its project is paused", "another profile", "it is deleted"],
)
def test_what_ends_imaging_is_told_at_once_and_does_not_come_back_by_itself(change: Rig, expected: str) -> None:
    watcher = Watcher()
    watcher.looks(both(3, 3))
    watcher.looks(both(4, 3))

    observation = watcher.observes(change)

    assert observation.present.activity == expected
    assert [event.target_id for event in observation.events if event.event_type == events.TARGET_FINISHED] == ["M 31"]
    back = watcher.observes(both(4, 3))
    assert back.present.activity == IDLE
    assert not [event for event in back.events if event.event_type in AT_WORK]


def test_the_last_exposure_of_a_paused_project_is_read_late_and_ends_nothing() -> None:
    watcher = Watcher()
    watcher.looks(both(3, 3))
    watcher.looks(both(4, 3))
    paused = {"31": "inactive"}
    watcher.looks(both(4, 3, **paused))
    assert watcher.work(both(4, 4, **paused)) == [(events.TARGET_STARTED, "M 33")]
    assert watcher.watch.present is not None
    last = watcher.watch.present.last_exposure

    # Such a list is read every ten minutes.
    watcher.last_look = watcher.now - timedelta(minutes=5)
    late = watcher.observes(both(5, 4, **paused))

    assert [event.event_type for event in late.events] == [events.EXPOSURE_ACQUIRED, events.EXPOSURE_ACCEPTED]
    assert late.present.observed_target is not None
    assert late.present.observed_target.target_id == "M 33"
    assert last is not None
    assert late.present.last_exposure == last


def test_counts_that_are_raised_by_hand_are_no_exposures(watcher: Watcher) -> None:
    observation = watcher.observes(with_plans(replace(LUM, desired=60, acquired=34, accepted=34)))

    assert observation.events == ()
    assert [(step.place.target.id, step.acquired) for step in observation.edited] == [("M 31", 30)]
    assert watcher.counted == (0, 0)
    assert observation.present.activity == IDLE
    # From there on it counts as ever.
    assert watcher.types(with_plans(replace(LUM, desired=60, acquired=35, accepted=34))) == [events.EXPOSURE_ACQUIRED]


def test_an_exposure_saved_before_a_switch_counts_when_it_is_read() -> None:
    def switched(acquired: int) -> Rig:
        here = replace(with_plans(replace(LUM, acquired=acquired)).known_profiles[0], active=False)
        return has(here, profile("other", Listing(())))

    watcher = Watcher()
    watcher.looks(with_plans(LUM))
    # At the switch its list could not be read.
    assert watcher.types(switched(4)) == [events.PROFILE_CHANGED]
    unread = replace(watcher, last_look=watcher.now - timedelta(seconds=40))

    assert watcher.types(switched(4), after=timedelta(minutes=3)) == []
    assert watcher.types(switched(5)) == []
    assert unread.types(switched(5)) == [events.EXPOSURE_ACQUIRED]
    assert unread.counted == (1, 0)
    assert unread.watch.present is not None
    assert unread.watch.present.activity == IDLE


def test_the_latest_exposure_is_known(watcher: Watcher) -> None:
    watcher.looks(with_plans(replace(LUM, acquired=6)))

    assert watcher.watch.present is not None
    last = watcher.watch.present.last_exposure
    assert last is not None
    assert (last.target_id, last.target_name, last.filter, last.exposure_s) == ("M 31", "M 31", "Lum", 60.0)
    assert last.time == watcher.now
    watcher.looks(FIRST, after=timedelta(hours=9))
    assert watcher.watch.present.last_exposure == last


def test_a_plan_follows_the_rig_without_a_request(watcher: Watcher) -> None:
    ahead = a_plan(end=EVENING + timedelta(hours=3))
    assert watcher.observes(FIRST, plan=ahead).present.activity == WAITING

    paused = watcher.observes(has(mine(replace(autumn(m31(LUM)), state="inactive"))), plan=ahead)

    assert paused.plan is not None
    assert [block.dropped for block in paused.plan.blocks] == [True]
    assert (paused.present.activity, paused.present.next_target) == (IDLE, None)
    assert [event.event_type for event in paused.events] == [events.PROJECT_STATE_CHANGED]
    again = watcher.observes(FIRST, plan=ahead)
    assert again.plan is not None
    assert [block.dropped for block in again.plan.blocks] == [False]
    assert again.present.activity == WAITING


def test_a_tally_lasts_from_noon_to_noon(watcher: Watcher) -> None:
    watcher.looks(with_plans(replace(LUM, acquired=5)))
    before_noon = NOON + timedelta(days=1) - watcher.now - timedelta(seconds=1)
    watcher.looks(with_plans(replace(LUM, acquired=6)), after=before_noon)
    assert (watcher.tally.night, watcher.counted) == (NOON.date(), (2, 0))

    watcher.looks(with_plans(replace(LUM, acquired=6)), after=timedelta(seconds=1))
    assert (watcher.tally.night, watcher.counted) == (date(2026, 1, 11), (0, 0))
    watcher.looks(with_plans(replace(LUM, acquired=7)))
    assert watcher.counted == (1, 0)


def test_a_tally_s_noon_is_the_rig_s(watcher: Watcher) -> None:
    watcher.zone = timezone(timedelta(hours=2))
    watcher.looks(with_plans(replace(LUM, acquired=5)))

    watcher.looks(with_plans(replace(LUM, acquired=5)), after=NOON + timedelta(hours=21, minutes=59) - watcher.now)
    assert watcher.tally.night == NOON.date()
    watcher.looks(with_plans(replace(LUM, acquired=5)), after=timedelta(minutes=1))
    assert watcher.tally.night == date(2026, 1, 11)


def test_what_came_unseen_in_the_same_night_counts_and_in_another_does_not(watcher: Watcher) -> None:
    off = replace(FIRST, online=False)
    watcher.looks(off)
    acquired = only(watcher.looks(with_plans(replace(LUM, acquired=9)), after=timedelta(hours=3))[1:])
    assert (acquired.count, watcher.counted) == (5, (5, 0))

    watcher.looks(replace(with_plans(replace(LUM, acquired=9)), online=False))
    # The bridge itself is awake at noon.
    watcher.looks(
        replace(with_plans(replace(LUM, acquired=9)), online=False), after=NOON + timedelta(days=1) - watcher.now
    )
    late = only(watcher.looks(with_plans(replace(LUM, acquired=20)), after=timedelta(hours=8))[1:])
    assert (late.event_type, late.count, watcher.counted) == (events.EXPOSURE_ACQUIRED, 11, (0, 0))
    watcher.looks(with_plans(replace(LUM, acquired=21)))
    assert watcher.counted == (1, 0)


def restarted(watcher: Watcher) -> Watcher:
    """What the broker remembers of a watcher."""
    watch = watcher.watch
    recalled = watch.present.activity_since if watch.present else None
    return Watcher(replace(watch, has_read=False, recalled=recalled, left={}), watcher.now)


def test_a_restart_tells_nothing_that_was_already_so() -> None:
    watcher = Watcher()
    watcher.looks(both(3, 3), plan=a_plan())
    watcher.looks(both(4, 3), plan=a_plan())
    imaging = watcher.watch.present
    again = restarted(watcher)

    # Before the first look, in the first one, and until the exposure under way has ended.
    unread = again.observes(replace(UNREAD, online=None), plan=a_plan())
    assert (unread.events, unread.present.activity, unread.watch.present) == ((), OFFLINE, imaging)
    first = again.observes(both(4, 3), plan=a_plan())
    assert (first.events, first.present) == ((), imaging)
    assert again.looks(both(4, 3), plan=a_plan(), after=timedelta(minutes=5)) == ()
    assert again.work(both(5, 3), plan=a_plan()) == []
    assert again.work(both(5, 3), plan=a_plan(), after=timedelta(minutes=15)) == [(events.TARGET_FINISHED, "M 31")]


def test_after_a_restart_what_ended_meanwhile_is_told_once() -> None:
    watcher = Watcher()
    watcher.looks(both(3, 3))
    watcher.looks(both(4, 3))

    silent, other, off = restarted(watcher), restarted(watcher), restarted(watcher)

    # Two exposures of five minutes and five minutes more.
    assert silent.work(both(4, 3)) == []
    assert silent.work(both(4, 3), after=timedelta(minutes=14)) == []
    assert silent.work(both(4, 3), after=timedelta(minutes=1)) == [(events.TARGET_FINISHED, "M 31")]
    assert silent.work(both(4, 3)) == []
    assert other.work(both(4, 4), after=timedelta(minutes=7)) == [
        (events.TARGET_FINISHED, "M 31"),
        (events.TARGET_STARTED, "M 33"),
    ]
    assert [event.event_type for event in off.observes(replace(UNREAD, online=False)).events] == [
        events.RIG_OFFLINE,
        events.TARGET_FINISHED,
    ]


def test_after_a_long_break_an_exposure_of_meanwhile_says_nothing_of_now() -> None:
    watcher = Watcher()
    watcher.looks(both(3, 3))
    again = restarted(watcher)

    late = again.observes(both(4, 3), after=timedelta(hours=3))

    assert [event.event_type for event in late.events] == [events.EXPOSURE_ACQUIRED, events.EXPOSURE_ACCEPTED]
    assert late.present.activity == IDLE


def test_what_somebody_edits_during_a_restart_is_no_exposure() -> None:
    watcher = Watcher()
    watcher.looks(both(3, 3))
    again = restarted(watcher)

    assert again.observes(both(13, 3)).events == ()


def test_a_restart_counts_on_and_counts_what_came_meanwhile(watcher: Watcher) -> None:
    watcher.looks(with_plans(replace(LUM, acquired=5)))
    again = restarted(watcher)

    assert again.looks(replace(UNREAD, online=None)) == ()
    assert again.counted == (1, 0)
    assert [event.count for event in again.looks(with_plans(replace(LUM, acquired=8)))] == [3]
    assert again.counted == (4, 0)


def test_until_the_rig_is_read_its_time_zone_is_a_guess_that_costs_no_tally(watcher: Watcher) -> None:
    watcher.looks(with_plans(replace(LUM, acquired=5)))
    again = restarted(watcher)
    again.now, again.zone = NOON + timedelta(hours=24.5), UTC

    again.looks(replace(UNREAD, online=None))
    again.zone = timezone(timedelta(hours=-8))
    again.looks(with_plans(replace(LUM, acquired=6)))

    assert (again.tally.night, again.counted) == (NOON.date(), (2, 0))


def test_first_seen_stays_and_ends_with_the_thing(watcher: Watcher) -> None:
    since = EVENING + timedelta(seconds=60)
    assert watcher.watch.first_seen == {"autumn": since, "M 31": since}

    watcher.looks(has(mine(autumn(m31(LUM), target(identity="M 33")))))
    assert watcher.watch.first_seen == {"autumn": since, "M 31": since, "M 33": watcher.now}
    watcher.looks(has(mine(autumn(target(identity="M 33")))))
    assert watcher.watch.first_seen.keys() == {"autumn", "M 33"}
    watcher.looks(replace(UNREAD, online=None))
    assert watcher.watch.first_seen.keys() == {"autumn", "M 33"}
    watcher.now = watcher.now.replace(microsecond=4)
    watcher.looks(FIRST)
    assert watcher.watch.first_seen["M 31"].microsecond == 0


def test_a_complete_look_is_remembered_as_it_is() -> None:
    other = with_plans(replace(LUM, acquired=9))

    assert remembered(None, FIRST) is FIRST
    assert remembered(FIRST, other) is other
    assert remembered(None, UNREAD) is None
    assert remembered(UNREAD, FIRST) is FIRST
    assert remembered(FIRST, replace(UNREAD, online=False)) == replace(FIRST, online=False)
    assert remembered(FIRST, replace(UNREAD, online=None)) == FIRST
    assert remembered(has(mine(autumn(m31(LUM)))), has(replace(mine(), projects=None, active=False))) == has(
        replace(mine(autumn(m31(LUM))), active=False)
    )
