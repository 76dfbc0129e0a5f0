"""What is due in a look, without a rig."""

from __future__ import annotations

import random

import pytest

from tests.support.clocks import HandClock
from ts2mqtt.observatory.model import ACTIVE, Profile, Project
from ts2mqtt.scheduler.look_policy import (
    ListToRead,
    PluginVersion,
    ProjectsOf,
    SlowThing,
    SlowThings,
    TargetsOf,
    project_lists,
    target_lists,
)

SLOW_S = 600.0
VERSION = PluginVersion()

ACTIVE_PROFILE = Profile(id="a", name="Wide", active=True)
OTHER_PROFILE = Profile(id="b", name="Narrow", active=False)


def project(project_id: str, state: str) -> Project:
    return Project(id=project_id, name=project_id, state=state)


LIVE, DRAFT, ELSEWHERE = project("live", ACTIVE), project("draft", "draft"), project("elsewhere", ACTIVE)
KNOWN = [(ACTIVE_PROFILE, LIVE), (ACTIVE_PROFILE, DRAFT), (OTHER_PROFILE, ELSEWHERE)]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def things(clock: HandClock) -> SlowThings:
    return SlowThings(SLOW_S, clock, random.Random(1))  # noqa: S311 - repeatable


class TestLists:
    def test_what_never_rested_is_read_and_only_what_is_not_live_rests_afterwards(self) -> None:
        assert project_lists([ACTIVE_PROFILE, OTHER_PROFILE], frozenset(), everything=False) == [
            ListToRead(ACTIVE_PROFILE, is_slow=False),
            ListToRead(OTHER_PROFILE, is_slow=True),
        ]
        assert target_lists(KNOWN, frozenset(), everything=False) == [
            ListToRead(LIVE, is_slow=False),
            ListToRead(DRAFT, is_slow=True),
            ListToRead(ELSEWHERE, is_slow=True),
        ]

    def test_what_rests_is_left_out_unless_it_is_live(self) -> None:
        profiles = frozenset({ProjectsOf("a"), ProjectsOf("b")})
        projects = frozenset({TargetsOf("live"), TargetsOf("draft"), TargetsOf("elsewhere")})

        assert project_lists([ACTIVE_PROFILE, OTHER_PROFILE], profiles, everything=False) == [
            ListToRead(ACTIVE_PROFILE, is_slow=False)
        ]
        assert target_lists(KNOWN, projects, everything=False) == [ListToRead(LIVE, is_slow=False)]

    def test_a_profile_that_has_just_been_left_is_read_once_more(self) -> None:
        profiles = frozenset({ProjectsOf("a"), ProjectsOf("b")})
        projects = frozenset({TargetsOf("live"), TargetsOf("draft"), TargetsOf("elsewhere")})

        left = project_lists([ACTIVE_PROFILE, OTHER_PROFILE], profiles, everything=False, just_left="b")
        assert left == [ListToRead(ACTIVE_PROFILE, is_slow=False), ListToRead(OTHER_PROFILE, is_slow=False)]
        assert target_lists(KNOWN, projects, everything=False, just_left="b") == [
            ListToRead(LIVE, is_slow=False),
            ListToRead(ELSEWHERE, is_slow=False),
        ]

    def test_a_list_of_projects_and_one_of_targets_are_two_things_though_their_ids_are_one(self) -> None:
        resting: frozenset[SlowThing] = frozenset({TargetsOf("b"), ProjectsOf("draft")})

        assert ListToRead(OTHER_PROFILE, is_slow=True) in project_lists([OTHER_PROFILE], resting, everything=False)
        assert ListToRead(DRAFT, is_slow=True) in target_lists(KNOWN, resting, everything=False)

    def test_everything_is_read_on_request_and_none_of_it_is_put_off_for_that(self) -> None:
        resting: frozenset[SlowThing] = frozenset({ProjectsOf("b"), TargetsOf("draft"), TargetsOf("elsewhere")})

        assert project_lists([OTHER_PROFILE], resting, everything=True) == [ListToRead(OTHER_PROFILE, is_slow=False)]
        assert target_lists(KNOWN, resting, everything=True) == [
            ListToRead(one, is_slow=False) for one in (LIVE, DRAFT, ELSEWHERE)
        ]


class TestSlowThings:
    def test_a_thing_is_due_at_first_and_again_in_the_last_fifth_of_the_interval(
        self, things: SlowThings, clock: HandClock
    ) -> None:
        assert things.is_due(VERSION)
        things.put_off(VERSION)
        assert things.resting() == {VERSION}
        clock.advance(0.8 * SLOW_S - 1)
        assert not things.is_due(VERSION)
        clock.advance(0.2 * SLOW_S + 1)
        assert things.is_due(VERSION)
        assert things.resting() == frozenset()

    def test_a_shorter_interval_holds_for_what_rests_already(self, things: SlowThings, clock: HandClock) -> None:
        things.put_off(VERSION)
        things.use(60.0)
        clock.advance(60.0)
        assert things.is_due(VERSION)

    def test_after_an_outage_what_has_become_due_is_spread_and_the_rest_stays(
        self, things: SlowThings, clock: HandClock
    ) -> None:
        due = [TargetsOf(str(number)) for number in range(20)]
        not_due = [ProjectsOf(str(number)) for number in range(20)]
        for target_list in due:
            things.put_off(target_list)
        clock.advance(SLOW_S)
        for project_list in not_due:
            things.put_off(project_list)
        things.spread_again()
        assert things.resting() == {*due, *not_due}
        clock.advance(0.5 * SLOW_S)
        assert 0 < sum(things.is_due(thing) for thing in due) < 20
        assert not any(things.is_due(thing) for thing in not_due)

    def test_what_is_gone_is_forgotten(self, things: SlowThings) -> None:
        things.put_off(VERSION)
        things.put_off(TargetsOf("a"))
        things.put_off(ProjectsOf("a"))
        things.forget_all_but({VERSION, ProjectsOf("a")})
        assert things.resting() == {VERSION, ProjectsOf("a")}
