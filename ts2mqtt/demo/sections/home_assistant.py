"""The section of Home Assistant: the entities that it would show, and how to connect one's own Home Assistant."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from ts2mqtt.demo.entity_examples import EntityExample, entity_count, entity_examples
from ts2mqtt.demo.section import Section
from ts2mqtt.demo.sections.lines import cropped
from ts2mqtt.demo.short_text import column, shorten
from ts2mqtt.logs.wording import counted

if TYPE_CHECKING:
    from ts2mqtt.demo.screen import DemoSetup, Screen

_MAXIMUM_STATE_WIDTH = 20


def home_assistant_section(screen: Screen, width: int) -> HomeAssistantSection:
    advice = _connection_advice(screen.setup, width)
    examples = tuple(
        example
        for example in entity_examples(screen)
        if cell_len(example.entity_id) + 2 + _MAXIMUM_STATE_WIDTH <= width
    )
    count = entity_count(screen)
    totals = f"{counted(count.devices, 'device')}, {counted(count.entities, 'entity', 'entities')}"
    notes = (f"would show {totals}, {count.disabled} of them disabled at first", f"would show {totals}", totals)
    return HomeAssistantSection(
        title="Home Assistant",
        notes=notes if count.devices else ("nothing announced yet",),
        minimum=len(advice),
        preferred=len(advice),
        maximum=len(advice) + len(examples),
        examples=examples,
        advice=advice,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeAssistantSection(Section):
    examples: tuple[EntityExample, ...]
    advice: tuple[str, ...]

    def draw(self, width: int, height: int) -> list[Text]:
        shown = self.examples[: max(height - len(self.advice), 0)]
        id_width = max((cell_len(example.entity_id) for example in shown), default=0)
        lines = [_example_line(example, id_width, width) for example in shown]
        return lines + [Text(line) for line in self.advice]


def _example_line(example: EntityExample, id_width: int, width: int) -> Text:
    text = Text(column(example.entity_id, id_width))
    text.append("  ")
    text.append(shorten(example.state, width - id_width - 2), "bold")
    return cropped(text, width)


def _connection_advice(setup: DemoSetup, width: int) -> tuple[str, ...]:
    """How to connect one's own Home Assistant to the demo: three lines at 80 columns, more at fewer."""
    sentences = (
        f"Yours on this machine: add the integration MQTT, broker {setup.host}, port {setup.port}",
        "(no login; a container needs the host's network; --speed 1 for real times).",
        "On another machine: ts2mqtt simulate here, ts2mqtt run with your own broker.",
    )
    return tuple(
        line for sentence in sentences for line in textwrap.wrap(sentence, max(width, 1), break_on_hyphens=False)
    )
