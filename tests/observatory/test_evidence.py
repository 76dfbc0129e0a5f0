"""Which exposure is the latest, what follows it, and what it says of now."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.support.build import exposure_plan, profile, project, rig, target
from ts2mqtt.observatory.evidence import (
    OBSERVED,
    Evidence,
    end_of,
    last_exposure,
    latest_gain,
    may_image_until,
    observed,
    patience,
    planned_after,
    recalled,
)
from ts2mqtt.observatory.exposures import Gain, Progress
from ts2mqtt.observatory.look import Look
from ts2mqtt.observatory.model import (
    INACTIVE,
    ExposurePlan,
    Listing,
    NightPlan,
    PlanBlock,
    PlannedExposures,
    Project,
    Rig,
    Target,
)
from ts2mqtt.observatory.tree import TargetPlace

NOW = datetime(2026, 1, 10, 23, tzinfo=UTC)
SHORT = exposure_plan(10, 4, 4, exposure_s=60.0, key="lum_60")
LONG = replace(exposure_plan(10, 4, 4, exposure_s=900.0, key="sii_900"), template="SII", filter="SII")
DONE = replace(exposure_plan(4, 4, 4, exposure_s=1200.0, key="oiii_1200"), template="OIII", filter="OIII")


def rig_of(*projects: Project) -> Rig:
    return rig(Listing((profile(projects=Listing(projects)),)))


def gain(of: Target, plan: ExposurePlan, *, own: Project | None = None, uncertainty_s: float = 30.0) -> Gain:
    place = TargetPlace(profile(), own or project(targets=Listing((of,))), of)
    before = replace(plan, acquired=plan.acquired - 1, accepted=plan.accepted - 1)
    return Gain(
        step=Progress(place, place, before, plan),
        acquired=1,
        accepted=1,
        earliest=NOW - timedelta(seconds=uncertainty_s),
        latest=NOW,
    )


def seen(one: Gain, *, plan: NightPlan | None = None, is_watched: bool = True) -> Evidence | None:
    own = one.step.place.project
    return observed(one, Look(rig=rig_of(own), plan=plan, now=NOW), is_watched=is_watched)


def length_after(
    plan: ExposurePlan, *plans: ExposurePlan, night: NightPlan | None = None, order: str | None = None
) -> float:
    """The length of the exposure that is believed to be under way after one of this plan."""
    of = target(*plans)
    settings: dict[str, Any] = {order: True} if order else {}
    own = project(targets=Listing((of,)), **settings)
    found = seen(gain(of, plan, own=own), plan=night)
    assert found is not None
    return found.exposure_s


def test_patience_grows_with_the_exposure() -> None:
    assert patience(0.0) == timedelta(minutes=5)
    assert patience(600.0) == timedelta(minutes=25)


def test_an_exposure_is_followed_by_one_of_the_same_plan_until_that_is_complete() -> None:
    assert length_after(SHORT, SHORT, LONG) == 60.0
    assert length_after(LONG, SHORT, LONG) == 900.0
    assert length_after(DONE, DONE, SHORT, LONG) == 60.0
    assert length_after(DONE, DONE) == 1200.0


@pytest.mark.parametrize("setting", ["filter_switch_frequency", "smart_exposure_order"])
def test_where_filters_may_change_the_longest_that_is_not_complete_may_follow(setting: str) -> None:
    assert length_after(SHORT, SHORT, LONG, DONE, order=setting) == 900.0


def test_a_plan_knows_of_an_order_that_the_user_has_set() -> None:
    def night(*filters: str) -> NightPlan:
        runs = tuple(PlannedExposures(name, 60.0, 2) for name in filters)
        block = PlanBlock(target_id="target", name="", start=NOW, end=NOW + timedelta(hours=1), exposures=runs)
        return NightPlan(profile_id="profile", night=date(2026, 1, 10), fetched=NOW, blocks=(block,))

    assert length_after(SHORT, SHORT, LONG, night=night("Lum", "SII")) == 60.0
    assert length_after(SHORT, SHORT, LONG, night=night("Lum", "SII", "Lum")) == 900.0


def test_an_unknown_exposure_is_taken_for_five_minutes() -> None:
    unknown = replace(SHORT, exposure_s=None)

    assert length_after(unknown, unknown) == 300.0
    assert planned_after(NOW, "target", None).exposure_s == 300.0


def test_of_several_targets_the_one_that_goes_on_is_at_work() -> None:
    short, long = target(SHORT, identity="short"), target(LONG, identity="long")
    done, paused = target(DONE, identity="done"), target(LONG, identity="paused")
    one, other, complete = gain(short, SHORT), gain(long, LONG), gain(done, DONE)
    resting = gain(paused, LONG, own=project(targets=Listing((paused,)), state=INACTIVE))
    was_long = Evidence(kind=OBSERVED, target_id="long", time=NOW, exposure_s=900.0)

    assert latest_gain([], None, rig_of()) is None
    assert latest_gain([one, other], None, rig_of()) is other
    assert latest_gain([one, other], was_long, rig_of()) is one
    assert latest_gain([one, complete], None, rig_of()) is one
    assert latest_gain([resting, one], None, rig_of()) is one
    assert latest_gain([replace(one, acquired=0)], None, rig_of()) is None
    assert last_exposure(one).time == NOW - timedelta(seconds=15)


def test_what_may_have_been_long_ago_says_nothing_of_now_unless_somebody_looked() -> None:
    of = target(SHORT)

    assert seen(gain(of, SHORT, uncertainty_s=240.0), is_watched=False) is not None
    assert seen(gain(of, SHORT, uncertainty_s=241.0), is_watched=False) is None
    assert seen(gain(of, SHORT, uncertainty_s=3600.0)) is not None
    assert seen(gain(of, SHORT, own=project(targets=Listing((of,)), state=INACTIVE))) is None


def test_a_rig_may_go_on_after_an_exposure_that_may_have_been_long_ago() -> None:
    one = gain(target(SHORT), SHORT, uncertainty_s=3600.0)

    assert seen(one, is_watched=False) is None
    assert may_image_until(one) == one.latest + timedelta(minutes=4)


def test_a_target_that_is_imaged_beyond_its_completion_is_so_after_a_restart_too() -> None:
    of = target(DONE)
    last = last_exposure(gain(of, DONE))

    assert recalled(last, rig_of(project(targets=Listing((of,)))), None).is_beyond_completion
    assert recalled(last, rig_of(), None).is_beyond_completion
    assert not recalled(last, rig_of(project(targets=Listing((target(SHORT),)))), None).is_beyond_completion
    assert recalled(last, rig_of(), None).exposure_s == 1200.0


def test_without_a_plan_patience_decides() -> None:
    held = Evidence(kind=OBSERVED, target_id="target", time=NOW, exposure_s=60.0)

    assert end_of(held, Look(rig=rig_of(), plan=None, now=NOW)) == NOW + timedelta(minutes=7)
