"""The section of the last MQTT messages and log lines, with the newest at the bottom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from ts2mqtt.demo.screen import WARNINGS
from ts2mqtt.demo.section import Section
from ts2mqtt.demo.sections.lines import MINIMUM_NAME_WIDTH, cropped
from ts2mqtt.demo.short_text import clock_time, column, shorten, shorten_list, shorten_topic

if TYPE_CHECKING:
    from datetime import datetime

    from ts2mqtt.demo.screen import MessageLine, Screen

_MINIMUM_WIDTH_FOR_TIME = 60


def messages_section(screen: Screen) -> MessagesSection:
    return MessagesSection(
        title="Messages",
        notes=(f"{screen.message_count:,} so far",),
        minimum=3,
        preferred=4,
        maximum=None,
        messages=screen.messages,
        now=screen.now,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesSection(Section):
    messages: tuple[MessageLine, ...]
    now: datetime

    def draw(self, width: int, height: int) -> list[Text]:
        shown = self.messages[-height:]
        if not shown:
            return [Text(shorten("none yet", width))]
        topics = [
            message.topic if message.from_log else shorten_topic(message.topic, width // 2) for message in shown
        ]
        topic_width = min(max(map(cell_len, topics)), max(width * 9 // 20, MINIMUM_NAME_WIDTH))
        return [_message_line(message, topic_width, self.now, width) for message in shown]


def _message_line(message: MessageLine, topic_width: int, now: datetime, width: int) -> Text:
    text = Text()
    if width >= _MINIMUM_WIDTH_FOR_TIME:
        text.append(f"{clock_time(message.time, now)} ")
    if message.from_log:
        text.append(message.topic, "bold magenta" if message.topic in WARNINGS else "")
        text.append(" " + shorten(" ".join(message.pieces), width - text.cell_len - 1))
        return cropped(text, width)
    text.append(column(shorten_topic(message.topic, topic_width), topic_width), "cyan")
    end = "}" if message.pieces and message.pieces[0].startswith("{") else ""
    text.append("  ")
    text.append(shorten_list(message.pieces, width - text.cell_len, separator=",", end=end))
    return cropped(text, width)
