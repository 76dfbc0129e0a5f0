"""The demo without a screen: what it is, then every message on a line of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ts2mqtt.logs.wording import printable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    from ts2mqtt.demo.screen import Demo
    from ts2mqtt.mqtt.message import Received

_LINE = 160


class PlainLines:
    """A view of the demo for a pipe, a file or a terminal that can no more."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    async def show(self, demo: Demo, clock: Callable[[], datetime], received: AsyncIterator[Received]) -> None:  # noqa: ARG002 - a view of the screen needs the time
        for line in _welcome(demo):
            self._say(line)
        async for message in received:
            if message.payload[:8] == b"\x89PNG\r\n\x1a\n":
                self._say(f"{message.topic}  (a picture, {len(message.payload)} bytes)")
            elif not message.topic.endswith("/heartbeat"):
                text = printable(message.payload.decode(errors="replace"))
                line = f"{printable(message.topic)}  {text}"
                self._say(line if len(line) <= _LINE else f"{line[: _LINE - 1]}…")


def _welcome(demo: Demo) -> tuple[str, ...]:
    return (
        f"MQTT broker for this demo:  {demo.host}:{demo.port}",
        f"Simulated observatory:      {demo.api_url}, {demo.speed:g} times as fast as a real one",
        f"Watch it from elsewhere:    mosquitto_sub -p {demo.port} -t 'ts2mqtt/#' -t 'homeassistant/#' -v",
        "Ctrl-C ends the demo.",
        "",
    )
