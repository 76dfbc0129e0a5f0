"""The parts of the screen: rigs, projects, the plan, the target at work, tonight, messages, Home Assistant."""

from __future__ import annotations

import textwrap
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from rich.cells import cell_len
from rich.text import Text

from ts2mqtt.demo.bar import bar
from ts2mqtt.demo.entity_examples import entity_count, entity_examples
from ts2mqtt.demo.screen import WARNINGS
from ts2mqtt.demo.section import Section
from ts2mqtt.demo.wording import (
    ELLIPSIS,
    between,
    clock_time,
    column,
    duration,
    hours,
    shorten,
    shorten_list,
    shorten_topic,
)
from ts2mqtt.logs.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from ts2mqtt.demo import told
    from ts2mqtt.demo.screen import Message, Rig, Screen

_ACTIVITY_STYLES = {"imaging": "green", "waiting": "cyan", "offline": "red"}
_AT_WORK, _NOT = "▶ ", "  "
_RIG_LINES = 4
_NARROW = 60
_DONE = 100.0
_LEAST_BAR, _MOST_BAR = 8, 40
_LEAST_NAME = 12
_TELLS_OF_MORE = 3
_LONGEST_STATE = 20

_T = TypeVar("_T")


def rigs(screen: Screen) -> Section:
    """Each rig with what it does, now and next, and tonight's tally."""
    known = list(screen.rigs.values())

    def draw(width: int, height: int) -> list[Text]:
        if not known:
            return [Text(shorten("The bridge is asking the observatory …", width))]
        shown, more = _first(known, height)
        each = max((height - bool(more)) // len(shown), 1) if shown else 1
        lines = [line for rig in shown for line in _rig(rig, screen.time, width)[:each]]
        return lines + _and_more(more, "rig", width)

    number = max(len(known), 1)
    least = number if number > 1 else _RIG_LINES - 1
    return Section(title="", least=least, enough=_RIG_LINES * number, most=_RIG_LINES * number, draw=draw)


def _rig(rig: Rig, now: datetime, width: int) -> list[Text]:
    return [
        _rig_itself(rig, now, width),
        _appointment("now", rig.state.current_target, now, width),
        _appointment("next", rig.state.next_target, now, width),
        _tally(rig.state.tonight, width),
    ]


def _rig_itself(rig: Rig, now: datetime, width: int) -> Text:
    status, style = {True: ("online", "green"), False: ("OFFLINE", "bold red"), None: ("not tried yet", "")}[
        rig.online
    ]
    text = Text()
    text.append("● " if rig.online else "○ ", style)
    text.append(shorten(rig.name, max(width // 3, width - 60)), "bold")
    text.append("  API ")
    text.append(status, style)
    if rig.online is False and rig.changed:
        text.append(f" since {clock_time(rig.changed, now)}")
    if rig.state.activity and rig.online:
        text.append("  ")
        text.append(shorten(rig.state.activity, 20), _ACTIVITY_STYLES.get(rig.state.activity, ""))
    for fact in (
        rig.state.active_profile and f"profile {rig.state.active_profile.name}",
        rig.state.plugin_version and f"Target Scheduler {rig.state.plugin_version}",
    ):
        if fact and text.cell_len + 2 + cell_len(fact) <= width:
            text.append(f"  {fact}")
    return _cropped(text, width)


def _appointment(word: str, appointment: told.Appointment | None, now: datetime, width: int) -> Text:
    text = Text()
    text.append(f"  {word:<8}")
    if appointment is None:
        text.append("no target")
        return _cropped(text, width)
    when = between(appointment.start, appointment.end, now)
    away = _away(appointment, now)
    room = width - text.cell_len - cell_len(when) - 2
    text.append(shorten(appointment.name, max(room, _LEAST_NAME)), "bold")
    if when:
        text.append(f"  {when}")
    if away and text.cell_len + 2 + cell_len(away) <= width:
        text.append(f"  {away}")
    return _cropped(text, width)


def _away(appointment: told.Appointment, now: datetime) -> str:
    if appointment.start and appointment.start > now:
        return f"in {duration((appointment.start - now).total_seconds())}"
    if appointment.end and appointment.end > now:
        return f"{duration((appointment.end - now).total_seconds())} left"
    return ""


def _tally(tonight: told.Tonight, width: int) -> Text:
    text = Text(f"  {'tonight':<8}")
    if tonight.exposures_acquired is None:
        text.append("nothing counted yet")
        return _cropped(text, width)
    pieces = [counted(tonight.exposures_acquired, "exposure")]
    if tonight.exposures_accepted is not None:
        pieces.append(f"{tonight.exposures_accepted} accepted")
    if tonight.integration_s:
        pieces.append(f"{duration(tonight.integration_s)} of integration")
    text.append(shorten_list(pieces, width - text.cell_len, separator=", "))
    return text


def projects(screen: Screen, *, also_others: bool) -> Section:
    """Active projects with their bars; with `also_others` those in other states, too."""
    active = sorted(
        ((key, project) for key, project in screen.projects.items() if project.state == "active"),
        key=lambda item: _rank(screen, *item),
    )
    others = Counter(project.state for project in screen.projects.values() if project.state != "active")
    rest = ", ".join(f"{number} {state or 'unknown'}" for state, number in others.items())

    def draw(width: int, height: int) -> list[Text]:
        if not active:
            return [Text(shorten("none yet" if not screen.projects else "none", width))]
        room = height - 1 if rest and also_others and height > len(active) else height
        shown, more = _first(active, room)
        lines = _project_rows(screen, shown, width) + _and_more(more, "project", width)
        return lines + ([Text(shorten(f"  besides: {rest}", width))] if room < height else [])

    number = max(len(active), 1)
    extra = 1 if rest and also_others else 0
    return Section(
        title=f"Active projects: {len(active)}" if active else "Active projects",
        notes=("accepted/desired +to be graded, remaining", "accepted/desired"),
        least=min(number, 2),
        enough=min(number, 5),
        most=number + extra,
        draw=draw,
    )


def _rank(screen: Screen, key: tuple[str, str], project: told.Project) -> tuple[bool, bool, bool]:
    """What moves comes first, so that it is seen where there is little room."""
    rig = screen.rigs.get(key[0])
    profile = rig.state.active_profile if rig else None
    return (
        not _is_at_work(screen, key),
        profile is not None and project.profile_name != profile.name,
        (project.progress or 0.0) >= _DONE,
    )


def _is_at_work(screen: Screen, key: tuple[str, str]) -> bool:
    rig = screen.rigs.get(key[0])
    current = rig.state.current_target if rig else None
    return current is not None and current.project_id == key[1]


def _project_rows(screen: Screen, shown: list[tuple[tuple[str, str], told.Project]], width: int) -> list[Text]:
    rows = [
        _Row(
            name=project.name,
            progress=project.progress,
            desired=project.desired,
            accepted=project.accepted,
            pending=project.pending,
            last=_remaining(project),
            at_work=_is_at_work(screen, key),
        )
        for key, project in shown
    ]
    return _bars(rows, width)


def _remaining(project: told.Project) -> str:
    if project.remaining_s is None:
        return ""
    return hours(project.remaining_s) if project.remaining_s else "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A name, a bar, and the numbers behind it; `last` is the last cell."""

    name: str
    progress: float | None
    desired: int | None
    accepted: int | None
    pending: int | None
    last: str
    at_work: bool = False

    @property
    def accepted_share(self) -> float:
        return (self.accepted or 0) / self.desired if self.desired else (self.progress or 0.0) / _DONE

    @property
    def pending_share(self) -> float:
        return (self.pending or 0) / self.desired if self.desired else 0.0

    @property
    def percent_cell(self) -> str:
        """Not 100 before all is done."""
        return "" if self.progress is None else f"{int(self.progress)} %"

    @property
    def counts_cell(self) -> str:
        return "" if self.desired is None or self.accepted is None else f"{self.accepted}/{self.desired}"

    @property
    def pending_cell(self) -> str:
        return f"+{self.pending}" if self.pending else ""


def _bars(rows: list[_Row], width: int) -> list[Text]:
    """As a table; columns that do not fit are left out from the right."""
    cells: list[Callable[[_Row], str]] = [lambda row: row.percent_cell]
    names = max((cell_len(row.name) for row in rows), default=0)
    for cell in (lambda row: row.counts_cell, lambda row: row.pending_cell, lambda row: row.last):
        wider = sum(_widest(rows, cell) + 1 for cell in (*cells, cell))
        if len(_AT_WORK) + min(names, 2 * _LEAST_NAME) + 1 + _LEAST_BAR + wider > width:
            break
        cells.append(cell)
    numbers = sum(_widest(rows, cell) + 1 for cell in cells)
    room = width - len(_AT_WORK) - 1 - numbers
    name_width = max(min(names, room - _LEAST_BAR), min(_LEAST_NAME, room))
    bar_width = min(room - name_width, _MOST_BAR)
    lines = []
    for row in rows:
        text = Text(_AT_WORK if row.at_work else _NOT)
        text.append(column(row.name, name_width), "bold" if row.at_work else "")
        text.append(" ")
        text.append_text(bar(max(bar_width, 0), row.accepted_share, row.pending_share))
        for cell in cells:
            text.append(" " + column(cell(row), _widest(rows, cell), right=True))
        lines.append(_cropped(text, width))
    return lines


def _widest(rows: list[_Row], cell: Callable[[_Row], str]) -> int:
    return max(cell_len(cell(row)) for row in rows)


def plan(screen: Screen) -> Section:
    """The blocks of the night, with their exposures per filter."""
    now = screen.time
    blocks = [(rig, block) for rig in screen.rigs.values() for block in rig.plan.blocks if block.kind == "target"]
    several = sum(bool(rig.plan.blocks) for rig in screen.rigs.values()) > 1
    lengths = [duration(rig.plan.imaging_s) for rig in screen.rigs.values() if rig.plan.imaging_s]

    def draw(width: int, height: int) -> list[Text]:
        if not blocks:
            return [Text(shorten("none yet: it is made once for every night", width))]
        to_come = [item for item in blocks if item[1].end > now]
        shown, more = _first(blocks if len(blocks) <= height else to_come or blocks, height)
        names = [f"{rig.name}: {block.name}" if several else block.name or "" for rig, block in shown]
        name_width = min(max(map(cell_len, names), default=0), max(width // 3, _LEAST_NAME))
        lines = []
        for (_, block), name in zip(shown, names, strict=True):
            at_work = block.start <= now < block.end
            text = Text(_AT_WORK if at_work else "✓ " if block.end <= now else _NOT)
            text.append(f"{between(block.start, block.end, now)}  ")
            room = min(name_width, width - text.cell_len)
            text.append(column(name, room), "bold" if at_work else "")
            exposures = shorten_list(_per_filter(block.exposures), width - text.cell_len - 2, separator=", ")
            text.append(f"  {exposures}" if width - text.cell_len > _LEAST_NAME else "")
            lines.append(_cropped(text, width))
        return lines + _and_more(more, "block", width)

    number = max(len(blocks), 1)
    return Section(
        title="Tonight's plan",
        notes=(f"{lengths[0]} of imaging",) if len(lengths) == 1 else (),
        least=min(number, 2),
        enough=min(number, 6),
        most=number,
        draw=draw,
    )


def _per_filter(exposures: Iterable[told.PlannedExposures]) -> list[str]:
    counts: Counter[str] = Counter()
    for run in exposures:
        counts[run.filter or "no filter"] += run.count
    return [f"{count} {name}" for name, count in counts.items()]


def at_work(screen: Screen) -> Section | None:
    """The exposure plans of the targets at work."""
    working = [
        target
        for rig in screen.rigs.values()
        if (current := rig.state.current_target) and (target := screen.targets.get((rig.id, current.id or "")))
    ]
    plans = [row for target in working for row in target.exposure_plans]
    if not plans:
        return None

    def draw(width: int, height: int) -> list[Text]:
        shown, more = _first(plans, height)
        rows = [
            _Row(
                name=row.template or row.filter or "",
                progress=row.progress,
                desired=row.desired,
                accepted=row.accepted,
                pending=row.pending,
                last=_hfr(row.statistics),
            )
            for row in shown
        ]
        return _bars(rows, width) + _and_more(more, "exposure plan", width)

    return Section(
        title=f"At work: {', '.join(target.name for target in working)}",
        notes=("accepted/desired +to be graded, mean HFR", "accepted/desired"),
        extra=True,
        least=min(len(plans), 2),
        enough=len(plans),
        most=len(plans),
        draw=draw,
    )


def _hfr(statistics: told.Statistics | None) -> str:
    return "" if statistics is None or statistics.hfr_mean is None else f"HFR {statistics.hfr_mean:.2f}"


def tonight(screen: Screen) -> Section | None:
    """What was acquired tonight, by target and filter."""
    done = [target for rig in screen.rigs.values() for target in rig.state.tonight.targets]
    if not done:
        return None

    def draw(width: int, height: int) -> list[Text]:
        shown, more = _first(done, height)
        names = min(max(cell_len(target.name) for target in shown), width // 2)
        lines = []
        for target in shown:
            filters = [f"{row.acquired} {row.filter or 'no filter'}" for row in target.filters]
            rest = shorten_list(filters, width - names - 4, separator=", ")
            lines.append(_cropped(Text(f"  {column(target.name, names)}  {rest}"), width))
        return lines + _and_more(more, "target", width)

    return Section(
        title="Acquired tonight",
        extra=True,
        least=1,
        enough=len(done),
        most=len(done),
        draw=draw,
    )


def messages(screen: Screen) -> Section:
    """The last messages, the newest at the bottom."""

    def draw(width: int, height: int) -> list[Text]:
        shown = screen.messages[-height:]
        if not shown:
            return [Text(shorten("none yet", width))]
        topics = [message.topic if message.logged else shorten_topic(message.topic, width // 2) for message in shown]
        topic_width = min(max(map(cell_len, topics)), max(width * 9 // 20, _LEAST_NAME))
        return [_message(message, topic_width, screen.time, width) for message in shown]

    return Section(
        title="Messages",
        notes=(f"{screen.message_count:,} so far",),
        least=3,
        enough=4,
        most=None,
        draw=draw,
    )


def _message(message: Message, topic_width: int, now: datetime, width: int) -> Text:
    text = Text()
    if width >= _NARROW:
        text.append(f"{clock_time(message.time, now)} ")
    if message.logged:
        text.append(message.topic, "bold magenta" if message.topic in WARNINGS else "")
        text.append(" " + shorten(" ".join(message.pieces), width - text.cell_len - 1))
        return _cropped(text, width)
    text.append(column(shorten_topic(message.topic, topic_width), topic_width), "cyan")
    end = "}" if message.pieces and message.pieces[0].startswith("{") else ""
    text.append("  ")
    text.append(shorten_list(message.pieces, width - text.cell_len, separator=",", end=end))
    return _cropped(text, width)


def home_assistant(screen: Screen, width: int) -> Section:
    """What Home Assistant would show, and how to let it."""
    advice = own_home_assistant(screen, width)
    examples = [e for e in entity_examples(screen) if cell_len(e.entity_id) + 2 + _LONGEST_STATE <= width]
    count = entity_count(screen)
    things = f"{counted(count.devices, 'device')}, {counted(count.entities, 'entity', 'entities')}"
    notes = (f"would show {things}, {count.disabled} of them disabled at first", f"would show {things}", things)

    def draw(width: int, height: int) -> list[Text]:
        room = max(height - len(advice), 0)
        names = max((cell_len(example.entity_id) for example in examples[:room]), default=0)
        lines = []
        for example in examples[:room]:
            text = Text(column(example.entity_id, names))
            text.append("  ")
            text.append(shorten(example.state, width - names - 2), "bold")
            lines.append(_cropped(text, width))
        return lines + [Text(line) for line in advice]

    return Section(
        title="Home Assistant",
        notes=notes if count.devices else ("nothing announced yet",),
        least=len(advice),
        enough=len(advice),
        most=len(advice) + len(examples),
        draw=draw,
    )


def own_home_assistant(screen: Screen, width: int) -> list[str]:
    """How to point one's own Home Assistant at the demo: three lines where they are 80 columns wide."""
    demo = screen.demo
    texts = (
        f"Yours on this machine: add the integration MQTT, broker {demo.host}, port {demo.port}",
        "(no user, no password; in a container it needs the host's network).",
        "On another machine: ts2mqtt simulate here, ts2mqtt run with your own broker.",
    )
    return [line for text in texts for line in textwrap.wrap(text, max(width, 1), break_on_hyphens=False)]


def _first(items: list[_T], height: int) -> tuple[list[_T], int]:
    """Those that fit, and the number of the others, if there is a line for saying so."""
    if len(items) <= height:
        return items, 0
    shown = items[: height - 1] if height >= _TELLS_OF_MORE else items[:height]
    return shown, len(items) - len(shown) if height >= _TELLS_OF_MORE else 0


def _and_more(number: int, singular: str, width: int) -> list[Text]:
    return [Text(shorten(f"  {ELLIPSIS} and {counted(number, f'more {singular}')}", width))] if number else []


def _cropped(text: Text, width: int) -> Text:
    """The last resort of a line whose parts were too long together."""
    text.truncate(width, overflow="ellipsis")
    return text
