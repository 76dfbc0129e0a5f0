"""The demo's live view: it draws the screen on the terminal's alternate buffer, at most four times a second."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.live import Live

from ts2mqtt.demo.layout import render
from ts2mqtt.demo.log_capture import capture_log
from ts2mqtt.demo.screen import DemoSetup, Screen, with_log_line, with_message
from ts2mqtt.demo.short_text import duration
from ts2mqtt.logs.wording import counted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    from rich.console import Console, RenderableType

    from ts2mqtt.mqtt.message import Received

_FRAME_S = 0.25


def can_show(console: Console) -> bool:
    """Whether the terminal can show the live view."""
    is_plain = console.is_dumb_terminal or console.legacy_windows
    return console.is_terminal and not is_plain and console.encoding.startswith("utf")


class LiveView:
    """A view of the demo on a terminal; `say` gets a one-line summary at the end."""

    def __init__(self, console: Console, say: Callable[[str], None]) -> None:
        self._console = console
        self._say = say

    async def show(self, setup: DemoSetup, clock: Callable[[], datetime], received: AsyncIterator[Received]) -> None:
        """Draw until the task is cancelled or the messages end; then give the terminal back as it was."""
        screen = _ChangingScreen(Screen(setup=setup, started=clock(), now=clock()), clock)
        started = time.monotonic()
        listening = asyncio.ensure_future(screen.listen(received))
        try:
            with (
                capture_log(screen.add_log_line),
                Live(console=self._console, screen=True, auto_refresh=False, transient=True) as live,
            ):
                while not listening.done():
                    live.update(screen.draw(self._console), refresh=True)
                    await asyncio.wait({listening}, timeout=_FRAME_S)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            self._say(_summary(screen.latest, time.monotonic() - started))
        listening.result()


class _ChangingScreen:
    """Keeps the latest screen while messages, log lines and time change it."""

    def __init__(self, screen: Screen, clock: Callable[[], datetime]) -> None:
        self.latest = screen
        self._clock = clock
        self._log_lines: deque[tuple[str, str]] = deque()

    async def listen(self, received: AsyncIterator[Received]) -> None:
        async for message in received:
            self._pass_time()
            self.latest = with_message(self.latest, message.topic, message.payload)

    def add_log_line(self, level: str, text: str) -> None:
        """Keep the line for the next drawing; any thread may call this."""
        self._log_lines.append((level, text))

    def draw(self, console: Console) -> RenderableType:
        self._pass_time()
        while self._log_lines:
            self.latest = with_log_line(self.latest, *self._log_lines.popleft())
        return render(self.latest, *console.size)

    def _pass_time(self) -> None:
        self.latest = replace(self.latest, now=self._clock())


def _summary(screen: Screen, seconds: float) -> str:
    exposures = sum(rig.state.tonight.exposures_acquired or 0 for rig in screen.rigs.values())
    pieces = [
        f"{duration(seconds)} ({duration((screen.now - screen.started).total_seconds())} simulated)",
        counted(screen.message_count, "message"),
        counted(exposures, "exposure"),
    ]
    if screen.warning_count:
        pieces.append(counted(screen.warning_count, "warning"))
    return f"Demo over: {', '.join(pieces)}."
