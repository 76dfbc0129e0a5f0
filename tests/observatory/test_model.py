"""What a rig says about itself."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.support.build import profile, rig
from ts2mqtt.observatory.model import Listing, PlanBlock


def test_a_rig_that_never_answered_has_no_profiles() -> None:
    assert rig(None).known_profiles == ()
    assert rig(None).active_profile is None


def test_the_active_profile_is_the_one_that_says_so() -> None:
    resting, working = profile("resting", active=False), profile("working")

    assert rig(Listing((resting, working))).active_profile is working
    assert rig(Listing((resting,))).active_profile is None


def test_a_block_without_a_target_is_a_wait() -> None:
    dusk, dawn = datetime(2026, 2, 27, 19, tzinfo=UTC), datetime(2026, 2, 28, 5, tzinfo=UTC)

    assert PlanBlock(target_id=None, name=None, start=dusk, end=dawn).is_wait
    assert not PlanBlock(target_id="m31", name="", start=dusk, end=dawn).is_wait
