"""What is due in a look and how closely a rig is watched, without a rig."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from tests.support.build import exposure_plan, profile, project, rig, target
from ts2mqtt.observatory.evidence import LIVE as ANNOUNCED, OBSERVED, PLANNED, Evidence, LastExposure
from ts2mqtt.observatory.model import (
    Listing,
    NightPlan,
    PlanBlock,
    PlannedExposures,
    Profile,
    Project,
    Rig,
    Target,
)
from ts2mqtt.observatory.site import Site
from ts2mqtt.scheduler.look_policy import (
    EDITS_ALONE,
    EVERYTHING,
    Announced,
    Attention,
    Knowledge,
    ListToRead,
    PossibleExposure,
    ProjectsOf,
    Resting,
    TargetsOf,
    Window,
    attention,
    is_fully_read,
    is_unexpected,
    live_lists,
    next_try,
    project_lists,
    target_lists,
    used_up,
)

ACTIVE_PROFILE = Profile(id="a", name="Wide", active=True)
OTHER_PROFILE = Profile(id="b", name="Narrow", active=False)


LIVE, DRAFT, ELSEWHERE = project("live"), project("draft", state="draft"), project("elsewhere")
KNOWN = [(ACTIVE_PROFILE, LIVE), (ACTIVE_PROFILE, DRAFT), (OTHER_PROFILE, ELSEWHERE)]


class TestLists:
    def test_what_does_not_rest_is_read_and_only_what_is_not_live_rests_for_the_slow_interval(self) -> None:
        assert project_lists([ACTIVE_PROFILE, OTHER_PROFILE], Resting()) == [
            ListToRead(ACTIVE_PROFILE, is_slow=False),
            ListToRead(OTHER_PROFILE, is_slow=True),
        ]
        assert target_lists(KNOWN, Resting()) == [
            ListToRead(LIVE, is_slow=False),
            ListToRead(DRAFT, is_slow=True),
            ListToRead(ELSEWHERE, is_slow=True),
        ]

    def test_what_rests_is_left_out(self) -> None:
        profiles = Resting(live={ProjectsOf("a")}, slow={ProjectsOf("b")})
        projects = Resting(live={TargetsOf("live")}, slow={TargetsOf("draft"), TargetsOf("elsewhere")})

        assert project_lists([ACTIVE_PROFILE, OTHER_PROFILE], profiles) == []
        assert target_lists(KNOWN, projects) == []

    def test_what_has_become_live_does_not_wait_for_the_slow_interval_nor_the_other_way_round(self) -> None:
        assert target_lists(KNOWN, Resting(slow={TargetsOf("live"), TargetsOf("draft"), TargetsOf("elsewhere")})) == [
            ListToRead(LIVE, is_slow=False)
        ]
        assert target_lists(KNOWN, Resting(live={TargetsOf("live"), TargetsOf("draft")}, slow={ProjectsOf("b")})) == [
            ListToRead(DRAFT, is_slow=True),
            ListToRead(ELSEWHERE, is_slow=True),
        ]

    def test_no_slow_thing_is_read_beside_a_single_list(self) -> None:
        assert project_lists([ACTIVE_PROFILE, OTHER_PROFILE], Resting(slow=None)) == [
            ListToRead(ACTIVE_PROFILE, is_slow=False)
        ]
        assert target_lists(KNOWN, Resting(slow=None)) == [ListToRead(LIVE, is_slow=False)]

    def test_what_is_asked_for_is_read_though_it_rests(self) -> None:
        resting = Resting(live={TargetsOf("live")}, slow=None, asked_for={TargetsOf("live"), TargetsOf("draft")})

        assert target_lists(KNOWN, resting) == [ListToRead(LIVE, is_slow=False), ListToRead(DRAFT, is_slow=True)]

    def test_a_profile_that_has_just_been_left_is_read_once_more(self) -> None:
        profiles = Resting(slow={ProjectsOf("a"), ProjectsOf("b")})
        projects = Resting(slow={TargetsOf("live"), TargetsOf("draft"), TargetsOf("elsewhere")})

        left = project_lists([ACTIVE_PROFILE, OTHER_PROFILE], profiles, just_left="b")
        assert left == [ListToRead(ACTIVE_PROFILE, is_slow=False), ListToRead(OTHER_PROFILE, is_slow=False)]
        assert target_lists(KNOWN, projects, just_left="b") == [
            ListToRead(LIVE, is_slow=False),
            ListToRead(ELSEWHERE, is_slow=False),
        ]

    def test_a_list_of_projects_and_one_of_targets_are_two_things_though_their_ids_are_one(self) -> None:
        resting = Resting(slow={TargetsOf("b"), ProjectsOf("draft")})

        assert ListToRead(OTHER_PROFILE, is_slow=True) in project_lists([OTHER_PROFILE], resting)
        assert ListToRead(DRAFT, is_slow=True) in target_lists(KNOWN, resting)

    def test_live_are_the_lists_of_the_active_profile_and_of_its_active_projects(self) -> None:
        assert live_lists([ACTIVE_PROFILE, OTHER_PROFILE], KNOWN) == {ProjectsOf("a"), TargetsOf("live")}


NOW = datetime(2026, 1, 10, 23, tzinfo=UTC)
TONIGHT = NOW.date()
EXPOSURE = timedelta(seconds=60)


def rig_with(*projects: Project) -> Rig:
    return rig(Listing((profile("wide", Listing(projects)),)), online=True)


def of(*targets: Target) -> Listing[Target]:
    return Listing(targets)


def imaged(name: str) -> Project:
    """A project with one target, which has more to be imaged."""
    return project(name, of(target(exposure_plan(10, 1, 1), identity=f"{name} target")))


A, B = imaged("a"), imaged("b")
DONE = project("done", of(target(exposure_plan(10, 10, 10), identity="done target")))
RIG = rig_with(A, B, DONE)
LAST = LastExposure(
    time=NOW - timedelta(seconds=2), target_id="a target", target_name="a target", filter="Lum", exposure_s=60.0
)
OF_A = Evidence(kind=OBSERVED, target_id="a target", time=NOW, exposure_s=60.0)
B_FOLLOWS = Evidence(kind=PLANNED, target_id="b target", time=NOW, exposure_s=60.0)
USUAL = Knowledge(
    rig=RIG,
    plan=None,
    evidence=None,
    last_exposure=None,
    saved_from=None,
    watched_since=NOW - timedelta(hours=5),
    is_unclear=False,
    now=NOW,
    zone=UTC,
)
IMAGING = replace(USUAL, evidence=OF_A, last_exposure=LAST, saved_from=NOW - timedelta(seconds=4))
WATCH_ALL = Attention(closely=frozenset({"a", "b"}))


def block(name: str, start_min: int, end_min: int) -> PlanBlock:
    return PlanBlock(
        target_id=f"{name} target",
        name=name,
        start=NOW + timedelta(minutes=start_min),
        end=NOW + timedelta(minutes=end_min),
        exposures=(PlannedExposures("Lum", 60.0, 10),),
    )


def planned(*blocks: PlanBlock, night: date = TONIGHT) -> Knowledge:
    return replace(USUAL, plan=NightPlan(profile_id="wide", night=night, fetched=NOW, blocks=blocks))


SLEW = timedelta(seconds=30)


def possible(project_id: str, earliest: datetime) -> PossibleExposure:
    return PossibleExposure(project_id=project_id, earliest=earliest)


def closely(*projects: str) -> Attention:
    return Attention(closely=frozenset(projects))


class TestAttention:
    def test_while_a_user_edits_all_that_is_live_is_watched(self) -> None:
        assert attention(replace(IMAGING, is_unclear=True)) == EVERYTHING

    def test_before_anything_was_read_everything_is(self) -> None:
        assert attention(replace(USUAL, rig=rig(None))) == EVERYTHING

    def test_the_next_exposure_of_what_images_is_awaited_and_nothing_else_is_watched(self) -> None:
        awaited = attention(IMAGING)

        assert awaited.closely == frozenset()
        assert awaited.next_exposure is not None
        assert awaited.next_exposure.project_id == "a"
        # Saved 4 s ago or less, in the middle 2 s ago; then one exposure and its download.
        begin = NOW - timedelta(seconds=2) + EXPOSURE + timedelta(seconds=7)
        assert awaited.next_exposure.windows == (Window(begin, NOW + EXPOSURE + timedelta(seconds=30)),)
        assert awaited.next_exposure.earliest == NOW - timedelta(seconds=4) + EXPOSURE

    def test_where_filters_alternate_each_length_has_its_window(self) -> None:
        long = exposure_plan(10, 1, 1, key="ha", template="Ha", filter="Ha", exposure_s=300.0)
        both = project("a", of(target(exposure_plan(10, 1, 1), long, identity="a target")), filter_switch_frequency=1)
        awaited = attention(replace(IMAGING, rig=rig_with(both, B))).next_exposure

        assert awaited is not None
        assert sorted((window.end - NOW).total_seconds() for window in awaited.windows) == [90.0, 330.0]

    def test_where_a_shorter_one_is_possible_it_is_looked_for_too(self) -> None:
        short = exposure_plan(10, 1, 1, key="short", template="Short", exposure_s=10.0)
        both = project("a", of(target(exposure_plan(10, 1, 1), short, identity="a target")))
        awaited = attention(replace(IMAGING, rig=rig_with(both, B))).next_exposure

        assert awaited is not None
        assert len(awaited.windows) == 1
        assert awaited.earliest == NOW + timedelta(seconds=6)

    def test_an_exposure_that_does_not_come_makes_every_project_watched_that_may_be_imaged(self) -> None:
        late = replace(IMAGING, now=NOW + EXPOSURE + timedelta(seconds=61))
        assert attention(replace(late, now=late.now - timedelta(seconds=2))).next_exposure is not None
        assert attention(late) == WATCH_ALL

    def test_what_the_plan_has_follow_is_slewed_to_first_and_what_was_imaged_may_go_on_at_once(self) -> None:
        follows = replace(IMAGING, evidence=B_FOLLOWS)
        saved = NOW - timedelta(seconds=4)

        awaited = attention(follows)

        assert awaited.closely == frozenset()
        assert set(awaited.possible) == {possible("a", saved + EXPOSURE), possible("b", saved + SLEW + EXPOSURE)}
        assert attention(replace(follows, now=NOW + EXPOSURE + timedelta(minutes=4))) == WATCH_ALL

    def test_what_is_announced_is_watched_until_an_exposure_of_it_was_seen(self) -> None:
        awaited = attention(replace(IMAGING, evidence=replace(B_FOLLOWS, kind=ANNOUNCED)))

        assert awaited.closely == {"b"}
        assert awaited.possible == (possible("a", NOW + EXPOSURE),)

    def test_any_target_may_have_taken_over_since_the_last_exposure(self) -> None:
        assert attention(IMAGING).possible == (possible("b", NOW - timedelta(seconds=4) + SLEW + EXPOSURE),)

    def test_another_target_of_the_same_project_may_have_too(self) -> None:
        short = exposure_plan(10, 1, 1, key="short", template="Short", exposure_s=10.0)
        panels = project("a", of(A.targets.items[0], target(short, identity="second panel"))) if A.targets else A

        known = attention(replace(IMAGING, rig=rig_with(panels)))

        assert known.possible == (possible("a", NOW - timedelta(seconds=4) + SLEW + timedelta(seconds=10)),)

    def test_what_is_imaged_in_a_profile_that_was_left_tells_nothing_of_this_one(self) -> None:
        assert attention(replace(IMAGING, evidence=replace(OF_A, target_id="unknown"))) == EVERYTHING

    def test_by_day_nothing_but_edits(self) -> None:
        assert attention(planned(block("a", 60, 120))) == EDITS_ALONE
        assert attention(replace(USUAL, now=NOW.replace(hour=12))) == EDITS_ALONE

    def test_a_night_with_nothing_planned_has_edits_alone(self) -> None:
        assert attention(planned()) == EDITS_ALONE

    def test_in_the_hours_of_the_plan_every_project_is_watched_and_somewhat_later_too(self) -> None:
        known = planned(block("a", -60, -10), block("b", -10, 60))
        assert attention(known) == WATCH_ALL
        assert attention(replace(known, now=NOW + timedelta(minutes=74))) == WATCH_ALL
        assert attention(replace(known, now=NOW + timedelta(minutes=75))) == EDITS_ALONE

    def test_after_the_plan_s_end_what_it_had_planned_to_the_last_may_still_be_taken_until_it_is_day(self) -> None:
        late = NOW + timedelta(minutes=75)
        known = replace(planned(block("a", -60, -10), block("b", -10, 60)), used_up=frozenset({"b target"}))
        assert attention(replace(known, now=late)) == closely("b")
        assert attention(replace(known, now=(NOW + timedelta(days=1)).replace(hour=9, minute=59))) == closely("b")
        assert attention(replace(known, now=(NOW + timedelta(days=1)).replace(hour=10))) == EDITS_ALONE

    def test_at_a_known_site_it_is_day_once_the_sun_is_up_for_longer_than_an_exposure_takes(self) -> None:
        known = replace(
            planned(block("a", -60, -10), block("b", -10, 60)),
            used_up=frozenset({"b target"}),
            site=Site(latitude_deg=52.52, longitude_deg=13.405),
        )
        # Sunrise is at 7:14 UTC; a pause between two exposures takes 7 minutes at the most.
        morning = (NOW + timedelta(days=1)).replace(hour=7)
        assert attention(replace(known, now=morning.replace(minute=20))) == closely("b")
        assert attention(replace(known, now=morning.replace(minute=40))) == EDITS_ALONE
        # In the far north it is night at ten o'clock.
        north = Site(latitude_deg=69.65, longitude_deg=18.96)
        assert attention(replace(known, now=morning.replace(hour=11), site=north)) == closely("b")

    def test_a_rig_that_has_just_imaged_may_go_on_past_the_end_of_its_plan(self) -> None:
        known = planned(block("a", -300, -60))
        just_now, an_hour_ago = NOW - timedelta(minutes=59), NOW - timedelta(minutes=60)
        assert attention(replace(known, last_exposure=replace(LAST, time=just_now))) == closely("a")
        assert attention(replace(known, last_exposure=replace(LAST, time=an_hour_ago))) == EDITS_ALONE

    def test_a_rig_that_has_just_imaged_before_its_plan_begins_may_go_on_with_anything(self) -> None:
        known = planned(block("a", 60, 120))
        assert attention(replace(known, last_exposure=LAST)) == WATCH_ALL

    def test_what_is_complete_is_not_watched(self) -> None:
        known = replace(planned(block("a", -60, 60)), rig=rig_with(A, DONE))
        assert attention(known) == closely("a")

    def test_one_that_has_just_come_is_watched_for_as_long_as_two_exposures_take_unless_it_is_day(self) -> None:
        known = planned(block("b", 60, 120))
        assert attention(replace(known, watched_since=NOW - timedelta(minutes=6))) == WATCH_ALL
        assert attention(replace(known, watched_since=NOW - timedelta(minutes=8))) == EDITS_ALONE
        noon = NOW.replace(hour=12)
        assert attention(replace(known, watched_since=noon, now=noon)) == EDITS_ALONE

    def test_without_a_plan_every_project_is_watched_at_hours_when_it_could_be_night(self) -> None:
        assert attention(USUAL) == WATCH_ALL
        assert attention(planned(block("a", -60, 60), night=TONIGHT - timedelta(days=1))) == WATCH_ALL


class TestAnnounced:
    """N.I.N.A. is heard: it announces each target before each exposure."""

    A_ALONE = Announced(project_ids=frozenset({"a"}), time=NOW)
    NOTHING = Announced(project_ids=frozenset(), time=NOW)

    def test_what_is_announced_is_looked_for_once_an_exposure_of_it_can_be_there_and_nothing_else(self) -> None:
        known = replace(planned(block("b", -60, 60)), announced=self.A_ALONE)
        assert attention(known) == Attention(possible=(possible("a", NOW + EXPOSURE),))
        assert attention(replace(known, evidence=OF_A, last_exposure=LAST)) == attention(known)

    def test_after_the_last_word_of_a_night_its_exposure_is_awaited_for_an_hour(self) -> None:
        known = replace(USUAL, announced=self.A_ALONE)
        # Seven minutes pass between two exposures at the most.
        assert attention(replace(known, now=NOW + timedelta(minutes=66))).possible
        assert attention(replace(known, now=NOW + timedelta(minutes=67))) == EDITS_ALONE

    def test_of_a_complete_project_that_is_announced_nothing_is_known(self) -> None:
        known = replace(USUAL, announced=replace(self.A_ALONE, project_ids=frozenset({"done"})))
        assert attention(known) == Attention(possible=(possible("done", NOW),))

    def test_where_nothing_is_imaged_there_are_edits_alone_also_in_the_hours_of_the_plan(self) -> None:
        assert attention(replace(planned(block("b", -60, 60)), announced=self.NOTHING)) == EDITS_ALONE

    def test_what_was_announced_before_may_still_be_under_way(self) -> None:
        known = replace(USUAL, announced=self.NOTHING, announced_before=frozenset({"b"}))
        assert attention(known) == closely("b")

    def test_an_exposure_that_is_over_before_a_lost_word_is_missed_is_looked_for_all_the_time(self) -> None:
        def with_length(seconds: float) -> Knowledge:
            plan = exposure_plan(10, 1, 1, exposure_s=seconds)
            brief = project("brief", of(target(plan, identity="brief target")))
            return replace(USUAL, rig=rig_with(A, brief), announced=self.NOTHING)

        assert attention(with_length(19.0)) == closely("brief")
        assert attention(with_length(20.0)) == EDITS_ALONE

    def test_a_user_who_edits_is_watched_all_the_same(self) -> None:
        assert attention(replace(USUAL, announced=self.NOTHING, is_unclear=True)) == EVERYTHING


class TestWhenToTryAgain:
    WINDOWS = ((100.0, 130.0), (300.0, 330.0))

    def test_not_before_an_exposure_is_possible(self) -> None:
        assert next_try(0.0, 100.0, self.WINDOWS, 30.0) == 100.0

    def test_several_times_an_interval_in_a_window(self) -> None:
        assert next_try(100.0, 100.0, self.WINDOWS, 30.0) == 110.0
        assert next_try(110.0, 100.0, self.WINDOWS, 30.0) == 120.0

    def test_once_an_interval_between_two_windows_and_after_them(self) -> None:
        assert next_try(130.0, 100.0, self.WINDOWS, 30.0) == 160.0
        assert next_try(290.0, 100.0, self.WINDOWS, 30.0) == 300.0
        assert next_try(331.0, 100.0, self.WINDOWS, 30.0) == 361.0

    def test_a_shorter_exposure_is_looked_for_so_that_it_is_seen_within_the_interval(self) -> None:
        assert next_try(0.0, 50.0, self.WINDOWS, 30.0) == 80.0
        assert next_try(55.0, 50.0, self.WINDOWS, 30.0) == 85.0


class TestUsedUp:
    def plan(self, count: int, *, filter_name: str = "Lum") -> NightPlan:
        exposures = (PlannedExposures(filter_name, 60.0, count),)
        blocks = (replace(block("a", 0, 30), exposures=exposures), replace(block("a", 60, 90), exposures=exposures))
        return NightPlan(profile_id="wide", night=TONIGHT, fetched=NOW, blocks=blocks)

    def test_a_target_of_which_the_plan_takes_all_that_is_left(self) -> None:
        # Nine of ten are left.
        assert used_up(self.plan(5), RIG) == {"a target"}
        assert used_up(self.plan(4), RIG) == frozenset()
        assert used_up(self.plan(5, filter_name="Ha"), RIG) == frozenset()

    def test_what_waits_for_the_grader_is_not_taken_again(self) -> None:
        waiting = project("a", of(target(exposure_plan(10, 4, 0, ungraded=4), identity="a target")))
        assert used_up(self.plan(3), rig_with(waiting)) == {"a target"}

    def test_a_rig_is_fully_read_once_the_targets_of_its_active_projects_are_known(self) -> None:
        assert is_fully_read(RIG)
        assert is_fully_read(rig_with(A, project("draft", state="draft")))
        assert not is_fully_read(rig_with(A, project("unread")))
        assert not is_fully_read(rig(None))


class TestUnexpected:
    OF_B = replace(OF_A, target_id="b target", time=NOW + timedelta(seconds=30))

    def test_another_project_while_an_exposure_is_under_way(self) -> None:
        assert is_unexpected(self.OF_B, OF_A, RIG, EDITS_ALONE)

    def test_not_from_the_moment_on_from_which_it_was_possible(self) -> None:
        expected = Attention(possible=(possible("b", self.OF_B.time),))
        assert not is_unexpected(self.OF_B, OF_A, RIG, expected)
        assert is_unexpected(replace(self.OF_B, time=NOW + timedelta(seconds=29)), OF_A, RIG, expected)

    def test_not_where_it_was_expected_or_long_after_or_in_the_same_project_or_the_first(self) -> None:
        assert not is_unexpected(self.OF_B, OF_A, RIG, closely("b"))
        assert not is_unexpected(replace(self.OF_B, time=NOW + timedelta(minutes=3)), OF_A, RIG, EDITS_ALONE)
        assert not is_unexpected(replace(self.OF_B, target_id="a target"), OF_A, RIG, EDITS_ALONE)
        assert not is_unexpected(self.OF_B, None, RIG, EDITS_ALONE)
        assert not is_unexpected(B_FOLLOWS, OF_A, RIG, EDITS_ALONE)
