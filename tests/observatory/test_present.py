"""What a rig is said to be doing: the tables of docs/architecture.md, row by row, and moment by moment of a night."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.support.build import exposure_plan, profile, project, rig, target
from tests.support.project import ROOT
from ts2mqtt.observatory.changes import Observation, Watch, observe
from ts2mqtt.observatory.evidence import OBSERVED, PLANNED, Evidence, LastExposure, Pause, lasting, recalled
from ts2mqtt.observatory.lease import Heard
from ts2mqtt.observatory.live import LiveState, Stopped
from ts2mqtt.observatory.live_events import TargetAnnounced, WaitAnnounced
from ts2mqtt.observatory.look import Look
from ts2mqtt.observatory.model import INACTIVE, Listing, NightPlan, PlanBlock, PlannedExposures, Rig
from ts2mqtt.observatory.present import IDLE, IMAGING, OFFLINE, WAITING, Appointment, Present, next_edge, present

if TYPE_CHECKING:
    from ts2mqtt.observatory.live import Word
    from ts2mqtt.observatory.model import Project, Target

PAGE = ROOT / "docs" / "architecture.md"
DUSK = datetime(2026, 1, 10, 17, tzinfo=UTC)
EXPOSURE_S = 300.0


def at(minutes: float) -> datetime:
    """So many minutes after the plan begins."""
    return DUSK + timedelta(minutes=minutes)


def made(identity: str, acquired: int = 3, *, exposure_s: float = EXPOSURE_S, desired: int = 10) -> Target:
    return target(exposure_plan(desired, acquired, acquired, exposure_s=exposure_s), identity=identity)


A, B, C = (made(name) for name in "ABC")


def with_targets(*targets: Target, **of_projects: str) -> Rig:
    """A rig with a project for each target, which is named like it; `of_projects` are the states of some."""
    projects = [
        project(f"project {one.id}", Listing((one,)), state=of_projects.get(one.id, "active")) for one in targets
    ]
    return with_projects(*projects)


def with_projects(*projects: Project) -> Rig:
    return rig(Listing((profile(projects=Listing(projects)),)))


RIG = with_targets(A, B, C)


def block(name: str | None, start: float, end: float, exposure_s: float = EXPOSURE_S) -> PlanBlock:
    exposures = (PlannedExposures("Ha", exposure_s, 1), PlannedExposures("L", 30.0, 1)) if name else ()
    return PlanBlock(target_id=name, name=name, start=at(start), end=at(end), exposures=exposures)


def plan(*blocks: PlanBlock) -> NightPlan:
    return NightPlan(profile_id="profile", night=date(2026, 1, 10), fetched=at(-300), blocks=blocks)


def table(first_heading: str) -> list[list[str]]:
    """The rows of the page's table whose first column is called so."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {first_heading} |"))
    rows: list[list[str]] = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def evidence(words: str) -> Evidence | None:
    """`A observed`, `B planned`, `A live` or `nothing`."""
    if words == "nothing" or words in PAUSES:
        return None
    name, kind = words.split()
    return Evidence(kind=kind, target_id=name, time=at(100), exposure_s=EXPOSURE_S)


PAUSES = {"a wait": Pause(time=at(100), until=at(110)), "a stop": Pause(time=at(100))}
WORDS: dict[str, Word] = {
    "A live": TargetAnnounced(time=at(100), target_name="A", project_name="project A"),
    "a wait": WaitAnnounced(time=at(100), until=at(110)),
    "a stop": Stopped(at(100)),
}


def heard(words: str) -> Heard:
    """What N.I.N.A. said, if that is what it rests on."""
    held = evidence(words)
    if words not in WORDS:
        return Heard()
    return Heard(since=at(100), lease=held, pause=PAUSES.get(words))


def in_words(one: Evidence | Pause | Appointment | None) -> str:
    if isinstance(one, Pause):
        return "a wait" if one.until else "a stop"
    if isinstance(one, Appointment):
        return f"{one.target_id} {one.source}"
    return f"{one.target_id} {one.kind}" if one else "nothing"


NOW_IN_THE_PLAN = {
    "no plan": (),
    "another profile's": (),
    "wait": (block(None, 90, 120),),
    "A begun": (block("A", 95, 120),),
    "A overdue": (block("A", 10, 120),),
    "A dropped": (replace(block("A", 95, 120), dropped=True),),
    "B begun": (block("B", 95, 120),),
    "B overdue": (block("B", 10, 120),),
    "over": (block("C", 0, 90),),
}
AHEAD = {"nothing": (), "A": (block("A", 120, 180),), "B": (block("B", 120, 180),)}
ONLINE = {"answers": True, "silent": False, "not asked yet": None}


@pytest.mark.parametrize("row", table("the API"), ids=" ".join)
def test_every_row_of_the_table_of_what_is_said(row: list[str]) -> None:
    api, rests_on, now_in_plan, ahead, activity, imaging, current, following = row
    planned = plan(*NOW_IN_THE_PLAN[now_in_plan], *AHEAD[ahead])
    if now_in_plan == "another profile's":
        planned = replace(plan(block("A", 90, 120)), profile_id="another")
    look = Look(rig=replace(RIG, online=ONLINE[api]), plan=None if now_in_plan == "no plan" else planned, now=at(102))

    said = present(look, PAUSES.get(rests_on) or evidence(rests_on), None, None)

    assert [said.activity, {True: "yes", False: "no", None: "unknown"}[said.imaging]] == [activity, imaging]
    assert in_words(said.current_target) == current
    assert (said.next_target.target_id if said.next_target else "nothing") == following
    assert said.evidence == (current.split()[-1] if current != "nothing" else None)


FOLLOWS = {
    "A": plan(block("A", 60, 600)),
    "nothing": plan(block("A", 60, 95), block("B", 95, 100)),
    "B at once": plan(block("A", 60, 101), block("B", 101, 600)),
    "B hours later": plan(block("A", 60, 100), block("B", 300, 600)),
    "no plan": None,
}
BEYOND = made("A", 10)
CHANGES = {
    "an exposure of A": (RIG, with_targets(made("A", 4), B, C), 1),
    "an exposure of B": (RIG, with_targets(A, made("B", 4), C), 1),
    "counts of A that were edited": (RIG, with_targets(made("A", 6), B, C), 1),
    "an exposure of A while the API was away": (
        replace(RIG, online=False),
        with_targets(made("A", 4), B, C),
        1,
    ),
    "an exposure of A before its profile became active": (
        rig(Listing((replace(RIG.known_profiles[0], active=False), profile("other")))),
        rig(Listing((with_targets(made("A", 4), B, C).known_profiles[0], profile("other", active=False)))),
        1,
    ),
    "the API goes away": (RIG, replace(RIG, online=False), 1),
    "another profile becomes active": (
        RIG,
        rig(Listing((replace(RIG.known_profiles[0], active=False), profile("other", Listing(()))))),
        1,
    ),
    "this machine's clock is set back": (RIG, RIG, -30),
    "a list that cannot be read": (RIG, with_projects(project("project A"), project("project B", Listing((B,)))), 1),
    "A is deleted": (RIG, with_targets(B, C), 1),
    "A is made inactive": (RIG, with_targets(replace(A, active=False), B, C), 1),
    "A's project is paused": (RIG, with_targets(A, B, C, A=INACTIVE), 1),
    "B's project is paused": (RIG, with_targets(A, B, C, B=INACTIVE), 1),
    "A is complete": (with_targets(made("A", 9), B, C), with_targets(made("A", 10), B, C), 1),
    "an exposure of A beyond its completion": (with_targets(BEYOND, B), with_targets(made("A", 11), B), 1),
    "one exposure passes": (RIG, RIG, 8.1),
    "patience passes": (RIG, RIG, 15.1),
    "one exposure and patience pass": (RIG, RIG, 20.1),
    "its end passes": (RIG, RIG, 10.1),
    "an exposure of A that may have been before": (RIG, with_targets(made("A", 4), B, C), 2),
    "an exposure of B that may have been before": (RIG, with_targets(A, made("B", 4), C), 1),
    "a later exposure of A": (RIG, with_targets(made("A", 4), B, C), 2.1),
    "a later exposure of B": (RIG, with_targets(A, made("B", 4), C), 1.1),
    "N.I.N.A. is heard no more": (RIG, RIG, 1),
}
SAYS: dict[str, Word] = {
    "N.I.N.A. announces A": TargetAnnounced(time=at(101), target_name="A"),
    "N.I.N.A. announces B": TargetAnnounced(time=at(101), target_name="B", project_name="project B"),
    "N.I.N.A. announces what the rig does not have": TargetAnnounced(time=at(101), target_name="X"),
    "N.I.N.A. says that it waits": WaitAnnounced(time=at(101), until=at(110)),
    "N.I.N.A. says that it has stopped": Stopped(at(101)),
}


@pytest.mark.parametrize("row", table("evidence"), ids=" ".join)
def test_every_row_of_the_table_of_evidence(row: list[str]) -> None:
    held, what_happens, follows, afterwards = row
    if what_happens == "the bridge starts anew":
        again = recalled(
            LastExposure(time=at(100), target_id="A", target_name="A", filter="Lum", exposure_s=300), RIG, None
        )
        assert in_words(lasting(again, Look(rig=RIG, plan=FOLLOWS[follows], now=at(101)))) == afterwards
        return
    before, after, minutes = CHANGES.get(what_happens, (RIG, RIG, 1))
    watch = Watch(rig=before, evidence=None if held in WORDS else evidence(held), heard=heard(held), has_read=True)
    looked = dict.fromkeys(("project A", "project B"), at(100) + timedelta(minutes=minutes - 0.5))
    live = LiveState(connected="no more" not in what_happens, word=SAYS.get(what_happens, WORDS.get(held)))
    look = Look(
        rig=after, plan=FOLLOWS[follows], now=at(100 + minutes), read_before=looked, live=live if live.word else None
    )

    left = observe(watch, look)

    assert in_words(left.watch.basis(look)) == afterwards
    said = left.present.activity == IMAGING
    assert said is (afterwards not in {"nothing", "a wait", "a stop"} and after.online is True)


# A wait, A, A again, a wait, B, C.
NIGHT = plan(
    block(None, 0, 60),
    block("A", 60, 90),
    block("A", 90, 150),
    block(None, 150, 180),
    block("B", 180, 300),
    block("C", 300, 400),
)


def seen(name: str, minutes: float, exposure_s: float = EXPOSURE_S) -> Evidence:
    return Evidence(kind=OBSERVED, target_id=name, time=at(minutes), exposure_s=exposure_s)


def now(minutes: float, held: Evidence | None = None, night: NightPlan | None = NIGHT, at_rig: Rig = RIG) -> Present:
    """What is said so many minutes after dusk, if nothing was seen since the evidence."""
    look = Look(rig=at_rig, plan=night, now=at(minutes))
    return present(look, lasting(held, look), None, None)


def short(said: Present) -> tuple[str, str | None, str | None]:
    """Activity, the current target with a mark where it is only planned, the next one."""
    current = said.current_target
    mark = "?" if current and current.source == PLANNED else ""
    return (
        said.activity,
        f"{current.target_id}{mark}" if current else None,
        said.next_target.target_id if said.next_target else None,
    )


@pytest.mark.parametrize(
    ("minutes", "held", "expected"),
    [
        # Nothing seen: before the first block, in a block that may still begin, in one that does not happen.
        (-100, None, (WAITING, None, "A")),
        (59, None, (WAITING, None, "A")),
        (60, None, (WAITING, "A?", "B")),
        (89, None, (WAITING, "A?", "B")),
        # Ten minutes for two exposures, five for what lies between them, and fifteen because nights run late.
        (60 + 29.9, None, (WAITING, "A?", "B")),
        (60 + 30, None, (WAITING, None, "A")),
        (149, None, (WAITING, None, "A")),
        (150, None, (WAITING, None, "B")),
        (180, None, (WAITING, "B?", "C")),
        (211, None, (WAITING, None, "B")),
        (300, None, (WAITING, "C?", None)),
        (399, None, (WAITING, None, "C")),
        (400, None, (IDLE, None, None)),
        # Seen: until the next exposure should have come.
        (70, seen("A", 70), (IMAGING, "A", "B")),
        (84.9, seen("A", 70), (IMAGING, "A", "B")),
        (95, seen("A", 70), (WAITING, None, "A")),
        (120, seen("A", 119), (IMAGING, "A", "B")),
        # It goes on into a wait, for one exposure with what lies between two.
        (155, seen("A", 150), (IMAGING, "A", "B")),
        (157.9, seen("A", 150), (IMAGING, "A", "B")),
        (158, seen("A", 150), (WAITING, None, "B")),
        # It goes on into the block of another, which follows when it has ended.
        (185, seen("A", 184), (IMAGING, "A", "B")),
        (198.9, seen("A", 184), (IMAGING, "A", "B")),
        (199, seen("A", 184), (WAITING, "B?", "C")),
        (185.9, seen("A", 178), (IMAGING, "A", "B")),
        (194.9, seen("A", 178), (IMAGING, "B?", "C")),
        (195, seen("A", 178), (WAITING, "B?", "C")),
        (194.9, seen("A", 172.1), (IMAGING, "B?", "C")),
        (195, seen("A", 172.1), (WAITING, "B?", "C")),
        (188, seen("A", 171.9), (WAITING, "B?", "C")),
        # What was not planned at all has patience alone.
        (185, seen("C", 184), (IMAGING, "C", "B")),
        (500, seen("A", 499), (IMAGING, "A", None)),
        (507.9, seen("A", 500), (IMAGING, "A", None)),
        (508, seen("A", 500), (IDLE, None, None)),
        (70, seen("gone", 70), (IMAGING, "A?", "B")),
    ],
)
def test_observed_goes_before_planned(
    minutes: float, held: Evidence | None, expected: tuple[str, str | None, str | None]
) -> None:
    assert short(now(minutes, held)) == expected


def test_seven_hours_ahead_is_tonight() -> None:
    assert short(now(-420)) == (WAITING, None, "A")


def test_a_plan_without_targets_leaves_the_rig_idle() -> None:
    assert short(now(70, night=plan())) == (IDLE, None, None)
    assert short(now(70, night=plan(block(None, 0, 500)))) == (IDLE, None, None)


def test_a_current_target_has_the_times_of_all_its_blocks_in_a_row() -> None:
    for minutes, held, source in ((80, None, PLANNED), (80, seen("A", 80), OBSERVED), (100, seen("A", 99), OBSERVED)):
        assert now(minutes, held).current_target == Appointment(
            target_id="A",
            name="A",
            project_id="project A",
            project_name="project A",
            start=at(60),
            end=at(150),
            source=source,
        )


def test_a_target_that_follows_another_has_the_times_of_its_block_before_that_begins() -> None:
    complete = with_targets(made("A", 10), B, C)
    current = now(176, seen("A", 175), at_rig=complete).current_target

    assert current is not None
    assert (current.target_id, current.start, current.end, current.source) == ("B", at(180), at(300), PLANNED)


def test_an_observed_target_out_of_its_plan_has_no_times() -> None:
    for minutes in (155, 185):
        current = now(minutes, seen("A", minutes)).current_target
        assert current is not None
        assert (current.start, current.end) == (None, None)


def test_a_next_target_has_its_planned_start() -> None:
    following = now(0).next_target
    assert following is not None
    assert (following.start, following.end, following.source) == (at(60), at(150), PLANNED)
    late = now(185, seen("A", 184)).next_target
    assert late is not None
    assert (late.target_id, late.start) == ("B", at(180))


def test_a_target_that_is_not_read_yet_has_the_name_that_the_plan_gives_it() -> None:
    unread = with_projects(project("nebulae"))
    nameless = replace(block("Z", 0, 60), name=None)

    current = now(1, night=plan(block("X", 0, 60)), at_rig=unread).current_target
    assert current is not None
    assert (current.name, current.project_id, current.project_name) == ("X", None, None)
    current = now(1, night=plan(nameless), at_rig=unread).current_target
    assert current is not None
    assert current.name == ""
    current = now(70, seen("Z", 70), at_rig=unread).current_target
    assert current is not None
    assert (current.name, current.project_name) == ("", None)


def test_long_exposures_are_given_more_time_to_begin() -> None:
    long = plan(block("A", 0, 200, exposure_s=1200.0))

    assert short(now(59, night=long)) == (WAITING, "A?", None)
    assert short(now(60, night=long)) == (WAITING, None, "A")
    unknown = plan(replace(block("A", 0, 200), exposures=(PlannedExposures(None, None, 1),)))
    assert short(now(20, night=unknown)) == (WAITING, None, "A")


def test_many_short_blocks_of_a_target_that_does_not_happen_are_no_new_chances() -> None:
    cloudy = plan(*(block("A", start, start + 20) for start in range(0, 300, 20)))

    assert [short(now(minutes, night=cloudy))[:2] for minutes in (5, 25, 35, 61, 299)] == [
        (WAITING, "A?"),
        (WAITING, "A?"),
        (WAITING, None),
        (WAITING, None),
        (WAITING, None),
    ]


def test_since_when_the_activity_is_what_it_is() -> None:
    look = Look(rig=RIG, plan=NIGHT, now=at(0))
    first = present(look, None, None, None)
    second = present(replace(look, now=at(70)), None, None, first)
    third = present(replace(look, now=at(71)), seen("A", 71), None, second)
    set_back = present(replace(look, now=at(30)), seen("A", 30), None, third)

    assert [one.activity_since for one in (first, second, third, set_back)] == [at(0), at(0), at(71), at(30)]


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
    "held",
    [None, seen("A", 70), seen("A", 145), seen("A", 178), seen("B", 200.5), seen("C", 30, 900.0), seen("gone", 399)],
)
def test_nothing_changes_between_two_edges(night: NightPlan | None, held: Evidence | None) -> None:
    moments = [at(half / 2) for half in range(-20, 2 * 450)]
    edges: set[datetime] = set()

    def said(moment: datetime) -> Present:
        look = Look(rig=RIG, plan=night, now=moment)
        return replace(present(look, lasting(held, look), None, None), activity_since=None)

    for earlier, later in pairwise(moments):
        look = Look(rig=RIG, plan=night, now=earlier)
        if held is not None and held.time > earlier:
            continue
        edge = next_edge(look, lasting(held, look))
        assert edge is None or edge > earlier
        if edge is None or edge > later:
            assert said(earlier) == said(later), (earlier, later)
        else:
            edges.add(edge)
    if night and night.blocks:
        # What changes, changes at the edge itself and not a moment later.
        assert held or [e for e in edges if said(e) != said(e - timedelta(microseconds=1))]
        assert all(said(e) == said(e + timedelta(microseconds=1)) for e in edges)


def test_without_plan_and_evidence_nothing_will_change() -> None:
    def edge(minutes: float, night: NightPlan | None, held: Evidence | None = None) -> datetime | None:
        return next_edge(Look(rig=RIG, plan=night, now=at(minutes)), held)

    assert edge(0, None) is None
    assert edge(500, NIGHT) is None
    assert edge(0, replace(NIGHT, profile_id="other")) is None
    assert edge(0, NIGHT) == at(60)
    assert edge(11, NIGHT, seen("A", 10)) == at(25)


def test_an_observation_is_offline_until_the_rig_was_asked() -> None:
    unread = replace(RIG, online=None, profiles=None)
    before = Present(activity=IMAGING, activity_since=at(50), current_target=now(70, seen("A", 70)).current_target)
    watch = Watch(rig=RIG, plan=NIGHT, present=before, evidence=seen("A", 70))

    said: Observation = observe(watch, Look(rig=unread, plan=NIGHT, now=at(71)))

    assert said.present.activity == OFFLINE
    assert (said.watch.present, said.watch.evidence, said.events) == (before, watch.evidence, ())
