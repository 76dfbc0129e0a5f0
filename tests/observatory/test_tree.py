"""Who belongs where, found once for each value of a rig."""

from __future__ import annotations

from dataclasses import replace

from tests.support.build import profile, project, rig, target
from ts2mqtt.observatory.model import ACTIVE, INACTIVE, Listing, Profile
from ts2mqtt.observatory.tree import all_targets, distinct_projects, distinct_targets, find_target, places_of

M31, M33 = target(identity="m31"), target(identity="m33")


def _profile(*, state: str = ACTIVE, identity: str = "profile", active: bool = True) -> Profile:
    return profile(identity, Listing((project("autumn", Listing((M31, M33)), state),)), active=active)


def test_places_are_found_once_for_each_value_of_a_rig() -> None:
    before = rig(Listing((_profile(),)))
    after = replace(before, profiles=Listing((_profile(state=INACTIVE),)))

    assert places_of(before) is places_of(before)
    assert distinct_targets(before) is distinct_targets(before)
    assert [place.project.state for place in distinct_projects(after)] == [INACTIVE]
    assert [place.project.state for place in distinct_projects(before)] == [ACTIVE]


def test_a_rig_whose_places_were_found_is_still_equal_to_one_whose_places_were_not() -> None:
    one, other = rig(Listing((_profile(),))), rig(Listing((_profile(),)))
    places_of(one)

    assert one == other
    assert repr(one) == repr(other)
    assert replace(one).places is None


def test_of_two_places_the_one_of_the_active_profile_counts() -> None:
    both = rig(Listing((_profile(identity="imported", active=False), _profile(identity="own"))))

    assert [place.profile.id for place in all_targets(both)] == ["imported", "imported", "own", "own"]
    assert [(place.profile.id, place.target.id) for place in distinct_targets(both)] == [
        ("own", "m31"),
        ("own", "m33"),
    ]
    found = find_target(both, "m33")
    assert found is not None
    assert found.profile.id == "own"
    assert find_target(both, "m42") is None


def test_a_place_of_another_look_is_found_again_in_the_same_profile() -> None:
    both = rig(Listing((_profile(identity="imported", active=False), _profile(identity="own"))))
    place = all_targets(both)[0]

    assert places_of(both).target(place) == place
    elsewhere = replace(place, profile=profile("third"))
    found = places_of(both).target(elsewhere)
    assert found is not None
    assert found.profile.id == "own"
