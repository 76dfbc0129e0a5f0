"""What a rig is said to be doing, moment by moment of a planned night."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from tests.support.build import exposure_plan, profile, project, rig, target
from ts2mqtt.observatory.exposures import LastExposure
from ts2mqtt.observatory.model import Listing, NightPlan, PlanBlock, PlannedExposures
from ts2mqtt.observatory.present import (
    IDLE,
    IMAGING,
    OBSERVED,
    OFFLINE,
    PLANNED,
    WAITING,
    Appointment,
    Live,
    live,
    next_edge,
)

DUSK = datetime(2026, 1, 10, 17, tzinfo=UTC)
A, B, C = (target(exposure_plan(10), identity=name) for name in "ABC")
RIG = rig(Listing((profile(projects=Listing((project("nebulae", Listing((A, B, C))),))),)))


def at(minutes: float) -> datetime:
    """So many minutes after the plan begins."""
    return DUSK + timedelta(minutes=minutes)


def block(name: str | None, start: float, end: float, exposure_s: float = 300.0) -> PlanBlock:
    exposures = (PlannedExposures("Ha", exposure_s, 1), PlannedExposures("L", 30.0, 1)) if name else ()
    return PlanBlock(target_id=name, name=name, start=at(start), end=at(end), exposures=exposures)


def plan(*blocks: PlanBlock) -> NightPlan:
    return NightPlan(profile_id="profile", night=date(2026, 1, 10), fetched=at(-300), blocks=blocks)


# A wait, A, A again, a wait, B, C.
NIGHT = plan(
    block(None, 0, 60),
    block("A", 60, 90),
    block("A", 90, 150),
    block(None, 150, 180),
    block("B", 180, 300),
    block("C", 300, 400),
)


def seen(name: str, minutes: float, exposure_s: float = 300.0) -> LastExposure:
    return LastExposure(name, at(minutes), exposure_s)


def short(found: Live) -> tuple[str, str | None, str | None]:
    """Activity, the current target with a mark where it is only planned, the next one."""
    current = found.current_target
    mark = "?" if current and current.source == PLANNED else ""
    return (
        found.activity,
        f"{current.target_id}{mark}" if current else None,
        found.next_target.target_id if found.next_target else None,
    )


@pytest.mark.parametrize(
    ("minutes", "last", "expected"),
    [
        # Nothing seen: before the first block, in a block that may still begin, in one that does not happen.
        (-100, None, (WAITING, None, "A")),
        (59, None, (WAITING, None, "A")),
        (60, None, (WAITING, "A?", "B")),
        (89, None, (WAITING, "A?", "B")),
        # Ten minutes for two exposures, five for what lies between them, and fifteen because nights run late.
        (60 + 29.9, None, (WAITING, "A?", "B")),
        (60 + 30, None, (IDLE, None, "B")),
        (149, None, (IDLE, None, "B")),
        (165, None, (WAITING, None, "B")),
        (180, None, (WAITING, "B?", "C")),
        (211, None, (IDLE, None, "C")),
        (300, None, (WAITING, "C?", None)),
        (399, None, (IDLE, None, None)),
        (400, None, (IDLE, None, None)),
        # Seen: until the next exposure should have come.
        (70, seen("A", 70), (IMAGING, "A", "B")),
        (84.9, seen("A", 70), (IMAGING, "A", "B")),
        (95, seen("A", 70), (IDLE, None, "B")),
        (120, seen("A", 119), (IMAGING, "A", "B")),
        # It goes on into a wait, and into the block of another that has not begun yet.
        (155, seen("A", 150), (IMAGING, "A", "B")),
        (185, seen("A", 184), (IMAGING, "A", "B")),
        (215, seen("A", 214), (IMAGING, "A", "C")),
        # What was not planned at all.
        (185, seen("C", 184), (IMAGING, "C", "B")),
        (500, seen("A", 499), (IMAGING, "A", None)),
        (70, seen("gone", 70), (IMAGING, "gone", "A")),
    ],
)
def test_observed_goes_before_planned(
    minutes: float, last: LastExposure | None, expected: tuple[str, str | None, str | None]
) -> None:
    assert short(live(RIG, NIGHT, last, at(minutes))) == expected


def test_without_a_plan_there_is_what_is_observed() -> None:
    assert live(RIG, None, None, at(70)) == Live(activity=IDLE)
    assert short(live(RIG, None, seen("B", 70), at(71))) == (IMAGING, "B", None)


def test_a_plan_without_blocks_leaves_the_rig_idle() -> None:
    assert live(RIG, plan(), None, at(70)) == Live(activity=IDLE)
    assert live(RIG, plan(block(None, 0, 500)), None, at(70)) == Live(activity=IDLE)


@pytest.mark.parametrize("online", [False, None])
def test_who_does_not_answer_is_offline_whatever_is_planned(online: bool | None) -> None:
    assert live(replace(RIG, online=online), NIGHT, seen("A", 70), at(70)) == Live(activity=OFFLINE)


@pytest.mark.parametrize("rig_now", [rig(), rig(Listing((profile("other"), profile(active=False))))])
def test_another_profile_s_plan_says_nothing(rig_now: object) -> None:
    assert isinstance(rig_now, type(RIG))
    assert live(rig_now, NIGHT, None, at(60)) == Live(activity=IDLE)


def test_a_current_target_has_the_times_of_all_its_blocks_in_a_row() -> None:
    for minutes, last, source in ((80, None, PLANNED), (80, seen("A", 80), OBSERVED), (100, seen("A", 99), OBSERVED)):
        current = live(RIG, NIGHT, last, at(minutes)).current_target
        assert current == Appointment(
            target_id="A",
            name="A",
            project_id="nebulae",
            project_name="nebulae",
            start=at(60),
            end=at(150),
            source=source,
        )


def test_an_observed_target_out_of_its_plan_has_no_times() -> None:
    for minutes in (155, 185):
        current = live(RIG, NIGHT, seen("A", minutes), at(minutes)).current_target
        assert current is not None
        assert (current.start, current.end) == (None, None)


def test_a_next_target_has_its_planned_start() -> None:
    following = live(RIG, NIGHT, None, at(0)).next_target
    assert following is not None
    assert (following.start, following.end, following.source) == (at(60), at(150), PLANNED)
    late = live(RIG, NIGHT, seen("A", 184), at(185)).next_target
    assert late is not None
    assert (late.target_id, late.start) == ("B", at(180))


def test_a_target_that_is_not_read_yet_has_the_name_that_the_plan_gives_it() -> None:
    nameless = replace(block("Z", 0, 60), name=None)

    current = live(RIG, plan(block("X", 0, 60)), None, at(1)).current_target
    assert current is not None
    assert (current.name, current.project_id, current.project_name) == ("X", None, None)
    current = live(RIG, plan(nameless), None, at(1)).current_target
    assert current is not None
    assert current.name == ""
    current = live(RIG, NIGHT, seen("gone", 70), at(70)).current_target
    assert current is not None
    assert (current.name, current.project_name) == ("", None)


def test_long_exposures_are_given_more_time_to_begin() -> None:
    long = plan(block("A", 0, 200, exposure_s=1200.0))

    assert short(live(RIG, long, None, at(59))) == (WAITING, "A?", None)
    assert short(live(RIG, long, None, at(60))) == (IDLE, None, None)
    unknown = plan(replace(block("A", 0, 200), exposures=(PlannedExposures(None, None, 1),)))
    assert short(live(RIG, unknown, None, at(20))) == (IDLE, None, None)


def test_many_short_blocks_of_a_target_that_does_not_happen_are_no_new_chances() -> None:
    cloudy = plan(*(block("A", start, start + 20) for start in range(0, 300, 20)))

    assert [short(live(RIG, cloudy, None, at(minutes)))[:2] for minutes in (5, 25, 35, 61, 299)] == [
        (WAITING, "A?"),
        (WAITING, "A?"),
        (IDLE, None),
        (IDLE, None),
        (IDLE, None),
    ]


@pytest.mark.parametrize(
    "night",
    [
        NIGHT,
        plan(),
        None,
        plan(*(block("A", start, start + 20) for start in range(0, 300, 20))),
        plan(block("A", 0, 30), block("B", 30, 40), block("A", 40, 200, 900.0), block("C", 210, 300)),
    ],
)
@pytest.mark.parametrize(
    "last", [None, seen("A", 70), seen("A", 145), seen("B", 200.5), seen("C", 30, 900.0), seen("gone", 399)]
)
def test_nothing_changes_between_two_edges(night: NightPlan | None, last: LastExposure | None) -> None:
    moments = [at(quarter / 4) for quarter in range(-40, 4 * 450)]
    edges: set[datetime] = set()
    for earlier, later in pairwise(moments):
        edge = next_edge(RIG, night, last, earlier)
        assert edge is None or edge > earlier
        if edge is None or edge > later:
            assert live(RIG, night, last, earlier) == live(RIG, night, last, later), (earlier, later)
        else:
            edges.add(edge)
    if night and night.blocks:
        # What changes, changes at the edge itself and not a moment later.
        changes = [
            e for e in edges if live(RIG, night, last, e) != live(RIG, night, last, e - timedelta(microseconds=1))
        ]
        assert changes
        assert all(live(RIG, night, last, e) == live(RIG, night, last, e + timedelta(microseconds=1)) for e in edges)


def test_without_plan_and_exposure_nothing_will_change() -> None:
    assert next_edge(RIG, None, None, at(0)) is None
    assert next_edge(RIG, NIGHT, None, at(500)) is None
    assert next_edge(rig(Listing((profile("other"),))), NIGHT, None, at(0)) is None
    assert next_edge(RIG, NIGHT, None, at(0)) == at(60)
    assert next_edge(RIG, NIGHT, seen("A", 10), at(11)) == at(25)
