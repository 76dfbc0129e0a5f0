"""The demo's output without a screen: an introduction, then one line for every message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ts2mqtt.demo.payload_excerpt import is_png
from ts2mqtt.logs.wording import printable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    from ts2mqtt.demo.screen import DemoSetup
    from ts2mqtt.mqtt.message import Received

# A picture or a discovery payload of 19 kB would fill the terminal, so neither line shows them.
_HAPPENINGS = "-t 'ts2mqtt/+/status' -t 'ts2mqtt/+/event'"
_TOPICS = "-F '%t  %l bytes' -t 'ts2mqtt/#' -t 'homeassistant/#' -T ts2mqtt/bridge/heartbeat"


class PlainLines:
    """A view of the demo for a pipe, a file or a simple terminal; `say` gets each line, cut to `line_length`."""

    def __init__(self, say: Callable[[str], None], *, line_length: int = 160) -> None:
        self._say = say
        self._line_length = line_length

    async def show(self, setup: DemoSetup, clock: Callable[[], datetime], received: AsyncIterator[Received]) -> None:  # noqa: ARG002 - the live view needs the clock
        for line in _introduction(setup):
            self._say(line)
        async for message in received:
            if is_png(message.payload):
                self._say(f"{message.topic}  (a picture, {len(message.payload)} bytes)")
            elif not message.topic.endswith("/heartbeat"):
                text = printable(message.payload.decode(errors="replace"))
                line = f"{printable(message.topic)}  {text}"
                self._say(line if len(line) <= self._line_length else f"{line[: self._line_length - 1]}…")


def _introduction(setup: DemoSetup) -> tuple[str, ...]:
    return (
        f"MQTT broker for this demo:  {setup.host}:{setup.port}",
        f"Simulated observatory:      {setup.api_url}, {setup.speed:g} times as fast as a real one",
        f"Watch what happens:         mosquitto_sub -p {setup.port} -v {_HAPPENINGS}",
        f"See which topics there are: mosquitto_sub -p {setup.port} {_TOPICS}",
        f"N.I.N.A.'s live events:     {setup.nina_url}",
        "Ctrl-C ends the demo.",
        "",
    )
