"""Which blocks of a night plan may still happen, and whether it is the plan that would be made now."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.build import exposure_plan, profile, project, rig, target
from ts2mqtt.observatory.model import CLOSED, INACTIVE, Listing, NightPlan, PlanBlock
from ts2mqtt.observatory.night import planning_inputs
from ts2mqtt.observatory.plan_in_hand import is_outdated, marked, standing_blocks, targets_ahead

if TYPE_CHECKING:
    from ts2mqtt.observatory.model import Profile, Project, Rig, Target

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)


def hour(number: float) -> datetime:
    return NOON.replace(hour=0) + timedelta(hours=number)


def block(name: str | None, start: float, end: float) -> PlanBlock:
    return PlanBlock(target_id=name, name=name, start=hour(start), end=hour(end))


# A, a wait, B, A again.
NIGHT = NightPlan(
    profile_id="profile",
    night=date(2026, 1, 10),
    fetched=NOON,
    blocks=(block("A", 18, 20), block(None, 20, 21), block("B", 21, 23), block("A", 23, 26)),
)
A, B = (target(exposure_plan(10, 3, 3), identity=name) for name in "AB")


def of(*projects: Project, identity: str = "profile") -> Rig:
    return rig(Listing((profile(identity, Listing(projects)),)))


def own(*targets: Target, state: str = "active", complete: bool = True) -> Project:
    return project("project", Listing(targets, complete), state=state)


BOTH = of(own(A, B))


def dropped(rig_now: Rig, at: float = 12, *, plan: NightPlan = NIGHT, before: NightPlan | None = None) -> list[int]:
    """The numbers of the blocks that cannot happen."""
    found = marked(plan, before, rig_now, hour(at))
    assert found is not None
    return [number for number, one in enumerate(found.blocks) if one.dropped]


@pytest.mark.parametrize(
    ("rig_now", "expected"),
    [
        (BOTH, []),
        (of(own(A)), [2]),
        (of(own(A, replace(B, active=False))), [2]),
        (of(own(A, replace(B, active=None))), []),
        (of(own(A, target(exposure_plan(10, 10, 10), identity="B"))), [2]),
        (of(own(A, B, state=CLOSED)), [0, 2, 3]),
        (of(own(B), project("paused", Listing((A,)), state=INACTIVE)), [0, 3]),
        # What was not read is no reason.
        (of(own(A, complete=False)), []),
        (of(project("project")), []),
        (rig(Listing((profile(),))), []),
        (rig(), []),
        (of(own(A), project("closed", state=CLOSED)), [2]),
        # Another profile's plan says nothing, and is left as it is.
        (of(own(A), identity="another"), []),
    ],
)
def test_a_block_is_dropped_for_what_is_known_against_it(rig_now: Rig, expected: list[int]) -> None:
    assert dropped(rig_now) == expected


def test_what_has_happened_is_not_dropped_and_what_did_not_stays_so() -> None:
    only_b = of(own(B))

    assert dropped(only_b, at=20.5) == [3]
    early = marked(NIGHT, None, only_b, hour(19))
    assert early is not None
    assert dropped(only_b, at=20.5, before=early) == [0, 3]
    assert dropped(BOTH, at=20.5, before=early) == [0]
    # A bridge that was restarted has it from its own plan.
    assert dropped(BOTH, at=20.5, plan=early) == [0]


def test_a_plan_that_stays_as_it_is_is_the_same_one() -> None:
    once = marked(NIGHT, None, of(own(A)), hour(12))

    assert marked(NIGHT, None, BOTH, hour(12)) is NIGHT
    assert marked(once, once, of(own(A)), hour(12)) is once
    assert marked(None, NIGHT, BOTH, hour(12)) is None


def test_standing_blocks_are_those_that_may_happen() -> None:
    without_b = marked(NIGHT, None, of(own(A)), hour(12))

    assert [one.target_id for one in standing_blocks(without_b, BOTH)] == ["A", None, "A"]
    assert standing_blocks(NIGHT, of(own(A), identity="another")) == standing_blocks(None, BOTH) == ()
    assert [one.target_id for one in targets_ahead(NIGHT.blocks, hour(20))] == ["B", "A"]


def test_a_plan_is_outdated_once_its_inputs_are_others() -> None:
    def inputs(profile_now: Profile) -> NightPlan:
        return replace(NIGHT, inputs=planning_inputs(profile_now))

    (mine,) = BOTH.known_profiles
    paused = of(own(A, B, state=INACTIVE))

    assert is_outdated(inputs(mine), BOTH) is False
    assert is_outdated(inputs(mine), paused) is True
    assert is_outdated(inputs(mine), of(own(A, B), identity="another")) is True
    assert is_outdated(NIGHT, BOTH) is is_outdated(None, BOTH) is is_outdated(NIGHT, rig()) is None
    assert is_outdated(inputs(mine), of(project("project"))) is None
