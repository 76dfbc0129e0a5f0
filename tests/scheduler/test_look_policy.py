"""What is due in a look, without a rig."""

from __future__ import annotations

from ts2mqtt.observatory.model import ACTIVE, Profile, Project
from ts2mqtt.scheduler.look_policy import (
    ListToRead,
    ProjectsOf,
    Resting,
    TargetsOf,
    live_lists,
    project_lists,
    target_lists,
)

ACTIVE_PROFILE = Profile(id="a", name="Wide", active=True)
OTHER_PROFILE = Profile(id="b", name="Narrow", active=False)


def project(project_id: str, state: str) -> Project:
    return Project(id=project_id, name=project_id, state=state)


LIVE, DRAFT, ELSEWHERE = project("live", ACTIVE), project("draft", "draft"), project("elsewhere", ACTIVE)
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
