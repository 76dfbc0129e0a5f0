"""When a rig is asked for its night plan, and when it is left alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from tests.support.bridge_zone import bridge_in
from tests.support.build import exposure_plan, profile, project, rig, target
from ts2mqtt.observatory.model import CLOSED, Listing, NightPlan, PlanBlock, Rig
from ts2mqtt.observatory.night import planning_inputs
from ts2mqtt.scheduler.plan_policy import PlanRequest, Rise, Situation, plan_request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

TONIGHT, LAST_NIGHT = date(2026, 1, 10), date(2026, 1, 9)


def rig_with(*seconds: float | None, active: str = "mine", idle: float = 3600.0) -> Rig:
    """A rig whose active profile has an Active project with such exposures, and others with long ones."""
    targets = tuple(
        target(exposure_plan(10, exposure_s=exposure_s), identity=f"{exposure_s}") for exposure_s in seconds
    )
    long = Listing((target(exposure_plan(10, exposure_s=idle), identity="long"),))
    projects = Listing((project(targets=Listing(targets)), project("closed", long, state=CLOSED)))
    other = Listing((project("other's", long),))
    names = ("mine", "other")
    return rig(
        Listing(tuple(profile(name, projects if name == active else other, active=name == active) for name in names))
    )


RIG = rig_with(300.0)
MINE = RIG.known_profiles[0]


@pytest.fixture(autouse=True)
def _bridge_in_utc() -> Iterator[None]:
    with bridge_in("UTC"):
        yield


def at(hour: float) -> datetime:
    """An hour of the night that begins on the 10th: 25 is an hour past midnight."""
    return datetime(2026, 1, 10, tzinfo=UTC) + timedelta(hours=hour)


def plan(
    *imaging: tuple[float, float], night: date = TONIGHT, inputs: str | None = planning_inputs(MINE), of: str = "mine"
) -> NightPlan:
    blocks = tuple(PlanBlock(target_id="300.0", name="300.0", start=at(start), end=at(end)) for start, end in imaging)
    wait = PlanBlock(target_id=None, name=None, start=at(13), end=at(18))
    return NightPlan(profile_id=of, night=night, fetched=at(12), blocks=(wait, *blocks), inputs=inputs)


YESTERDAY = at(-12)


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is not told is ordinary: watched since yesterday, nothing asked for, nothing imaged, no plan."""

    now: datetime
    plan: NightPlan | None = None
    rig: Rig = RIG
    last_rise: Rise | None = None
    asked: datetime | None = None
    watched_since: datetime = YESTERDAY
    zone: tzinfo | None = None
    may_sequence_run: bool = False

    def asks(self, *, requested: bool = False) -> PlanRequest | None:
        situation = Situation(
            rig=self.rig,
            plan=self.plan,
            last_rise=self.last_rise,
            asked=self.asked,
            watched_since=self.watched_since,
            now=self.now,
            zone=self.zone,
            plan_interval=timedelta(minutes=30),
            may_sequence_run=self.may_sequence_run,
        )
        return plan_request(situation, requested=requested)


TONIGHT_S = PlanRequest("mine", at(13))
UNFINISHED = rig_with(60.0, 600.0)
OTHER_INPUTS = plan((20, 30), inputs="before the user changed something")
NAMIBIA = timezone(timedelta(hours=2))


CASES: dict[str, tuple[Case, PlanRequest | None]] = {
    "at noon": (Case(now=at(12)), TONIGHT_S),
    "at noon, while the sequence may run": (Case(now=at(12), may_sequence_run=True), None),
    "at noon, after last night's plan": (Case(now=at(12), plan=plan((-4, 5), night=LAST_NIGHT)), TONIGHT_S),
    "a moment before noon": (Case(now=at(11.99), plan=plan((-4, 5), night=LAST_NIGHT)), None),
    "tonight's plan is there": (Case(now=at(16), plan=plan((20, 30))), None),
    "asked for in the morning, the coming night's": (Case(now=at(10), plan=plan((20, 30))), None),
    "read under a clock that was far ahead": (Case(now=at(16), plan=plan(night=date(2026, 2, 10))), TONIGHT_S),
    "rig was off at noon": (Case(now=at(19), watched_since=at(18)), TONIGHT_S),
    "after midnight the rest of the night": (Case(now=at(25)), PlanRequest("mine", at(25))),
    "inputs changed": (Case(now=at(16), plan=OTHER_INPUTS), TONIGHT_S),
    "inputs were not known then": (Case(now=at(16), plan=plan((20, 30), inputs=None)), TONIGHT_S),
    "inputs changed, asked a moment ago": (Case(now=at(16), plan=OTHER_INPUTS, asked=at(15.51)), None),
    "inputs changed, asked long enough ago": (Case(now=at(16), plan=OTHER_INPUTS, asked=at(15.5)), TONIGHT_S),
    "inputs changed, before the first block": (Case(now=at(19.99), plan=OTHER_INPUTS), TONIGHT_S),
    "inputs changed, the plan says imaging": (Case(now=at(20), plan=OTHER_INPUTS), None),
    "inputs changed, the plan ends": (Case(now=at(30), plan=OTHER_INPUTS), PlanRequest("mine", at(30))),
    "an answer failed, asked a moment ago": (Case(now=at(12.4), asked=at(12)), None),
    "imaging observed": (Case(now=at(22), last_rise=Rise(at(21.9), 300.0)), None),
    "imaging observed, and long over": (
        Case(now=at(22), last_rise=Rise(at(21), 300.0)),
        TONIGHT_S,
    ),
    "a longer exposure of another target may be under way": (
        Case(now=at(22), rig=UNFINISHED, last_rise=Rise(at(21.6), 60.0)),
        None,
    ),
    "no longer exposure can be under way any more": (
        Case(now=at(22), rig=UNFINISHED, last_rise=Rise(at(21.58), 60.0)),
        TONIGHT_S,
    ),
    "of a target that has been removed since": (
        Case(now=at(22), rig=rig_with(), last_rise=Rise(at(21.5), 3600.0)),
        None,
    ),
    "watched for a short while by night": (Case(now=at(22), watched_since=at(21.76)), None),
    "watched for longer than an exposure by night": (Case(now=at(22), watched_since=at(21.74)), TONIGHT_S),
    "watched for a short while, past midnight": (Case(now=at(26), watched_since=at(25.9)), None),
    "watched for a short while at midday": (Case(now=at(14.9), watched_since=at(14.89)), TONIGHT_S),
    "watched for a short while in the afternoon": (Case(now=at(15), watched_since=at(14.99)), None),
    "imaging observed at midday, in the polar night": (
        Case(now=at(13), last_rise=Rise(at(12.9), 300.0)),
        None,
    ),
    "nothing to image, watched for a moment": (
        Case(now=at(22), rig=rig_with(), watched_since=at(21.999)),
        TONIGHT_S,
    ),
    "an unknown exposure is taken for five minutes": (
        Case(now=at(22), rig=rig_with(None), watched_since=at(21.76)),
        None,
    ),
    "profile switched": (
        Case(now=at(19), rig=rig_with(300.0, active="other"), plan=plan((20, 30))),
        PlanRequest("other", at(13)),
    ),
    "profile switched while the old one's plan says imaging": (
        Case(now=at(22), rig=rig_with(300.0, active="other"), plan=plan((20, 30))),
        PlanRequest("other", at(13)),
    ),
    "profile switched a moment ago": (
        Case(now=at(22), rig=rig_with(300.0, active="other"), plan=plan((20, 30)), watched_since=at(21.9)),
        None,
    ),
    "inputs not read yet": (
        Case(now=at(13), rig=rig(Listing((profile("mine", Listing((project("unread"),))),)))),
        None,
    ),
    "nothing read yet": (Case(now=at(13), rig=rig()), None),
    "no profile is active": (Case(now=at(13), rig=rig(Listing((profile(active=False),)))), None),
    "offline": (Case(now=at(13), rig=replace(RIG, online=False)), None),
    "not tried yet": (Case(now=at(13), rig=replace(RIG, online=None)), None),
    "past midnight at the rig, not at the bridge": (
        Case(now=at(22.5), zone=NAMIBIA),
        PlanRequest("mine", datetime(2026, 1, 11, 0, 30, tzinfo=NAMIBIA)),
    ),
    "noon at the rig, not at the bridge": (
        Case(now=at(10), plan=plan((-4, 5), night=LAST_NIGHT), zone=NAMIBIA),
        PlanRequest("mine", at(11)),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_asks_only_when_it_is_needed_and_harmless(name: str) -> None:
    case, expected = CASES[name]
    assert case.asks() == expected


@pytest.mark.parametrize("name", [name for name, (case, _) in CASES.items() if case.rig.active_profile])
def test_on_request_asks_whatever_the_rig_is_doing_as_long_as_it_answers(name: str) -> None:
    case, _ = CASES[name]
    request = case.asks(requested=True)
    assert (request is not None) == bool(case.rig.online)


def test_without_an_active_profile_there_is_nothing_to_ask_for() -> None:
    for unknown in (rig(), rig(Listing((profile(active=False),)))):
        assert Case(now=at(13), rig=unknown).asks(requested=True) is None


@pytest.mark.parametrize(("hour", "start"), [(12, 13), (13, 13), (23.99, 13), (24, 24), (35.99, 35.99)])
def test_the_start_is_that_of_the_night_that_begins_today_and_after_midnight_now(hour: float, start: float) -> None:
    request = Case(now=at(hour)).asks(requested=True)
    assert request is not None
    assert request.night_start == at(start)


def test_a_start_has_the_rig_s_offset() -> None:
    request = Case(now=at(26), zone=NAMIBIA).asks(requested=True)
    assert request is not None
    assert request.night_start.isoformat() == "2026-01-11T04:00:00+02:00"


@pytest.mark.parametrize(
    ("day", "start"),
    [
        ("2026-03-28", "2026-03-28T13:00:00+01:00"),
        ("2026-03-29", "2026-03-29T13:00:00+02:00"),
        ("2026-10-24", "2026-10-24T13:00:00+02:00"),
        ("2026-10-25", "2026-10-25T13:00:00+01:00"),
    ],
)
def test_a_start_around_a_change_of_the_clocks(day: str, start: str) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    now = datetime.fromisoformat(f"{day}T15:30").replace(tzinfo=berlin)
    request = Case(now=now, zone=berlin).asks(requested=True)
    assert request is not None
    assert request.night_start.isoformat() == start
