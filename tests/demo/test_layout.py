from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console

from tests.demo.conftest import NOW, PLAN, STATE, at, hear, project
from ts2mqtt.demo.layout import render
from ts2mqtt.demo.progress_bar import progress_bar
from ts2mqtt.demo.screen import Screen, with_log_line

SIZES = [(80, 24), (160, 50), (40, 15), (130, 30), (80, 60), (200, 24), (20, 6), (8, 3), (1, 1)]


def lines(screen: Screen, width: int, height: int, *, colours: bool = False) -> list[str]:
    console = Console(
        width=width,
        height=height,
        file=StringIO(),
        force_terminal=colours,
        color_system="standard" if colours else None,
        no_color=not colours,
    )
    console.print(render(screen, width, height))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


def drawn(screen: Screen, width: int, height: int) -> list[str]:
    """The lines, which must fit."""
    shown = lines(screen, width, height)
    assert len(shown) <= height
    assert all(cell_len(line) <= width for line in shown)
    return shown


def line_with(text: str, shown: list[str]) -> str:
    found = [line for line in shown if text in line]
    assert found, f"{text!r} is not in\n" + "\n".join(shown)
    return found[0]


@pytest.mark.parametrize("size", SIZES)
def test_it_fits(busy: Screen, empty: Screen, size: tuple[int, int]) -> None:
    for screen in (busy, empty, hear(empty, "ts2mqtt/backyard/status", "online")):
        drawn(screen, *size)


def test_80_by_24_has_everything_that_matters(busy: Screen) -> None:
    shown = drawn(busy, 80, 24)
    assert len(shown) == 24
    assert "simulated: Fri 09 Oct 19:00:00, 60 ×" in shown[0]
    assert shown[1] == "● Backyard  API online  imaging  profile Refractor  Target Scheduler 5.9.3.0"
    assert shown[2].split() == ["now", "M", "31", "18:00–19:30", "30", "min", "left"]
    assert shown[3].split() == ["next", "NGC", "891", "19:30–21:30", "in", "30", "min"]
    assert shown[4].split(maxsplit=1) == ["tonight", "24 exposures, 20 accepted, 2 h of integration"]
    assert line_with("▶ M 31", shown).split()[-6:] == ["25", "%", "50/200", "+30", "10.0", "h"]
    assert line_with("M 45 Pleiades", shown).endswith("done")
    assert "3 h 30 min of imaging planned" in line_with("Night plan, Fri 09 Oct", shown)
    assert line_with("18:00–19:30  M 31", shown) == "▶ 18:00–19:30  M 31     15 L, 2 no filter"
    assert line_with("17:30–18:00", shown).startswith("✗ ")
    assert "would show 2 devices, 6 entities" in line_with("Home Assistant", shown)
    assert "127.0.0.1, port 18883" in line_with("add the integration MQTT", shown)
    assert line_with("your own broker", shown) == shown[-1]


def test_what_is_at_work_comes_first_and_what_is_done_or_of_another_profile_last(busy: Screen) -> None:
    shown = drawn(busy, 80, 24)
    below = shown.index(line_with("Active projects", shown)) + 1
    names = [line[2:16].rstrip() for line in shown[below : below + 4]]
    assert names == ["M 31", "NGC 891", "M 45 Pleiades", "Veil"]


def test_160_by_50_uses_the_space(busy: Screen) -> None:
    for number in range(60):
        busy = hear(busy, "ts2mqtt/backyard/event", {"event_type": "exposure_acquired", "count": number})
    shown = drawn(busy, 160, 50)
    assert len(shown) == 50
    assert "HFR 1.83" in line_with("Lum 120s", shown)
    assert "besides: 1 draft, 1 closed" in line_with("besides", shown)
    assert line_with("20 L", shown).endswith("M 31  20 L, 4 no filter")
    assert line_with("sensor.backyard_m_31_completion", shown).endswith("25.5 %")
    assert '"event_type":"exposure_acquired","count":59}' in shown[-1]


def test_a_rig_that_is_away_stands_out(busy: Screen) -> None:
    shown = drawn(hear(busy, "ts2mqtt/backyard/status", "offline"), 80, 24)
    assert shown[1].startswith("○ Backyard  API OFFLINE since 19:00")


def test_nothing_known_yet(empty: Screen) -> None:
    shown = drawn(empty, 80, 24)
    assert "asking the observatory" in shown[1]
    assert "nothing announced yet" in line_with("Home Assistant", shown)
    assert "none yet" in line_with("made once for every night", shown)


def test_a_rig_without_targets_and_tally(empty: Screen) -> None:
    screen = hear(empty, "ts2mqtt/backyard/status", "online")
    screen = hear(screen, "ts2mqtt/backyard/project/a", project("M 31", state="draft"))
    shown = drawn(screen, 80, 24)
    assert line_with("now", shown).split() == ["now", "no", "target"]
    assert line_with("nothing counted yet", shown)
    assert shown[shown.index(line_with("Active projects", shown)) + 1] == "none"


def test_a_target_that_is_observed_has_no_planned_end(busy: Screen) -> None:
    state = {**STATE, "current_target": {"id": "t1", "name": "M 31"}, "tonight": {"exposures_acquired": 1}}
    shown = drawn(hear(busy, "ts2mqtt/backyard/state", state), 80, 24)
    assert shown[2] == "  now     M 31"
    assert shown[4] == "  tonight 1 exposure"


def test_many_rigs_get_a_line_each(busy: Screen) -> None:
    for number in range(30):
        busy = hear(busy, f"ts2mqtt/rig{number}/status", "online")
    shown = drawn(busy, 80, 40)
    assert sum(" API online" in line for line in shown) > 20
    few = drawn(busy, 80, 12)
    assert line_with("more rigs", few).strip().startswith("… and ")


def test_plans_of_several_rigs_name_the_rig(busy: Screen) -> None:
    screen = hear(busy, "ts2mqtt/remote/plan", PLAN)
    assert line_with("remote: M 33", drawn(screen, 80, 60))


def test_a_long_plan_begins_with_what_is_still_to_come(busy: Screen) -> None:
    shown = drawn(busy, 80, 12)
    assert not [line for line in shown if line.startswith("✓")]


def test_the_plan_says_what_was_imaged_and_what_was_not(busy: Screen) -> None:
    exposure = {"time": at(-70), "target_id": "t3", "target_name": "M 33"}
    imaged = hear(busy, "ts2mqtt/backyard/state", {**STATE, "last_exposure": exposure})
    imaged = hear(imaged, "ts2mqtt/backyard/state", {**STATE, "last_exposure": {**exposure, "target_id": "t1"}})
    assert line_with("17:30–18:00", drawn(imaged, 80, 24)).startswith("✓ ")
    earlier = hear(busy, "ts2mqtt/backyard/state", {**STATE, "last_exposure": {**exposure, "time": at(-95)}})
    assert line_with("17:30–18:00", drawn(earlier, 80, 24)).startswith("✗ ")


@pytest.mark.parametrize(("minutes", "marks"), [(-70, "✓✗"), (-15, "✗✓")])
def test_of_two_blocks_of_a_target_each_has_its_own_mark(busy: Screen, minutes: int, marks: str) -> None:
    first, second = (
        {"kind": "target", "id": "t3", "name": "M 33", "start": at(start), "end": at(start + 10), "exposures": []}
        for start in (-90, -30)
    )
    screen = hear(busy, "ts2mqtt/backyard/plan", {**PLAN, "blocks": [first, second]})
    exposure = {"time": at(minutes), "target_id": "t3", "target_name": "M 33"}
    screen = hear(screen, "ts2mqtt/backyard/state", {**STATE, "last_exposure": exposure})
    shown = drawn(screen, 80, 24)
    assert line_with("17:30–17:40", shown)[0] + line_with("18:30–18:40", shown)[0] == marks


def test_a_block_under_clouds_is_not_at_work_and_the_clouds_are_called_so(busy: Screen) -> None:
    state = {**STATE, "activity": "waiting", "current_target": None, "safe": False}
    shown = drawn(hear(busy, "ts2mqtt/backyard/state", state), 80, 24)
    assert shown[2] == "  now     no target: clouds, the safety monitor says unsafe"
    assert line_with("18:00–19:30", shown).startswith("  18:00")
    assert not [line for line in shown if line.startswith("▶")]


def test_a_next_target_whose_time_has_begun_is_overdue(busy: Screen) -> None:
    late = {**STATE, "current_target": None, "next_target": STATE["current_target"]}
    shown = drawn(hear(busy, "ts2mqtt/backyard/state", late), 80, 24)
    assert shown[3] == "  next    M 31  18:00–19:30  overdue"


def test_a_target_that_is_only_planned_now_has_no_mark(busy: Screen) -> None:
    shown = drawn(hear(busy, "ts2mqtt/backyard/state", {**STATE, "activity": "waiting"}), 80, 24)
    assert line_with("18:00–19:30  M 31", shown).startswith("  18:00")
    assert not [line for line in shown if line.startswith("▶")]


def test_a_rig_that_is_later_than_its_plan_is_shown_where_it_is(busy: Screen) -> None:
    state = {**STATE, "current_target": {"id": "t3", "name": "M 33", "project_id": "c"}}
    screen = hear(busy, "ts2mqtt/backyard/state", state)
    shown = drawn(screen, 80, 24)
    assert line_with("17:30–18:00", shown).startswith("▶ ")
    assert line_with("18:00–19:30", shown).startswith("  18:00")
    few = hear(screen, "ts2mqtt/backyard/project/x", project("X"))
    assert line_with("17:30–18:00", drawn(few, 80, 14)).startswith("▶ ")


def test_a_rig_that_is_ahead_of_its_plan_too(busy: Screen) -> None:
    state = {**STATE, "current_target": {"id": "t2", "name": "NGC 891", "project_id": "b"}}
    shown = drawn(hear(busy, "ts2mqtt/backyard/state", state), 80, 24)
    assert line_with("19:30–21:30  NGC 891", shown).startswith("▶ ")


def test_more_accepted_than_taken_tonight_is_explained(busy: Screen) -> None:
    tonight = {"exposures_acquired": 31, "exposures_accepted": 49}
    shown = drawn(hear(busy, "ts2mqtt/backyard/state", {**STATE, "tonight": tonight}), 80, 24)
    assert shown[4] == "  tonight 31 exposures, 49 accepted with earlier ones"


def test_plans_of_two_nights_name_none(busy: Screen) -> None:
    screen = hear(busy, "ts2mqtt/remote/plan", {**PLAN, "night": "2026-10-08"})
    assert line_with("Night plan", drawn(screen, 80, 60)).startswith("─ Night plan ──")


def test_what_does_not_fit_is_counted(busy: Screen) -> None:
    for number in range(20):
        busy = hear(busy, f"ts2mqtt/backyard/project/x{number}", project(f"Project {number}"))
    assert line_with("more projects", drawn(busy, 80, 24)).strip() == "… and 20 more projects"


def test_a_warning_is_told_among_the_messages(busy: Screen) -> None:
    shown = drawn(with_log_line(busy, "WARNING", "Backyard: the API does not answer"), 80, 24)
    assert line_with("WARNING", shown) == "19:00 WARNING Backyard: the API does not answer"


def test_the_bridge_that_stops_is_told(busy: Screen) -> None:
    assert "the bridge is offline" in drawn(hear(busy, "ts2mqtt/status", "offline"), 80, 24)[0]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "name",
    [
        "[bold red]M 31[/] [/nothing]",
        "\x1b[2J\x1b]0;title\x07\r\n\t\x9b31m",
        "仙女座星系" * 30,
        "🔭👩‍🚀❤️" * 20,
        "a\u0301\u202e\u2066x" * 50,
        "",
        ":telescope: " * 9,
        "\ud800",
    ],
)
def test_hostile_names_harm_nothing(busy: Screen, size: tuple[int, int], name: str) -> None:
    target = {"id": "t1", "name": name, "project_id": "a"}
    plan = {"key": "lum_120", "template": name, "desired": 1, "acquired": 0, "accepted": 0}
    screen = hear(busy, "ts2mqtt/backyard/state", {**STATE, "name": name, "activity": name, "current_target": target})
    screen = hear(screen, "ts2mqtt/backyard/project/a", project(name))
    screen = hear(screen, "ts2mqtt/backyard/target/t1", {"id": "t1", "name": name, "exposure_plans": [plan]})
    blocks = [
        {
            "kind": "target",
            "id": "t1",
            "exposures": [],
            "name": name,
            "start": NOW.isoformat(),
            "end": NOW.isoformat(),
        }
    ]
    screen = hear(screen, "ts2mqtt/backyard/plan", {"blocks": blocks})
    screen = hear(screen, f"homeassistant/{name.encode(errors='replace').decode()}", name.encode(errors="replace"))
    shown = drawn(screen, *size)
    assert not any(ord(character) < 32 or character in "\x7f\x9b\u202e\u2066" for line in shown for character in line)
    escapes = "".join(lines(screen, *size, colours=True)).replace("\x1b[", "")
    assert "\x1b" not in escapes


def test_markup_is_shown_as_it_is(busy: Screen) -> None:
    screen = hear(busy, "ts2mqtt/backyard/project/a", project("[red]M 31[/]"))
    assert line_with("[red]M 31[/]", drawn(screen, 80, 24))


def test_nothing_depends_on_a_dark_or_light_background(busy: Screen) -> None:
    shown = "\n".join(lines(with_log_line(busy, "ERROR", "x"), 160, 50, colours=True))
    codes = {code for part in shown.split("\x1b[")[1:] for code in part.split("m", 1)[0].split(";")}
    assert codes <= {"0", "1", "2", "31", "32", "35", "36"}, "default foreground, and colours that both can show"


def test_a_payload_is_cut_between_its_members(busy: Screen) -> None:
    for width in range(60, 161, 7):
        for line in drawn(busy, width, 50):
            _, brace, payload_excerpt = line.partition("  {")
            if brace and line.endswith("}"):
                json.loads("{" + payload_excerpt.replace(",…", "").replace("[…]", "[]").replace("{…}", "{}"))


@pytest.mark.parametrize(
    ("accepted", "waiting", "text"),
    [
        (0.0, 0.0, "──────────"),
        (0.001, 0.0, "━─────────"),
        (0.5, 0.2, "━━━━━╍╍───"),
        (0.999, 0.0, "━━━━━━━━━─"),
        (0.5, 0.001, "━━━━━╍────"),
        (1.0, 0.5, "━━━━━━━━━━"),
        (0.7, 5.0, "━━━━━━━╍╍╍"),
    ],
)
def test_bars(accepted: float, waiting: float, text: str) -> None:
    assert progress_bar(10, accepted, waiting).plain == text


def test_time_passes_without_a_message(busy: Screen) -> None:
    assert "20:15:00" in drawn(replace(busy, now=NOW.replace(hour=20, minute=15)), 80, 24)[0]
