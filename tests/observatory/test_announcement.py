"""Which target is meant by a name, where names are not unique."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from tests.support.build import profile, project, rig, target
from ts2mqtt.observatory.announcement import announced_place, is_in_several_profiles
from ts2mqtt.observatory.live_events import TargetAnnounced
from ts2mqtt.observatory.model import INACTIVE, Listing

SAID = TargetAnnounced(
    time=datetime(2026, 1, 10, 23, tzinfo=UTC),
    target_name="Panel",
    project_name="Mosaic",
    ra_hours=0.01,
    dec_deg=41.0,
)
EASTERN = replace(SAID, ra_hours=0.02)
WEST = target(identity="west", name="Panel", ra_hours=23.995, dec_deg=41.0)
EAST = target(identity="east", name="Panel", ra_hours=0.03, dec_deg=41.0)
MOSAIC = project("mosaic", Listing((WEST, EAST)), name="Mosaic")


def meant(said: TargetAnnounced, *projects: object, other: object = None) -> str | None:
    profiles = [profile(projects=Listing(tuple(projects)))]  # type: ignore[arg-type]
    if other is not None:
        profiles.append(profile("other", Listing((other,)), active=False))  # type: ignore[arg-type]
    place = announced_place(said, rig(Listing(tuple(profiles))))
    return place.target.id if place else None


def test_of_several_the_nearest_is_meant_also_across_the_first_hour() -> None:
    assert meant(SAID, MOSAIC) == "west"
    assert meant(replace(SAID, ra_hours=0.02), MOSAIC) == "east"
    assert meant(replace(SAID, ra_hours=23.999), MOSAIC) == "west"


def test_without_coordinates_only_a_single_name_is_clear() -> None:
    blind = replace(SAID, ra_hours=None, dec_deg=None)

    assert meant(blind, MOSAIC) is None
    assert meant(blind, replace(MOSAIC, targets=Listing((EAST,)))) == "east"
    assert meant(SAID, replace(MOSAIC, targets=Listing((replace(EAST, ra_hours=None),)))) == "east"


def test_without_coordinates_it_is_the_one_that_was_at_work() -> None:
    blind = replace(SAID, ra_hours=None, dec_deg=None)
    here = rig(Listing((profile(projects=Listing((MOSAIC,))),)))

    for at_work in ("west", "east"):
        place = announced_place(blind, here, at_work)
        assert place
        assert place.target.id == at_work
    assert announced_place(blind, here, "another") is None
    place = announced_place(EASTERN, here, "west")
    assert place
    assert place.target.id == "east"


def test_several_profiles_may_have_it() -> None:
    here, there = profile(projects=Listing((MOSAIC,))), profile("other", Listing((MOSAIC,)), active=False)

    assert is_in_several_profiles(SAID, rig(Listing((here, there))))
    assert not is_in_several_profiles(SAID, rig(Listing((here,))))
    assert not is_in_several_profiles(replace(SAID, project_name="Other"), rig(Listing((here, there))))


def test_what_stands_elsewhere_in_the_sky_is_another_one() -> None:
    assert meant(replace(SAID, dec_deg=-20.0), MOSAIC) is None


def test_project_and_profile_have_to_agree() -> None:
    elsewhere = replace(MOSAIC, id="other", name="Other")

    assert meant(EASTERN, elsewhere) is None
    assert meant(replace(EASTERN, project_name=None), elsewhere) == "east"
    assert meant(EASTERN, other=MOSAIC) is None
    assert meant(replace(EASTERN, target_name=" Panel "), MOSAIC) == "east"
    assert meant(replace(EASTERN, target_name="panel"), MOSAIC) is None


def test_of_two_of_one_name_one_that_can_be_imaged_is_meant() -> None:
    old = project("old", Listing((replace(EAST, id="old"),)), state=INACTIVE, name="Mosaic")

    assert meant(EASTERN, old, MOSAIC) == "east"
    assert meant(EASTERN, old) == "old"
